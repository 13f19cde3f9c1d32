// What is kept of an instance: one cache line, the hottest there is.

#pragma once

#include <cstdint>
#include <limits>

#include "compute/instance_kind.hpp"
#include "compute/job.hpp"

namespace nephoscope {

// What an instance with several workers has in place of the one job that runs.
struct SharedWork {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::int64_t clock = 0;  // units of service since idle
  std::uint32_t free_workers = 0;
  std::uint32_t computing = 0;
  std::uint32_t heap = none;  // the block of the computing jobs
  std::uint32_t heap_log2 = 0;
};

// What somebody tells of the rate of a hosted instance, and what that has cost.
struct HostedRate {
  static constexpr bool plain_doubles = true;

  double rate = 0.0;     // clock units a ns, of all its jobs together
  double lost_ns = 0.0;  // see Instances::lost_ns()
};

struct alignas(64) ServingState {
  static constexpr std::uint32_t none = SharedWork::none;

  ServingState() : running() {}

  std::int64_t updated = 0;  // solo: when its job began or ended; else when the clock was set
  std::int64_t run_ns = 0;
  std::uint64_t counted = 0;  // see Instances::count()
  union {
    Job running;         // solo: its job, the work in ns of this instance
    SharedWork sharing;  // several
  };
  std::uint32_t first = 0;  // of the waiting jobs, in their ring
  std::uint32_t waiting = 0;
  std::uint32_t ring = none;  // the block of the waiting jobs
  std::uint16_t kind = 0;
  std::uint8_t ring_log2 = 0;
  ServingMode mode : 6 = ServingMode::solo;
  bool busy : 1 = false;       // solo: its worker
  bool computing : 1 = false;  // solo
};
static_assert(sizeof(ServingState) == 64);

}  // namespace nephoscope
