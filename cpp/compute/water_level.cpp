#include "compute/water_level.hpp"

#include <cstring>
#include <limits>
#include <vector>

#include "kernel/vector_path.hpp"

namespace nephoscope {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

// Lanes that compilers for every width make the best of; alone where there are none.
#if defined(__GNUC__)
constexpr std::size_t lanes = 4;
using Lanes = double __attribute__((vector_size(lanes * sizeof(double))));
#else
constexpr std::size_t lanes = 1;
using Lanes = double;
#endif
static_assert(claim_lanes % lanes == 0);

NEPHOSCOPE_INLINE inline void load(const double* from, Lanes& to) {
  std::memcpy(&to, from, sizeof(to));
}

NEPHOSCOPE_INLINE inline double sum_of(const Lanes& it) {
  double each[lanes];
  std::memcpy(each, &it, sizeof(it));
  double sum = 0.0;
  for (const double one : each) sum += one;
  return sum;
}

struct Sums {
  double taken = 0.0;   // by claims at a bound
  double weight = 0.0;  // of the others
};

// Claims that a level leaves below their floor are held at it, those that it fills at the ceiling.
template <bool floors>
NEPHOSCOPE_INLINE inline Sums sums_at(const ClaimColumns& claims, double holding, double level) {
  const Lanes nothing{};
  Lanes taken{};
  Lanes rising{};
  for (std::size_t at = 0; at < claims.size; at += lanes) {
    Lanes weight;
    Lanes ceiling;
    load(claims.weight + at, weight);
    load(claims.ceiling + at, ceiling);
    const auto full = weight * level >= ceiling;
    Lanes takes = full ? ceiling : nothing;
    Lanes rises = full ? nothing : weight;
    if constexpr (floors) {
      Lanes floor;
      load(claims.floor + at, floor);
      const auto held = weight * holding < floor;
      takes = held ? floor : takes;
      rises = held ? nothing : rises;
    }
    taken += takes;
    rising += rises;
  }
  return {sum_of(taken), sum_of(rising)};
}

// The level for those who are not held at `holding`: from below, as long as more are filled.
template <bool floors>
NEPHOSCOPE_INLINE inline double level_above(const ClaimColumns& claims, double holding,
                                            double capacity, double level) {
  for (;;) {
    const Sums sums = sums_at<floors>(claims, holding, level);
    if (sums.weight == 0.0) return level;
    const double next = (capacity - sums.taken) / sums.weight;
    if (next <= level) return level;
    level = next;
  }
}

NEPHOSCOPE_INLINE inline bool more_to_hold(const ClaimColumns& claims, double holding,
                                           double level) {
  bool more = false;
  for (std::size_t at = 0; at < claims.size; ++at) {
    const bool below = claims.weight[at] * level < claims.floor[at];
    more |= below && claims.weight[at] * holding >= claims.floor[at];
  }
  return more;
}

// Whoever is below the floor at some level is so at any lower one, and holding one lowers the level
// of the others: so claims are held one group after the other, and none is let go again.
template <bool floors>
NEPHOSCOPE_INLINE inline double level_of(const ClaimColumns& claims, double capacity,
                                         double wanting) {
  // At level 0 only those who want nothing are filled, and nobody is held yet.
  double level = level_above<false>(claims, unbounded, capacity, capacity / wanting);
  if constexpr (floors) {
    for (double holding = unbounded; more_to_hold(claims, holding, level);) {
      holding = level;
      level = level_above<true>(claims, holding, capacity, 0.0);
    }
  }
  return level;
}

// Few switch, so lanes are looked at together first.
template <bool floors>
NEPHOSCOPE_INLINE inline std::size_t switches(const ClaimColumns& claims, double level,
                                              const double* constant, std::uint32_t* switched) {
  const Lanes follows = Lanes{} + follows_level;
  std::size_t count = 0;
  for (std::size_t at = 0; at < claims.size; at += lanes) {
    Lanes weight;
    Lanes ceiling;
    Lanes before;
    load(claims.weight + at, weight);
    load(claims.ceiling + at, ceiling);
    load(constant + at, before);
    const Lanes share = weight * level;
    Lanes now = share >= ceiling ? ceiling : follows;
    if constexpr (floors) {
      Lanes floor;
      load(claims.floor + at, floor);
      now = share < floor ? floor : now;
    }
    const Lanes differs = now != before ? Lanes{} + 1.0 : Lanes{};
    if (sum_of(differs) == 0.0) [[likely]]
      continue;
    for (std::size_t one = at; one < at + lanes; ++one) {
      const double other =
          constant_share(claims.weight[one], claims.floor[one], claims.ceiling[one], level);
      switched[count] = static_cast<std::uint32_t>(one);
      count += other != constant[one] ? 1U : 0U;
    }
  }
  return count;
}

template <bool floors>
Found find(const ClaimColumns& claims, const Demand& demand, const double* constant,
           std::uint32_t* switched) {
  Found found;
  run_on(VectorPath::automatic, [&]() NEPHOSCOPE_INLINE {
    if (demand.wanted > demand.capacity) {
      found.level = level_of<floors>(claims, demand.capacity, demand.wanting);
    }
    found.switched = switches<floors>(claims, found.level, constant, switched);
  });
  return found;
}

}  // namespace

Found find_level(const ClaimColumns& claims, const Demand& demand, const double* constant,
                 std::uint32_t* switched) {
  if (demand.floors) return find<true>(claims, demand, constant, switched);
  return find<false>(claims, demand, constant, switched);
}

void share_out(Claim* claims, std::size_t size, double capacity) {
  const std::size_t room = (size + claim_lanes - 1) / claim_lanes * claim_lanes;
  std::vector<double> columns(4 * room);
  const ClaimColumns all{columns.data(), columns.data() + room, columns.data() + 2 * room, room};
  Demand demand{capacity, 0.0, 0.0, true};
  for (std::size_t at = 0; at < size; ++at) {
    columns[at] = claims[at].weight;
    columns[at + room] = claims[at].floor;
    columns[at + 2 * room] = claims[at].ceiling;
    demand.wanted += claims[at].ceiling;
    demand.wanting += claims[at].ceiling > 0.0 ? claims[at].weight : 0.0;
  }
  std::vector<std::uint32_t> switched(room);
  const double level = find_level(all, demand, columns.data() + 3 * room, switched.data()).level;
  for (std::size_t at = 0; at < size; ++at) {
    Claim& it = claims[at];
    const double constant = constant_share(it.weight, it.floor, it.ceiling, level);
    it.share = constant == follows_level ? it.weight * level : constant;
  }
}

}  // namespace nephoscope
