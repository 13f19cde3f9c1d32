// The timers of one host's pCPUs, at most one each, in the order (time, pCPU).
//
// Slices are about equally long, so a new timer nearly always comes last: a sorted row takes it in
// a comparison or two and gives the earliest away at once. Others cost a move of what is later.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class TimerRing {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  struct Timer {
    std::int64_t time = never;
    std::uint64_t cpu = 0;

    friend bool operator<(const Timer& a, const Timer& b) {
      return a.time < b.time || (a.time == b.time && a.cpu < b.cpu);
    }
  };

  explicit TimerRing(std::uint32_t cpus = 0) : timers_(2 * cpus + 1) {}

  // The row ends with a timer that is never due.
  std::int64_t next_time() const { return timers_[begin_].time; }

  // Precondition: there is one.
  std::uint32_t pop() { return static_cast<std::uint32_t>(timers_[begin_++].cpu); }

  void push(std::int64_t time, std::uint32_t cpu) {
    if (end_ + 1 == timers_.size()) [[unlikely]]
      close_up();
    const Timer timer{time, cpu};
    std::size_t at = end_++;
    for (; at > begin_ && timer < timers_[at - 1]; --at) timers_[at] = timers_[at - 1];
    timers_[at] = timer;
    timers_[end_].time = never;
  }

  // Precondition: it is there.
  void cancel(std::int64_t time, std::uint32_t cpu) {
    const Timer* const found = std::lower_bound(&timers_[begin_], &timers_[end_], Timer{time, cpu});
    auto at = static_cast<std::size_t>(found - timers_.data());
    for (; at < end_; ++at) timers_[at] = timers_[at + 1];
    --end_;
  }

  // Timers that are not after `now` go on by whole slices until they are; `moved(cpu, time)` is
  // told.
  template <class Moved>
  void postpone(std::int64_t now, std::int64_t slice, Moved moved) {
    for (std::size_t at = begin_; timers_[at].time <= now; ++at) {
      Timer& timer = timers_[at];
      timer.time += ((now - timer.time) / slice + 1) * slice;
      moved(static_cast<std::uint32_t>(timer.cpu), timer.time);
    }
    std::sort(&timers_[begin_], &timers_[end_]);
  }

  const void* data() const { return &timers_[begin_]; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(timers_, begin_, end_);
  }

 private:
  void close_up() {
    std::copy(&timers_[begin_], &timers_[end_], timers_.data());
    end_ -= begin_;
    begin_ = 0;
  }

  std::vector<Timer> timers_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace nephoscope
