// Requests that are booked before they are done, and samples of the series that must not know.
//
// Where nobody watches, a request is booked when it comes (docs/decisions/0006-plain-requests.md).
// A sample sees no more of it than whether it is done, so it need not wait for the sample: it is
// counted here, by the interval in which it will be done, until that begins.
//
// Invariant: where a run is cut nothing is ahead, for nothing is booked beyond that instant.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/hot_path.hpp"

namespace nephoscope {

class Foretold {
 public:
  // Of series with more samples nothing is foretold.
  static constexpr std::uint64_t samples_max = 4096;

  Foretold() = default;
  Foretold(std::uint64_t samples, std::int64_t interval_ns) : interval_ns_(interval_ns) {
    if (samples <= samples_max) by_interval_.resize(std::bit_ceil(samples + 1));
  }

  bool possible() const { return !by_interval_.empty(); }

  // A request will be done so long after the next sample, or at it: >= 0.
  NEPHOSCOPE_HOT void note(std::int64_t after_ns) {
    const auto later =
        static_cast<std::uint64_t>(after_ns) / static_cast<std::uint64_t>(interval_ns_);
    ++by_interval_[(first_ + later) & (by_interval_.size() - 1)];
    ++ahead_;
  }

  // At the instant of the next sample: booked and not done.
  std::uint64_t ahead() const { return ahead_; }

  // That sample has been taken, and the next is an interval later.
  void sampled() {
    if (ahead_ == 0) return;
    std::uint32_t& done = by_interval_[first_ & (by_interval_.size() - 1)];
    ahead_ -= done;
    done = 0;
    ++first_;
  }

 private:
  std::int64_t interval_ns_ = 0;
  std::vector<std::uint32_t> by_interval_;  // a ring: from the next sample to the one after, and on
  std::uint64_t first_ = 0;
  std::uint64_t ahead_ = 0;
};

}  // namespace nephoscope
