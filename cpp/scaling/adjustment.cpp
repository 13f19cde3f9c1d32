#include "scaling/adjustment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nephoscope {

namespace {

// Of a number that may be anything, not-a-number apart.
std::uint32_t bounded(double capacity) {
  constexpr double most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp(capacity, 0.0, most));
}

double moved_by(std::uint32_t capacity, double percent, std::uint32_t least_change) {
  const double exact = static_cast<double>(capacity) * percent / 100.0;
  if (exact == 0.0) return 0.0;
  const double sign = exact < 0.0 ? -1.0 : 1.0;
  const double whole = std::max(std::floor(std::abs(exact)), 1.0);
  return sign * std::max(whole, static_cast<double>(least_change));
}

}  // namespace

std::uint32_t proportional_capacity(std::uint32_t capacity, double metric, double target) {
  // A ratio that is a whole number of instances but for rounding must not ask for one more.
  const double exact = static_cast<double>(capacity) * (metric / target);
  const double nearest = std::nearbyint(exact);
  const bool whole = std::abs(exact - nearest) <= 1e-9 * std::max(nearest, 1.0);
  return bounded(whole ? nearest : std::ceil(exact));
}

const StepAdjustment* step_at(const std::vector<StepAdjustment>& steps, double distance,
                              bool above) {
  for (const StepAdjustment& step : steps) {
    const bool within = above ? step.lower <= distance && distance < step.upper
                              : step.lower < distance && distance <= step.upper;
    if (within) return &step;
  }
  return nullptr;
}

std::uint32_t adjusted_capacity(std::uint32_t capacity, Adjustment adjustment, double change,
                                std::uint32_t least_change) {
  switch (adjustment) {
    case Adjustment::change:
      return bounded(static_cast<double>(capacity) + change);
    case Adjustment::percent:
      return bounded(static_cast<double>(capacity) + moved_by(capacity, change, least_change));
    case Adjustment::exact:
      return bounded(change);
  }
  return capacity;
}

}  // namespace nephoscope
