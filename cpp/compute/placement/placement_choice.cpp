// How Placement chooses: the rules of groups and zones, around the indexes of the pools.

#include <bit>

#include "compute/placement/placement.hpp"

namespace nephoscope {

Placement::Choice Placement::choose(const LaunchRequest& request) {
  PlacementPool& pool = pools_[request.pool];
  pool.arrange(state_);
  std::uint64_t zones = request.zones & pool.zones();
  if (request.group != nowhere) {
    const Refusal refusal = group_refusal(request, zones);
    if (refusal != Refusal::none) return {.refusal = refusal};
  }
  if (zones == 0) return {.refusal = Refusal::zone};
  if (request.host != nowhere) return choose_named(request);
  const bool here = request.avoid != nowhere && state_.hosts[request.avoid].pool == request.pool;
  const Choice choice = search(request, zones, here ? request.avoid : nowhere);
  if (choice.refusal == Refusal::none || !here) return choice;
  return search(request, zones, nowhere);
}

Placement::Choice Placement::choose_named(const LaunchRequest& request) const {
  const HostState& host = state_.hosts[request.host];
  if ((request.zones >> host.zone & 1) == 0) return {.refusal = Refusal::zone};
  const LaunchShape shape = shape_of(request);
  if (!admits(host, shape)) return {.refusal = Refusal::tenancy};
  if (!has_room(host, shape)) return {.refusal = Refusal::capacity};
  return {.host = request.host};
}

// The one host that a migration is to, if a launch could go there.
Placement::Choice Placement::choose_target(const LaunchRequest& request) const {
  std::uint64_t zones = request.zones;
  if (request.group != nowhere) {
    const Refusal refusal = group_refusal(request, zones);
    if (refusal != Refusal::none) return {.refusal = refusal};
  }
  const HostState& host = state_.hosts[request.target];
  if ((zones >> host.zone & 1) == 0) return {.refusal = Refusal::zone};
  const LaunchShape shape = shape_of(request);
  if (!admits(host, shape)) return {.refusal = Refusal::tenancy};
  if (!has_room(host, shape)) return {.refusal = Refusal::capacity};
  const bool grouped = request.group != nowhere;
  if (grouped && rack_rank(state_, shape, host.rack) == rack_forbidden) {
    return {.refusal = Refusal::rack};
  }
  return {.host = request.target, .partition = request.partition};
}

// What a group forbids whatever room there is; takes out the zones that it rules out.
Refusal Placement::group_refusal(const LaunchRequest& request, std::uint64_t& zones) const {
  const GroupState& group = state_.groups[request.group];
  if (request.tenancy == Tenancy::host) return Refusal::tenancy;
  const bool dedicated = request.tenancy == Tenancy::dedicated;
  switch (group.strategy) {
    case GroupStrategy::cluster:
      if (request.burstable) return Refusal::burstable;
      if (group.zone != nowhere) zones &= std::uint64_t{1} << group.zone;
      break;
    case GroupStrategy::partition:
      if (dedicated && group.partitions > dedicated_partitions) return Refusal::tenancy;
      break;
    case GroupStrategy::spread:
      if (dedicated) return Refusal::tenancy;
      if (zones == 0) return Refusal::zone;
      for (std::uint64_t left = zones; left != 0; left &= left - 1) {
        const auto zone = static_cast<std::uint32_t>(std::countr_zero(left));
        const std::uint64_t members =
            state_.counts.count(CountKey::group_in_zone(request.group, zone));
        if (members >= spread_a_zone) zones &= ~(std::uint64_t{1} << zone);
      }
      if (zones == 0) return Refusal::group_limit;
      break;
  }
  return Refusal::none;
}

LaunchShape Placement::shape_of(const LaunchRequest& request) const {
  LaunchShape shape{.memory = request.memory_bytes,
                    .vcpus = request.vcpus,
                    .accelerators = request.accelerators,
                    .disks = request.disks,
                    .reserved = request.reserved,
                    .tenancy = request.tenancy,
                    .group = request.group,
                    .partition = request.partition};
  // Shared instances of all accounts without dedicated ones see the same hosts.
  if (request.tenancy != Tenancy::shared ||
      state_.counts.count(CountKey::dedicated_of(request.account)) != 0) {
    shape.account = request.account;
  }
  if (pools_[request.pool].facts().policy == PlacePolicy::spread) shape.fleet = request.fleet;
  return shape;
}

Placement::Choice Placement::search(const LaunchRequest& request, std::uint64_t zones,
                                    std::uint32_t avoid) {
  const LaunchShape shape = shape_of(request);
  const bool chooses = request.group != nowhere && request.partition == nowhere &&
                       state_.groups[request.group].strategy == GroupStrategy::partition;
  if (chooses) return search_partitions(shape, request.pool, zones, avoid);
  return search_zones(shape, request.pool, zones, avoid);
}

// The partitions from the fewest members on.
Placement::Choice Placement::search_partitions(LaunchShape shape, std::uint32_t pool,
                                               std::uint64_t zones, std::uint32_t avoid) {
  const std::uint32_t partitions = state_.groups[shape.group].partitions;
  Choice choice{.refusal = Refusal::capacity};
  for (std::uint32_t left = (1U << partitions) - 1; left != 0;) {
    std::uint64_t fewest = ~std::uint64_t{0};
    for (std::uint32_t each = 0; each < partitions; ++each) {
      const std::uint64_t members = state_.counts.count(CountKey::in_partition(shape.group, each));
      if ((left >> each & 1) != 0 && members < fewest) {
        fewest = members;
        shape.partition = each;
      }
    }
    left &= ~(1U << shape.partition);
    const Choice found = search_zones(shape, pool, zones, avoid);
    if (found.refusal == Refusal::none) return found;
    if (found.refusal == Refusal::rack) choice.refusal = Refusal::rack;
  }
  return choice;
}

// With the spread policy the zones from the fewest instances of the fleet on, else all at once.
Placement::Choice Placement::search_zones(const LaunchShape& shape, std::uint32_t pool,
                                          std::uint64_t zones, std::uint32_t avoid) {
  if (pools_[pool].facts().policy != PlacePolicy::spread) {
    return search_hosts(shape, pool, zones, avoid);
  }
  Choice choice{.refusal = Refusal::capacity};
  while (zones != 0) {
    std::uint64_t fewest = ~std::uint64_t{0};
    std::uint64_t emptiest = 0;
    for (std::uint64_t left = zones; left != 0; left &= left - 1) {
      const auto zone = static_cast<std::uint32_t>(std::countr_zero(left));
      const std::uint64_t members =
          state_.counts.count(CountKey::fleet_in_zone(shape.fleet, pool, zone));
      if (members < fewest) {
        fewest = members;
        emptiest = std::uint64_t{1} << zone;
      }
    }
    zones &= ~emptiest;
    const Choice found = search_hosts(shape, pool, emptiest, avoid);
    if (found.refusal == Refusal::none) return found;
    if (found.refusal == Refusal::rack) choice.refusal = Refusal::rack;
  }
  return choice;
}

Placement::Choice Placement::search_hosts(const LaunchShape& shape, std::uint32_t pool,
                                          std::uint64_t zones, std::uint32_t avoid) {
  bool forbidden = false;
  PlacementPool& of = pools_[pool];
  const std::uint32_t host = of.find(state_, shape, of.ranges(state_, zones, avoid), forbidden);
  if (host != nowhere) return {.host = host, .partition = shape.partition};
  return {.refusal = forbidden ? Refusal::rack : Refusal::capacity};
}

}  // namespace nephoscope
