// The different weights on a host under the credit scheduler, and how many active vCPUs have each.
//
// Where accounting gives everybody less than a whole pCPU, a vCPU's weight alone decides what it
// gets, so there is one division for a weight and not one for a tenant.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class CreditTiers {
 public:
  struct Tier {
    std::uint32_t weight = 0;
    std::uint32_t members = 0;
    std::uint32_t active = 0;  // vCPUs
  };

  // Tier 0 is that of vCPUs that are not active.
  CreditTiers() : tiers_(1), each_(1, nothing) {}

  // What who is not active is given: less than 0.
  static constexpr std::int32_t nothing = -1;

  // A member of such a weight comes; returns its tier. Or it goes.
  std::uint16_t enter(std::uint32_t weight) {
    std::size_t free = tiers_.size();
    for (std::size_t at = 1; at < tiers_.size(); ++at) {
      if (tiers_[at].members == 0) {
        free = at;
      } else if (tiers_[at].weight == weight) {
        ++tiers_[at].members;
        return static_cast<std::uint16_t>(at);
      }
    }
    if (free == tiers_.size()) {
      tiers_.emplace_back();
      each_.push_back(0);
    }
    tiers_[free] = {weight, 1, 0};
    return static_cast<std::uint16_t>(free);
  }
  void leave(std::uint16_t tier) { --tiers_[tier].members; }

  void activate(std::uint16_t tier) { ++tiers_[tier].active; }
  void deactivate(std::uint16_t tier) { --tiers_[tier].active; }

  // Sets what each gets by `of(weight)` as long as that is below `most`; whether it always is.
  template <class Of>
  bool give(std::int32_t most, Of of) {
    for (std::size_t at = 1; at < tiers_.size(); ++at) {
      if (tiers_[at].active == 0) continue;
      const std::int64_t each = of(tiers_[at].weight);
      if (each >= most) return false;
      each_[at] = static_cast<std::int32_t>(each);
    }
    return true;
  }

  // By tier.
  const std::int32_t* each() const { return each_.data(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(tiers_, each_);
  }

 private:
  std::vector<Tier> tiers_;
  std::vector<std::int32_t> each_;
};

}  // namespace nephoscope
