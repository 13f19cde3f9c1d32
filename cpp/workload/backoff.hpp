// How long a caller waits before it tries again.
//
// The jitters are those of Brooker, "Exponential backoff and jitter" (AWS Architecture Blog, 2015).
// A wait is a function of the request, the retry and, where decorrelated, the wait before.

#pragma once

#include <cstdint>

#include "kernel/distributions.hpp"
#include "workload/resilience_spec.hpp"

namespace nephoscope {

class Backoff {
 public:
  // At once.
  Backoff() = default;

  // `waits` is the stream of the law, `jitter` that of the uniform numbers. Throws SpecError when
  // the law is not legal; the rest must have been checked.
  Backoff(const BackoffSpec& spec, StreamKey waits, StreamKey jitter);

  // The wait before retry `retry` (from 0), ns. `before` is the wait before the last retry, 0 if
  // there was none. The random numbers are those of (`serial`, `which`) in their streams.
  std::int64_t wait(std::uint32_t retry, std::int64_t before, std::uint64_t serial,
                    std::uint32_t which) const;

 private:
  std::int64_t plain_wait(std::uint32_t retry, std::uint64_t serial, std::uint32_t which) const;

  BackoffKind kind_ = BackoffKind::drawn;
  Jitter jitter_ = Jitter::none;
  std::int64_t base_ns_ = 0;
  std::int64_t cap_ns_ = 0;
  Sampler law_;
  Sampler uniform_;
};

}  // namespace nephoscope
