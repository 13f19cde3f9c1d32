#include "world/fleets/allocation.hpp"

#include <algorithm>
#include <cstddef>

#include "world/build_checks.hpp"
#include "world/world.hpp"

namespace nephoscope {

namespace {

// Whether they are the numbers below that, each once.
bool is_order(std::vector<std::uint32_t> numbers, std::size_t makes) {
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t at = 0; at < numbers.size(); ++at) {
    if (numbers[at] != at) return false;
  }
  return numbers.size() == makes;
}

std::uint32_t place_in(const std::vector<std::uint32_t>& order, std::uint32_t make) {
  return static_cast<std::uint32_t>(std::find(order.begin(), order.end(), make) - order.begin());
}

}  // namespace

std::vector<std::uint32_t> Allocation::order(bool spot) const {
  if (!spot) return spec.on_demand;
  std::vector<std::uint32_t> made = spec.spot;
  const auto pools = static_cast<std::ptrdiff_t>(std::min<std::size_t>(spec.pools, made.size()));
  std::stable_sort(made.begin(), made.begin() + pools,
                   [this](std::uint32_t a, std::uint32_t b) { return on_spot[a] < on_spot[b]; });
  return made;
}

std::uint32_t Allocation::misfit(std::uint32_t make, bool spot) const {
  if (!spot) return place_in(spec.on_demand, make);
  return is_pool(make) ? 0 : beyond + place_in(spec.spot, make);
}

bool Allocation::is_pool(std::uint32_t make) const {
  return place_in(spec.spot, make) < spec.pools;
}

void build_allocation(const FleetSpec& from, Fleet& fleet, std::uint32_t index) {
  const AllocationSpec& spec = from.allocation;
  const bool knows = from.membership.termination == TerminationPolicy::allocation_strategy;
  require(!knows || spec.any(), at("fleets", index, "termination_policy"),
          "needs several types at a time");
  if (!spec.any()) return;
  const std::size_t makes = fleet.makes.size();
  require(is_order(spec.on_demand, makes) && is_order(spec.spot, makes),
          at("fleets", index, "allocation"), "must have each make once");
  require(spec.pools >= 1, at("fleets", index, "allocation"), "needs a pool");
  require(!from.membership.pool.active, at("fleets", index, "warm_pool"),
          "is of instances of one type");
  require(from.life.prices.empty(), at("fleets", index, "life.prices"), "are those of one type");
  fleet.allocation.spec = spec;
  for (const Make& make : fleet.makes) {
    fleet.eventful = fleet.eventful || make.quota != LifeSpec::unlimited;
  }
}

// Instances on spot by make, as the fleet begins to grow.
void WorldView::count_on_spot(Fleet& fleet) const {
  std::vector<std::uint32_t>& counts = fleet.allocation.on_spot;
  counts.assign(fleet.makes.size(), 0);
  for_each_alive(fleet, [&](std::uint32_t machine, std::uint32_t instance) {
    counts[make_number(instance)] += lives_.facts(machine).purchase == Purchase::spot ? 1U : 0U;
  });
}

// Finds room for the next instance, of the first make that has some: that is what it will be. Why
// there is none is told by the first that more room would help.
std::uint32_t World::find_make(std::uint32_t at, std::uint64_t zones) {
  Fleet& fleet = fleets_[at];
  if (!fleet.allocation.any()) return find_room(fleet.make(), zones, none);
  const bool spot = fleet.buys_on_spot();
  std::uint32_t told = refused_by_quota;
  for (const std::uint32_t make : fleet.allocation.order(spot)) {
    const std::uint32_t refusal = find_room(fleet.makes[make], zones, none);
    if (refusal == 0) {
      fleet.launch_as(launched_[at], make);
      fleet.allocation.on_spot[make] += spot ? 1U : 0U;
      return 0;
    }
    if (told == refused_by_quota) told = refusal;
  }
  return told;
}

// How little those who may go fit the allocation of their fleet: the pools of spot are levelled.
void WorldView::rate_misfits(const Fleet& fleet, std::vector<Candidate>& candidates) const {
  std::vector<std::vector<Candidate*>> pools(fleet.makes.size());
  for (Candidate& it : candidates) {
    const std::uint32_t make = make_number(it.instance);
    const bool spot = lives_.facts(machine_of(it.instance)).purchase == Purchase::spot;
    it.misfit = fleet.allocation.misfit(make, spot);
    if (spot && fleet.allocation.is_pool(make)) pools[make].push_back(&it);
  }
  for (std::vector<Candidate*>& pool : pools) rise_by_turns(pool);
}

}  // namespace nephoscope
