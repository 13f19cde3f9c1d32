// Callers: whoever sends requests and gets answers. A source of traffic is one, and so is every
// call step of a service. Both have a destination, may stop waiting, and keep the same account. Who
// may send a request more than once keeps another one beside it (errand.hpp).

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernel/histogram.hpp"
#include "world/requests/visit.hpp"

namespace nephoscope {

// Requests by what became of them.
using OutcomeCounts = std::array<std::uint64_t, 4>;

inline std::uint64_t total(const OutcomeCounts& counts) {
  return counts[0] + counts[1] + counts[2] + counts[3];
}

struct Caller {
  std::int64_t timeout_ns = 0;  // 0: waits for ever
  std::uint32_t to = 0;         // index of a balancer, a fleet, a queue or a topic
  std::uint8_t to_balancer = 0;
  std::uint8_t checks = 0;        // it is a balancer that checks its targets: `to` is its index
  std::uint8_t sends = 0;         // messages: 1: to a queue, 2: to a topic or a bus
  std::uint8_t abandons = 0;      // a request that still waits for a worker is taken back
  std::uint32_t first_route = 0;  // its routes, one for each class of its destination's targets
  std::uint32_t routes = 1;
  std::uint32_t resilience = Visit::none;  // its rules, if its requests are errands (errand.hpp)
  std::uint32_t out_of_time = 0;  // its balancer's timeout is the shorter one, and stands here

  // Of all requests, from the start of the run; each attempt is one.
  std::uint64_t sent = 0;
  OutcomeCounts ended{};

  // The visits that may time out, in the order of their deadlines: all wait equally long.
  std::uint32_t oldest = Visit::none;
  std::uint32_t newest = Visit::none;
  std::uint64_t timer_set = 0;
  // Those whose client has not left in time though it would have: they have a worker, and may run
  // into the timeout of the balancer. In the order of those deadlines.
  std::uint32_t oldest_late = Visit::none;
  std::uint32_t newest_late = Visit::none;
  std::uint64_t late_timer_set = 0;

  std::uint64_t sent_at_warmup = 0;  // the later ones are measured
  std::uint64_t without_target = 0;  // measured, and rejected before they reached an instance
  std::uint64_t queued = 0;          // measured, and in a surge queue
  OutcomeCounts gave_up_queued{};    // measured, and ended there
};

// What one caller got from one class of targets. A request is recorded here once, and the results
// of traffic, balancers and fleets are sums over routes.
struct Route {
  static constexpr std::uint32_t none = Visit::none;

  // Immutable: what a request on this route begins with.
  std::uint32_t caller = 0;
  std::uint32_t fleet = 0;
  std::uint32_t first_sampler = none;  // of the work, when a request's first step is to compute
  std::uint16_t entry = 0;             // of the program of the fleet's service, behind that step
  bool plain = false;                  // that step is all, and nobody waits for the answer
  bool timed = false;                  // the same, but the client leaves after a while

  bool unwatched = false;  // its fleet is (Fleet::unwatched)
  bool by_slot = false;    // its fleet has completions counted by slot (Fleet::by_slot)
  bool check = false;      // its requests are health checks or messages, and no fleet's traffic
  bool guarded = false;    // its fleet does not let everybody in; immutable

  Histogram latency;         // of the completed
  OutcomeCounts ended{};     // measured requests; the completed are counted by the histogram
  std::uint64_t wasted = 0;  // answered after their client had gone
};

}  // namespace nephoscope
