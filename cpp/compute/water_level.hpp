// Weighted max-min fairness with floors and ceilings, exactly.
//
// A claim gets clamp(weight x level, floor, ceiling), with the one level at which all claims
// together get min(capacity, sum of ceilings). The sum grows with the level, so there is one, and
// what is left by those at their ceilings goes to the others by weight. (Bertsekas and Gallager,
// "Data Networks", 1992, section 6.5.2, with weights and lower bounds.)
//
// Amounts are multiples of a grain, weights of another, both so small that nobody will notice and
// so large that every sum in the solver is exact. So the shares do not depend on the order of the
// claims, not even in their last bit, and the sums may be taken in lanes of any width.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

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

// Claims by columns, for whoever keeps many. `size` is a multiple of `claim_lanes`; what fills up
// is zero in every column, and changes nothing.
inline constexpr std::size_t claim_lanes = 8;

struct ClaimColumns {
  const double* weight = nullptr;
  const double* floor = nullptr;
  const double* ceiling = nullptr;
  std::size_t size = 0;
};

// What a claim follows when it is at neither bound.
inline constexpr double follows_level = -1.0;

// The constant share of a claim at a bound, or `follows_level`: then it is weight x level.
inline double constant_share(double weight, double floor, double ceiling, double level) {
  const double share = weight * level;
  return share < floor ? floor : share >= ceiling ? ceiling : follows_level;
}

// The level when everybody has what is wanted: above any that there is not enough for.
inline constexpr double plenty = 1e300;

struct Demand {
  double capacity = 0.0;
  double wanted = 0.0;   // sum of the ceilings
  double wanting = 0.0;  // weight of all claims whose ceiling is above 0
  bool floors = false;   // may be false when every floor is 0
};

struct Found {
  double level = plenty;
  std::size_t switched = 0;
};

// Finds the level and compares what every claim has now with `constant`, which says what it had.
// Writes the places of those for whom this has changed to `switched`, which has room for all, in
// order; `constant` is left alone.
//
// Preconditions: all amounts come from to_amount and weights from to_weight; 0 <= floor <= ceiling;
// the floors add up to the capacity or less. O(n) a pass; a pass more for each group of claims that
// reaches a bound, seldom more than four.
Found find_level(const ClaimColumns& claims, const Demand& demand, const double* constant,
                 std::uint32_t* switched);

// The same for a few claims in rows.
void share_out(Claim* claims, std::size_t size, double capacity);

}  // namespace nephoscope
