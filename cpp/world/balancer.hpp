// A balancer as the world keeps it: its router, and which instance each of its targets is.

#pragma once

#include <cstdint>
#include <vector>

#include "balancing/health.hpp"
#include "balancing/router.hpp"
#include "world/callers.hpp"

namespace nephoscope {

// A target of a balancer.
struct Slot {
  std::uint64_t completed = 0;  // measured requests, where they are counted here
  std::uint32_t instance = 0;
  std::uint32_t of_class = 0;
};

struct Balancer {
  Router router;
  std::vector<std::uint32_t> fleets;  // by class
  std::vector<Slot> slots;
  std::uint32_t first_instance =
      Visit::none;                      // slot i is instance first + i, of class 0; else none
  std::vector<OutcomeCounts> unserved;  // by slot: the measured requests that did not complete
  Health health;
  std::uint32_t checker = 0;  // the caller that sends its checks, if it is active
  std::int64_t drain_ns = 0;  // that a target which leaves has for what it holds
  std::uint64_t broken = 0;   // measured requests whose target was down or went down
};

}  // namespace nephoscope
