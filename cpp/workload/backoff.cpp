#include "workload/backoff.hpp"

#include <algorithm>

#include "kernel/math.hpp"

namespace nephoscope {

Backoff::Backoff(const BackoffSpec& spec, StreamKey waits, StreamKey jitter)
    : kind_(spec.kind),
      jitter_(spec.jitter),
      base_ns_(spec.base_ns),
      cap_ns_(spec.cap_ns != 0 ? spec.cap_ns : longest_wait) {
  if (kind_ == BackoffKind::drawn) law_ = Sampler(spec.law, waits);
  if (jitter_ != Jitter::none) uniform_ = Sampler(unit_uniform, jitter);
}

std::int64_t Backoff::plain_wait(std::uint32_t retry, std::uint64_t serial,
                                 std::uint32_t which) const {
  if (kind_ == BackoffKind::drawn) {
    return std::min(duration_ns(law_.at(serial, which)), longest_wait);
  }
  const bool capped = retry >= 61 || base_ns_ > (cap_ns_ >> retry);
  return capped ? cap_ns_ : base_ns_ << retry;
}

std::int64_t Backoff::wait(std::uint32_t retry, std::int64_t before, std::uint64_t serial,
                           std::uint32_t which) const {
  const auto part_of = [&](std::int64_t whole) {
    return duration_ns(uniform_.at(serial, which) * static_cast<double>(whole));
  };
  if (jitter_ == Jitter::decorrelated) {
    const std::int64_t last = std::max(before, base_ns_);
    return std::min(cap_ns_, base_ns_ + part_of(3 * last - base_ns_));
  }
  const std::int64_t plain = plain_wait(retry, serial, which);
  switch (jitter_) {
    case Jitter::full:
      return part_of(plain);
    case Jitter::equal:
      return plain / 2 + part_of(plain - plain / 2);
    default:
      return plain;
  }
}

}  // namespace nephoscope
