// A series of integers over a fixed interval of time: column i stands for [i, i + 1) * interval.
//
// Used in one of two ways: add() sums amounts into the interval of their instant (counts), push()
// appends one value an interval (samples of a gauge).

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class Series {
 public:
  // More intervals than this are a mistake of units, not a wish.
  static constexpr std::int64_t length_max = std::int64_t{1} << 28;

  // Throws SpecError unless interval_ns >= 1.
  explicit Series(std::int64_t interval_ns = 1);

  // time_ns >= 0. Fast when successive instants fall into the same interval.
  void add(std::int64_t time_ns, std::int64_t amount = 1) {
    const auto offset = static_cast<std::uint64_t>(time_ns) - static_cast<std::uint64_t>(start_ns_);
    if (offset >= static_cast<std::uint64_t>(width_ns_)) [[unlikely]] {
      move_to(time_ns);
    }
    values_[column_] += amount;
  }

  void push(std::int64_t value) { values_.push_back(value); }

  // Intervals up to `time_ns` exclusive exist, with 0 where nothing was added.
  void extend_to(std::int64_t time_ns);

  void reserve(std::size_t length) { values_.reserve(length); }

  // Sums column by column. Throws Error unless the intervals are equal.
  void merge(const Series& other);

  std::int64_t interval_ns() const { return interval_ns_; }
  std::size_t size() const { return values_.size(); }
  const std::vector<std::int64_t>& values() const { return values_; }

  friend bool operator==(const Series& a, const Series& b) {
    return a.interval_ns_ == b.interval_ns_ && a.values_ == b.values_;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(interval_ns_, values_);
    width_ns_ = 0;
    check();
  }

 private:
  void move_to(std::int64_t time_ns);
  void check() const;  // throws StateError unless the interval is at least 1

  std::int64_t interval_ns_;
  std::vector<std::int64_t> values_;

  // The column of the last add: [start_ns_, start_ns_ + width_ns_); width 0 means none.
  std::int64_t start_ns_ = 0;
  std::int64_t width_ns_ = 0;
  std::size_t column_ = 0;
};

}  // namespace nephoscope
