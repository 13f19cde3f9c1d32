// Maintenance of hosts. It is announced: from the notice on nothing is launched there, and what is
// there moves away. Then the host is down with whatever is still on it, as after a failure.

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

void World::check_maintenance(const FaultSpec& fault, const std::string& path) const {
  const bool maintains = fault.kind == FaultKind::maintain;
  require(fault.notice_ns >= 0 && fault.notice_ns <= duration_max, path + "notice",
          "must be from 0 to 73 years");
  require(maintains || fault.notice_ns == 0, path + "notice", "is of maintenance alone");
  require(!maintains || fault.scope != FaultScope::fleet, path + "scope", "must be of hosts");
  require(fault.by < MoveBy::stay, path + "by", "is not known");
  const bool known = fault.otherwise <= MoveBy::stay && fault.otherwise != MoveBy::migrate;
  require(known, path + "otherwise", "is not known");
}

// A host takes launches while nothing holds it down and no maintenance is announced.
void World::open_if_well(const Struck& host) {
  const bool well = faults_.down_hosts[host.pool][host.index] == 0 &&
                    faults_.noticed_hosts[host.pool][host.index] == 0;
  hosts_.set_open(host.pool, host.index, well);
}

// All hosts are closed before anything moves, lest it move to one that is next.
void World::announce(std::uint32_t index) {
  Fault& fault = faults_.all[index];
  fault.noticed = ++faults_.strikes;
  const std::vector<Struck> hosts = victims(index, fault.noticed - 1);
  for (const Struck& host : hosts) {
    ++faults_.noticed_hosts[host.pool][host.index];
    open_if_well(host);
  }
  faults_.announced.insert(faults_.announced.end(), hosts.begin(), hosts.end());
  for (const Struck& host : hosts) {
    for (const std::uint32_t instance : instances_of(host)) {
      fault.counts.moved += get_off(instance, fault) ? 1U : 0U;
    }
  }
  const FaultSpec& spec = fault.spec;
  const std::int64_t notice = std::min(spec.notice_ns, duration_max - now_);
  expect_fault(index, spec.random ? now_ + notice : spec.at_ns);
}

// The hosts of which maintenance begins.
std::vector<Struck> World::take_announced(std::uint32_t index) {
  std::vector<Struck> begin;
  std::vector<Struck> others;
  for (const Struck& it : faults_.announced) (it.fault == index ? begin : others).push_back(it);
  faults_.announced = std::move(others);
  faults_.all[index].noticed = 0;
  for (const Struck& host : begin) --faults_.noticed_hosts[host.pool][host.index];
  return begin;
}

// Whoever is on a host that will be maintained goes from it as the fault says, if it can.
bool World::get_off(std::uint32_t instance, Fault& fault) {
  const FaultSpec& spec = fault.spec;
  if (spec.by != MoveBy::migrate) return move_off(instance, spec.by);
  if (phase_[instance] == Phase::gone) return false;
  const std::int64_t pause = duration_ns(fault.pause.at(fault.counts.migrated, 0));
  if (migrate(instance, nowhere, std::min(pause, duration_max))) {
    ++fault.counts.migrated;
    return true;
  }
  ++fault.counts.unplaced;
  return spec.otherwise != MoveBy::stay && move_off(instance, spec.otherwise);
}

// False where it leaves or reboots already: it is gone in time, or it is not. One that cannot be
// stopped is drained.
bool World::move_off(std::uint32_t instance, MoveBy by) {
  const std::uint32_t fleet = fleet_of_[instance];
  const std::uint32_t machine = machine_of(instance);
  if (phase_[instance] == Phase::booting) {
    drop(instance);
  } else if (phase_[instance] == Phase::serving || phase_[instance] == Phase::down) {
    machines_[machine].moves = by == MoveBy::stop_start ? 1 : 0;
    if (by == MoveBy::stop_start && request(ActionKind::stop, machine)) return true;
    machines_[machine].moves = 0;
    dismiss(instance);
  } else if (machines_[machine].standing == Standing::warm &&
             (phase_[instance] == Phase::preparing || phase_[instance] == Phase::prepared)) {
    give_up_warm(machine);
  } else {
    return false;
  }
  scale(fleet);
  return true;
}

}  // namespace nephoscope
