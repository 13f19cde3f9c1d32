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
// The targets are the leaves of a tournament tree of 64-bit keys: the score as a float above 32
// random bits that are drawn whenever the score changes. So the least key is the choice, equal
// scores are in random order, and a change costs O(log n) without a branch.

#pragma once

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
  LeastResponseTime(const std::vector<double>& weights, std::uint64_t random)
      : weights_(weights), random_(random) {}

  // Precondition: there is a target.
  template <class Words>
  std::uint32_t take(Words&, std::uint64_t) {
    const auto slot = static_cast<std::uint32_t>(nodes_[1].slot);
    ++targets_[slot].outstanding;
    update(slot);
    return slot;
  }

  void answered(Target target, std::int64_t response_ns) {
    if (nodes_[leaves_ + target.slot].key == absent) [[unlikely]]
      return;  // it has left
    State& state = targets_[target.slot];
    --state.outstanding;
    const auto response = static_cast<double>(response_ns);
    state.estimate += (response - state.estimate) * newest;
    if (state.answers < trusted) [[unlikely]]
      begin(state, response);
    update(target.slot);
  }

  std::uint32_t outstanding(Target target) const { return targets_[target.slot].outstanding; }
  void add(Target target, std::uint32_t outstanding);
  void remove(Target target) { set_leaf({absent, target.slot}); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_, targets_, nodes_, leaves_, mean_, answers_, random_);
  }

 private:
  static constexpr double newest = 0.125;
  static constexpr std::uint32_t trusted = 8;  // answers after which a target is known by its own
  static constexpr std::uint64_t absent = ~std::uint64_t{0};

  struct Node {
    std::uint64_t key = absent;  // the least below
    std::uint64_t slot = 0;      // of the leaf that has it
  };

  struct State {
    static constexpr bool plain_doubles = true;
    double estimate = 0.0;
    double per_weight = 0.0;  // 1 / weight
    std::uint32_t outstanding = 0;
    std::uint32_t answers = 0;  // up to `trusted`
  };

  NEPHOSCOPE_COLD void begin(State& state, double response);
  void grow();

  // A score is positive, so the order of its bits is that of its value. The random bits are the
  // upper half of a linear congruential generator's state.
  std::uint64_t key(std::uint32_t slot) {
    const State& state = targets_[slot];
    const double estimate = state.answers < trusted ? mean_ : state.estimate;
    const auto score = static_cast<float>(estimate * state.per_weight * (state.outstanding + 1.0));
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return std::uint64_t{std::bit_cast<std::uint32_t>(score)} << 32 | random_ >> 32;
  }

  void update(std::uint32_t slot) { set_leaf({key(slot), slot}); }

  void set_leaf(Node best) {
    Node* const nodes = nodes_.data();
    std::size_t at = leaves_ + best.slot;
    nodes[at].key = best.key;
    nodes[at].slot = best.slot;
    while (at > 1) {
      const Node& sibling = nodes[at ^ 1];
      // By masks: compilers like to make a branch of a choice between two pairs, and nobody can
      // guess it.
      const std::uint64_t loses = sibling.key < best.key ? ~std::uint64_t{0} : 0;
      best.key ^= (best.key ^ sibling.key) & loses;
      best.slot ^= (best.slot ^ sibling.slot) & loses;
      at /= 2;
      nodes[at].key = best.key;
      nodes[at].slot = best.slot;
    }
  }

  std::vector<double> weights_;
  std::vector<State> targets_;                      // by slot
  std::vector<Node> nodes_ = std::vector<Node>(2);  // node i has the children 2i and 2i + 1
  std::size_t leaves_ = 1;
  double mean_ = 1.0;  // common, ns
  std::uint64_t answers_ = 0;
  std::uint64_t random_ = 0;
};

}  // namespace nephoscope
