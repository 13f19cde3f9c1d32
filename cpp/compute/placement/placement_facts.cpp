#include "compute/placement/placement_facts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compute/placement/placement_state.hpp"
#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::uint32_t most_threads_of_host = 1U << 20;
constexpr std::int64_t most_bytes = std::int64_t{1} << 60;

}  // namespace

void check(const PoolFacts& facts) {
  require(facts.cpu_overcommit >= 1e-6 && facts.cpu_overcommit <= 1000.0, "cpu_overcommit",
          "must be from 0.000001 to 1000");
}

void check(const HostRoom& room) {
  require(room.threads >= 1 && room.threads <= most_threads_of_host, "threads",
          "must be from 1 to 1,048,576");
  require(room.memory_bytes >= 0 && room.memory_bytes <= most_bytes, "memory",
          "must be from 0 to 1 EiB");
  require(room.zone < zones_max, "zone", "must be below 64");
  require(room.rack < CountKey::ids_max, "rack", "must be below 2^28");
}

void check(const LaunchRequest& request) {
  require(request.vcpus >= 1, "vcpus", "must be 1 or more");
  require(request.memory_bytes >= 0, "memory", "must not be below 0");
  require(request.account < CountKey::ids_max, "account", "must be below 2^28");
  require(request.fleet < CountKey::ids_max, "fleet", "must be below 2^28");
  require(request.host == nowhere || request.tenancy == Tenancy::host, "host",
          "is named with tenancy host only");
  require(request.partition == nowhere || request.group != nowhere, "partition",
          "needs a placement group");
}

// To the nearest, so that three thirds fit on one thread.
std::uint32_t reserved_millionths(double threads) {
  const double most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(std::round(threads * double{millionths}), most));
}

std::uint32_t vcpu_room(std::uint32_t threads, double cpu_overcommit) {
  const auto factor = static_cast<std::uint64_t>(std::llround(cpu_overcommit * 1e6));
  return static_cast<std::uint32_t>(threads * factor / 1'000'000);
}

}  // namespace nephoscope
