// Instances that an operator takes out of service and that run on: on standby, or detached, and no
// longer of their fleet. Either may come back. No balancer knows them, they count for no size, and
// they are billed. (Amazon EC2 Auto Scaling, "Temporarily remove instances from your Auto Scaling
// group", "Detach", "Attach".)

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

// Those that have served longest. The size falls by as many, not below its least, unless others are
// to take their places. Returns how many there were.
std::uint32_t World::put_on_standby(ActionKind kind, std::uint32_t at, std::uint32_t count,
                                    bool replaced) {
  Fleet& fleet = fleets_[at];
  std::vector<std::uint32_t> chosen;
  for (const std::uint32_t instance : fleet.members) chosen.push_back(instance);
  std::uint32_t most = count;
  if (!replaced) {
    const std::uint32_t least = fleet.scaled == none ? 0 : scaled_[fleet.scaled].group.min();
    most = std::min(most, fleet.desired - std::min(fleet.desired, least));
  }
  if (chosen.size() > most) chosen.resize(most);
  for (const std::uint32_t instance : chosen) {
    Membership& it = fleet.membership;
    const std::uint32_t index = index_in_fleet_[instance];
    fleet.desired -= replaced ? 0U : 1U;
    if (index < it.since.size()) it.since[index] = Membership::not_yet;
    const bool comes_back = kind == ActionKind::standby;
    if (comes_back) it.standby.push_back(machine_of(instance));
    leave_service(instance, comes_back ? Standing::standby : Standing::detached);
  }
  scale(at);
  return static_cast<std::uint32_t>(chosen.size());
}

// One of them has finished what it held. Nothing else happens: the loop may be under way.
void World::stay(std::uint32_t instance) {
  --leaving_;
  phase_[instance] = Phase::prepared;
  const Fleet& fleet = fleets_[fleet_of_[instance]];
  if (fleet.scaled != none) scaled_[fleet.scaled].settled = now_;
}

// Those of a fleet that are on standby, since the longest first, or detached, the oldest first.
std::vector<std::uint32_t> WorldView::out_of_service(std::uint32_t at, Standing standing) const {
  if (standing == Standing::standby) return fleets_[at].membership.standby;
  std::vector<std::uint32_t> detached;
  for (std::uint32_t machine = 0; machine < machines_.size(); ++machine) {
    const Machine& it = machines_[machine];
    if (it.standing == standing && fleet_of_[it.instance] == at) detached.push_back(machine);
  }
  return detached;
}

// Those on standby, or detached, that have finished what they held. The size grows by as many, not
// beyond its greatest.
std::uint32_t World::bring_back(ActionKind kind, std::uint32_t at, std::uint32_t count) {
  Fleet& fleet = fleets_[at];
  std::uint32_t most = count;
  if (fleet.scaled != none)
    most = std::min(most, scaled_[fleet.scaled].group.max() - fleet.desired);
  std::vector<std::uint32_t> chosen;
  const bool parked = kind == ActionKind::in_service;
  const Standing from = parked ? Standing::standby : Standing::detached;
  for (const std::uint32_t machine : out_of_service(at, from)) {
    const bool waits = phase_[machines_[machine].instance] == Phase::prepared;
    const bool runs = lives_.state(machine) == InstanceState::running;
    if (waits && runs && machines_[machine].noticed == 0) chosen.push_back(machine);
  }
  if (chosen.size() > most) chosen.resize(most);
  fleet.desired += static_cast<std::uint32_t>(chosen.size());
  for (const std::uint32_t machine : chosen) {
    // A refresh has counted those on standby, but nobody who was detached.
    Refresh& refresh = fleet.refresh;
    if (!parked && refresh.under_way() && refresh.is_old(machine)) ++refresh.total;
    return_to_service(machine);
  }
  scale(at);
  return static_cast<std::uint32_t>(chosen.size());
}

// To the engine it is another instance, on the same machine.
void World::return_to_service(std::uint32_t machine) {
  const std::uint32_t before = machines_[machine].instance;
  Fleet& fleet = fleets_[fleet_of_[before]];
  std::erase(fleet.membership.standby, machine);
  phase_[before] = Phase::gone;
  const auto instance = static_cast<std::uint32_t>(instances_.size());
  if (make_of(before).placed) {
    ++fleet.successions;
    hosts_.succeed(before, instance, make_of(before).guest, now_);
  }
  add_instance(machine, fleet_of_[before], index_in_fleet_[before], before);
  follow_hosts();
  enter_service(instance);
}

// Who is on standby is so by its machine, and the reverse; nobody there serves.
void WorldView::check_standby() const {
  std::vector<std::uint32_t> parked(fleets_.size());
  for (const Machine& machine : machines_) {
    parked[fleet_of_[machine.instance]] += machine.standing == Standing::standby ? 1U : 0U;
  }
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    const std::vector<std::uint32_t>& standby = fleets_[at].membership.standby;
    bool agree = parked[at] == standby.size();
    for (const std::uint32_t machine : standby) {
      const Phase phase = phase_[machines_[machine].instance];
      agree = agree && machines_[machine].standing == Standing::standby &&
              (phase == Phase::leaving || phase == Phase::prepared || phase == Phase::gone);
    }
    if (agree) continue;
    throw InvariantError("those on standby of fleet " + fleet_names_[at] + " do not add up" +
                         where());
  }
}

}  // namespace nephoscope
