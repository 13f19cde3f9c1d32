// A log-linear histogram of durations: integers >= 0, in nanoseconds.
//
// Values below 256 have a bucket each; above, every octave is divided into 128 buckets of equal
// width, so that the mid point of a bucket is within 1/256 (0.4 %) of whatever fell into it.
// Counts, count, sum, sum of squares, least and greatest are exact integers: merging is addition,
// and any order of recording or merging gives the same histogram to the bit.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

class Histogram {
 public:
  static constexpr unsigned sub_bits = 7;
  static constexpr std::size_t octave_size = std::size_t{1} << sub_bits;
  static constexpr std::size_t bucket_count = 57 * octave_size;

  // The bucket of a value >= 0.
  static std::size_t bucket_of(std::int64_t value) {
    const auto v = static_cast<std::uint64_t>(value);
    const unsigned shift =
        63U - sub_bits - static_cast<unsigned>(std::countl_zero(v | octave_size));
    return (std::size_t{shift} << sub_bits) + static_cast<std::size_t>(v >> shift);
  }

  // The least and the greatest value that fall into a bucket.
  static std::int64_t bucket_lower(std::size_t bucket);
  static std::int64_t bucket_upper(std::size_t bucket);

  // Throws InvariantError when value < 0: time does not go backwards.
  NEPHOSCOPE_HOT void record(std::int64_t value) {
    const std::size_t bucket = bucket_of(value);
    if (bucket - first_ >= counts_.size()) [[unlikely]] {
      cover(bucket);
    }
    ++counts_[bucket - first_];
    ++count_;
    const auto v = static_cast<std::uint64_t>(value);
    sum_ += v;
    const uint128 square = static_cast<uint128>(v) * v;
    squares_low_ += square;
    squares_high_ += squares_low_ < square ? 1U : 0U;
    if (value < min_) [[unlikely]]
      min_ = value;
    if (value > max_) [[unlikely]]
      max_ = value;
  }

  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  uint128 sum() const { return sum_; }
  // Sum of squares, 192 bits: squares_high() * 2^128 + squares_low(). It cannot overflow.
  uint128 squares_low() const { return squares_low_; }
  std::uint64_t squares_high() const { return squares_high_; }

  // The rest needs count() > 0.
  std::int64_t min() const { return min_; }
  std::int64_t max() const { return max_; }
  double mean() const;
  // Of the recorded values as a population: n in the denominator, from the exact sums.
  double stddev() const;

  // Nearest rank: the ceil(p * count)-th smallest value, as the mid point of its bucket clamped to
  // [min, max]; exact below 256 and at the first and last rank. p in [0, 1].
  std::int64_t quantile(double p) const;

  // How many values are in buckets that begin at `value` or before; value >= 0.
  std::uint64_t up_to(std::int64_t value) const;

  // The buckets that have been reserved: counts()[i] is the count of bucket first_bucket() + i.
  std::size_t first_bucket() const { return first_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }

  // The content as bytes (histogram_bytes.cpp), the same for equal histograms; and back. Throws
  // StateError for bytes that `pack` cannot have made.
  std::string pack() const;
  static Histogram unpack(std::string_view bytes);

  // Same values recorded, bucket by bucket.
  friend bool operator==(const Histogram& a, const Histogram& b) { return a.equals(b); }

  template <class Archive>
  void serialize(Archive& archive) {
    auto sum_low = static_cast<std::uint64_t>(sum_);
    auto sum_high = static_cast<std::uint64_t>(sum_ >> 64);
    auto low = static_cast<std::uint64_t>(squares_low_);
    auto middle = static_cast<std::uint64_t>(squares_low_ >> 64);
    std::uint64_t first = first_;
    archive(first, counts_, count_, sum_low, sum_high, low, middle, squares_high_, min_, max_);
    first_ = static_cast<std::size_t>(first);
    sum_ = (static_cast<uint128>(sum_high) << 64) | sum_low;
    squares_low_ = (static_cast<uint128>(middle) << 64) | low;
    check();
  }

 private:
  void cover(std::size_t bucket);
  void check() const;  // throws StateError unless the fields agree with each other
  bool equals(const Histogram& other) const;

  static constexpr std::int64_t no_min = INT64_MAX;

  std::size_t first_ = 0;  // bucket of counts_[0]; a multiple of octave_size
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  uint128 sum_ = 0;
  uint128 squares_low_ = 0;
  std::uint64_t squares_high_ = 0;
  std::int64_t min_ = no_min;
  std::int64_t max_ = -1;
};

}  // namespace nephoscope
