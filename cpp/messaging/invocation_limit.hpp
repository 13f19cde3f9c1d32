// How many deliveries are begun in a second, counted by the seconds of the clock. What is more is
// not refused: it waits for the next second that has room, in the order in which it came.
//
// Whoever comes is given its instant at once, so nobody is kept in a row here. Instants never go
// back: whoever comes later does not begin before.

#pragma once

#include <algorithm>
#include <cstdint>

namespace nephoscope {

class InvocationLimit {
 public:
  InvocationLimit() = default;
  // 0 is no limit.
  explicit InvocationLimit(std::uint32_t in_a_second) : limit_(in_a_second) {}

  bool active() const { return limit_ != 0; }

  // When what comes now may begin: now, or with a later second. `now` never goes back.
  std::int64_t place(std::int64_t now) {
    if (limit_ == 0) return now;
    if (now / second_ns > second_) {
      second_ = now / second_ns;
      taken_ = 0;
    } else if (taken_ == limit_) {
      ++second_;
      taken_ = 0;
    }
    ++taken_;
    return std::max(now, second_ * second_ns);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(second_, taken_);
  }

 private:
  static constexpr std::int64_t second_ns = 1'000'000'000;

  std::uint32_t limit_ = 0;  // immutable
  std::uint32_t taken_ = 0;  // places of the second that the latest one is in
  std::int64_t second_ = 0;  // that one
};

}  // namespace nephoscope
