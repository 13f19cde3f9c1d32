// What becomes of instances: the rules are those of Lifecycle, which tells what has happened to
// machines; here is what follows from it for requests, fleets and hosts.
//
// A machine that gets a notice, stops or reboots leaves its balancers at once. What it holds may be
// finished until a spot instance is taken, until the shutdown of a stop or a termination is over;
// what is left then fails. A guest that reboots or is frozen for hibernation fails it at once.

#include <algorithm>

#include "world/fleets/spot_market.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t start_retry_ns = 60'000'000'000;
// Lest a spot instance that is at risk as soon as it runs stop the clock.
constexpr std::int64_t shortest_calm_ns = 1'000'000'000;
constexpr std::int64_t as_good_as_never = std::int64_t{1} << 61;

}  // namespace

// Brings the world up to what has happened to machines until now. What follows from a change may
// change others: those are followed in their turn, by whoever began.
void World::follow_lives() {
  lives_.advance(now_);
  if (following_lives_) return;
  following_lives_ = true;
  for (std::size_t at = 0; at < lives_.changes().size(); ++at) {
    follow_life(LifecycleChange(lives_.changes()[at]));
  }
  lives_.clear_changes();
  following_lives_ = false;
}

void World::follow_life(const LifecycleChange& change) {
  using What = LifecycleChange::What;
  const std::uint32_t machine = change.instance;
  if (change.what == What::serving) return guest_serves(machine);
  if (change.what == What::down) return guest_is_down(machine);
  if (change.what == What::rebalance) return replace_at_risk(machine);
  if (change.what == What::notice) {
    machines_[machine].noticed = 1;
    if (machines_[machine].standing == Standing::active) set_aside(machine, Phase::closing);
  }
  if (change.what != What::state) return;
  switch (change.state) {
    case InstanceState::pending:
      return;
    case InstanceState::running:
      return expect_interruption(machine);
    case InstanceState::stopping:
      return begin_stop(machine, change.reason);
    case InstanceState::stopped:
      return finish_stop(machine, change.reason);
    case InstanceState::shutting_down:
      return begin_end(machine, change.reason);
    case InstanceState::terminated:
      if (phase_[machines_[machine].instance] != Phase::gone) {
        fail_work(machines_[machine].instance);
        end(machines_[machine].instance);
      }
      return;
  }
}

// Those of a fleet that are not on spot.
std::uint32_t WorldView::count_on_demand(const Fleet& fleet) const {
  std::uint32_t found = 0;
  for_each_alive(fleet, [&](std::uint32_t machine, std::uint32_t) {
    found += lives_.facts(machine).purchase == Purchase::on_demand ? 1U : 0U;
  });
  return found;
}

// The provider will take a spot instance that has just begun to run.
void World::expect_interruption(std::uint32_t machine) {
  const Machine& it = machines_[machine];
  const Fleet& fleet = fleets_[fleet_of_[it.instance]];
  if (!fleet.interrupted && fleet.prices.paid()) return;
  if (lives_.facts(machine).purchase != Purchase::spot) return;
  if (!fleet.prices.paid()) {
    lives_.interrupt(machine, SpotMarket(*this).taken_at(fleet));
    return;
  }
  const std::uint32_t index = index_in_fleet_[it.instance];
  const std::uint32_t start = lives_.starts(machine) - 1;
  const std::int64_t drawn = duration_ns(fleet.interruption.at(index, start));
  const std::int64_t left = as_good_as_never - now_;
  const std::int64_t taken_at = now_ + std::min(std::max(drawn, shortest_run_ns), left);
  const std::int64_t notice_at = taken_at - Lifecycle::notice_ns;
  const std::int64_t calm_until = now_ + shortest_calm_ns;
  std::int64_t recommended_at = Lifecycle::never;
  if (fleet.rebalances && notice_at >= calm_until) {
    const std::int64_t early = duration_ns(fleet.recommendation.at(index, start));
    recommended_at = std::max(calm_until, notice_at - early);
  }
  lives_.interrupt(machine, taken_at, recommended_at);
}

// One that serves is likely to be taken: another is launched while it serves on. Who does not serve
// yet comes here when it does.
void World::replace_at_risk(std::uint32_t machine) {
  const std::uint32_t instance = machines_[machine].instance;
  const std::uint32_t at = fleet_of_[instance];
  std::vector<std::uint32_t>& at_risk = fleets_[at].membership.at_risk;
  const bool known = std::find(at_risk.begin(), at_risk.end(), machine) != at_risk.end();
  if (!is_member(instance) || known) return;
  at_risk.push_back(machine);
  ++fleets_[at].counts.recommendations;
  scale(at);
}

// Those at risk go when others serve in their places.
void World::let_go_at_risk(std::uint32_t at) {
  const Fleet& fleet = fleets_[at];
  for (const std::uint32_t machine : std::vector<std::uint32_t>(fleet.membership.at_risk)) {
    if (fleet.members.size() <= fleet.desired) return;
    if (is_member(machines_[machine].instance)) dismiss(machines_[machine].instance);
  }
}

// It counts for the size of its fleet no more.
void World::count_out(std::uint32_t machine, Standing standing) {
  machines_[machine].standing = standing;
  std::erase(fleets_[fleet_of_[machines_[machine].instance]].membership.at_risk, machine);
}

void World::guest_serves(std::uint32_t machine) {
  const std::uint32_t before = machines_[machine].instance;
  if (phase_[before] == Phase::preparing) return put_by(machine);
  if (phase_[before] != Phase::rebooting || machines_[machine].noticed != 0 ||
      machines_[machine].standing != Standing::aside) {
    return begin_service(before);
  }
  take_back_in(machine);
  Fleet& fleet = fleets_[fleet_of_[machines_[machine].instance]];
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

void World::guest_is_down(std::uint32_t machine) {
  if (machines_[machine].standing != Standing::active) return;
  set_aside(machine, Phase::rebooting);
  fail_work(machines_[machine].instance);
}

// An active machine serves no more, and counts for its fleet all the same.
void World::set_aside(std::uint32_t machine, Phase phase) {
  Machine& it = machines_[machine];
  Fleet& fleet = fleets_[fleet_of_[it.instance]];
  if (phase_[it.instance] == Phase::booting) {
    --fleet.booting;
  } else {
    withdraw(it.instance);
    if (drains(phase)) begin_draining(it.instance);
  }
  phase_[it.instance] = phase;
  it.standing = Standing::aside;
  fleet.aside.add(index_in_fleet_[it.instance], machine);
  leaving_ += drains(phase) ? 1 : 0;
}

void World::take_back_in(std::uint32_t machine) {
  const std::uint32_t instance = machines_[machine].instance;
  fleets_[fleet_of_[instance]].aside.remove(index_in_fleet_[instance], [this](std::uint32_t of) {
    return index_in_fleet_[machines_[of].instance];
  });
}

void World::begin_stop(std::uint32_t machine, StateReason reason) {
  Machine& it = machines_[machine];
  if (it.standing == Standing::active) set_aside(machine, Phase::closing);
  const bool taken = reason == StateReason::spot_shutdown;
  fleets_[fleet_of_[it.instance]].counts.interruptions += taken ? 1 : 0;
  if (taken || lives_.hibernating(machine)) fail_work(it.instance);
}

// It gives up its host. What the provider has stopped it will start, and what moves starts at once.
void World::finish_stop(std::uint32_t machine, StateReason reason) {
  Machine& it = machines_[machine];
  const Fleet& fleet = fleets_[fleet_of_[it.instance]];
  fail_work(it.instance);
  if (drains(phase_[it.instance])) --leaving_;
  phase_[it.instance] = Phase::gone;
  give_room(it.instance, true);
  it.noticed = 0;
  if (it.standing == Standing::away) return terminate(machine);
  const bool moves = it.moves != 0;
  if (reason != StateReason::spot_shutdown && !moves) return;
  std::int64_t outage = 0;
  if (!moves) {
    outage = duration_ns(fleet.outage.at(index_in_fleet_[it.instance], lives_.starts(machine) - 1));
  }
  it.wanted = 1;
  controls_.push(now_ + std::min(outage, as_good_as_never - now_),
                 payload(ControlKind::start, machine));
}

void World::begin_end(std::uint32_t machine, StateReason reason) {
  const Standing standing = machines_[machine].standing;
  const std::uint32_t at = fleet_of_[machines_[machine].instance];
  const std::uint32_t instance = machines_[machine].instance;
  ++fleets_[at].terminations;
  if (standing == Standing::active) set_aside(machine, Phase::closing);
  if (standing == Standing::warm) {
    leave_pool(machine);
  } else if (standing == Standing::standby) {
    std::erase(fleets_[at].membership.standby, machine);
  } else if (standing != Standing::away && standing != Standing::detached) {
    take_back_in(machine);
  }
  count_out(machine, Standing::away);
  if (reason == StateReason::spot_termination) {
    ++fleets_[at].counts.interruptions;
    fail_work(instance);
  }
  if (phase_[instance] == Phase::gone) {
    if (make_of(instance).placed) hosts_.forget(instance, now_);
  } else if (instances_.workers_busy(instance) == 0) {
    end(instance);
  }
  if (standing != Standing::away) scale(at);
}

// A stopped machine starts where there is room; where there is none it tries again.
void World::try_start(std::uint32_t machine) {
  Machine& it = machines_[machine];
  if (it.standing != Standing::aside || lives_.state(machine) != InstanceState::stopped) return;
  Fleet& fleet = fleets_[fleet_of_[it.instance]];
  if (SpotMarket(*this).refuses(fleet, machine) ||
      find_room(make_of(it.instance), make_of(it.instance).request.zones, it.instance) != 0) {
    ++fleet.counts.refused_starts;
    it.wanted = 1;
    controls_.push(now_ + start_retry_ns, payload(ControlKind::start, machine));
    return;
  }
  take_back_in(machine);
  add_instance(machine, fleet_of_[it.instance], index_in_fleet_[it.instance]);
  lives_.advance(now_);
  lives_.interrupted(machine) ? lives_.resume(machine) : lives_.start(machine);
  follow_lives();
}

// What Lifecycle has of a machine, and where the world has it, agree; nothing is overdue.
void WorldView::check_lives() const {
  lives_.check();
  std::vector<std::uint32_t> booting(fleets_.size());
  std::vector<std::uint32_t> serving(fleets_.size());
  std::vector<std::uint32_t> aside(fleets_.size());
  std::uint32_t leaving = 0;
  std::vector<std::uint64_t> taken(quotas_.size());
  bool agree = lives_.next_event() >= now_ && controls_.next_time() >= now_;
  for (std::uint32_t machine = 0; machine < machines_.size(); ++machine) {
    const Machine& it = machines_[machine];
    const Phase phase = phase_[it.instance];
    const InstanceState state = lives_.state(machine);
    const bool member = phase == Phase::serving || phase == Phase::down;
    const bool up = phase == Phase::booting || member;
    booting[fleet_of_[it.instance]] += phase == Phase::booting ? 1 : 0;
    serving[fleet_of_[it.instance]] += member ? 1 : 0;
    aside[fleet_of_[it.instance]] += it.standing == Standing::aside ? 1 : 0;
    leaving += drains(phase) ? 1 : 0;
    agree = agree && machine_of(it.instance) == machine && up == (it.standing == Standing::active);
    agree = agree && (!member || lives_.serving(machine));
    agree = agree && (state != InstanceState::terminated || phase == Phase::gone);
    agree = agree && (state != InstanceState::stopped || phase == Phase::gone);
    agree = agree && (phase != Phase::gone || instances_.workers_busy(it.instance) == 0);
    const Make& make = make_of(it.instance);
    const bool limited = make.quota != LifeSpec::unlimited && phase != Phase::gone;
    if (limited) taken[make.quota] += make.guest.tenant.vcpus;
  }
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    agree = agree && booting[at] == fleets_[at].booting && aside[at] == fleets_[at].aside.size() &&
            serving[at] == fleets_[at].members.size();
  }
  for (std::size_t at = 0; at < quotas_.size(); ++at)
    agree = agree && taken[at] == quotas_[at].used;
  if (!agree || leaving != leaving_) {
    throw InvariantError("instances and their lives do not agree" + where());
  }
}

}  // namespace nephoscope
