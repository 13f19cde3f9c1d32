// Weighted max-min fairness with floors and ceilings, exactly.
//
// A claim gets clamp(weight x level, floor, ceiling), with the one level at which all claims
// together get min(capacity, sum of ceilings). The sum grows with the level, so there is one, and
// what is left by those at their ceilings goes to the others by weight. (Bertsekas and Gallager,
// "Data Networks", 1992, section 6.5.2, with weights and lower bounds.)
//
// Amounts are multiples of a grain, weights of another, both so small that nobody will notice and
// so large that every sum in the solver is exact. So the shares do not depend on the order of the
// claims, not even in their last bit.

#pragma once

#include <cmath>
#include <cstddef>

namespace nephoscope {

struct Claim {
  double weight = 1.0;
  double floor = 0.0;
  double ceiling = 0.0;
  double share = 0.0;  // what share_out gives
};

// The nearest multiple of 2^-36: sums of amounts below 2^17 are exact.
inline double to_amount(double x) {
  return std::nearbyint(x * 0x1p36) * 0x1p-36;
}

// The nearest multiple of 2^-16, and no less: sums of weights below 2^37 are exact.
inline double to_weight(double x) {
  return std::fmax(std::nearbyint(x * 0x1p16), 1.0) * 0x1p-16;
}

// Preconditions: all amounts come from to_amount and weights from to_weight; 0 <= floor <= ceiling;
// the floors add up to the capacity or less. O(n) a pass; a pass more for each group of claims that
// reaches a bound, seldom more than four.
void share_out(Claim* claims, std::size_t size, double capacity);

}  // namespace nephoscope
