#include "scaling/forecast.hpp"

#include <cmath>
#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

void Forecast::add_hour(double load) {
  if (!(load >= 0.0 && load <= load_max)) throw SpecError("load", "must be from 0 to 1e300");
  if (history_.size() == hours_most) history_.erase(history_.begin());
  history_.push_back(load);
}

namespace {

// The mean of `count` loads, every `season`th back from `newest`. One of differences to the newest,
// so that equal numbers have exactly themselves as their mean.
double mean_back(const double* newest, std::size_t season, std::size_t count) {
  double differences = 0.0;
  for (std::size_t age = 1; age < count; ++age) {
    differences += *(newest - age * season) - *newest;
  }
  const double mean = *newest + differences / static_cast<double>(count);
  return mean > 0.0 ? mean : 0.0;  // rounding must not make a load negative
}

}  // namespace

double Forecast::mean_of_hour(std::size_t back, std::size_t season) const {
  const double* newest = history_.data() + (history_.size() - 1 - back);
  return mean_back(newest, season, history_.size() / season);
}

std::size_t Forecast::season() const {
  if (history_.size() < 2 * week) return day;
  const double* first = history_.data();
  const double* second = first + week;
  double sums[2] = {0.0, 0.0};
  for (std::size_t hour = 0; hour < week; ++hour) {
    sums[0] += first[hour];
    sums[1] += second[hour];
  }
  if (!(sums[0] > 0.0)) return day;
  const double scale = sums[1] / sums[0];
  double by_day = 0.0;
  double by_week = 0.0;
  for (std::size_t hour = 0; hour < week; ++hour) {
    const double usual = mean_back(second - day + hour % day, day, 7);
    by_day += std::fabs(second[hour] - scale * usual);
    by_week += std::fabs(second[hour] - scale * first[hour]);
  }
  return by_week < by_day ? week : day;
}

std::vector<double> Forecast::next(std::size_t hours) const {
  if (!ready()) throw SpecError("history", "must have at least 24 hours");
  if (hours > horizon) throw SpecError("hours", "must be at most 48");
  const std::size_t length = season();
  double was = 0.0;
  double usual = 0.0;
  for (std::size_t back = 0; back < length; ++back) {
    was += history_[history_.size() - 1 - back];
    usual += mean_of_hour(back, length);
  }
  const double level = usual > 0.0 ? was / usual : 1.0;
  std::vector<double> loads(hours);
  for (std::size_t ahead = 0; ahead < hours; ++ahead) {
    loads[ahead] = level * mean_of_hour(length - 1 - ahead % length, length);
  }
  return loads;
}

}  // namespace nephoscope
