// Signed integers of 128 bits, for products of a rate and a time that must not be rounded.

#pragma once

#include <cstdint>
#include <limits>

namespace nephoscope {

__extension__ typedef __int128 int128;

// The least whole number that is not below dividend / divisor. Preconditions: dividend >= 0,
// divisor > 0.
constexpr int128 ceil_div(int128 dividend, int128 divisor) {
  const int128 whole = dividend / divisor;
  return whole * divisor == dividend ? whole : whole + 1;
}

// The instant so many ns (>= 0) after `now` (>= 0), or the last there is, which stands for never.
constexpr std::int64_t instant_after(std::int64_t now, int128 ns) {
  constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  return ns >= never - now ? never : now + static_cast<std::int64_t>(ns);
}

}  // namespace nephoscope
