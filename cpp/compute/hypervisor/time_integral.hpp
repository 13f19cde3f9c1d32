// An integral over time, or what is booked from one: whole units, and what is below one.
//
// Adding a rate that is a whole number is exact however long it lasts, and so is taking a span of
// such an integral a whole number of times; anything else is off by some 1e-16 of what is added.

#pragma once

#include <cmath>
#include <cstdint>

namespace nephoscope {

struct TimeIntegral {
  static constexpr bool plain_doubles = true;

  std::int64_t whole = 0;
  double part = 0.0;

  // Adds a span `factor` times; factor >= 0.
  void add(double factor, const TimeIntegral& span) {
    const double even = std::floor(factor);
    const double exact =
        part + (factor - even) * static_cast<double>(span.whole) + factor * span.part;
    const double more = std::floor(exact);
    whole += static_cast<std::int64_t>(even) * span.whole + static_cast<std::int64_t>(more);
    part = exact - more;
  }

  void add(double rate, std::int64_t elapsed) { add(rate, TimeIntegral{elapsed, 0.0}); }

  // What has been added since it was `before`. The part may be below 0, the sum is not.
  TimeIntegral since(const TimeIntegral& before) const {
    return {whole - before.whole, part - before.part};
  }
};

}  // namespace nephoscope
