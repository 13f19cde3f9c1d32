// Round robin: the targets in turn, each turn as long as the weights say.
//
// The targets of one weight form a class and take strict turns within it. Between classes the one
// that is furthest behind its share comes next (stride scheduling, Waldspurger and Weihl 1995), so
// that two weights are interleaved as evenly as they can be. A target that comes is placed just
// behind the one served last and so waits a full turn; one that goes leaves the turn of the others
// as it was.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/target_class.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

class RoundRobin {
 public:
  RoundRobin() = default;
  explicit RoundRobin(const std::vector<double>& weights) : classes_(weights.size()) {
    for (std::size_t at = 0; at < weights.size(); ++at) classes_[at].weight = weights[at];
  }

  // Precondition: there is a target.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words&, std::uint64_t) {
    Turn& turn = classes_.size() == 1 ? classes_[0] : most_behind();
    turn.last = next_[turn.last];
    return turn.last;
  }

  // Where no target has joined late, they are in turn in the order of their slots.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t foreseen(const Words&, std::uint64_t, std::uint32_t ahead) const {
    return classes_[0].last + 1 + ahead;
  }

  void add(Target target, std::uint32_t) {
    if (target.slot >= next_.size()) {
      next_.resize(target.slot + 1);
      previous_.resize(target.slot + 1);
    }
    Turn& turn = classes_[target.of_class];
    if (turn.size == 0) turn.served = least_served();
    if (turn.size++ == 0) {
      next_[target.slot] = previous_[target.slot] = turn.last = target.slot;
      return;
    }
    const std::uint32_t after = next_[turn.last];
    next_[turn.last] = previous_[after] = target.slot;
    previous_[target.slot] = turn.last;
    next_[target.slot] = after;
    turn.last = target.slot;
  }

  void remove(Target target) {
    Turn& turn = classes_[target.of_class];
    --turn.size;
    const std::uint32_t before = previous_[target.slot];
    const std::uint32_t after = next_[target.slot];
    next_[before] = after;
    previous_[after] = before;
    if (turn.last == target.slot) turn.last = before;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(classes_, next_, previous_);
  }

 private:
  struct Turn {
    static constexpr bool plain_doubles = true;
    double weight = 1.0;
    double served = 0.0;     // in units of its share
    std::uint32_t last = 0;  // the target served last
    std::uint32_t size = 0;
  };

  Turn& most_behind();
  double least_served() const;

  std::vector<Turn> classes_;
  std::vector<std::uint32_t> next_;  // by slot; each class is a circle
  std::vector<std::uint32_t> previous_;
};

inline RoundRobin::Turn& RoundRobin::most_behind() {
  Turn* chosen = nullptr;
  double least = 0.0;
  for (Turn& turn : classes_) {
    if (turn.size == 0) continue;
    const double after = turn.served + 1.0 / (turn.weight * turn.size);
    if (chosen == nullptr || after < least) {
      chosen = &turn;
      least = after;
    }
  }
  chosen->served = least;
  return *chosen;
}

// Where a class that was empty joins: it is owed nothing for the time it had no target.
inline double RoundRobin::least_served() const {
  double least = 0.0;
  bool found = false;
  for (const Turn& turn : classes_) {
    if (turn.size == 0) continue;
    least = found ? std::min(least, turn.served) : turn.served;
    found = true;
  }
  return least;
}

}  // namespace nephoscope
