// The words of placement: what a pool, a host and a launch are, and why a launch is refused.
// placement.hpp says what is done with them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernel/random.hpp"

namespace nephoscope {

enum class PlacePolicy : std::uint32_t { first_fit, best_fit, worst_fit, random, spread };

enum class Tenancy : std::uint32_t { shared, dedicated, host };

enum class GroupStrategy : std::uint32_t { cluster, partition, spread };

// Why a launch was refused.
enum class Refusal : std::uint32_t {
  none,
  capacity,     // no host that may take it has room: InsufficientInstanceCapacity
  zone,         // no host in the zones asked for, or none of them is the cluster's
  group_limit,  // a spread group has its seven instances in each zone asked for
  rack,         // there is room, but only on racks that the group forbids
  tenancy,      // not legal with the group, or the named host is not the account's
  burstable,    // of a burstable type, in a cluster group
};
inline constexpr std::size_t refusals = 7;

inline constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint32_t zones_max = 64;
inline constexpr std::uint32_t partitions_max = 7;        // a zone, of a partition group
inline constexpr std::uint32_t dedicated_partitions = 2;  // with dedicated tenancy
inline constexpr std::uint32_t spread_a_zone = 7;         // instances of a spread group
inline constexpr std::uint64_t millionths = 1'000'000;    // of a thread
inline constexpr std::uint64_t any_zone = ~std::uint64_t{0};

struct PoolFacts {
  PlacePolicy policy = PlacePolicy::first_fit;
  double cpu_overcommit = 1.0;  // counted in millionths
  StreamKey draws = {};         // of the random policy
};

struct HostRoom {
  std::uint32_t threads = 1;
  std::int64_t memory_bytes = 0;
  std::uint32_t accelerators = 0;
  std::uint32_t disks = 0;
  std::uint32_t zone = 0;
  std::uint32_t rack = 0;  // numbered over the whole cloud; a rack is in one zone and one pool
};

struct LaunchRequest {
  std::uint32_t pool = 0;
  std::uint32_t vcpus = 1;
  std::int64_t memory_bytes = 0;
  std::uint32_t accelerators = 0;
  std::uint32_t disks = 0;
  std::uint64_t zones = any_zone;  // bit z: zone z will do
  std::uint32_t account = 0;       // the tenant of the cloud
  std::uint32_t fleet = 0;         // whose instances the spread policy keeps apart
  Tenancy tenancy = Tenancy::shared;
  std::uint32_t host = nowhere;       // tenancy host: this one; nowhere: any of the account's
  std::uint32_t avoid = nowhere;      // this host only if no other can take it
  std::uint32_t target = nowhere;     // a migration: no other host than this one
  std::uint32_t group = nowhere;      // of placement
  std::uint32_t partition = nowhere;  // from 0; nowhere: the group chooses
  bool burstable = false;             // the instance type has CPU credits
  std::uint32_t reserved = 0;         // of a host's threads, in millionths; never overcommitted
};

struct Launch {
  std::uint32_t placement = nowhere;  // to release it by
  std::uint32_t host = nowhere;
  std::uint32_t partition = nowhere;  // in a partition group
  Refusal refusal = Refusal::none;

  explicit operator bool() const { return placement != nowhere; }
};

// Throw SpecError with the field's name when a fact is not legal.
void check(const PoolFacts& facts);
void check(const HostRoom& room);
void check(const LaunchRequest& request);

// A legal reservation, in threads, as a request has it.
std::uint32_t reserved_millionths(double threads);

// The vCPUs that a host takes: floor(threads x cpu_overcommit), in integers, so that 50 threads at
// 1.16 are 58 and not 57.
std::uint32_t vcpu_room(std::uint32_t threads, double cpu_overcommit);

}  // namespace nephoscope
