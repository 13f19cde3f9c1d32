// The prices of spot capacity over time, as a fleet meets them.

#pragma once

#include <cstdint>
#include <vector>

#include "world/spec/life_spec.hpp"

namespace nephoscope {

struct SpotPrices {
  std::vector<SpotPrice> all;  // ascending; none: one for ever, which is paid
  std::uint32_t now = 0;       // the one that counts
  // At each change, what was billed until then of each machine, s: those of one change after
  // another, in the order of launch.
  std::vector<std::int64_t> billed;
  std::vector<std::uint64_t> changes;  // where those of each begin

  bool paid() const { return all.empty() || all[now].paid; }

  // Adds the seconds that are billed of a machine now to those of each price. A run that turned out
  // to be free is taken off where it was counted.
  void split(std::uint32_t place, std::int64_t billed_s,
             std::vector<std::uint64_t>& by_price) const {
    by_price.resize(all.size());
    for (std::size_t at = changes.size() + 1; at-- > 0;) {
      std::int64_t before = 0;
      if (at > 0) {
        const std::size_t end = at < changes.size() ? changes[at] : billed.size();
        const std::size_t entry = changes[at - 1] + place;
        before = entry < end ? billed[entry] : 0;
      }
      if (before >= billed_s) continue;
      by_price[at] += static_cast<std::uint64_t>(billed_s - before);
      billed_s = before;
    }
  }
};

}  // namespace nephoscope
