// Least connections: the target with the fewest outstanding requests for its weight; among several,
// one drawn at random, each as likely.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/count_partition.hpp"
#include "balancing/target_class.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

class LeastConnections {
 public:
  LeastConnections() = default;
  explicit LeastConnections(const std::vector<double>& weights)
      : weights_(weights), classes_(weights.size()), single_(weights.size() == 1) {}

  // Precondition: there is a target.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words& words, std::uint64_t) {
    if (single_) [[likely]]
      return classes_[0].take(words.below(classes_[0].ties()));
    return take_weighted(words);
  }

  // An answer in between moves few. Where to look for the one after is on its way, too.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t foreseen(const Words& words, std::uint64_t,
                                        std::uint32_t ahead) const {
    const CountPartition& partition = classes_[0];
    if (partition.size() == 0) return 0;
    partition.prefetch_place(words.foreseen_below(partition.ties(), ahead + 1));
    return partition.slot_at(words.foreseen_below(partition.ties(), ahead));
  }

  void sent(Target target) { classes_[target.of_class].increment(target.slot); }
  NEPHOSCOPE_HOT void answered(Target target, std::int64_t) {
    classes_[target.of_class].decrement(target.slot);
  }

  NEPHOSCOPE_HOT void prefetch(std::uint32_t slot) const { classes_[0].prefetch(slot); }

  std::uint32_t outstanding(Target target) const {
    return classes_[target.of_class].count(target.slot);
  }
  void add(Target target, std::uint32_t outstanding) {
    classes_[target.of_class].add(target.slot, outstanding);
  }
  void remove(Target target) { classes_[target.of_class].remove(target.slot); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_, single_);
    for (CountPartition& partition : classes_) partition.serialize(archive);
  }

 private:
  template <class Words>
  std::uint32_t take_weighted(Words& words);

  std::vector<double> weights_;
  std::vector<CountPartition> classes_;
  bool single_ = true;
};

// Compares requests after this one per weight, as the weighted form of nginx and HAProxy does.
template <class Words>
std::uint32_t LeastConnections::take_weighted(Words& words) {
  double least = 0.0;
  std::uint32_t ties = 0;
  const auto load = [this](std::size_t at) {
    return (static_cast<double>(classes_[at].least()) + 1.0) / weights_[at];
  };
  for (std::size_t at = 0; at < classes_.size(); ++at) {
    if (classes_[at].size() == 0) continue;
    if (ties == 0 || load(at) < least) {
      least = load(at);
      ties = 0;
    }
    if (load(at) == least) ties += classes_[at].ties();
  }
  auto place = words.below(ties);
  std::size_t at = 0;
  for (;; ++at) {
    if (classes_[at].size() == 0 || load(at) != least) continue;
    if (place < classes_[at].ties()) break;
    place -= classes_[at].ties();
  }
  return classes_[at].take(place);
}

}  // namespace nephoscope
