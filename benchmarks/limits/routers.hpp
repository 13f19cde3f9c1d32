// The routing policies as bare data structures: select a target, tell of a request sent or
// finished.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common.hpp"

namespace limits {

class RoundRobin {
 public:
  RoundRobin(std::uint32_t targets, std::uint64_t) : targets_(targets) {}

  std::uint32_t select() {
    const std::uint32_t target = next_;
    next_ = target + 1 == targets_ ? 0 : target + 1;
    return target;
  }
  void sent(std::uint32_t) {}
  void finished(std::uint32_t, std::int64_t) {}

 private:
  std::uint32_t targets_;
  std::uint32_t next_ = 0;
};

// Targets sorted by their count in one array, `ends_[c]` the end of those with count c: to count a
// target up or down is one swap with the edge of its group. Ties are broken at random.
class LeastConnections {
 public:
  LeastConnections(std::uint32_t targets, std::uint64_t seed)
      : words_(nephoscope::stream_key(seed, 0, "load_balancers/farm/routing")),
        order_(targets),
        ends_(4096, targets),
        places_(targets) {
    for (std::uint32_t i = 0; i < targets; ++i) {
      order_[i] = i;
      places_[i] = {i, 0};
    }
  }

  std::uint32_t select() {
    const std::uint32_t tied = ends_[places_[order_[0]].count];
    return order_[words_.below(tied)];
  }

  void sent(std::uint32_t target) {
    const std::uint32_t count = places_[target].count++;
    swap_to(target, --ends_[count]);
  }

  void finished(std::uint32_t target, std::int64_t) {
    const std::uint32_t count = --places_[target].count;
    swap_to(target, ends_[count]++);
  }

 private:
  struct Place {
    std::uint32_t at;
    std::uint32_t count;
  };

  void swap_to(std::uint32_t target, std::uint32_t edge) {
    const std::uint32_t other = order_[edge];
    const std::uint32_t at = places_[target].at;
    order_[at] = other;
    places_[other].at = at;
    order_[edge] = target;
    places_[target].at = edge;
  }

  nephoscope::WordStream words_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> ends_;
  std::vector<Place> places_;
};

// Every request comes from a client of its own; its index is mixed and scaled to a target.
class IpHash {
 public:
  IpHash(std::uint32_t targets, std::uint64_t) : targets_(targets) {}

  std::uint32_t select() {
    std::uint64_t hash = client_++;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
    hash ^= hash >> 31;
    return static_cast<std::uint32_t>((hash >> 32) * targets_ >> 32);
  }
  void sent(std::uint32_t) {}
  void finished(std::uint32_t, std::int64_t) {}

 private:
  std::uint64_t targets_;
  std::uint64_t client_ = 0x9E3779B97F4A7C15u;
};

// The least of estimated response time x (requests outstanding + 1), by a tournament tree. The
// estimate is an exponentially weighted mean of what the target answered, weight 1/8 for the
// newest; until it has answered 8 times, the mean of all targets. A node is one 64-bit number, the
// score's bits above the target's index: positive floats order as integers do. The way to the root
// is always walked to its end: a fixed number of compares and moves costs less than the
// mispredicted branch of an early stop.
class LeastResponseTime {
 public:
  LeastResponseTime(std::uint32_t targets, std::uint64_t)
      : leaves_(std::bit_ceil(targets)),
        tree_(2 * std::size_t{leaves_}, ~std::uint64_t{0}),
        targets_(targets) {
    for (std::uint32_t i = 0; i < targets; ++i) update(i);
  }

  std::uint32_t select() const { return static_cast<std::uint32_t>(tree_[1]); }

  void sent(std::uint32_t target) {
    ++targets_[target].outstanding;
    update(target);
  }

  void finished(std::uint32_t target, std::int64_t response) {
    Target& state = targets_[target];
    --state.outstanding;
    const float change = (static_cast<float>(response) - state.estimate) / 8;
    state.estimate += change;
    if (state.answers < enough) [[unlikely]]
      start(state, static_cast<float>(response));
    update(target);
  }

 private:
  static constexpr std::uint32_t enough = 8;

  struct Target {
    float estimate = 0;
    std::uint16_t outstanding = 0;
    std::uint16_t answers = 0;
  };

  [[gnu::noinline]] void start(Target& state, float response) {
    ++answers_;
    mean_ += (response - mean_) / static_cast<float>(answers_);
    ++state.answers;
    if (state.answers == 1) state.estimate = mean_;
  }

  std::uint64_t key(std::uint32_t target) const {
    const Target& state = targets_[target];
    const float estimate = state.answers < enough ? mean_ : state.estimate;
    const float score = estimate * static_cast<float>(state.outstanding + 1);
    return static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(score)) << 32 | target;
  }

  void update(std::uint32_t target) {
    std::uint64_t best = key(target);
    std::size_t node = leaves_ + target;
    tree_[node] = best;
    while (node > 1) {
      best = std::min(best, tree_[node ^ 1]);
      node >>= 1;
      tree_[node] = best;
    }
  }

  std::uint32_t leaves_;
  std::vector<std::uint64_t> tree_;
  std::vector<Target> targets_;
  float mean_ = 1;
  std::uint32_t answers_ = 0;  // in mean_
};

}  // namespace limits
