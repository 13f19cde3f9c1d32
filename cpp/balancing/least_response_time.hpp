// Least response time: the target with the smallest estimate x (outstanding + 1) / weight; among equals,
// one drawn at random, each as likely.
//
// The estimate of a target is an exponentially weighted mean of the response times of the requests it has
// answered, with weight 1/8 for the newest: what the balancer itself saw, as late as it saw it. It is
// renewed only by an answer, so a target that gets no requests keeps the last one (the outstanding
// requests of the others bring it back into play). A target that has answered nothing yet counts as fast
// as the mean of all answers so far, and as 1 ns before there is any.
//
// The targets are the leaves of a tournament tree; a node knows the least score below it and how many
// leaves share it. A change costs O(log n).

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "balancing/target_class.hpp"

namespace nephoscope {

class LeastResponseTime {
 public:
  LeastResponseTime() = default;
  explicit LeastResponseTime(const std::vector<double>& weights) : weights_(weights) {}

  // Precondition: there is a target.
  template <class Words>
  std::uint32_t select(Words& words, std::uint64_t) {
    if (nodes_[1].ties == 1) return nodes_[1].slot;
    return draw_tied(words);
  }

  void sent(Target target) {
    ++targets_[target.slot].outstanding;
    update(target.slot);
  }

  void answered(Target target, std::int64_t response_ns) {
    State& state = targets_[target.slot];
    --state.outstanding;
    const auto response = static_cast<double>(response_ns);
    state.estimate =
        state.measured ? state.estimate + (response - state.estimate) * newest : response;
    state.measured = 1;
    mean_ += (response - mean_) * newest;
    update(target.slot);
  }

  void add(Target target, std::uint32_t outstanding);
  void remove(Target target);

  // The estimate of a target's response time, ns.
  double estimate_ns(std::uint32_t slot) const { return targets_[slot].estimate; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_, targets_, nodes_, leaves_, mean_);
  }

 private:
  static constexpr double newest = 0.125;
  static constexpr double absent = std::numeric_limits<double>::infinity();

  struct State {
    double estimate = 1.0;
    double per_weight = 0.0;  // 1 / weight
    std::uint32_t outstanding = 0;
    std::uint32_t measured = 0;
  };

  struct Node {
    double score = absent;
    std::uint32_t slot = 0;  // of one leaf with this score
    std::uint32_t ties = 0;  // leaves with this score
  };

  static Node winner(const Node& a, const Node& b) {
    if (a.score < b.score) return a;
    if (b.score < a.score) return b;
    return {a.score, a.slot, a.ties + b.ties};
  }

  void update(std::uint32_t slot) {
    const State& state = targets_[slot];
    const double score = state.estimate * state.per_weight * (state.outstanding + 1.0);
    set_leaf(slot, {score, slot, 1});
  }

  void set_leaf(std::uint32_t slot, Node node) {
    std::size_t at = leaves_ + slot;
    nodes_[at] = node;
    while (at > 1) {
      node = winner(nodes_[at & ~std::size_t{1}], nodes_[at | 1]);
      at /= 2;
      Node& parent = nodes_[at];
      if (parent.score == node.score && parent.slot == node.slot && parent.ties == node.ties) return;
      parent = node;
    }
  }

  template <class Words>
  std::uint32_t draw_tied(Words& words) const {
    const double least = nodes_[1].score;
    auto place = static_cast<std::uint32_t>(words.below(nodes_[1].ties));
    std::size_t at = 1;
    while (at < leaves_) {
      at *= 2;
      if (nodes_[at].score != least) {
        ++at;
      } else if (place >= nodes_[at].ties) {
        place -= nodes_[at].ties;
        ++at;
      }
    }
    return static_cast<std::uint32_t>(at - leaves_);
  }

  void grow();

  std::vector<double> weights_;
  std::vector<State> targets_;  // by slot
  std::vector<Node> nodes_ = std::vector<Node>(2);
  std::size_t leaves_ = 1;
  double mean_ = 1.0;
};

}  // namespace nephoscope
