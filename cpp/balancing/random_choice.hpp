// The policies that draw: random, weighted_random, power_of_two and join_idle_queue.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/member_list.hpp"
#include "balancing/target_class.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

// Any target, each as likely.
class RandomChoice {
 public:
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words& words, std::uint64_t) {
    return members_[words.below(members_.size())];
  }

  void add(Target target, std::uint32_t) { members_.add(target.slot); }
  void remove(Target target) { members_.remove(target.slot); }

  template <class Archive>
  void serialize(Archive& archive) {
    members_.serialize(archive);
  }

 private:
  MemberList members_;
};

// Any target, as likely as its weight says: first the class by its total weight, then one of the
// class.
class WeightedRandom {
 public:
  WeightedRandom() = default;
  explicit WeightedRandom(const std::vector<double>& weights)
      : weights_(weights), classes_(weights.size()) {}

  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words& words, std::uint64_t) {
    const MemberList& members = classes_[classes_.size() == 1 ? 0 : draw_class(words)];
    return members[words.below(members.size())];
  }

  void add(Target target, std::uint32_t) { classes_[target.of_class].add(target.slot); }
  void remove(Target target) { classes_[target.of_class].remove(target.slot); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_);
    for (MemberList& members : classes_) members.serialize(archive);
  }

 private:
  template <class Words>
  std::size_t draw_class(Words& words) {
    double total = 0.0;
    for (std::size_t at = 0; at < classes_.size(); ++at)
      total += weights_[at] * classes_[at].size();
    double left = words.unit() * total;
    std::size_t chosen = 0;
    for (std::size_t at = 0; at < classes_.size(); ++at) {
      if (classes_[at].size() == 0) continue;
      chosen = at;
      left -= weights_[at] * classes_[at].size();
      if (left < 0.0) break;
    }
    return chosen;
  }

  std::vector<double> weights_;
  std::vector<MemberList> classes_;
};

// The least loaded of `choices` targets drawn without replacement; among equals the one drawn
// first. (Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 2001.)
class PowerOfChoices {
 public:
  PowerOfChoices() = default;
  explicit PowerOfChoices(std::uint32_t choices) : choices_(choices) {}

  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words& words, std::uint64_t) {
    const std::uint32_t size = members_.size();
    if (choices_ != 2 || size < 2) return take_many(words);
    const auto a = words.below(size);
    auto b = words.below(size - 1);
    b += b >= a ? 1U : 0U;
    const std::uint32_t first = members_[a];
    const std::uint32_t second = members_[b];
    const std::uint32_t slot = outstanding_[second] < outstanding_[first] ? second : first;
    ++outstanding_[slot];
    return slot;
  }

  std::uint32_t outstanding(Target target) const { return outstanding_[target.slot]; }
  void sent(Target target) { ++outstanding_[target.slot]; }
  NEPHOSCOPE_HOT void answered(Target target, std::int64_t) { --outstanding_[target.slot]; }

  void add(Target target, std::uint32_t outstanding) {
    members_.add(target.slot);
    if (target.slot >= outstanding_.size()) outstanding_.resize(target.slot + 1);
    outstanding_[target.slot] = outstanding;
  }
  void remove(Target target) { members_.remove(target.slot); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(outstanding_, choices_);
    members_.serialize(archive);
  }

 private:
  // The first steps of a Fisher-Yates shuffle: what they bring to the front is a sample in random
  // order.
  template <class Words>
  std::uint32_t take_many(Words& words) {
    const std::uint32_t draws = std::min(choices_, members_.size());
    std::uint32_t best = 0;
    for (std::uint32_t at = 0; at < draws; ++at) {
      const auto drawn = at + words.below(members_.size() - at);
      members_.swap_places(at, drawn);
      const std::uint32_t slot = members_[at];
      if (at == 0 || outstanding_[slot] < outstanding_[best]) best = slot;
    }
    ++outstanding_[best];
    return best;
  }

  MemberList members_;
  std::vector<std::uint32_t> outstanding_;  // by slot
  std::uint32_t choices_ = 2;
};

// Any target with nothing outstanding, else any target. (Lu, Xie, Kliot, Geller, Larus and
// Greenberg, "Join-Idle-Queue", Performance Evaluation 2011, with the balancer itself knowing who
// is idle.)
class JoinIdleQueue {
 public:
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words& words, std::uint64_t) {
    const MemberList& from = idle_.size() > 0 ? idle_ : members_;
    const std::uint32_t slot = from[words.below(from.size())];
    if (outstanding_[slot]++ == 0) idle_.remove(slot);
    return slot;
  }

  std::uint32_t outstanding(Target target) const { return outstanding_[target.slot]; }
  void sent(Target target) {
    if (outstanding_[target.slot]++ == 0) idle_.remove(target.slot);
  }
  NEPHOSCOPE_HOT void answered(Target target, std::int64_t) {
    if (--outstanding_[target.slot] == 0 && members_.contains(target.slot)) idle_.add(target.slot);
  }

  void add(Target target, std::uint32_t outstanding) {
    members_.add(target.slot);
    if (target.slot >= outstanding_.size()) outstanding_.resize(target.slot + 1);
    outstanding_[target.slot] = outstanding;
    if (outstanding == 0) idle_.add(target.slot);
  }
  void remove(Target target) {
    members_.remove(target.slot);
    if (idle_.contains(target.slot)) idle_.remove(target.slot);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(outstanding_);
    members_.serialize(archive);
    idle_.serialize(archive);
  }

 private:
  MemberList members_;
  MemberList idle_;
  std::vector<std::uint32_t> outstanding_;  // by slot
};

}  // namespace nephoscope
