// An errand: a request that its caller may send more than once, or only until a deadline.
//
// Each sending is an attempt, a visit of its own (Visit::tried) whose parent is the errand;
// callers, routes, balancers and fleets count attempts. The errand lasts from the first sending to
// the final answer, and what its caller counts are errands. It always waits for something: for an
// attempt to be answered, or for the next one to begin. Only callers with a Resilience have
// errands; nobody else pays for them.

#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/event_queue.hpp"
#include "kernel/histogram.hpp"
#include "kernel/slab.hpp"
#include "workload/backoff.hpp"
#include "workload/circuit_breaker.hpp"
#include "workload/retry_budget.hpp"
#include "world/requests/callers.hpp"
#include "world/requests/visit.hpp"

namespace nephoscope {

struct Errand {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint32_t none = Visit::none;
  static constexpr std::size_t open_max = std::size_t{1} << 28;

  std::int64_t begun = 0;
  std::int64_t deadline = never;
  std::int64_t waited = 0;   // before the last retry, ns
  std::uint64_t serial = 0;  // this and what follows, of every attempt, as in Visit
  std::uint32_t client = 0;
  std::uint32_t path = 0;
  std::uint32_t parent = none;
  std::uint32_t caller = 0;
  std::uint32_t attempts = 0;  // sent so far
  std::uint32_t retries = 0;   // those that followed one without success
  // Attempts under way: a second one only beside the one that it hedges.
  std::array<std::uint32_t, 2> visits{none, none};
  EventQueue::Handle timer = EventQueue::none;  // of the next attempt
  EventQueue::Handle deadline_timer = EventQueue::none;
  std::uint16_t traffic = 0;
  std::uint16_t trial = 0;  // of the visit that made it
  Outcome last = Outcome::rejected;
  std::uint8_t awaited = 0;
  std::uint16_t said = 0;  // as in Request

  std::uint32_t under_way() const {
    return (visits[0] != none ? 1U : 0U) + (visits[1] != none ? 1U : 0U);
  }
  void add(std::uint32_t visit) { visits[visits[0] == none ? 0 : 1] = visit; }
  void remove(std::uint32_t visit) { visits[visits[0] == visit ? 0 : 1] = none; }
};

// Who waits for an answer, and how long it took.
struct Awaiting {
  std::uint32_t parent;  // a visit, or none: a user
  std::uint32_t client;
  std::uint16_t traffic;
  std::int64_t took_ns;
};

// What became of the further attempts of measured requests.
struct ResilienceCounts {
  std::uint64_t retries = 0;        // attempts beyond the first, hedges too
  std::uint64_t hedges = 0;         // those beside an attempt under way
  std::uint64_t out_of_budget = 0;  // those that were not made for want of a token
  std::uint64_t held_back = 0;      // attempts that the breaker did not let through
};

// How a caller goes about its requests, and its account of them.
struct Resilience {
  explicit Resilience(const ResilienceSpec& rules)
      : spec(rules), budget(rules.budget), breaker(rules.breaker) {}

  // Immutable.
  ResilienceSpec spec;
  std::vector<Backoff> backoffs;  // one, or by traffic for a call

  RetryBudget budget;
  CircuitBreaker breaker;

  // Of all requests, from the start of the run.
  std::uint64_t begun = 0;
  OutcomeCounts ended{};

  // Of the measured ones.
  std::uint64_t offered = 0;
  OutcomeCounts unserved{};  // the completed are counted by the histogram
  Histogram latency;
  ResilienceCounts counts;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(begun, ended, offered, unserved, counts);
    latency.serialize(archive);
    budget.serialize(archive);
    breaker.serialize(archive);
  }
};

struct Errands {
  std::vector<Resilience> rules;  // by Caller::resilience
  Slab<Errand> open;

  Resilience& of(const Caller& caller) { return rules[caller.resilience]; }
  const Resilience& of(const Caller& caller) const { return rules[caller.resilience]; }

  template <class Archive>
  void serialize(Archive& archive) {
    for (Resilience& each : rules) each.serialize(archive);
    open.serialize(archive);
  }
};

}  // namespace nephoscope
