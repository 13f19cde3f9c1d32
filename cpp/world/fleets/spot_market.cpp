#include "world/fleets/spot_market.hpp"

#include <algorithm>

#include "world/build_checks.hpp"

namespace nephoscope {

namespace {

constexpr std::size_t prices_max = std::size_t{1} << 20;

}  // namespace

void SpotMarket::build(const FleetSpec& from, std::uint32_t fleet) {
  const std::vector<SpotPrice>& prices = from.life.prices;
  const auto refuse_unless = [&](bool right, const char* why) {
    require(right, at("fleets", fleet, "life.prices"), why);
  };
  refuse_unless(prices.empty() || from.life.spot, "are of spot");
  refuse_unless(prices.size() <= prices_max, "are too many");
  refuse_unless(prices.empty() || prices.front().from_ns == 0, "must begin at 0");
  refuse_unless(
      std::is_sorted(prices.begin(), prices.end(),
                     [](const SpotPrice& a, const SpotPrice& b) { return a.from_ns < b.from_ns; }),
      "must be in ascending order");
  world_.fleets_[fleet].prices.all = prices;
  expect_change(fleet);
}

void SpotMarket::expect_change(std::uint32_t fleet) {
  const SpotPrices& prices = world_.fleets_[fleet].prices;
  const std::size_t next = prices.now + std::size_t{1};
  if (next >= prices.all.size() || prices.all[next].from_ns >= world_.duration_) return;
  world_.controls_.push(prices.all[next].from_ns, payload(ControlKind::retry, 2 * fleet + 1));
}

void SpotMarket::change(std::uint32_t at) {
  Fleet& fleet = world_.fleets_[at];
  SpotPrices& prices = fleet.prices;
  prices.changes.push_back(prices.billed.size());
  prices.billed.resize(prices.billed.size() + world_.launched_[at]);
  ++prices.now;
  expect_change(at);
  world_.lives_.advance(world_.now_);
  for (std::uint32_t machine = 0; machine < world_.machines_.size(); ++machine) {
    const std::uint32_t instance = world_.machines_[machine].instance;
    if (world_.fleet_of_[instance] != at) continue;
    const std::uint32_t place = world_.index_in_fleet_[instance];
    prices.billed[prices.changes.back() + place] = world_.lives_.billed_s(machine);
    const bool taken = !prices.paid() && world_.machines_[machine].noticed == 0 &&
                       world_.lives_.facts(machine).purchase == Purchase::spot &&
                       world_.lives_.state(machine) == InstanceState::running;
    if (taken) world_.lives_.interrupt(machine, taken_at(fleet));
  }
  world_.follow_lives();
  world_.scale(at);
}

bool SpotMarket::refuses_next(const Fleet& fleet) const {
  return !fleet.prices.paid() && !fleet.buys_on_demand();
}

bool SpotMarket::refuses(const Fleet& fleet, std::uint32_t machine) const {
  return !fleet.prices.paid() && world_.lives_.facts(machine).purchase == Purchase::spot;
}

std::int64_t SpotMarket::taken_at(const Fleet& fleet) const {
  const bool at_once = fleet.make().facts.interruption == Interruption::hibernate;
  return world_.now_ + (at_once ? shortest_run_ns : Lifecycle::notice_ns);
}

}  // namespace nephoscope
