// Which make a fleet of several is launched as, and how well those that it has fit that.
// ("Allocation strategies for multiple instance types", Amazon EC2 Auto Scaling.)
//
// On demand the first in order for which there is room is launched. On spot the cheapest so many
// are pools, and the one with the fewest instances comes first; the others follow in order.

#pragma once

#include <cstdint>
#include <vector>

#include "world/spec/spec.hpp"

namespace nephoscope {

struct Allocation {
  static constexpr std::uint32_t beyond = 1U << 30;  // misfits of what is in no pool are above it

  AllocationSpec spec;
  std::vector<std::uint32_t> on_spot;  // instances by make, while it grows

  bool any() const { return spec.any(); }

  // The makes that the next launch tries, in their order.
  std::vector<std::uint32_t> order(bool spot) const;
  // How little a make fits, but for the balance of pools.
  std::uint32_t misfit(std::uint32_t make, bool spot) const;
  bool is_pool(std::uint32_t make) const;
};

struct Fleet;
// Throws SpecError where the makes of a fleet cannot be allocated so.
void build_allocation(const FleetSpec& from, Fleet& fleet, std::uint32_t index);

}  // namespace nephoscope
