// What the prices of spot capacity do to fleets: a part of World, which lends itself for as long as
// a call lasts. A price above what a fleet pays interrupts its instances, after the usual notice,
// and nothing is launched, or started again, while it lasts.

#pragma once

#include <cstdint>

#include "world/world.hpp"

namespace nephoscope {

class SpotMarket {
 public:
  explicit SpotMarket(World& world) : world_(world) {}

  void build(const FleetSpec& from, std::uint32_t fleet);
  // The next price counts.
  void change(std::uint32_t fleet);
  // Whether the price keeps what is launched next from being launched; and a stopped machine from
  // being started.
  bool refuses_next(const Fleet& fleet) const;
  bool refuses(const Fleet& fleet, std::uint32_t machine) const;
  // When one that runs from now on is taken for its price.
  std::int64_t taken_at(const Fleet& fleet) const;

 private:
  void expect_change(std::uint32_t fleet);

  World& world_;
};

}  // namespace nephoscope
