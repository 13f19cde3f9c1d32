// What placement knows of the cloud: hosts, racks, groups, and the counts of who is where. Plain
// tables, read by the indexes (placement_index.hpp) and written by Placement alone.

#pragma once

#include <cstdint>
#include <vector>

#include "compute/placement/count_table.hpp"
#include "compute/placement/placement_facts.hpp"

namespace nephoscope {

struct HostState {
  std::int64_t memory = 0;
  std::int64_t memory_left = 0;
  std::uint32_t vcpus = 0;  // with the overcommitment
  std::uint32_t vcpus_left = 0;
  std::uint32_t accelerators = 0;
  std::uint32_t accelerators_left = 0;
  std::uint32_t disks = 0;
  std::uint32_t disks_left = 0;
  std::uint64_t reservable_left = 0;  // millionths of a thread
  std::uint32_t pool = 0;
  std::uint32_t zone = 0;
  std::uint32_t rack = 0;
  std::uint32_t position = 0;  // in the order of its pool: zone, rack, number
  std::uint32_t instances = 0;
  std::uint32_t dedicated = 0;           // of its instances
  std::uint32_t accounts = 0;            // different ones that have an instance on it
  std::uint32_t account_bits = 0;        // their exclusive or: the account when there is one
  std::uint32_t allocated_to = nowhere;  // an account, as a dedicated host
  std::uint32_t auto_placement = 0;      // an allocated host takes launches that name none
  std::uint32_t open = 1;
  std::uint32_t rack_place = 0;  // of its rack, among the racks of its pool
};

struct RackState {
  std::uint32_t pool = nowhere;  // nowhere: no host in it yet
  std::uint32_t zone = 0;
  std::uint32_t first = 0;  // its hosts' positions are [first, last]
  std::uint32_t last = 0;
  std::uint32_t place = 0;  // among the racks of its pool, in order
};

struct GroupState {
  GroupStrategy strategy = GroupStrategy::cluster;
  std::uint32_t partitions = 0;
  std::uint32_t zone = nowhere;  // a cluster's, while it has members
  std::uint32_t members = 0;
};

// The keys of the table of counts: what is counted, of whom, where.
struct CountKey {
  static constexpr std::uint32_t ids_max = 1U << 28;
  static constexpr std::size_t groups_max = 1U << 25;  // times 8 partitions

  static std::uint64_t account_on_host(std::uint32_t account, std::uint32_t host) {
    return key(1, account, host);
  }
  static std::uint64_t dedicated_of(std::uint32_t account) { return key(2, account, 0); }
  static std::uint64_t fleet_on_host(std::uint32_t fleet, std::uint32_t host) {
    return key(3, fleet, host);
  }
  static std::uint64_t fleet_on_rack(std::uint32_t fleet, std::uint32_t rack) {
    return key(4, fleet, rack);
  }
  // A zone of the pool: a fleet that launches into two pools is balanced in each.
  static std::uint64_t fleet_in_zone(std::uint32_t fleet, std::uint32_t pool, std::uint32_t zone) {
    return key(5, fleet, pool * zones_max + zone);
  }
  static std::uint64_t group_on_rack(std::uint32_t group, std::uint32_t rack) {
    return key(6, group, rack);
  }
  static std::uint64_t group_in_zone(std::uint32_t group, std::uint32_t zone) {
    return key(7, group, zone);
  }
  static std::uint64_t partition_on_rack(std::uint32_t group, std::uint32_t partition,
                                         std::uint32_t rack) {
    return key(8, group * 8 + partition, rack);
  }
  static std::uint64_t in_partition(std::uint32_t group, std::uint32_t partition) {
    return key(9, group, partition);
  }

 private:
  static std::uint64_t key(std::uint64_t what, std::uint64_t id, std::uint64_t place) {
    return what << 60 | id << 32 | place;
  }
};

struct PlacementState {
  std::vector<HostState> hosts;
  std::vector<RackState> racks;
  std::vector<GroupState> groups;
  CountTable counts;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(hosts, racks, groups);
    counts.serialize(archive);
  }
};

// All of a request that decides which hosts can take it and which of them is best; zones apart,
// which are ranges of the hosts.
struct LaunchShape {
  std::int64_t memory = 0;
  std::uint32_t vcpus = 0;
  std::uint32_t accelerators = 0;
  std::uint32_t disks = 0;
  std::uint32_t reserved = 0;
  Tenancy tenancy = Tenancy::shared;
  std::uint32_t account = nowhere;  // shared tenancy: only if it has dedicated instances somewhere
  std::uint32_t group = nowhere;
  std::uint32_t partition = nowhere;
  std::uint32_t fleet = nowhere;  // spread policy

  friend bool operator==(const LaunchShape&, const LaunchShape&) = default;
};

inline bool has_room(const HostState& host, const LaunchShape& shape) {
  return host.open != 0 && host.vcpus_left >= shape.vcpus && host.memory_left >= shape.memory &&
         host.accelerators_left >= shape.accelerators && host.disks_left >= shape.disks &&
         host.reservable_left >= shape.reserved;
}

// Whether an instance of this tenancy and account may stand beside those that the host has.
inline bool admits(const HostState& host, const LaunchShape& shape) {
  if (shape.tenancy == Tenancy::host) return host.allocated_to == shape.account;
  if (host.allocated_to != nowhere) return false;
  const bool alone = host.accounts == 1 && host.account_bits == shape.account;
  if (shape.tenancy == Tenancy::shared) return host.dedicated == 0 || alone;
  return host.instances == 0 || alone;
}

// How good a rack is for the next member of a group: the lower, the better.
inline constexpr std::uint32_t rack_forbidden = nowhere;

inline std::uint32_t rack_rank(const PlacementState& state, const LaunchShape& shape,
                               std::uint32_t rack) {
  const auto members =
      static_cast<std::uint32_t>(state.counts.count(CountKey::group_on_rack(shape.group, rack)));
  switch (state.groups[shape.group].strategy) {
    case GroupStrategy::cluster:
      return rack_forbidden - 1 - members;
    case GroupStrategy::spread:
      return members == 0 ? 0 : rack_forbidden;
    case GroupStrategy::partition:
      if (members == 0) return 1;
      return state.counts.count(CountKey::partition_on_rack(shape.group, shape.partition, rack)) !=
                     0
                 ? 0
                 : rack_forbidden;
  }
  return rack_forbidden;
}

}  // namespace nephoscope
