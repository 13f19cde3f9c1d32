#include "scaling/predictive.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"
#include "scaling/adjustment.hpp"

namespace nephoscope {

PredictivePolicy::PredictivePolicy(const PredictiveSpec& spec) : spec_(spec) {
  if (!std::isfinite(spec.target) || spec.target <= 0.0)
    throw SpecError("target", "must be above 0");
  const bool known =
      spec.metric <= Metric::network_out && spec.metric != Metric::backlog_per_instance;
  if (!known) throw SpecError("metric", "is not known");
  if (spec.buffer_ns < 0 || spec.buffer_ns >= hour_ns)
    throw SpecError("buffer", "must be from 0 to less than an hour");
  if (!(spec.max_buffer >= 0.0 && spec.max_buffer <= 1.0))
    throw SpecError("max_buffer", "must be from 0 to 1");
  for (const double load : spec.history) forecast_.add_hour(load);
  if (forecast_.ready()) make_plan(0);
}

void PredictivePolicy::end_hour(std::int64_t hour) {
  if (periods_ != 0) forecast_.add_hour(sum_ / static_cast<double>(periods_));
  sum_ = 0.0;
  periods_ = 0;
  if (!forecast_.ready()) return;
  const std::int64_t age = hour - plan_from_;
  if (plan_.empty() || age >= static_cast<std::int64_t>(Forecast::refresh_hours)) make_plan(hour);
}

void PredictivePolicy::make_plan(std::int64_t hour) {
  plan_ = forecast_.next();
  plan_from_ = hour;
}

std::uint32_t PredictivePolicy::capacity(std::int64_t hour) const {
  const std::int64_t ahead = hour - plan_from_;
  if (ahead < 0 || ahead >= static_cast<std::int64_t>(plan_.size())) return 0;
  return proportional_capacity(1, plan_[static_cast<std::size_t>(ahead)], spec_.target);
}

// Without leave to lift it the bound holds; else it rises to what is asked for and a share of it.
std::uint32_t PredictivePolicy::bound(std::uint32_t max, std::uint32_t capacity) const {
  if (!spec_.lifts_max) return max;
  const double lifted = std::ceil(static_cast<double>(capacity) * (1.0 + spec_.max_buffer) - 1e-9);
  return static_cast<std::uint32_t>(
      std::clamp(lifted, static_cast<double>(max), static_cast<double>(1U << 24)));
}

}  // namespace nephoscope
