// The timers of one host's pCPUs, at most one each, in the order (time, pCPU).
//
// Times are relative to an instant that may be moved. Slices are about equally long, so a
// new timer nearly always belongs behind all but a few: a sorted row takes it in a few steps, most
// of them without a branch, and gives the earliest away at once.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/hot_path.hpp"

namespace nephoscope {

class TimerRing {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  // Times are below this, and above its negative.
  static constexpr std::int64_t latest = std::int64_t{1} << 46;

  explicit TimerRing(std::uint32_t cpus = 0) : size_(room + 2 * cpus + 1), keys_(size_, never) {
    std::fill_n(keys_.begin(), room, lowest);
  }

  // A time and a pCPU in one number, in the order of both.
  static std::int64_t time_of(std::int64_t key) { return key >> cpu_bits; }
  static std::uint32_t cpu_of(std::int64_t key) {
    return static_cast<std::uint32_t>(key) & ((1U << cpu_bits) - 1);
  }
  static std::int64_t later(std::int64_t key, std::int64_t by) {
    return key + by * (std::int64_t{1} << cpu_bits);
  }

  // Behind the row are timers that are never due.
  std::int64_t next() const { return keys_[begin_]; }
  std::int64_t next_time() const { return time_of(next()); }

  // Precondition: there is one.
  void pop() { ++begin_; }

  void push(std::int64_t time, std::uint32_t cpu) { push(later(cpu, time)); }

  // Precondition: no timer given away was later.
  void push(std::int64_t key) {
    if (end_ + 1 == size_) [[unlikely]]
      close_up();
    std::int64_t* at = &keys_[end_++];
    // What has been given away, and what is in the room before the row, are lower.
    for (std::size_t k = 0; k < steps; ++k, --at) {
      const std::int64_t before = at[-1];
      const std::int64_t greater = before > key ? before : key;
      *at = greater;
      key += before - greater;
    }
    for (; at[-1] > key; --at) *at = at[-1];
    *at = key;
  }

  // Precondition: the pCPU has one.
  void cancel(std::uint32_t cpu) {
    std::size_t at = begin_;
    while (cpu_of(keys_[at]) != cpu) ++at;
    for (; at < end_; ++at) keys_[at] = keys_[at + 1];
    --end_;
  }

  // Visits all, (time, pCPU), in their order.
  template <class Visit>
  void visit(Visit visit) const {
    for (std::size_t at = begin_; at < end_; ++at) visit(time_of(keys_[at]), cpu_of(keys_[at]));
  }

  void clear() {
    std::fill(&keys_[room], &keys_[end_], never);
    begin_ = end_ = room;
  }

  // The instant that times are relative to moves on; timers before it go on by whole slices.
  void shift(std::int64_t by, std::int64_t slice) {
    for (std::size_t at = begin_; at < end_; ++at) {
      std::int64_t time = time_of(keys_[at]) - by;
      if (time < 0) time += (slice - 1 - time) / slice * slice;
      keys_[at] = later(cpu_of(keys_[at]), time);
    }
    std::sort(&keys_[begin_], &keys_[end_]);
    close_up();
  }

  // Timers that are not after `now` go on by whole slices until they are.
  void postpone(std::int64_t now, std::int64_t slice) {
    for (std::size_t at = begin_; time_of(keys_[at]) <= now; ++at) {
      keys_[at] = later(keys_[at], ((now - time_of(keys_[at])) / slice + 1) * slice);
    }
    std::sort(&keys_[begin_], &keys_[end_]);
  }

  // Brings what the next few timers are and will be pushed to nearer.
  void fetch() const {
    const std::size_t few = keys_.size() / 4;
    for (std::size_t at = 0; at < few; at += 8) NEPHOSCOPE_PREFETCH(&keys_[begin_ + at]);
    for (std::size_t at = 0; at < few; at += 8) NEPHOSCOPE_PREFETCH(&keys_[end_ - 1] + at);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(size_, keys_, begin_, end_);
  }

 private:
  static constexpr int cpu_bits = 16;
  static constexpr std::size_t steps = 3;
  static constexpr std::size_t room = steps + 1;
  static constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min() / 2;

  void close_up() {
    const std::size_t size = end_ - begin_;
    std::copy(&keys_[begin_], &keys_[end_], &keys_[room]);
    std::fill(&keys_[room + size], &keys_[end_], never);
    begin_ = room;
    end_ = room + size;
  }

  std::uint64_t size_ = 0;
  std::vector<std::int64_t> keys_;
  std::uint64_t begin_ = room;
  std::uint64_t end_ = room;
};

}  // namespace nephoscope
