#include "compute/lifecycle/billing.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t longest = 366 * 86'400 * second;

}  // namespace

void check(const BillingRule& rule) {
  if (rule.unit_ns < second || rule.unit_ns > longest || rule.unit_ns % second != 0) {
    throw SpecError("unit_ns", "must be whole seconds, from one to a year's");
  }
  if (rule.minimum_ns < 0 || rule.minimum_ns > longest || rule.minimum_ns % second != 0) {
    throw SpecError("minimum_ns", "must be whole seconds, from none to a year's");
  }
  if (rule.free_if_interrupted_ns < 0 || rule.free_if_interrupted_ns > longest) {
    throw SpecError("free_if_interrupted_ns", "must be from 0 to a year");
  }
}

std::int64_t seconds_due(std::int64_t ran_ns, const BillingRule& rule) {
  // Quotient and remainder, for rounding up by adding would overflow at the end of time.
  const std::int64_t units = ran_ns / rule.unit_ns + (ran_ns % rule.unit_ns != 0 ? 1 : 0);
  return std::max(rule.minimum_ns / second, units * (rule.unit_ns / second));
}

void BillingMeter::start(std::int64_t now) {
  if (starts_++ == 0) first_start_ns_ = now;
  since_ns_ = now;
}

void BillingMeter::stop(std::int64_t now, const BillingRule& rule, bool interrupted_by_provider) {
  const std::int64_t due = seconds_due(now - since_ns_, rule);
  const bool free = interrupted_by_provider && now - first_start_ns_ < rule.free_if_interrupted_ns;
  (free ? spared_s_ : billed_s_) += due;
  ran_ns_ += now - since_ns_;
  since_ns_ = not_running;
}

std::int64_t BillingMeter::billed_s(std::int64_t now, const BillingRule& rule) const {
  return billed_s_ + (running() ? seconds_due(now - since_ns_, rule) : 0);
}

}  // namespace nephoscope
