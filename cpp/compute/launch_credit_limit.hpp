// How often an account gets launch credits: for so many launches or starts of T2 instances in
// standard mode, all together, in any 24 h (100 by default, in each Region). A launch beyond the
// limit gets none and does not count.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/errors.hpp"

namespace nephoscope {

class LaunchCreditLimit {
 public:
  explicit LaunchCreditLimit(std::uint32_t launches = 100) : granted_at_(launches, -day_ns) {
    if (launches == 0) throw SpecError("launches", "must be above 0");
  }

  // Whether a launch at `now` gets launch credits; it counts if so. Precondition: no call was
  // later.
  bool grant(std::int64_t now) {
    std::int64_t& oldest = granted_at_[next_];
    if (now - oldest < day_ns) return false;
    oldest = now;
    next_ = (next_ + 1) % granted_at_.size();
    return true;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(granted_at_, next_);
  }

 private:
  static constexpr std::int64_t day_ns = std::int64_t{86'400} * 1'000'000'000;

  std::vector<std::int64_t> granted_at_;  // a ring, the oldest at next_
  std::uint64_t next_ = 0;
};

}  // namespace nephoscope
