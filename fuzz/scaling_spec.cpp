#include "fuzz/scaling_spec.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "fuzz/odd.hpp"

namespace nephoscope::fuzz {
namespace {

ScalingPolicySpec policy(Bytes& bytes) {
  ScalingPolicySpec made;
  made.kind = bytes.enumerator<PolicyKind>(4);
  made.metric = bytes.enumerator<Metric>(bytes.one_in(odd_once_in) ? 4 : 2);
  made.target = odd_number(bytes, 0.05, made.metric == Metric::cpu ? 0.9 : 500.0);
  made.low = bytes.one_in(odd_once_in) ? bytes.any_of(odd_numbers) : made.target * 0.7;
  made.scales_in = !bytes.one_in(4);
  made.low_periods = odd_count(bytes, 1, 4);
  made.threshold = made.target;
  made.above = bytes.one_in(2);
  made.adjustment = bytes.enumerator<Adjustment>(3);
  made.least_change = bytes.between(0, 3);
  made.periods = odd_count(bytes, 1, 4);
  made.datapoints = bytes.one_in(odd_once_in) ? bytes.between(0, 5) : 1;
  made.warmup_ns = odd_time(bytes, 0, 200);
  made.cooldown_ns = odd_time(bytes, 0, 200);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double change = number(bytes, -4.0, 4.0);
  made.steps.push_back({-infinity, 0.0, -change});
  made.steps.push_back({0.0, infinity, change});
  if (bytes.one_in(odd_once_in)) made.steps.resize(bytes.between(0, 1));
  return made;
}

PredictiveSpec predictive(Bytes& bytes) {
  PredictiveSpec made;
  made.target = odd_number(bytes, 0.05, 0.9);
  // What asks for hardly any load of each instance would lift it to millions: legal, and not quick.
  made.lifts_max = bytes.one_in(2) && made.target >= 0.05;
  made.max_buffer = odd_number(bytes, 0.0, 1.0);
  made.buffer_ns = odd_time(bytes, 0, 1000);
  made.history.resize(bytes.one_in(2) ? 0 : 30);
  for (double& load : made.history) load = odd_number(bytes, 0.0, 6.0);
  return made;
}

ScheduledChange change(Bytes& bytes, std::int64_t& at_ns) {
  ScheduledChange made;
  at_ns += std::int64_t{bytes.between(0, 400)} * 1'000'000;
  made.at_ns = bytes.one_in(odd_once_in) ? bytes.any_of(odd_times) : at_ns;
  if (bytes.one_in(2)) made.min = bytes.between(0, 6);
  if (bytes.one_in(2)) made.max = bytes.between(0, 12);
  if (bytes.one_in(2)) made.desired = bytes.between(0, 12);
  return made;
}

ScalingSpec scaling(Bytes& bytes, std::uint32_t count) {
  ScalingSpec made;
  made.active = true;
  made.min = bytes.one_in(odd_once_in) ? bytes.raw<std::uint32_t>() : std::min(count, 1U);
  made.max = bytes.one_in(odd_once_in) ? bytes.raw<std::uint32_t>() : count + bytes.between(0, 20);
  made.period_ns = odd_time(bytes, 20, 200);
  made.delay_ns = bytes.one_in(2) ? 0 : odd_time(bytes, 0, 300);
  made.policies.resize(bytes.between(0, 3));
  for (ScalingPolicySpec& each : made.policies) each = policy(bytes);
  if (bytes.one_in(4)) {
    made.period_ns = 100'000'000;
    made.predictive.push_back(predictive(bytes));
  }
  made.schedule.resize(bytes.between(0, 3));
  std::int64_t at_ns = 0;
  for (ScheduledChange& each : made.schedule) each = change(bytes, at_ns);
  return made;
}

}  // namespace

void add_scaling(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  for (FleetSpec& fleet : spec.fleets) {
    if (bytes.one_in(2)) fleet.scaling = scaling(bytes, fleet.count);
  }
}

}  // namespace nephoscope::fuzz
