// The options of the credit scheduler (credit_host.hpp has its rules), and what follows from them.
//
// A credit is 100 us of CPU time. There are three ticks a slice and an accounting every three
// ticks; both are whole nanoseconds, so accounting comes up to 2 ns before the slice is over.

#pragma once

#include <cstdint>

namespace nephoscope {

struct CreditOptions {
  static constexpr std::int64_t credit_ns = 100'000;
  static constexpr std::int64_t shortest_timer_ns = 100'000;

  std::int64_t slice_ns = 30'000'000;
  std::int64_t ratelimit_ns = 1'000'000;  // 0: none
  std::int64_t dither_ns = 200'000;       // a slice lasts longer by up to so much, uniformly
  std::uint64_t seed = 0;                 // of phases and dither
  bool boost = true;
  // Otherwise whoever runs at a tick pays for all of it, and nobody else for anything.
  bool exact_debit = true;
  // A vCPU joins the active set whenever it is debited, not only when a tick finds it running. As
  // published, only ticks count, and who is never seen by one is never judged.
  bool activate_at_decision = true;
  // Ticks and accounting of all pCPUs fall on one grid and slices have no dither: for hand traces.
  bool aligned = false;

  std::int64_t tick_ns() const { return slice_ns / 3; }
  std::int64_t accounting_ns() const { return 3 * tick_ns(); }
  // That a pCPU has to give each accounting, and the most that a vCPU keeps.
  std::int32_t credits() const { return static_cast<std::int32_t>(slice_ns / credit_ns); }
  std::int32_t tick_credits() const { return credits() / 3; }
};

// Throws SpecError with the field's name when an option is not legal.
void check(const CreditOptions& options);

}  // namespace nephoscope
