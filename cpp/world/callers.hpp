// Callers: whoever sends requests and gets answers. A source of traffic is one, and so is every call step
// of a service. Both have a destination, may stop waiting, and keep the same account.

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernel/histogram.hpp"
#include "service/step_spec.hpp"
#include "world/visit.hpp"

namespace nephoscope {

// Requests by what became of them.
using OutcomeCounts = std::array<std::uint64_t, 4>;

inline std::uint64_t total(const OutcomeCounts& counts) {
  return counts[0] + counts[1] + counts[2] + counts[3];
}

struct Caller {
  Destination to;
  std::int64_t timeout_ns = 0;
  bool abandons = false;              // a request that is still waiting for a worker is taken back
  std::uint32_t first_route = 0;      // its routes, one for each class of its destination's targets
  std::uint32_t routes = 1;

  // The visits that may time out, in the order of their deadlines: all wait equally long.
  std::uint32_t oldest = Visit::none;
  std::uint32_t newest = Visit::none;
  bool timer_set = false;

  // Of all requests, from the start of the run.
  std::uint64_t sent = 0;
  OutcomeCounts ended{};
  // Of the measured requests, those that arrived after the warm-up.
  std::uint64_t offered = 0;
  std::uint64_t without_target = 0;   // rejected before they reached an instance
};

// What one caller got from one class of targets. A request is recorded here once, and the results of
// traffic, balancers and fleets are sums over routes.
struct Route {
  std::uint32_t caller = 0;
  std::uint32_t fleet = 0;
  Histogram latency;        // of the completed
  OutcomeCounts ended{};    // measured requests; ended[completed] is latency.count()
  std::uint64_t wasted = 0; // answered after their client had gone
};

}  // namespace nephoscope
