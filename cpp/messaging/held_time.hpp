// How much was held for how long: an integral over time, in amounts x seconds. What comes is let go
// when it has an age, or never.
//
// What comes within a 4,096th of that age goes together with the first of it, so that there are
// never more rows than so many and one, however much comes.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class HeldTime {
 public:
  HeldTime() = default;
  // 0: it is held for ever.
  explicit HeldTime(std::int64_t age) : age_(age), step_(std::max<std::int64_t>(age / steps, 1)) {}

  // `now` never goes back.
  void add(std::int64_t now, std::uint64_t amount) {
    settle(now);
    held_ += amount;
    if (age_ == 0) return;
    if (first_ == rows_.size() || now - rows_.back().since >= step_) rows_.push_back({now, 0});
    rows_.back().amount += amount;
  }

  double total(std::int64_t now) const {
    HeldTime then = *this;
    then.settle(now);
    return then.done_;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(held_, done_, since_, first_, rows_);
  }

 private:
  static constexpr std::int64_t steps = 4096;

  struct Row {
    std::int64_t since;
    std::uint64_t amount;
  };

  void settle(std::int64_t now) {
    while (first_ < rows_.size() && now - rows_[first_].since >= age_) {
      count_to(rows_[first_].since + age_);
      held_ -= rows_[first_++].amount;
    }
    count_to(now);
    if (first_ <= steps) return;
    rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  void count_to(std::int64_t time) {
    done_ += static_cast<double>(held_) * (static_cast<double>(time - since_) * 1e-9);
    since_ = time;
  }

  std::int64_t age_ = 0;  // immutable, as the next
  std::int64_t step_ = 1;
  std::uint64_t held_ = 0;
  double done_ = 0.0;
  std::int64_t since_ = 0;
  std::uint64_t first_ = 0;  // row that is held still
  std::vector<Row> rows_;    // in the order of time
};

}  // namespace nephoscope
