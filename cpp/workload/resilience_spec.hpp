// What a caller does when an answer does not come, comes late or is not the one it hoped for, as
// plain data. Durations are integer nanoseconds.

#pragma once

#include <cstdint>

#include "kernel/distributions.hpp"

namespace nephoscope {

// Of waits that are told or computed, ns: 73 years.
inline constexpr std::int64_t longest_wait = std::int64_t{1} << 61;

enum class BackoffKind : std::uint8_t {
  drawn,        // law: each wait is drawn from it
  exponential,  // base_ns, cap_ns: the wait before retry k (from 0) is min(cap, base 2^k)
};

// What is made of that wait. U is uniform.
enum class Jitter : std::uint8_t {
  none,
  full,          // U(0, wait)
  equal,         // wait / 2 + U(0, wait / 2)
  decorrelated,  // exponential alone: min(cap, U(base, 3 x the wait before, at first base))
};

struct BackoffSpec {
  BackoffKind kind = BackoffKind::drawn;
  Distribution law;  // ns; at once unless told
  std::int64_t base_ns = 0;
  std::int64_t cap_ns = 0;  // 0: none
  Jitter jitter = Jitter::none;
};

// Tokens for further attempts.
struct BudgetSpec {
  bool limited = false;
  double share = 0.0;       // that a request earns when it is first sent
  double reserve = 10.0;    // there are at the start, and at most
  double per_second = 0.0;  // that time brings
};

// Neither `failures` nor `window`: there is no breaker.
struct BreakerSpec {
  std::uint32_t failures = 0;  // it opens after so many attempts in a row without success
  std::uint32_t window = 0;    // or when of the last `window` attempts
  double failure_rate = 0.0;   // this share had none
  std::int64_t open_ns = 0;    // nothing is let through for so long
  std::uint32_t probes = 1;    // attempts then let through: if all succeed it closes

  bool present() const { return failures != 0 || window != 0; }
};

struct ResilienceSpec {
  std::uint32_t attempts = 1;  // the first one counted
  BackoffSpec backoff;
  BudgetSpec budget;
  BreakerSpec breaker;
  std::int64_t deadline_ns = 0;  // of the whole request, all attempts; 0: none
  std::int64_t hedge_ns = 0;     // an attempt not answered by then is doubled; 0: never
};

// Throws SpecError with the path of the field within the spec.
void check(const ResilienceSpec& spec);

}  // namespace nephoscope
