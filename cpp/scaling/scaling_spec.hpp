// How the size of a fleet follows its load, as plain data: the metrics, the policies that look at
// them, and changes by the clock.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nephoscope {

// Of the instances of a fleet, over one period.
enum class Metric : std::uint8_t {
  cpu,                   // mean share of the vCPUs that ran, of those that are warm
  requests_per_target,   // requests their balancers had, a target and a minute
  network,               // mean bytes a second, of all by those that are warm
  backlog_per_instance,  // visible messages of a queue when the period ends, for each that runs
  network_in,            // as network, of what came
  network_out,           // and of what was sent
};

// An alarm changes nothing by itself: others ask whether it is on.
enum class PolicyKind : std::uint8_t { target_tracking, step, simple, alarm };

enum class Adjustment : std::uint8_t {
  change,   // so many instances more
  percent,  // so many per cent of the capacity more
  exact,    // so many instances
};

// What a policy does while the metric is within bounds, which are relative to its threshold.
struct StepAdjustment {
  static constexpr bool plain_doubles = true;
  double lower = 0.0;  // may be -infinity
  double upper = 0.0;  // may be infinity
  double change = 0.0;
};

struct ScalingPolicySpec {
  PolicyKind kind = PolicyKind::target_tracking;
  Metric metric = Metric::cpu;
  std::uint32_t queue = 0xFFFFFFFF;  // of a backlog

  // Target tracking: scales out while the metric is above the target, in while it is below `low`.
  double target = 0.5;
  double low = 0.35;
  bool scales_in = true;
  std::uint32_t low_periods = 15;  // all of which must be below

  // Step, simple and alarm: the alarm, and what the first two do.
  double threshold = 0.5;
  bool above = true;  // at or above the threshold, else at or below
  Adjustment adjustment = Adjustment::change;
  std::vector<StepAdjustment> steps;  // in the order of their bounds; of `simple` one
  std::uint32_t least_change = 0;     // of `percent`

  std::uint32_t periods = 3;     // that the alarm looks back, at most 64
  std::uint32_t datapoints = 3;  // of those which must breach
  std::int64_t warmup_ns = 0;    // from entering service until an instance counts; not of `simple`
  std::int64_t cooldown_ns = 0;  // of `simple`: from the end of one activity until the next
  std::string name;              // of an alarm
};

inline constexpr std::int64_t hour_ns = 3'600'000'000'000;

// Looks ahead by the hour.
struct PredictiveSpec {
  Metric metric = Metric::cpu;
  double target = 0.5;
  bool acts = true;                          // else the forecast is made, and the size left alone
  bool lifts_max = false;                    // a forecast above the most there may be raises that
  double max_buffer = 0.0;                   // by this share of the forecast on top
  std::int64_t buffer_ns = 300'000'000'000;  // that instances are asked for before their hour
  std::vector<double> history;               // loads of the hours before the run, the oldest first
};

// What is changed at an instant; what is `unchanged` stays.
struct ScheduledChange {
  static constexpr std::int64_t unchanged = -1;
  std::int64_t at_ns = 0;
  std::int64_t min = unchanged;
  std::int64_t max = unchanged;
  std::int64_t desired = unchanged;
};

struct ScalingSpec {
  bool active = false;
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  std::int64_t period_ns = 60'000'000'000;  // of a datapoint
  std::int64_t delay_ns = 0;                // from the end of its period until policies see it
  std::vector<ScalingPolicySpec> policies;
  std::vector<PredictiveSpec> predictive;
  std::vector<ScheduledChange> schedule;  // in the order of time
};

}  // namespace nephoscope
