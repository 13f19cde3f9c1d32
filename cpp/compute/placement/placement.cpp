#include "compute/placement/placement.hpp"

#include "kernel/errors.hpp"

namespace nephoscope {

std::uint32_t Placement::add_pool(const PoolFacts& facts) {
  check(facts);
  pools_.emplace_back(facts);
  return pools() - 1;
}

std::uint32_t Placement::add_host(std::uint32_t pool, const HostRoom& room) {
  require(pool < pools_.size(), "pool", "is not there");
  check(room);
  if (room.rack >= state_.racks.size()) state_.racks.resize(room.rack + 1);
  RackState& rack = state_.racks[room.rack];
  require(rack.pool == nowhere || (rack.pool == pool && rack.zone == room.zone), "rack",
          "is in another zone or pool");
  rack.pool = pool;
  rack.zone = room.zone;
  HostState host;
  host.memory = host.memory_left = room.memory_bytes;
  host.vcpus = host.vcpus_left = vcpu_room(room.threads, pools_[pool].facts().cpu_overcommit);
  host.accelerators = host.accelerators_left = room.accelerators;
  host.disks = host.disks_left = room.disks;
  host.reservable_left = room.threads * millionths;
  host.pool = pool;
  host.zone = room.zone;
  host.rack = room.rack;
  state_.hosts.push_back(host);
  pools_[pool].add(hosts() - 1, room.zone);
  return hosts() - 1;
}

std::uint32_t Placement::add_group(GroupStrategy strategy, std::uint32_t partitions) {
  if (strategy == GroupStrategy::partition) {
    require(partitions >= 1 && partitions <= partitions_max, "partitions", "must be from 1 to 7");
  } else {
    require(partitions == 0, "partitions", "are for the partition strategy only");
  }
  require(state_.groups.size() < CountKey::groups_max, "group", "is one too many");
  state_.groups.push_back({strategy, partitions});
  return static_cast<std::uint32_t>(state_.groups.size() - 1);
}

void Placement::set_open(std::uint32_t host, bool open) {
  HostState& it = state_.hosts[known_host(host)];
  it.open = open ? 1 : 0;
  pools_[it.pool].changed({.host = host});
}

bool Placement::allocate_host(std::uint32_t host, std::uint32_t account, bool auto_placement) {
  HostState& it = state_.hosts[known_host(host)];
  require(account < CountKey::ids_max, "account", "must be below 2^28");
  if (it.instances != 0 || it.allocated_to != nowhere) return false;
  it.allocated_to = account;
  it.auto_placement = auto_placement ? 1 : 0;
  pools_[it.pool].changed({.host = host});
  return true;
}

bool Placement::release_host(std::uint32_t host) {
  HostState& it = state_.hosts[known_host(host)];
  if (it.instances != 0 || it.allocated_to == nowhere) return false;
  it.allocated_to = nowhere;
  it.auto_placement = 0;
  pools_[it.pool].changed({.host = host});
  return true;
}

Launch Placement::place(const LaunchRequest& request) {
  check_here(request);
  const Choice choice = choose(request);
  PoolCounters& counters = pools_[request.pool].counters();
  if (choice.refusal != Refusal::none) {
    ++counters.refused[static_cast<std::size_t>(choice.refusal)];
    return {.refusal = choice.refusal};
  }
  ++counters.placements;
  return occupy(request, choice);
}

Refusal Placement::place_many(const LaunchRequest& request, std::uint32_t least, std::uint32_t most,
                              std::vector<Launch>& launches) {
  check_here(request);
  require(least <= most, "min_count", "must not be above the count");
  PlacementPool& pool = pools_[request.pool];
  const std::uint64_t drawn = pool.draws().index();
  const std::size_t before = launches.size();
  Refusal refusal = Refusal::none;
  while (launches.size() - before < most) {
    const Choice choice = choose(request);
    refusal = choice.refusal;
    if (refusal != Refusal::none) break;
    launches.push_back(occupy(request, choice));
  }
  if (launches.size() - before < least) {
    // Backwards, so that even the numbers of the placements are as they were.
    for (; launches.size() > before; launches.pop_back()) vacate(launches.back().placement);
    pool.draws().seek(drawn);
  }
  pool.counters().placements += launches.size() - before;
  if (refusal != Refusal::none) ++pool.counters().refused[static_cast<std::size_t>(refusal)];
  return refusal;
}

void Placement::release(std::uint32_t placement) {
  ++pools_[state_.hosts[present(placement).host].pool].counters().releases;
  vacate(placement);
}

Placement::Used Placement::used(std::uint32_t host) const {
  const HostState& it = state_.hosts[known_host(host)];
  return {it.vcpus - it.vcpus_left, it.memory - it.memory_left,
          it.accelerators - it.accelerators_left, it.disks - it.disks_left, it.instances};
}

const PoolCounters& Placement::counters(std::uint32_t pool) const {
  require(pool < pools_.size(), "pool", "is not there");
  return pools_[pool].counters();
}

std::uint32_t Placement::known_host(std::uint32_t host) const {
  require(host < state_.hosts.size(), "host", "is not there");
  return host;
}

const Placement::Placed& Placement::present(std::uint32_t placement) const {
  require(placement < placements_.size() && placements_[placement].host != nowhere, "placement",
          "is not there");
  return placements_[placement];
}

void Placement::check_here(const LaunchRequest& request) const {
  check(request);
  require(request.pool < pools_.size(), "pool", "is not there");
  if (request.host != nowhere) {
    require(state_.hosts[known_host(request.host)].pool == request.pool, "host",
            "is in another pool");
  }
  if (request.avoid != nowhere) known_host(request.avoid);
  if (request.group == nowhere) return;
  require(request.group < state_.groups.size(), "group", "is not there");
  require(
      request.partition == nowhere || request.partition < state_.groups[request.group].partitions,
      "partition", "is not in the group");
}

// What follows takes the instance in and out; placement_choice.cpp chooses.

Launch Placement::occupy(const LaunchRequest& request, const Choice& choice) {
  const std::uint32_t placement = placements_.take();
  Placed& placed = placements_[placement];
  const bool spreads = pools_[request.pool].facts().policy == PlacePolicy::spread;
  placed = {.memory = request.memory_bytes,
            .host = choice.host,
            .vcpus = request.vcpus,
            .accelerators = request.accelerators,
            .disks = request.disks,
            .account = request.account,
            .fleet = spreads ? request.fleet : nowhere,
            .group = request.group,
            .partition = choice.partition,
            .dedicated = request.tenancy == Tenancy::dedicated,
            .reserved = request.reserved};
  HostState& host = state_.hosts[choice.host];
  host.vcpus_left -= placed.vcpus;
  host.memory_left -= placed.memory;
  host.accelerators_left -= placed.accelerators;
  host.disks_left -= placed.disks;
  host.reservable_left -= placed.reserved;
  ++host.instances;
  host.dedicated += placed.dedicated;
  ++placed_;
  count(placed, true);
  pools_[host.pool].changed({choice.host, placed.fleet, placed.group});
  return {placement, choice.host, choice.partition, Refusal::none};
}

void Placement::vacate(std::uint32_t placement) {
  Placed& placed = placements_[placement];
  const std::uint32_t at = placed.host;
  HostState& host = state_.hosts[at];
  host.vcpus_left += placed.vcpus;
  host.memory_left += placed.memory;
  host.accelerators_left += placed.accelerators;
  host.disks_left += placed.disks;
  host.reservable_left += placed.reserved;
  --host.instances;
  host.dedicated -= placed.dedicated;
  --placed_;
  count(placed, false);
  placed.host = nowhere;
  placements_.release(placement);
  pools_[host.pool].changed({at, placed.fleet, placed.group});
}

// Counts the instance in or out wherever it is counted.
void Placement::count(const Placed& placed, bool enters) {
  HostState& host = state_.hosts[placed.host];
  const std::uint64_t left = bump(CountKey::account_on_host(placed.account, placed.host), enters);
  if (left == (enters ? 1U : 0U)) {  // the account comes to the host, or leaves it
    host.accounts += enters ? 1U : ~0U;
    host.account_bits ^= placed.account;
  }
  if (placed.dedicated != 0) bump(CountKey::dedicated_of(placed.account), enters);
  if (placed.fleet != nowhere) {
    bump(CountKey::fleet_on_host(placed.fleet, placed.host), enters);
    bump(CountKey::fleet_on_rack(placed.fleet, host.rack), enters);
    bump(CountKey::fleet_in_zone(placed.fleet, host.pool, host.zone), enters);
  }
  if (placed.group != nowhere) count_group(placed, enters);
}

void Placement::count_group(const Placed& placed, bool enters) {
  const HostState& host = state_.hosts[placed.host];
  GroupState& group = state_.groups[placed.group];
  group.members += enters ? 1U : ~0U;
  bump(CountKey::group_on_rack(placed.group, host.rack), enters);
  switch (group.strategy) {
    case GroupStrategy::cluster:
      group.zone = group.members == 0 ? nowhere : host.zone;
      break;
    case GroupStrategy::spread:
      bump(CountKey::group_in_zone(placed.group, host.zone), enters);
      break;
    case GroupStrategy::partition:
      bump(CountKey::partition_on_rack(placed.group, placed.partition, host.rack), enters);
      bump(CountKey::in_partition(placed.group, placed.partition), enters);
      break;
  }
}

}  // namespace nephoscope
