#include "compute/admission.hpp"

#include <algorithm>
#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr int128 token = int128{1'000'000'000} * 1'000'000;  // femtotokens
constexpr std::int64_t most = 1'000'000'000'000'000;

}  // namespace

void check(const AdmissionRules& rules) {
  const auto legal = [](std::int64_t value, std::int64_t least) {
    return value == AdmissionRules::unlimited || (value >= least && value <= most);
  };
  if (!legal(rules.burst, 1)) throw SpecError("burst", "must be from 1 to 1e15");
  if (rules.refill < 0 || rules.refill > most) throw SpecError("refill", "must be from 0 to 1e15");
  if (!legal(rules.in_flight, 1)) throw SpecError("in_flight", "must be from 1 to 1e15");
  if (rules.queue_delay_ns < AdmissionRules::unlimited)
    throw SpecError("queue_delay", "must not be below 0");
}

void AdmissionControl::add(std::uint32_t instance, const AdmissionRules& rules, std::int64_t now) {
  if (!rules.limits_rate()) return;
  if (instance >= buckets_.size()) buckets_.resize(instance + std::size_t{1});
  buckets_[instance] = {rules.burst * token, now, 0};
}

Admission AdmissionControl::admit(std::uint32_t instance, const AdmissionRules& rules,
                                  const Held& held, bool is_check, std::int64_t now) {
  if (rules.limits_rate() && (!is_check || rules.limits_checks)) {
    Bucket& bucket = buckets_[instance];
    bucket.level = level(instance, rules, now);
    bucket.at = now;
    if (bucket.level < token) return Admission::throttled;
    bucket.level -= token;
  }
  if (is_check && !rules.sheds_checks) return Admission::admitted;
  const bool full =
      rules.in_flight != AdmissionRules::unlimited && held.requests >= rules.in_flight;
  const bool late =
      rules.queue_delay_ns != AdmissionRules::unlimited && held.waited_ns > rules.queue_delay_ns;
  return full || late ? Admission::shed : Admission::admitted;
}

int128 AdmissionControl::level(std::uint32_t instance, const AdmissionRules& rules,
                               std::int64_t now) const {
  const Bucket& bucket = buckets_[instance];
  // A millionth of a token a second is a femtotoken a nanosecond.
  return std::min(bucket.level + int128{rules.refill} * (now - bucket.at), rules.burst * token);
}

void AdmissionControl::check(std::uint32_t instance, const AdmissionRules& rules,
                             std::int64_t now) const {
  if (!rules.limits_rate()) return;
  const Bucket& bucket = buckets_[instance];
  if (bucket.level >= 0 && bucket.level <= rules.burst * token && bucket.at <= now) return;
  throw InvariantError("the tokens of instance " + std::to_string(instance) + " do not add up");
}

}  // namespace nephoscope
