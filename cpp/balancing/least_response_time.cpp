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
  const std::vector<std::uint64_t> before = std::move(keys_);
  const std::size_t leaves_before = leaves_;
  leaves_ = std::bit_ceil(targets_.size());
  keys_.assign(2 * leaves_, absent);
  std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(leaves_before), leaves_before,
              keys_.begin() + static_cast<std::ptrdiff_t>(leaves_));
  for (std::size_t at = leaves_ - 1; at > 0; --at) {
    keys_[at] = std::min(keys_[2 * at], keys_[2 * at + 1]);
  }
}

}  // namespace nephoscope
