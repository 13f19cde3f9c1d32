#include "kernel/series.hpp"

#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

Series::Series(std::int64_t interval_ns) : interval_ns_(interval_ns) {
  if (interval_ns < 1) {
    throw SpecError("series.interval", "must be at least 1 ns, not " + std::to_string(interval_ns));
  }
}

void Series::move_to(std::int64_t time_ns) {
  const std::int64_t column = time_ns / interval_ns_;
  if (time_ns < 0 || column >= length_max) {
    throw InvariantError("a series was given the instant " + std::to_string(time_ns) + " ns");
  }
  column_ = static_cast<std::size_t>(column);
  start_ns_ = column * interval_ns_;
  width_ns_ = interval_ns_;
  if (column_ >= values_.size()) {
    values_.resize(column_ + 1);
  }
}

void Series::extend_to(std::int64_t time_ns) {
  if (time_ns > 0) {
    const std::int64_t last = (time_ns - 1) / interval_ns_;
    if (last >= length_max) {
      throw InvariantError("a series was extended to " + std::to_string(time_ns) + " ns");
    }
    if (static_cast<std::size_t>(last) >= values_.size()) {
      values_.resize(static_cast<std::size_t>(last) + 1);
    }
  }
}

void Series::merge(const Series& other) {
  if (other.interval_ns_ != interval_ns_) {
    throw Error("series of different intervals cannot be merged");
  }
  if (other.values_.size() > values_.size()) {
    values_.resize(other.values_.size());
  }
  for (std::size_t i = 0; i < other.values_.size(); ++i) {
    values_[i] += other.values_[i];
  }
}

void Series::check() const {
  if (interval_ns_ < 1) {
    throw StateError("a saved series is damaged");
  }
}

}  // namespace nephoscope
