#include "compute/water_level.hpp"

#include <algorithm>
#include <limits>

namespace nephoscope {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

struct Sums {
  double taken = 0.0;   // by claims at a bound
  double weight = 0.0;  // of the others
};

// Claims that a level leaves below their floor are held at it, those that it fills at the ceiling.
Sums sums_at(const Claim* claims, std::size_t size, double holding, double level) {
  Sums sums;
  for (std::size_t at = 0; at < size; ++at) {
    const Claim& it = claims[at];
    const bool held = it.weight * holding < it.floor;
    const bool full = it.weight * level >= it.ceiling;
    sums.taken += held ? it.floor : full ? it.ceiling : 0.0;
    sums.weight += held || full ? 0.0 : it.weight;
  }
  return sums;
}

// The level for those who are not held at `holding`: from below, as long as more are filled.
double level_above(const Claim* claims, std::size_t size, double holding, double capacity) {
  double level = 0.0;
  for (;;) {
    const Sums sums = sums_at(claims, size, holding, level);
    if (sums.weight == 0.0) return level;
    const double next = (capacity - sums.taken) / sums.weight;
    if (next <= level) return level;
    level = next;
  }
}

}  // namespace

// Whoever is below the floor at some level is so at any lower one, and holding one lowers the level
// of the others: so claims are held one group after the other, and none is let go again.
void share_out(Claim* claims, std::size_t size, double capacity) {
  double wanted = 0.0;
  for (std::size_t at = 0; at < size; ++at) wanted += claims[at].ceiling;
  double level = unbounded;
  if (wanted > capacity) {
    double holding = unbounded;
    level = level_above(claims, size, holding, capacity);
    while (std::any_of(claims, claims + size, [&](const Claim& it) {
      return it.weight * level < it.floor && it.weight * holding >= it.floor;
    })) {
      holding = level;
      level = level_above(claims, size, holding, capacity);
    }
  }
  for (std::size_t at = 0; at < size; ++at) {
    Claim& it = claims[at];
    it.share = wanted > capacity ? std::clamp(it.weight * level, it.floor, it.ceiling) : it.ceiling;
  }
}

}  // namespace nephoscope
