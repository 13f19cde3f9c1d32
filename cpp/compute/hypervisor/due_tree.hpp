// When each of many hosts is due, and which of them are.
//
// A binary tree of minima over an array. One change costs at most a step a level; all hosts that
// are due are visited in the order of their numbers at two steps each, without any sorting. That
// is right where hosts do not depend on each other: each is brought up to the present by itself.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class DueTree {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // The earliest of all.
  std::int64_t next_time() const { return least_.empty() ? never : least_[1]; }

  void resize(std::size_t size) {
    if (size <= leaves_) return;
    std::size_t leaves = std::max<std::size_t>(2 * leaves_, 2);
    while (leaves < size) leaves *= 2;
    std::vector<std::int64_t> least(2 * leaves, never);
    for (std::size_t at = 0; at < leaves_; ++at) least[leaves + at] = least_[leaves_ + at];
    for (std::size_t node = leaves; --node > 0;) {
      least[node] = std::min(least[2 * node], least[2 * node + 1]);
    }
    least_ = std::move(least);
    leaves_ = leaves;
  }

  void set(std::size_t index, std::int64_t time) {
    std::size_t node = leaves_ + index;
    least_[node] = time;
    while (node > 1) {
      node /= 2;
      const std::int64_t least = std::min(least_[2 * node], least_[2 * node + 1]);
      if (least_[node] == least) return;
      least_[node] = least;
    }
  }

  // For each index due by `until`, `serve(index)` returns when it is due next.
  template <class Serve>
  void serve_due(std::int64_t until, Serve serve) {
    if (next_time() <= until) serve_below(1, until, serve);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    std::uint64_t leaves = leaves_;
    archive(leaves, least_);
    leaves_ = static_cast<std::size_t>(leaves);
  }

 private:
  template <class Serve>
  void serve_below(std::size_t node, std::int64_t until, Serve& serve) {
    if (node >= leaves_) {
      least_[node] = serve(node - leaves_);
      return;
    }
    const std::size_t left = 2 * node;
    if (least_[left] <= until) serve_below(left, until, serve);
    if (least_[left + 1] <= until) serve_below(left + 1, until, serve);
    least_[node] = std::min(least_[left], least_[left + 1]);
  }

  std::vector<std::int64_t> least_;  // node i has 2 i and 2 i + 1 below it; leaves come last
  std::size_t leaves_ = 0;
};

}  // namespace nephoscope
