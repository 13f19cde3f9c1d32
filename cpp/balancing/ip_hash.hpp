// IP hash: a client keeps its target for as long as the target is there.
//
// Classes of targets (see target_class.hpp) are chosen by weighted rendezvous hashing, -ln(u) /
// share with a u of the client and the class (Schindelhauer and Schomaker, "Weighted Distributed
// Hash Tables", 2005), the target within a class by a consistent hash (consistent_hash.hpp). Both
// move no client that need not move: of n equal targets one that comes takes 1 / (n + 1) of the
// clients, one that goes gives up its own 1 / n.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/consistent_hash.hpp"
#include "balancing/target_class.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/math.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

class IpHash {
 public:
  IpHash() = default;
  explicit IpHash(const std::vector<double>& weights)
      : weights_(weights), classes_(weights.size()) {}

  // Precondition: there is a target. No randomness is used.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words&, std::uint64_t client) const {
    return classes_.size() == 1 ? classes_[0].find(client)
                                : classes_[class_of(client)].find(client);
  }

  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t foreseen(const Words&, std::uint64_t client,
                                        std::uint32_t ahead) const {
    return classes_[0].size() == 0 ? 0 : classes_[0].find(client + ahead);
  }

  void add(Target target, std::uint32_t) { classes_[target.of_class].add(target.slot); }
  void remove(Target target) { classes_[target.of_class].remove(target.slot); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_);
    for (ConsistentHash& hash : classes_) hash.serialize(archive);
  }

 private:
  std::size_t class_of(std::uint64_t client) const;

  std::vector<double> weights_;
  std::vector<ConsistentHash> classes_;
};

inline std::size_t IpHash::class_of(std::uint64_t client) const {
  std::size_t chosen = 0;
  double least = -1.0;
  for (std::size_t at = 0; at < classes_.size(); ++at) {
    if (classes_[at].size() == 0) continue;
    const std::uint64_t hash = mix_bits(mix_bits(client) + (at + 1) * 0xD1B54A32D192ED03U);
    const double cost = nlog(unit_open(hash)) / (weights_[at] * classes_[at].size());
    if (least < 0.0 || cost < least) {
      chosen = at;
      least = cost;
    }
  }
  return chosen;
}

}  // namespace nephoscope
