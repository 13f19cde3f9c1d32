#include "balancing/least_response_time.hpp"

namespace nephoscope {

void LeastResponseTime::add(Target target, std::uint32_t outstanding) {
  if (target.slot >= targets_.size()) targets_.resize(target.slot + 1);
  if (target.slot >= leaves_) grow();
  State& state = targets_[target.slot];
  state = {mean_, 1.0 / weights_[target.of_class], outstanding, 0};
  update(target.slot);
}

void LeastResponseTime::remove(Target target) { set_leaf(target.slot, {absent, target.slot, 0}); }

void LeastResponseTime::grow() {
  const std::vector<Node> before = nodes_;
  const std::size_t leaves_before = leaves_;
  leaves_ = std::bit_ceil(targets_.size());
  nodes_.assign(2 * leaves_, {});
  for (std::size_t slot = 0; slot < leaves_before; ++slot) {
    nodes_[leaves_ + slot] = before[leaves_before + slot];
  }
  for (std::size_t at = leaves_ - 1; at > 0; --at) {
    nodes_[at] = winner(nodes_[2 * at], nodes_[2 * at + 1]);
  }
}

}  // namespace nephoscope
