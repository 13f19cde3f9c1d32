#include "workload/resilience_spec.hpp"

#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr double most_tokens = 1e9;

bool within(double value, double low, double high) {
  return std::isfinite(value) && value >= low && value <= high;
}

void check_backoff(const BackoffSpec& spec) {
  if (spec.kind == BackoffKind::drawn) {
    require(spec.jitter != Jitter::decorrelated, "backoff.jitter", "needs an exponential backoff");
    return;
  }
  require(spec.kind == BackoffKind::exponential, "backoff.kind", "is not known");
  require(spec.base_ns > 0 && spec.base_ns <= longest_wait, "backoff.base", "must be above 0");
  require(spec.cap_ns == 0 || (spec.cap_ns >= spec.base_ns && spec.cap_ns <= longest_wait),
          "backoff.cap", "must not be below the base");
}

void check_budget(const BudgetSpec& spec) {
  require(within(spec.share, 0.0, 1.0), "budget.share", "must be from 0 to 1");
  require(within(spec.reserve, 1.0, most_tokens), "budget.reserve", "must be from 1 to 1e9");
  require(within(spec.per_second, 0.0, most_tokens), "budget.per_second", "must be from 0 to 1e9");
}

void check_breaker(const BreakerSpec& spec) {
  require(within(spec.failure_rate, 0.0, 1.0), "breaker.failure_rate", "must be from 0 to 1");
  if (!spec.present()) return;
  require(spec.open_ns > 0 && spec.open_ns <= longest_wait, "breaker.open", "must be above 0");
  require(spec.probes >= 1, "breaker.probes", "must be 1 or more");
  if (spec.window == 0) return;
  require(spec.window <= (1U << 20), "breaker.window", "must be 1,048,576 at most");
  require(spec.failure_rate > 0.0, "breaker.failure_rate", "must be above 0");
}

}  // namespace

void check(const ResilienceSpec& spec) {
  require(spec.attempts >= 1, "attempts", "must be 1 or more");
  require(spec.backoff.jitter <= Jitter::decorrelated, "backoff.jitter", "is not known");
  check_backoff(spec.backoff);
  check_budget(spec.budget);
  check_breaker(spec.breaker);
  require(spec.deadline_ns >= 0 && spec.deadline_ns <= longest_wait, "deadline", "is impossible");
  require(spec.hedge_ns >= 0 && spec.hedge_ns <= longest_wait, "hedge", "is impossible");
}

}  // namespace nephoscope
