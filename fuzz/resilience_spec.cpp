#include "fuzz/resilience_spec.hpp"

#include <cstdint>
#include <vector>

#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"

namespace nephoscope::fuzz {
namespace {

BackoffSpec backoff(Bytes& bytes) {
  BackoffSpec made;
  made.kind = bytes.enumerator<BackoffKind>(2);
  made.jitter = bytes.enumerator<Jitter>(4);
  if (made.kind == BackoffKind::drawn && made.jitter == Jitter::decorrelated &&
      !bytes.one_in(odd_once_in)) {
    made.jitter = Jitter::full;
  }
  if (bytes.one_in(2)) made.law = distribution(bytes, 20.0);
  made.base_ns = odd_time(bytes, 1, 40);
  made.cap_ns = bytes.one_in(2) ? odd_time(bytes, 40, 200) : 0;
  return made;
}

BudgetSpec budget(Bytes& bytes) {
  BudgetSpec made;
  made.limited = bytes.one_in(2);
  made.share = odd_number(bytes, 0.0, 1.0);
  made.reserve = odd_number(bytes, 1.0, 20.0);
  made.per_second = bytes.one_in(2) ? odd_number(bytes, 0.0, 100.0) : 0.0;
  return made;
}

BreakerSpec breaker(Bytes& bytes) {
  BreakerSpec made;
  if (!bytes.one_in(3)) return made;
  made.failures = bytes.one_in(2) ? bytes.between(1, 5) : 0;
  made.window = bytes.one_in(2) ? odd_count(bytes, 1, 20) : 0;
  made.failure_rate = odd_number(bytes, 0.05, 1.0);
  made.open_ns = odd_time(bytes, 1, 50);
  made.probes = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 3);
  return made;
}

// An endless number of attempts, at once, is legal and only slow.
ResilienceSpec resilience(Bytes& bytes) {
  ResilienceSpec made;
  made.attempts = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4);
  made.backoff = backoff(bytes);
  made.budget = budget(bytes);
  made.breaker = breaker(bytes);
  made.deadline_ns = bytes.one_in(3) ? odd_time(bytes, 1, 100) : 0;
  made.hedge_ns = bytes.one_in(3) ? odd_time(bytes, 1, 30) : 0;
  return made;
}

void name_rules(Bytes& bytes, std::vector<StepSpec>& steps, std::size_t rules) {
  for (StepSpec& step : steps) {
    if (step.kind == StepKind::call && bytes.one_in(2)) step.resilience = odd_index(bytes, rules);
    for (auto& branch : step.branches) name_rules(bytes, branch, rules);
  }
}

}  // namespace

void add_resilience(Bytes& bytes, WorldSpec& spec) {
  const std::uint32_t rules = bytes.between(0, 3);
  for (std::uint32_t i = 0; i < rules; ++i) spec.resilience.push_back(resilience(bytes));
  if (rules == 0) return;
  for (TrafficSpec& traffic : spec.traffic) {
    if (bytes.one_in(2)) traffic.resilience = odd_index(bytes, rules);
    if (bytes.one_in(4)) traffic.arrivals.give_up = bytes.between(0, 3);
  }
  for (ServiceSpec& service : spec.services) name_rules(bytes, service.steps, rules);
}

}  // namespace nephoscope::fuzz
