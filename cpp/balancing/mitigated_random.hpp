// weighted_random where each target keeps a share of its weight: any target, as likely as its
// weight times its share says.
//
// First the class by what its targets weigh together, then one of the class in a tree of partial
// sums (Fenwick, "A new data structure for cumulative frequency tables", 1994). A choice and a
// change of share cost O(log slots).

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/target_class.hpp"

namespace nephoscope {

// Shares of slots, which can be summed up to a slot and found by their sum.
class ShareTree {
 public:
  std::uint32_t total() const { return total_; }

  // Invariant: sums_[i - 1] is the sum of the shares of the slots from i - lowest_bit(i) to i - 1.
  void add(std::uint32_t slot, std::uint32_t share) { change(slot, share); }
  // The sums are taken modulo 2^32, so what is taken away comes out right.
  void subtract(std::uint32_t slot, std::uint32_t share) { change(slot, 0U - share); }

  // The slot within whose share `at` falls, when they are laid end to end. Precondition: at <
  // total().
  std::uint32_t find(std::uint32_t at) const {
    std::uint32_t place = 0;
    const auto size = static_cast<std::uint32_t>(sums_.size());
    for (std::uint32_t step = std::bit_floor(size); step != 0; step >>= 1) {
      if (place + step > size || sums_[place + step - 1] > at) continue;
      place += step;
      at -= sums_[place - 1];
    }
    return place;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(sums_, total_);
  }

 private:
  static std::uint32_t lowest_bit(std::uint32_t number) { return number & (0U - number); }

  void change(std::uint32_t slot, std::uint32_t by) {
    while (slot >= sums_.size()) append();
    total_ += by;
    for (std::uint32_t at = slot + 1; at <= sums_.size(); at += lowest_bit(at)) sums_[at - 1] += by;
  }

  // One more slot, without a share.
  void append() {
    const auto at = static_cast<std::uint32_t>(sums_.size()) + 1;
    std::uint32_t sum = 0;
    for (std::uint32_t part = at - 1; part > at - lowest_bit(at); part -= lowest_bit(part)) {
      sum += sums_[part - 1];
    }
    sums_.push_back(sum);
  }

  std::vector<std::uint32_t> sums_;
  std::uint32_t total_ = 0;
};

class MitigatedRandom {
 public:
  static constexpr std::uint32_t full_share = 128;

  MitigatedRandom() = default;
  explicit MitigatedRandom(const std::vector<double>& weights)
      : weights_(weights), classes_(weights.size()) {}

  template <class Words>
  std::uint32_t take(Words& words, std::uint64_t) {
    const ShareTree& shares = classes_[classes_.size() == 1 ? 0 : draw_class(words)];
    return shares.find(words.below(shares.total()));
  }

  void add(Target target, std::uint32_t) {
    if (target.slot >= shares_.size()) shares_.resize(target.slot + std::size_t{1}, full_share);
    classes_[target.of_class].add(target.slot, shares_[target.slot]);
  }
  void remove(Target target) { classes_[target.of_class].subtract(target.slot, share(target)); }

  // A target that has it not now has it when it is added again.
  void set_share(Target target, std::uint32_t share, bool is_there) {
    if (is_there) remove(target);
    shares_[target.slot] = share;
    if (is_there) add(target, 0);
  }
  std::uint32_t share(Target target) const { return shares_[target.slot]; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(weights_, shares_);
    for (ShareTree& shares : classes_) shares.serialize(archive);
  }

 private:
  template <class Words>
  std::size_t draw_class(Words& words) {
    double total = 0.0;
    for (std::size_t at = 0; at < classes_.size(); ++at)
      total += weights_[at] * classes_[at].total();
    double left = words.unit() * total;
    std::size_t chosen = 0;
    for (std::size_t at = 0; at < classes_.size(); ++at) {
      if (classes_[at].total() == 0) continue;
      chosen = at;
      left -= weights_[at] * classes_[at].total();
      if (left < 0.0) break;
    }
    return chosen;
  }

  std::vector<double> weights_;
  std::vector<ShareTree> classes_;
  std::vector<std::uint32_t> shares_;  // by slot
};

}  // namespace nephoscope
