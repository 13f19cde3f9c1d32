#include "compute/lifecycle/provisioning.hpp"

#include <algorithm>

#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t a_token = 1'000'000'000;  // units of a level
constexpr std::int64_t most_tokens = 1'000'000'000;
constexpr std::int64_t shortest_wait = 1'000'000;
constexpr std::int64_t latest = std::int64_t{1} << 61;

void require_limit(std::int64_t value, const char* field) {
  require(value >= 1 && value <= most_tokens, field, "must be from 1 to 1e9");
}

// A level after so long; units are added at `per_s` a nanosecond. The division keeps the product
// from overflowing.
std::int64_t refilled(std::int64_t level, std::int64_t size, std::int64_t per_s,
                      std::int64_t elapsed) {
  const std::int64_t missing = size * a_token - level;
  return elapsed > missing / per_s ? size * a_token : level + elapsed * per_s;
}

// How long until a level has so many tokens.
std::int64_t wait_for(std::int64_t tokens, std::int64_t level, std::int64_t per_s) {
  const std::int64_t missing = tokens * a_token - level;
  return missing <= 0 ? 0 : (missing + per_s - 1) / per_s;
}

void check(const LaunchPlan& plan, const LaunchLimits& limits, std::int64_t count) {
  require(count >= 0 && count <= most_tokens, "count", "must be from 0 to 1e9");
  require(plan.batch >= 1 && plan.batch <= most_tokens, "batch", "must be from 1 to 1e9");
  require(plan.min_count >= 1 && plan.min_count <= plan.batch, "min_count",
          "must be from 1 to the batch");
  require(std::min(plan.min_count, count) <= limits.instances, "min_count",
          "is more than the bucket of instances ever holds");
  const std::int64_t base = plan.backoff_base_ns;
  require(base == 0 || (base >= shortest_wait && base <= latest), "backoff_base_ns",
          "must be 0 or from 1 ms on");
  require(plan.backoff_cap_ns >= std::max<std::int64_t>(base, 1) && plan.backoff_cap_ns <= latest,
          "backoff_cap_ns", "must be above 0 and at least the base");
}

}  // namespace

LaunchInterface::LaunchInterface(const LaunchLimits& limits) : limits_(limits) {
  require_limit(limits.instances, "instances");
  require_limit(limits.instances_per_s, "instances_per_s");
  require_limit(limits.requests, "requests");
  require_limit(limits.requests_per_s, "requests_per_s");
  instances_ = limits.instances * a_token;
  requests_ = limits.requests * a_token;
}

void LaunchInterface::refill(std::int64_t now) {
  require(now >= updated_ && now <= latest, "now_ns", "must not be before the last request");
  const std::int64_t elapsed = now - updated_;
  instances_ = refilled(instances_, limits_.instances, limits_.instances_per_s, elapsed);
  requests_ = refilled(requests_, limits_.requests, limits_.requests_per_s, elapsed);
  updated_ = now;
}

LaunchReply LaunchInterface::run_instances(std::int64_t count, std::int64_t min_count,
                                           std::int64_t now, std::int64_t capacity) {
  require(count >= 1 && count <= most_tokens, "count", "must be from 1 to 1e9");
  require(min_count >= 1 && min_count <= count, "min_count", "must be from 1 to count");
  require(capacity >= 0, "capacity", "must not be below 0");
  refill(now);
  if (requests_ < a_token) return {LaunchAnswer::request_limit_exceeded, 0};
  requests_ -= a_token;
  const std::int64_t let_in = std::min(count, instances_ / a_token);
  if (let_in < min_count) return {LaunchAnswer::request_limit_exceeded, 0};
  const std::int64_t launched = std::min(let_in, capacity);
  if (launched < min_count) return {LaunchAnswer::insufficient_capacity, 0};
  instances_ -= launched * a_token;
  return {LaunchAnswer::launched, launched};
}

std::int64_t LaunchInterface::admits_at(std::int64_t min_count, std::int64_t now) const {
  require(min_count >= 1 && min_count <= limits_.instances, "min_count",
          "must be from 1 to what the bucket of instances holds");
  LaunchInterface later = *this;
  later.refill(now);
  return now + std::max(wait_for(1, later.requests_, limits_.requests_per_s),
                        wait_for(min_count, later.instances_, limits_.instances_per_s));
}

std::int64_t LaunchInterface::room(std::int64_t now) const {
  LaunchInterface later = *this;
  later.refill(now);
  return later.requests_ < a_token ? 0 : later.instances_ / a_token;
}

Provisioning provision(LaunchInterface& interface, std::int64_t count, const LaunchPlan& plan,
                       std::int64_t now) {
  check(plan, interface.limits(), count);
  Provisioning done;
  done.accepted_at.reserve(static_cast<std::size_t>(count));
  WordStream words(plan.jitter_key);
  std::int64_t left = count;
  std::int64_t backoff = plan.backoff_base_ns;
  while (left > 0) {
    const std::int64_t wanted = std::min(left, plan.batch);
    const std::int64_t least = std::min(wanted, plan.min_count);
    if (plan.backoff_base_ns == 0) now = interface.admits_at(least, now);
    const LaunchReply reply = interface.run_instances(wanted, least, now);
    ++done.requests;
    if (reply.answer == LaunchAnswer::launched) {
      done.accepted_at.insert(done.accepted_at.end(), static_cast<std::size_t>(reply.launched),
                              now);
      left -= reply.launched;
      backoff = plan.backoff_base_ns;
      continue;
    }
    ++done.throttled;
    now += plan.jitter ? duration_ns(words.unit() * static_cast<double>(backoff)) : backoff;
    backoff = backoff > plan.backoff_cap_ns / 2 ? plan.backoff_cap_ns : 2 * backoff;
  }
  return done;
}

}  // namespace nephoscope
