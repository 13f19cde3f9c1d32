// Least response time: the target with the smallest estimate x (outstanding + 1) / weight.
//
// The estimate of a target is an exponentially weighted mean of the response times of the requests
// it has answered, with weight 1/8 for the newest: what the balancer itself saw, as late as it saw
// it. It is renewed only by an answer, so a target that gets no requests keeps the last one (the
// outstanding requests of the others bring it back into play). A target that has answered fewer
// than 8 requests is taken to be as fast as the common mean, that of all answers by such targets,
// and its own estimate starts there; so neither a new target nor the first lucky answer draws
// everyone. Before there is any answer all count alike. The common mean is looked up when the
// target is sent a request or answers one.
//
// The targets are the leaves of a tournament tree of 64-bit keys: the score as a float, random bits
// that are drawn whenever the score changes, and the slot. So the least key is the choice and says
// which target it is, equal scores are in random order, and a change costs O(log n) without a
// branch. A float leaves 33 bits; of n targets the slot takes log2 n and chance the rest.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/target_class.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

class LeastResponseTime {
 public:
  LeastResponseTime() = default;
  // `random` seeds the order of equal scores.
  LeastResponseTime(const std::vector<double>& weights, std::uint64_t random) : random_(random) {
    for (const double weight : weights) per_weight_.push_back(1.0 / weight);
  }

  // Precondition: there is a target.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words&, std::uint64_t) {
    const auto slot = static_cast<std::uint32_t>(keys_[1] & slot_mask());
    ++targets_[slot].outstanding;
    update(slot);
    return slot;
  }

  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t foreseen(const Words&, std::uint64_t, std::uint32_t) const {
    return static_cast<std::uint32_t>(keys_[1] & slot_mask());
  }
  NEPHOSCOPE_HOT void prefetch(std::uint32_t slot) const {
    NEPHOSCOPE_PREFETCH(targets_.data() + slot);
    NEPHOSCOPE_PREFETCH(keys_.data() + leaves_ + slot);
  }

  void sent(Target target) {
    ++targets_[target.slot].outstanding;
    update(target.slot);
  }
  NEPHOSCOPE_HOT void answered(Target target, std::int64_t response_ns) {
    State& state = targets_[target.slot];
    --state.outstanding;
    if (keys_[leaves_ + target.slot] == absent) [[unlikely]]
      return;  // it gets no requests, or none any more
    const auto response = static_cast<double>(response_ns);
    state.estimate += (response - state.estimate) * newest;
    if (state.answers < trusted) [[unlikely]]
      begin(state, response);
    update(target.slot);
  }

  // From now on, another order of equal scores.
  void reseed(std::uint64_t random) { random_ = random; }

  std::uint32_t outstanding(Target target) const { return targets_[target.slot].outstanding; }
  void add(Target target, std::uint32_t outstanding);
  void remove(Target target) { set_leaf(target.slot, absent); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(per_weight_, targets_, keys_, leaves_, slot_bits_, mean_, answers_, random_);
  }

 private:
  static constexpr double newest = 0.125;
  static constexpr std::uint32_t trusted = 8;  // answers after which a target is known by its own
  static constexpr std::uint64_t absent = ~std::uint64_t{0};
  static constexpr unsigned score_shift = 33;  // the sign of a float is left out

  struct State {
    static constexpr bool plain_doubles = true;
    double estimate = 0.0;
    std::uint32_t outstanding = 0;
    std::uint16_t of_class = 0;
    std::uint16_t answers = 0;  // up to `trusted`
  };

  NEPHOSCOPE_COLD void begin(State& state, double response);
  void grow();

  std::uint64_t slot_mask() const { return (std::uint64_t{1} << slot_bits_) - 1; }

  // A score is positive, so the order of its bits is that of its value. The random bits are the
  // upper ones of a linear congruential generator's state.
  std::uint64_t key(std::uint32_t slot) {
    const State& state = targets_[slot];
    const double estimate = state.answers < trusted ? mean_ : state.estimate;
    const auto score =
        static_cast<float>(estimate * per_weight_[state.of_class] * (state.outstanding + 1.0));
    return tied(std::uint64_t{std::bit_cast<std::uint32_t>(score)} << score_shift, slot);
  }

  // The score of a key, with random bits and the slot below it.
  std::uint64_t tied(std::uint64_t score, std::uint32_t slot) {
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return score | (random_ >> (64 - score_shift) & ~slot_mask()) | slot;
  }

  void update(std::uint32_t slot) { set_leaf(slot, key(slot)); }

  // Two levels of a binary tree at a time: the three siblings of a node are looked at at once, and
  // every other level is left out. Where the depth is odd the last step is a single level.
  NEPHOSCOPE_HOT void set_leaf(std::uint32_t slot, std::uint64_t least) {
    std::uint64_t* const keys = keys_.data();
    std::size_t at = leaves_ + slot;
    keys[at] = least;
    while (at >= 4) {
      const std::uint64_t siblings = std::min(keys[at ^ 1], std::min(keys[at ^ 2], keys[at ^ 3]));
      least = std::min(least, siblings);
      at /= 4;
      keys[at] = least;
    }
    if (at > 1) keys[1] = std::min(least, keys[at ^ 1]);
  }

  std::vector<double> per_weight_;  // 1 / weight, by class
  std::vector<State> targets_;      // by slot
  std::vector<std::uint64_t> keys_ =
      std::vector<std::uint64_t>(2, absent);  // node 1 is the least, the last half the leaves
  std::uint64_t leaves_ = 1;                  // a power of two
  std::uint32_t slot_bits_ = 0;
  double mean_ = 1.0;  // common, ns
  std::uint64_t answers_ = 0;
  std::uint64_t random_ = 0;
};

}  // namespace nephoscope
