#include "balancing/least_response_time.hpp"

#include <algorithm>

namespace nephoscope {

void LeastResponseTime::begin(State& state, double response) {
  mean_ += (response - mean_) / static_cast<double>(++answers_);
  if (++state.answers == 1) state.estimate = mean_;
}

void LeastResponseTime::add(Target target, std::uint32_t outstanding) {
  if (target.slot >= targets_.size()) targets_.resize(target.slot + 1);
  if (target.slot >= leaves_) grow();
  targets_[target.slot] = {0.0, 1.0 / weights_[target.of_class], outstanding, 0};
  update(target.slot);
}

void LeastResponseTime::grow() {
  const std::vector<Node> before = std::move(nodes_);
  const std::size_t leaves_before = leaves_;
  leaves_ = std::bit_ceil(targets_.size());
  nodes_.assign(2 * leaves_, {});
  std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(leaves_before), leaves_before,
              nodes_.begin() + static_cast<std::ptrdiff_t>(leaves_));
  for (std::size_t at = leaves_ - 1; at > 0; --at) {
    nodes_[at] = nodes_[2 * at + 1].key < nodes_[2 * at].key ? nodes_[2 * at + 1] : nodes_[2 * at];
  }
}

}  // namespace nephoscope
