// What a load will be in the next hours, from what it was in the last: the forecaster of predictive
// scaling. The provider says what its own takes and gives (at least a day of hourly history, at
// most 14 days; 48 hours ahead; made anew every 6 hours) and not how it works. This one is the
// classical decomposition of a seasonal series by means, multiplicative and without a trend
// (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., 2021, section 3.4;
// the season times a level is of Winters, "Forecasting sales by exponentially weighted moving
// averages", 1960):
//
//   forecast of an hour = mean of that hour over all whole seasons of the history
//                         x load of the last season / mean load of a season
//
// A season is a day. It is a week once there are two weeks, if in hindsight the second week looks
// more like the first hour by hour than like the first week's mean day (the sum of absolute errors
// decides, a tie is for the day; the first week is scaled to the second's sum before).
//
// Consequences, which the tests hold it to: a load that repeats itself is forecast to the bit; one
// that is scaled has been followed, to rounding, a season later; of independent noise of variance v
// about a level the forecast adds about v (1/seasons + 1/hours of a season), where repeating the
// last season adds v. There is no trend: two days ahead of at most 14, it would rather follow the
// noise.
//
// Plain double arithmetic in a fixed order: the same bits wherever doubles are IEEE 754.

#pragma once

#include <cstddef>
#include <vector>

namespace nephoscope {

class Forecast {
 public:
  static constexpr std::size_t hours_least = 24;
  static constexpr std::size_t hours_most = 14 * 24;
  static constexpr std::size_t horizon = 48;       // hours that are forecast at a time
  static constexpr std::size_t refresh_hours = 6;  // how long a forecast is used
  static constexpr double load_max = 1e300;

  // The load of the hour that has just ended, from 0 to load_max; throws SpecError otherwise. What
  // is older than 14 days is forgotten.
  void add_hour(double load);

  // Whether there is a day of history.
  bool ready() const { return history_.size() >= hours_least; }

  // The loads of the hours to come, the first of them the one after the last that was added. Throws
  // SpecError when not ready, or for more hours than the horizon.
  std::vector<double> next(std::size_t hours = horizon) const;

  // Hours after which the forecast repeats itself: 24 or 168.
  std::size_t season() const;

  std::size_t hours() const { return history_.size(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(history_);
  }

 private:
  static constexpr std::size_t day = 24;
  static constexpr std::size_t week = 7 * day;

  // The mean, over all whole seasons, of the hour that was `back` < season hours before the last.
  double mean_of_hour(std::size_t back, std::size_t season) const;

  std::vector<double> history_;  // the oldest first
};

}  // namespace nephoscope
