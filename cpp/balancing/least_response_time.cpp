#include "balancing/least_response_time.hpp"

#include <algorithm>

namespace nephoscope {

void LeastResponseTime::begin(State& state, double response) {
  mean_ += (response - mean_) / static_cast<double>(++answers_);
  if (++state.answers == 1) state.estimate = mean_;
}

void LeastResponseTime::add(Target target, std::uint32_t outstanding) {
  const bool fits = target.slot < leaves_;
  if (target.slot >= targets_.size()) targets_.resize(target.slot + 1);
  targets_[target.slot] = {0.0, outstanding, static_cast<std::uint16_t>(target.of_class), 0};
  if (!fits) grow();
  update(target.slot);
}

// The same scores with as many bits for the slot as there are leaves for.
void LeastResponseTime::grow() {
  const std::vector<std::uint64_t> before = std::move(keys_);
  const std::uint64_t leaves_before = leaves_;
  leaves_ = std::bit_ceil(targets_.size());
  slot_bits_ = static_cast<std::uint32_t>(std::bit_width(leaves_ - 1));
  keys_.assign(2 * leaves_, absent);
  for (std::uint32_t slot = 0; slot < leaves_before; ++slot) {
    const std::uint64_t key = before[leaves_before + slot];
    if (key != absent) set_leaf(slot, tied(key >> score_shift << score_shift, slot));
  }
}

}  // namespace nephoscope
