// On which host an instance is launched.
//
// A host has room for so many vCPUs (its threads times the pool's overcommitment), bytes of memory
// (never overcommitted), accelerators and local disks (whole), and so many threads that instances
// may reserve (all of them, whatever the overcommitment). A launch takes its share of each
// from one host until it is released; it is refused, with the reason, if no host will do, and then
// nothing has changed but a counter. A refusal is complete: there is no host that would do.
//
// Which of the hosts that will do is the pool's policy: first_fit, best_fit, worst_fit, random or
// spread, defined in placement_index.hpp. `spread` goes by zones first: of those asked for, the one
// with the fewest instances of the fleet in this pool in which a host will do (ties: the lower
// number), as a scaling group balances zones.
//
// Tenancy. On a host with a dedicated instance all instances are of one account, and a dedicated
// instance goes only to a host that is empty or has instances of its own account alone; shared
// instances of that account may join it. An allocated host (allocate_host) takes launches with
// tenancy host of its account and no others: those that name it, and with auto-placement those that
// name none. Tenancy host goes with no placement group.
//
// Placement groups:
//   cluster    all members in one zone, that of the first, for as long as there are any. Racks
//              first: the rack with the most members on which a host will do, so the group is as
//              near together as room allows. No burstable types.
//   partition  every member is in a partition; partitions share no rack: a rack is its partition's
//              from the first member to the last. A partition fills its own racks before it takes
//              another. Unless named, the partition with the fewest members in which a host will do
//              (ties: the lower number): spread evenly where room allows. With dedicated tenancy
//              only in groups of at most two partitions.
//   spread     each member on another rack, and at most seven in a zone. Not for dedicated tenancy.
// A group may span pools; the pool's policy chooses among the hosts of the best racks.
//
// Cost of a launch, n hosts in the pool: O(log n) in the worst case once the index of its shape has
// caught up; catching up is O(log n) for each host changed since the shape was asked for last, and
// never more than O(n log n). So any mixture of s shapes costs O(s log n) a launch, amortised.
// Seven queries at most with an automatic partition, one a zone with `spread`, twice that with
// `avoid`. A shape is everything but zones and avoid; hundreds of them are kept
// (placement_pool.hpp). A release is O(1).
//
// Invariants, for each host: used + left = its room; used is the sum of its placements.

#pragma once

#include <cstdint>
#include <vector>

#include "compute/placement/placement_facts.hpp"
#include "compute/placement/placement_pool.hpp"
#include "compute/placement/placement_state.hpp"
#include "kernel/slab.hpp"

namespace nephoscope {

class Placement {
 public:
  // What a host has given away, and to how many.
  struct Used {
    std::uint32_t vcpus = 0;
    std::int64_t memory_bytes = 0;
    std::uint32_t accelerators = 0;
    std::uint32_t disks = 0;
    std::uint32_t instances = 0;
  };

  // All of these throw SpecError with the field's name when a fact is not legal.
  std::uint32_t add_pool(const PoolFacts& facts);
  std::uint32_t add_host(std::uint32_t pool, const HostRoom& room);
  // `partitions`: 1 to 7, for the partition strategy alone.
  std::uint32_t add_group(GroupStrategy strategy, std::uint32_t partitions = 0);

  // A closed host (failed, in maintenance) takes no launches; what is placed there stays.
  void set_open(std::uint32_t host, bool open);

  // Makes an empty host a dedicated host of the account, or gives it back; false, and nothing done,
  // if there are instances on it or it is somebody's already.
  bool allocate_host(std::uint32_t host, std::uint32_t account, bool auto_placement);
  bool release_host(std::uint32_t host);

  Launch place(const LaunchRequest& request);
  // As many as possible, at most `most`, all or none if fewer than `least`: appended to `launches`.
  // The reason why there were not more; a refused whole is counted as one refusal.
  Refusal place_many(const LaunchRequest& request, std::uint32_t least, std::uint32_t most,
                     std::vector<Launch>& launches);
  void release(std::uint32_t placement);
  // To another host of its zone and, in a partition group, its partition, by the rules of a launch;
  // `request` is what it was placed by. The placement keeps its number, and stays where it is, with
  // the reason, if no other host will do: one for which `accepts(host)` is false does not.
  template <class Accepts>
  Launch move(std::uint32_t placement, LaunchRequest request, Accepts accepts);

  std::uint32_t pools() const { return static_cast<std::uint32_t>(pools_.size()); }
  std::uint32_t hosts() const { return static_cast<std::uint32_t>(state_.hosts.size()); }
  std::uint32_t host_of(std::uint32_t placement) const { return present(placement).host; }
  const HostState& host(std::uint32_t host) const { return state_.hosts[known_host(host)]; }
  Used used(std::uint32_t host) const;
  const PoolCounters& counters(std::uint32_t pool) const;
  std::uint64_t placed() const { return placed_; }

  template <class Archive>
  void serialize(Archive& archive) {
    state_.serialize(archive);
    placements_.serialize(archive);
    archive(placed_);
    for (PlacementPool& pool : pools_) pool.serialize(archive);
  }

 private:
  struct Placed {
    std::int64_t memory = 0;
    std::uint32_t host = nowhere;  // nowhere: released
    std::uint32_t vcpus = 0;
    std::uint32_t accelerators = 0;
    std::uint32_t disks = 0;
    std::uint32_t account = 0;
    std::uint32_t fleet = nowhere;
    std::uint32_t group = nowhere;
    std::uint32_t partition = nowhere;
    std::uint32_t dedicated = 0;
    std::uint32_t reserved = 0;
  };

  // Where an instance goes, or why nowhere.
  struct Choice {
    std::uint32_t host = nowhere;
    std::uint32_t partition = nowhere;
    Refusal refusal = Refusal::none;
  };

  std::uint32_t known_host(std::uint32_t host) const;
  const Placed& present(std::uint32_t placement) const;
  void check_here(const LaunchRequest& request) const;
  LaunchShape shape_of(const LaunchRequest& request) const;
  Choice choose(const LaunchRequest& request);
  Choice choose_named(const LaunchRequest& request) const;
  Choice choose_target(const LaunchRequest& request) const;
  Refusal group_refusal(const LaunchRequest& request, std::uint64_t& zones) const;
  Choice search(const LaunchRequest& request, std::uint64_t zones, std::uint32_t avoid);
  Choice search_partitions(LaunchShape shape, std::uint32_t pool, std::uint64_t zones,
                           std::uint32_t avoid);
  Choice search_zones(const LaunchShape& shape, std::uint32_t pool, std::uint64_t zones,
                      std::uint32_t avoid);
  Choice search_hosts(const LaunchShape& shape, std::uint32_t pool, std::uint64_t zones,
                      std::uint32_t avoid);
  Launch occupy(const LaunchRequest& request, const Choice& choice);
  void vacate(std::uint32_t placement);
  void count(const Placed& placed, bool enters);
  void count_group(const Placed& placed, bool enters);
  std::uint64_t bump(std::uint64_t key, bool enters) {
    return enters ? state_.counts.add(key) : state_.counts.subtract(key);
  }

  PlacementState state_;
  std::vector<PlacementPool> pools_;
  Slab<Placed> placements_;
  std::uint64_t placed_ = 0;
};

// The rules of groups hold for where it goes without regard to where it is, so it leaves first.
template <class Accepts>
Launch Placement::move(std::uint32_t placement, LaunchRequest request, Accepts accepts) {
  const Placed from = present(placement);
  request.zones = std::uint64_t{1} << state_.hosts[from.host].zone;
  request.avoid = from.host;
  request.partition = from.partition;
  check_here(request);
  vacate(placement);
  Choice choice = request.target == nowhere ? choose(request) : choose_target(request);
  const bool found = choice.refusal == Refusal::none;
  if (found && (choice.host == from.host || !accepts(choice.host))) {
    choice.refusal = Refusal::capacity;
  }
  if (choice.refusal != Refusal::none) {
    occupy(request, {from.host, from.partition, Refusal::none});
    return {.refusal = choice.refusal};
  }
  return occupy(request, choice);
}

}  // namespace nephoscope
