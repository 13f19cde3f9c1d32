// What an instance is billed: seconds of running, counted anew for each start.
//
// A start bills max(minimum, running time rounded up to whole units). Systems billed by the second
// have a minimum of 60 s, those billed by the hour have an hour for both. A spot instance that the
// provider takes back within its first hour is not billed for that run. What is due is known at any
// instant, as if the run ended there; it depends on the instants of start and end alone, not on
// when somebody looks.
//
// Invariants:
//   1. billed_s(now) = sum over starts, and never falls but when a free interruption ends a run.
//   2. Unless a run was free, 1e9 x billed_s(now) >= running_ns(now).

#pragma once

#include <cstdint>

namespace nephoscope {

struct BillingRule {
  std::int64_t unit_ns = 1'000'000'000;                     // whole seconds
  std::int64_t minimum_ns = 60'000'000'000;                 // a start; whole seconds
  std::int64_t free_if_interrupted_ns = 3'600'000'000'000;  // since the first start; 0: never free
};

// Throws SpecError with the field's name when a rule is not legal.
void check(const BillingRule& rule);

// The seconds due for one run of so long, above or at 0 ns.
std::int64_t seconds_due(std::int64_t ran_ns, const BillingRule& rule);

// The meter of one instance. A plain value; whoever has it keeps the rule.
class BillingMeter {
 public:
  // Preconditions: it is not running; it is running; now is not before the last call.
  void start(std::int64_t now);
  void stop(std::int64_t now, const BillingRule& rule, bool interrupted_by_provider);

  bool running() const { return since_ns_ != not_running; }
  std::int64_t starts() const { return starts_; }
  // Seconds to pay for, and those that a free interruption spared.
  std::int64_t billed_s(std::int64_t now, const BillingRule& rule) const;
  std::int64_t spared_s() const { return spared_s_; }
  // Time on the meter, exactly.
  std::int64_t running_ns(std::int64_t now) const {
    return ran_ns_ + (running() ? now - since_ns_ : 0);
  }

 private:
  static constexpr std::int64_t not_running = -1;

  std::int64_t first_start_ns_ = not_running;
  std::int64_t since_ns_ = not_running;
  std::int64_t ran_ns_ = 0;    // in runs that have ended
  std::int64_t billed_s_ = 0;  // for them
  std::int64_t spared_s_ = 0;
  std::int64_t starts_ = 0;
};

}  // namespace nephoscope
