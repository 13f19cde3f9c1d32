#include "kernel/histogram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

// 256-bit unsigned integers, least limb first; just what the variance needs.
using Wide = std::array<std::uint64_t, 4>;

// a * b for a of three limbs; the caller knows that the product fits.
Wide multiply(const std::array<std::uint64_t, 3>& a, std::uint64_t b) {
  Wide product{};
  uint128 carry = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    carry += static_cast<uint128>(a[i]) * b;
    product[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  product[3] = static_cast<std::uint64_t>(carry);
  return product;
}

Wide square(uint128 a) {
  const auto low = static_cast<std::uint64_t>(a);
  const auto high = static_cast<std::uint64_t>(a >> 64);
  const Wide by_low = multiply({low, high, 0}, low);
  const Wide by_high = multiply({0, low, high}, high);
  Wide sum{};
  uint128 carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += static_cast<uint128>(by_low[i]) + by_high[i];
    sum[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  return sum;
}

Wide subtract(const Wide& a, const Wide& b) {
  Wide difference{};
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const uint128 d = static_cast<uint128>(a[i]) - b[i] - borrow;
    difference[i] = static_cast<std::uint64_t>(d);
    borrow = static_cast<std::uint64_t>(d >> 64) & 1U;
  }
  return difference;
}

double to_double(const Wide& a) {
  double sum = 0.0;
  for (std::size_t i = 0; i < 4; ++i) {
    // From the least limb up, so that the last addition rounds the only one that matters.
    sum = sum * 0x1p-64 + static_cast<double>(a[i]);
  }
  return sum * 0x1p192;
}

}  // namespace

std::int64_t Histogram::bucket_lower(std::size_t bucket) {
  if (bucket < 2 * octave_size) {
    return static_cast<std::int64_t>(bucket);
  }
  const std::size_t shift = (bucket >> sub_bits) - 1;
  return static_cast<std::int64_t>((octave_size + bucket % octave_size) << shift);
}

std::int64_t Histogram::bucket_upper(std::size_t bucket) {
  return bucket + 1 < bucket_count ? bucket_lower(bucket + 1) - 1 : INT64_MAX;
}

void Histogram::cover(std::size_t bucket) {
  if (bucket >= bucket_count) {
    throw InvariantError("a histogram was given a negative duration");
  }
  const std::size_t lower = bucket - bucket % octave_size;
  const std::size_t upper = lower + octave_size;
  if (counts_.empty()) {
    first_ = lower;
    counts_.resize(octave_size);
  } else if (bucket < first_) {
    counts_.insert(counts_.begin(), first_ - lower, 0);
    first_ = lower;
  } else {
    counts_.resize(upper - first_);
  }
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.empty()) {
    return;
  }
  for (const std::size_t end : {other.first_, other.first_ + other.counts_.size() - 1}) {
    if (end - first_ >= counts_.size()) {
      cover(end);
    }
  }
  // By index: `other` may be this very histogram.
  const std::size_t shift = other.first_ - first_;
  for (std::size_t i = 0; i < other.counts_.size(); ++i) {
    counts_[shift + i] += other.counts_[i];
  }
  const uint128 low = other.squares_low_;
  count_ += other.count_;
  sum_ += other.sum_;
  squares_high_ += other.squares_high_;
  squares_low_ += low;
  squares_high_ += squares_low_ < low ? 1U : 0U;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
  return static_cast<double>(sum_) / static_cast<double>(count_);
}

double Histogram::stddev() const {
  // n * sum(x^2) - sum(x)^2, which is n^2 times the variance, without rounding.
  const std::array<std::uint64_t, 3> squares = {static_cast<std::uint64_t>(squares_low_),
                                                static_cast<std::uint64_t>(squares_low_ >> 64),
                                                squares_high_};
  const double scaled = to_double(subtract(multiply(squares, count_), square(sum_)));
  return std::sqrt(scaled) / static_cast<double>(count_);
}

std::int64_t Histogram::quantile(double p) const {
  // A few ulp low, so that 0.07 of 100 values is the 7th though 0.07 * 100 is a little above 7.
  const double rank = std::ceil(p * static_cast<double>(count_) * (1.0 - 0x1p-50));
  if (rank <= 1.0) {
    return min_;
  }
  if (rank >= static_cast<double>(count_)) {
    return max_;
  }
  auto left = static_cast<std::uint64_t>(rank);
  std::size_t i = 0;
  while (counts_[i] < left) {
    left -= counts_[i];
    ++i;
  }
  const std::int64_t lower = bucket_lower(first_ + i);
  const std::int64_t width = bucket_upper(first_ + i) - lower + 1;
  return std::clamp(lower + width / 2, min_, max_);
}

std::uint64_t Histogram::up_to(std::int64_t value) const {
  const std::size_t end = bucket_of(value) + 1;
  if (end <= first_) {
    return 0;
  }
  const auto reach = static_cast<std::ptrdiff_t>(std::min(end - first_, counts_.size()));
  return std::accumulate(counts_.begin(), counts_.begin() + reach, std::uint64_t{0});
}

bool Histogram::equals(const Histogram& other) const {
  if (count_ != other.count_ || sum_ != other.sum_ || squares_low_ != other.squares_low_ ||
      squares_high_ != other.squares_high_ || min_ != other.min_ || max_ != other.max_) {
    return false;
  }
  if (count_ == 0) {
    return true;
  }
  // How far the reserved buckets reach depends on the order of recording; their content does not.
  const std::size_t lower = bucket_of(min_);
  const std::size_t upper = bucket_of(max_);
  for (std::size_t bucket = lower; bucket <= upper; ++bucket) {
    if (counts_[bucket - first_] != other.counts_[bucket - other.first_]) {
      return false;
    }
  }
  return true;
}

void Histogram::check() const {
  const bool placed = first_ % octave_size == 0 && counts_.size() % octave_size == 0 &&
                      first_ <= bucket_count && counts_.size() <= bucket_count - first_;
  const bool counted = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}) == count_;
  if (!placed || !counted) {
    throw StateError("a saved histogram is damaged");
  }
  if (count_ == 0) {
    return;
  }
  const bool ordered = 0 <= min_ && min_ <= max_;
  if (!ordered || bucket_of(min_) < first_ || bucket_of(max_) - first_ >= counts_.size()) {
    throw StateError("a saved histogram is damaged");
  }
}

}  // namespace nephoscope
