#include "scaling/scaling_group.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernel/errors.hpp"
#include "scaling/adjustment.hpp"

namespace nephoscope {

namespace {

void require(bool condition, const std::string& path, const char* message) {
  if (!condition) throw SpecError(path, message);
}

constexpr std::int64_t span_max = std::int64_t{1} << 61;

}  // namespace

ScalingGroup::ScalingGroup(const ScalingSpec& spec)
    : spec_(spec),
      min_(spec.min),
      max_(spec.max),
      latest_(spec.policies.size()),
      counts_(spec.policies.size()) {
  if (!spec.active) return;
  check(spec);
  for (const ScalingPolicySpec& policy : spec.policies) {
    high_.emplace_back(policy.periods, policy.datapoints);
    low_.emplace_back(policy.low_periods, policy.low_periods);
  }
}

void ScalingGroup::check(const ScalingSpec& spec) {
  require(spec.min <= spec.max && spec.max <= (1U << 24), "count", "needs min <= max <= 2^24");
  require(spec.period_ns >= 1'000'000 && spec.period_ns <= span_max, "metrics.period",
          "must be 1 ms or more");
  require(spec.delay_ns >= 0 && spec.delay_ns <= span_max, "metrics.delay", "must not be below 0");
  for (std::size_t at = 0; at < spec.policies.size(); ++at) {
    check(spec.policies[at], "scaling." + std::to_string(at) + ".");
  }
  std::int64_t last = 0;
  for (const ScheduledChange& change : spec.schedule) {
    require(change.at_ns >= last && change.at_ns <= span_max, "scaling.scheduled",
            "must be in the order of time");
    last = change.at_ns;
    for (const std::int64_t size : {change.min, change.max, change.desired}) {
      require(size >= ScheduledChange::unchanged && size <= (1 << 24), "scaling.scheduled",
              "has a size that is out of range");
    }
  }
}

void ScalingGroup::check(const ScalingPolicySpec& policy, const std::string& path) {
  require(policy.kind <= PolicyKind::alarm, path + "kind", "is not known");
  require(policy.metric <= Metric::network_out, path + "metric", "is not known");
  require(static_cast<unsigned>(policy.adjustment) <= 2, path + "adjustment", "is not known");
  require(policy.periods >= 1 && policy.periods <= Alarm::periods_max, path + "periods",
          "must be from 1 to 64");
  require(policy.low_periods >= 1 && policy.low_periods <= Alarm::periods_max, path + "low_periods",
          "must be from 1 to 64");
  require(policy.datapoints >= 1 && policy.datapoints <= policy.periods, path + "datapoints",
          "must be from 1 to periods");
  require(policy.warmup_ns >= 0 && policy.warmup_ns <= span_max, path + "warmup",
          "must not be below 0");
  require(policy.cooldown_ns >= 0 && policy.cooldown_ns <= span_max, path + "cooldown",
          "must not be below 0");
  if (policy.kind == PolicyKind::target_tracking) {
    require(std::isfinite(policy.target) && policy.target > 0.0, path + "target",
            "must be above 0");
    require(policy.low >= 0.0 && policy.low <= policy.target, path + "low",
            "must be from 0 to the target");
    return;
  }
  require(std::isfinite(policy.threshold), path + "threshold", "must be a number");
  if (policy.kind == PolicyKind::alarm) return;
  require(!policy.steps.empty(), path + "steps", "must have one or more");
  double last = policy.steps.front().lower;
  for (const StepAdjustment& step : policy.steps) {
    require(step.lower == last && step.lower < step.upper, path + "steps",
            "must follow each other without a gap");
    require(std::isfinite(step.change) && std::abs(step.change) <= 1e9, path + "steps",
            "must change by a number");
    last = step.upper;
  }
}

std::uint32_t ScalingGroup::bounded(std::uint32_t desired) const {
  return std::clamp(desired, min_, max_);
}

void ScalingGroup::observe(std::uint32_t at, std::optional<double> value) {
  const ScalingPolicySpec& policy = spec_.policies[at];
  latest_[at] = {value.value_or(0.0), value ? 1U : 0U};
  if (!value) {
    high_[at].miss();
    low_[at].miss();
  } else if (policy.kind == PolicyKind::target_tracking) {
    high_[at].see(*value > policy.target);
    low_[at].see(*value < policy.low);
  } else {
    const bool was_on = high_[at].is_on();
    high_[at].see(policy.above ? *value >= policy.threshold : *value <= policy.threshold);
    const bool goes_on = policy.kind == PolicyKind::alarm && !was_on && high_[at].is_on();
    counts_[at].outward += goes_on ? 1U : 0U;
  }
}

std::uint32_t ScalingGroup::decide(const std::vector<GroupView>& views, std::int64_t now) {
  if (views.empty()) return 0;
  const std::uint32_t desired = views.front().desired;
  std::vector<std::optional<std::uint32_t>> wishes;
  std::optional<std::uint32_t> largest;
  for (std::uint32_t at = 0; at < views.size(); ++at) {
    wishes.push_back(wish(at, views[at], now));
    if (wishes.back()) largest = std::max(largest.value_or(0), bounded(*wishes.back()));
  }
  if (!largest || *largest == desired) return desired;
  const bool outward = *largest > desired;
  for (std::uint32_t at = 0; at < views.size(); ++at) {
    if (!wishes[at] || bounded(*wishes[at]) != *largest) continue;
    ++(outward ? counts_[at].outward : counts_[at].inward);
    if (spec_.policies[at].kind == PolicyKind::simple)
      cooldown_ns_ = spec_.policies[at].cooldown_ns;
  }
  return *largest;
}

std::optional<std::uint32_t> ScalingGroup::wish(std::uint32_t at, const GroupView& view,
                                                std::int64_t now) const {
  switch (spec_.policies[at].kind) {
    case PolicyKind::target_tracking:
      return tracking_wish(at, view);
    case PolicyKind::step:
      return step_wish(at, view);
    case PolicyKind::simple:
      return simple_wish(at, view, now);
    case PolicyKind::alarm:
      break;
  }
  return {};
}

// Whoever wants to grow, or to stay because others are on their way, keeps the group from
// shrinking.
std::optional<std::uint32_t> ScalingGroup::tracking_wish(std::uint32_t at,
                                                         const GroupView& view) const {
  const ScalingPolicySpec& policy = spec_.policies[at];
  const bool outward = high_[at].is_on();
  const bool inward =
      policy.scales_in && low_[at].is_on() && view.warming == 0 && agree_to_shrink();
  if (!outward && !inward) return {};
  const std::uint32_t wanted = proportional_capacity(view.warm, latest_[at].value, policy.target);
  return outward ? std::max(wanted, view.desired) : std::min(wanted, view.desired);
}

// What the warm instances would be told to become: the same step asks for nothing more while others
// warm up. Nobody goes meanwhile.
std::optional<std::uint32_t> ScalingGroup::step_wish(std::uint32_t at,
                                                     const GroupView& view) const {
  const ScalingPolicySpec& policy = spec_.policies[at];
  if (!high_[at].is_on()) return {};
  const double distance = latest_[at].value - policy.threshold;
  const StepAdjustment* step = step_at(policy.steps, distance, policy.above);
  if (step == nullptr) return {};
  const std::uint32_t wanted =
      adjusted_capacity(view.warm, policy.adjustment, step->change, policy.least_change);
  if (wanted >= view.warm) return std::max(wanted, view.desired);
  if (view.warming != 0) return {};
  return std::min(wanted, view.desired);
}

// Once a change has ended, the cooldown of the policy that made it has to pass.
std::optional<std::uint32_t> ScalingGroup::simple_wish(std::uint32_t at, const GroupView& view,
                                                       std::int64_t now) const {
  const ScalingPolicySpec& policy = spec_.policies[at];
  if (!high_[at].is_on() || view.changing || now - view.settled < cooldown_ns_) return {};
  const StepAdjustment& step = policy.steps.front();
  return adjusted_capacity(view.desired, policy.adjustment, step.change, policy.least_change);
}

// Of the target tracking policies that may scale in, all want to.
bool ScalingGroup::agree_to_shrink() const {
  for (std::size_t at = 0; at < spec_.policies.size(); ++at) {
    const ScalingPolicySpec& policy = spec_.policies[at];
    const bool asked = policy.kind == PolicyKind::target_tracking && policy.scales_in;
    if (asked && !low_[at].is_on()) return false;
  }
  return true;
}

std::int64_t ScalingGroup::next_change() const {
  return scheduled_ < spec_.schedule.size() ? spec_.schedule[scheduled_].at_ns : never;
}

std::uint32_t ScalingGroup::change(std::uint32_t desired) {
  const ScheduledChange& change = spec_.schedule[scheduled_++];
  if (change.min != ScheduledChange::unchanged) min_ = static_cast<std::uint32_t>(change.min);
  if (change.max != ScheduledChange::unchanged) max_ = static_cast<std::uint32_t>(change.max);
  max_ = std::max(min_, max_);
  if (change.desired != ScheduledChange::unchanged) {
    desired = static_cast<std::uint32_t>(change.desired);
  }
  return bounded(desired);
}

std::uint32_t ScalingGroup::foresee(std::uint32_t wanted, std::uint32_t max) {
  max_ = std::max(max_, max);
  return bounded(wanted);
}

}  // namespace nephoscope
