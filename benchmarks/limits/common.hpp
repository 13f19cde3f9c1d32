// What every limit kernel shares: the clock of the thread, an outcome, draws in blocks, one
// histogram.
//
// The draws are the engine's own: stream `name` of (seed, replication), Philox4x64 words, inverted
// by the project's logarithm. Only what a framework would add is missing.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <time.h>

#include "kernel/math.hpp"
#include "kernel/random.hpp"

namespace limits {

constexpr double work_ns = 1e7;  // mean work of a request
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// CPU time of this thread, so that neighbours on the machine do not count.
inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What a kernel reports; the layout is known to benchmarks/kernels.py.
struct Outcome {
  double seconds;
  double mean_ns;  // response of the completed
  std::uint64_t offered;
  std::uint64_t completed;
};

// Exponential times in whole units of the mean's, drawn 512 at a time.
class Exponentials {
 public:
  static constexpr std::size_t block = 512;

  Exponentials(std::uint64_t seed, std::string_view name, double mean)
      : key_(nephoscope::stream_key(seed, 0, name)), mean_(mean) {}

  std::int64_t next() {
    if (position_ == block) [[unlikely]]
      refill();
    return times_[position_++];
  }

 private:
  [[gnu::noinline]] void refill() {
    alignas(64) std::array<std::uint64_t, block> words;
    nephoscope::philox_words(key_, drawn_, words.data(), block);
    // Two loops: only the first can be made of vectors on every machine.
    alignas(64) std::array<double, block> draws;
    for (std::size_t i = 0; i < block; ++i) {
      draws[i] = mean_ * nephoscope::nlog(nephoscope::unit_open(words[i]));
    }
    for (std::size_t i = 0; i < block; ++i) {
      times_[i] = static_cast<std::int64_t>(draws[i] + 0.5);
    }
    drawn_ += block;
    position_ = 0;
  }

  alignas(64) std::array<std::int64_t, block> times_{};
  nephoscope::StreamKey key_;
  double mean_;
  std::uint64_t drawn_ = 0;
  std::size_t position_ = block;
};

// Arrival instants of a Poisson process. The sum of the gaps is kept to 2^-16 ns, so that it does
// not drift from that of the engine.
class Arrivals {
 public:
  Arrivals(std::uint64_t seed, std::string_view name, double mean_gap_ns)
      : gaps_(seed, name, mean_gap_ns * 0x1p16) {}

  std::int64_t next() {
    now_ += gaps_.next();
    return now_ >> 16;
  }

 private:
  Exponentials gaps_;
  std::int64_t now_ = 0;
};

// Log-linear histogram of times, 128 buckets an octave, straight from the position of the first
// bit.
class Histogram {
 public:
  void record(std::int64_t time) {
    const auto value = static_cast<std::uint64_t>(time);
    const auto shift = static_cast<std::uint32_t>(56 - std::countl_zero(value | 255));
    ++counts_[(static_cast<std::uint64_t>(shift) << 7) + (value >> shift)];
    sum_ += time;
  }

  std::uint64_t count() const {
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts_) total += count;
    return total;
  }

  double mean() const { return static_cast<double>(sum_) / static_cast<double>(count()); }

 private:
  alignas(64) std::array<std::uint64_t, 58 * 128> counts_{};
  std::int64_t sum_ = 0;
};

}  // namespace limits
