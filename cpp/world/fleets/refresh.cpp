// Instance refresh: every instance of a fleet is replaced by a new one. What leaves leaves as when
// the fleet shrinks: its balancers send it nothing more, and it may finish what it holds.

#include "world/fleets/refresh.hpp"

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t look_every_ns = 1'000'000'000;

// So many percent of a number, rounded up.
std::uint32_t percent_up(std::uint32_t of, std::uint32_t percent) {
  return static_cast<std::uint32_t>((std::uint64_t{of} * percent + 99) / 100);
}

void require_make(const RefreshSpec& spec, const Fleet& fleet) {
  const bool known = spec.make == RefreshSpec::as_before || spec.make < fleet.makes.size();
  nephoscope::require(known, "to", "is not there");
  const bool alike = spec.make == RefreshSpec::as_before && !spec.skip_matching;
  nephoscope::require(alike || !fleet.allocation.any(), "to", "is of fleets of one type at a time");
}

void require_alarms(const RefreshSpec& spec, const std::vector<ScalingPolicySpec>& policies) {
  for (const std::uint32_t at : spec.alarms) {
    const bool known = at < policies.size() && policies[at].kind == PolicyKind::alarm;
    nephoscope::require(known, "alarms", "are not all there");
  }
}

}  // namespace

std::uint32_t Refresh::limit() const {
  if (spec.checkpoints.empty() || rolls_back()) return total;
  return percent_up(
      total, spec.checkpoints[std::min<std::size_t>(checkpoint, spec.checkpoints.size() - 1)]);
}

// Where `max_healthy` is not told, one goes at a time even if all had to be well. Where it is, and
// nobody may go and nobody may come, one comes first.
RefreshBounds bounds(const RefreshSpec& spec, std::uint32_t desired) {
  RefreshBounds made{percent_up(desired, spec.min_healthy), desired};
  if (spec.max_healthy == RefreshSpec::untold) {
    if (made.least == desired && desired != 0) --made.least;
    return made;
  }
  const auto most = static_cast<std::uint32_t>(std::uint64_t{desired} * spec.max_healthy / 100);
  made.most = std::max(desired, most);
  if (made.least == desired && made.most == desired) ++made.most;
  return made;
}

void check(const RefreshSpec& spec) {
  constexpr std::uint32_t all = 100;
  nephoscope::require(spec.at_ns >= RefreshSpec::never, "at", "must not be below 0");
  nephoscope::require(spec.min_healthy <= all, "min_healthy", "must be from 0 to 100 %");
  nephoscope::require(spec.protected_ones <= ProtectedOnes::wait, "scale_in_protected",
                      "is not known");
  nephoscope::require(spec.standby_ones <= StandbyOnes::wait, "standby", "is not known");
  const bool told = spec.max_healthy != RefreshSpec::untold;
  nephoscope::require(!told || (spec.max_healthy >= all && spec.max_healthy <= 2 * all),
                      "max_healthy", "must be from 100 to 200 %");
  nephoscope::require(spec.warmup_ns >= 0 && spec.warmup_ns <= duration_max, "warmup",
                      "must be from 0 to 73 years");
  const std::int64_t delay = spec.checkpoint_delay_ns;
  nephoscope::require(delay >= 0 && delay <= duration_max, "checkpoint_delay",
                      "must be from 0 to 73 years");
  std::uint32_t before = 0;
  for (const std::uint32_t percent : spec.checkpoints) {
    nephoscope::require(percent > before && percent <= all, "checkpoints",
                        "must ascend, from 1 to 100 %");
    before = percent;
  }
}

void World::build_refresh(const FleetSpec& from, std::uint32_t at) {
  const RefreshSpec& refresh = from.refresh;
  try {
    nephoscope::check(refresh);
    require_make(refresh, fleets_[at]);
    require_alarms(refresh, from.scaling.policies);
  } catch (const SpecError& error) {
    throw SpecError(nephoscope::at("fleets", at, ("refresh." + error.path).c_str()), error.what());
  }
  fleets_[at].refresh.spec = refresh;
  if (refresh.at_ns == RefreshSpec::never) return;
  controls_.push(refresh.at_ns, payload(ControlKind::upkeep, 2 * at));
}

std::uint32_t World::add_make(std::uint32_t at, const FleetSpec& make) {
  nephoscope::require(at < fleets_.size(), "fleets", "is not there");
  Fleet& fleet = fleets_[at];
  build_make(make, at, "refresh.to.");
  for (std::size_t of = 0; of < faults_.all.size(); ++of) {
    const FaultSpec& fault = faults_.all[of].spec;
    if (fault.kind == FaultKind::slow) add_slow_kind(fleet.makes.back().kind, fault.factor);
  }
  fleet.eventful = fleet.eventful || fleet.makes.back().quota != LifeSpec::unlimited;
  if (fleet.unwatched && !may_be_unwatched(at)) watch(at);
  return static_cast<std::uint32_t>(fleet.makes.size() - 1);
}

// One that is over makes way for the next.
void World::begin_refresh(std::uint32_t at, const RefreshSpec& spec) {
  nephoscope::require(at < fleets_.size(), "fleets", "is not there");
  nephoscope::check(spec);
  require_make(spec, fleets_[at]);
  const std::uint32_t scaled = fleets_[at].scaled;
  const bool has_policies = scaled != none;
  require_alarms(spec, has_policies ? scaled_[scaled].group.spec().policies
                                    : std::vector<ScalingPolicySpec>{});
  Refresh& it = fleets_[at].refresh;
  const bool over = !it.present() || it.finished_ns != Refresh::not_yet;
  nephoscope::require(over, "refresh", "is to come or under way already");
  it = Refresh{};
  it.spec = spec;
  it.spec.at_ns = now_;
  refresh(at);
}

// Whether it serves and, where they check, its balancers have found that it does.
bool WorldView::is_well(std::uint32_t instance) const {
  if (phase_[instance] != Phase::serving) return false;
  for (const Attachment& attachment : fleets_[fleet_of_[instance]].attachments) {
    const Balancer& balancer = balancers_[attachment.balancer];
    const Health& health = balancer.health;
    const std::uint32_t first = attachment.slots[index_in_fleet_[instance]];
    for (std::uint32_t node = 0; node < balancer.nodes && health.active(); ++node) {
      if (health.state(first + node) != TargetHealth::healthy) return false;
    }
  }
  return true;
}

// Whether it counts as well: a new one when it has warmed up.
bool WorldView::is_ready(const Refresh& refresh, std::uint32_t instance) const {
  if (!is_well(instance)) return false;
  if (!refresh.is_new(machine_of(instance))) return true;
  const std::int64_t since = refresh.well_since[index_in_fleet_[instance] - refresh.first_index];
  return since != Refresh::not_yet && now_ - since >= refresh.spec.warmup_ns;
}

// What a fleet under refresh has, and who is well from now on.
RefreshCount World::look_at_refresh(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  Refresh& refresh = fleet.refresh;
  refresh.well_since.resize(launched_[at] - refresh.first_index, Refresh::not_yet);
  RefreshCount count;
  for_each_alive(fleet, [&](std::uint32_t machine, std::uint32_t instance) {
    const bool is_new = refresh.is_new(machine);
    count.old += refresh.is_old(machine) ? 1U : 0U;
    if (is_new && is_well(instance)) {
      std::int64_t& since = refresh.well_since[index_in_fleet_[instance] - refresh.first_index];
      if (since == Refresh::not_yet) since = now_;
    }
    const bool ready = is_ready(refresh, instance);
    count.ready += ready ? 1U : 0U;
    count.unready_new += !ready && is_new ? 1U : 0U;
  });
  for (const std::uint32_t machine : fleet.membership.standby) {
    count.old += refresh.is_old(machine) ? 1U : 0U;
  }
  refresh.replaced = refresh.total - count.old;
  return count;
}

// Once a second, and when a wait at a checkpoint is over.
void World::refresh(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  Refresh& it = fleet.refresh;
  if (it.started_ns == Refresh::not_yet) start_refresh(at);
  if (now_ - it.round_since_ns() >= Refresh::longest_ns) return fail_refresh(at);
  for (const std::uint32_t alarm : it.spec.alarms) {
    if (it.rolls_back() || !scaled_[fleet.scaled].group.is_on(alarm)) continue;
    it.failed_by = alarm;
    return fail_refresh(at);
  }
  std::int64_t next = now_ + look_every_ns;
  const RefreshCount count = look_at_refresh(at);
  const bool settled = count.unready_new == 0 && fleet.alive() >= fleet.desired;
  if (it.replaced < it.limit()) {
    replace_some(at, count.ready);
    const bool waits = it.waits_since != Refresh::not_yet;
    if (waits && now_ - it.waits_since >= Refresh::patience_ns) return fail_refresh(at);
  } else {
    if (it.surplus != 0) {  // the last old ones have gone by themselves
      it.surplus = 0;
      scale(at);
    }
    if (settled && it.is_last()) {
      it.finished_ns = now_;
      return;
    }
    if (settled) {
      ++it.checkpoint;
      next = now_ + it.spec.checkpoint_delay_ns;
    }
  }
  next = std::min(next, it.round_since_ns() + Refresh::longest_ns);
  if (next < duration_) controls_.push(next, payload(ControlKind::upkeep, 2 * at));
}

void World::start_refresh(std::uint32_t at) {
  Refresh& it = fleets_[at].refresh;
  it.started_ns = now_;
  it.before = fleets_[at].launched_as.back().make;
  begin_round(at, it.spec.make == RefreshSpec::as_before ? it.before : it.spec.make);
}

// From now on whoever is there is old, but for those that stay, and what is launched is of this
// make. Of a roll-back those stay that had not been replaced.
void World::begin_round(std::uint32_t at, std::uint32_t make) {
  Fleet& fleet = fleets_[at];
  Refresh& it = fleet.refresh;
  const std::uint32_t first_come = it.rolls_back() ? it.first_machine : 0;
  it.kept.clear();
  const auto keep = [&](std::uint32_t machine, bool left_alone) {
    const std::uint32_t index = index_in_fleet_[machines_[machine].instance];
    const bool matches = it.spec.skip_matching && fleet.make_number(index) == make;
    if (matches || left_alone || machine < first_come) it.kept.push_back(machine);
  };
  const bool spares = it.spec.protected_ones == ProtectedOnes::ignore;
  for_each_alive(fleet, [&](std::uint32_t machine, std::uint32_t instance) {
    keep(machine, spares && fleet.membership.is_guarded(index_in_fleet_[instance]));
  });
  const std::vector<std::uint32_t>& standby = fleet.membership.standby;
  for (const std::uint32_t machine : standby) {
    keep(machine, it.spec.standby_ones == StandbyOnes::ignore);
  }
  std::sort(it.kept.begin(), it.kept.end());
  it.total = fleet.alive() + static_cast<std::uint32_t>(standby.size() - it.kept.size());
  it.replaced = it.surplus = 0;
  it.waits_since = Refresh::not_yet;
  it.well_since.clear();
  it.first_machine = static_cast<std::uint32_t>(machines_.size());
  it.first_index = launched_[at];
  if (make != fleet.launched_as.back().make) fleet.launched_as.push_back({it.first_index, make});
  while (!fleet.membership.pool.empty()) give_up_warm(fleet.membership.pool.back());
}

// What has been replaced stays so, unless it is to be rolled back. A roll-back may fail too.
void World::fail_refresh(std::uint32_t at) {
  Refresh& it = fleets_[at].refresh;
  ++it.failures;
  if (it.spec.rollback && !it.rolls_back()) return roll_back(at);
  it.finished_ns = now_;
  it.surplus = 0;
  scale(at);
}

// What came in the first round is replaced in its turn, within the same bounds. What of it has not
// booted yet is nobody's loss and goes at once.
void World::roll_back(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  Refresh& it = fleet.refresh;
  it.total_when_failed = it.total;
  it.replaced_when_failed = it.replaced;
  it.rolled_back_ns = now_;
  begin_round(at, it.before);
  for (const std::uint32_t instance : std::vector<std::uint32_t>(fleet.launching)) {
    const bool boots = phase_[instance] == Phase::booting;
    if (boots && it.is_old(machine_of(instance))) drop(instance);
  }
  scale(at);
  refresh(at);
}

// Lets old ones go, those that are not well first, and launches new ones. Those that it waits
// for, protected or on standby, are as if they were not there.
void World::replace_some(std::uint32_t at, std::uint32_t ready) {
  Fleet& fleet = fleets_[at];
  Refresh& it = fleet.refresh;
  const RefreshBounds bound = bounds(it.spec, fleet.desired);
  std::uint32_t allowed = it.limit() - it.replaced;
  std::vector<std::uint32_t> unwell;
  std::vector<std::uint32_t> well;
  std::uint32_t free = it.total - it.replaced;  // old ones that may go
  const std::uint32_t old = free;
  for_each_alive(fleet, [&](std::uint32_t machine, std::uint32_t instance) {
    if (!it.is_old(machine)) return;
    const bool guarded = fleet.membership.is_guarded(index_in_fleet_[instance]);
    if (guarded && it.spec.protected_ones == ProtectedOnes::wait) {
      --free;
      return;
    }
    const bool stopped = lives_.state(machine) == InstanceState::stopped;
    if (is_well(instance)) {
      well.push_back(machine);
    } else if (stopped || machines_[machine].standing == Standing::active) {
      unwell.push_back(machine);
    }
  });
  for (const std::uint32_t machine : std::vector<std::uint32_t>(fleet.membership.standby)) {
    if (!it.is_old(machine)) continue;
    --free;
    if (it.spec.standby_ones != StandbyOnes::terminate || allowed == 0) continue;
    terminate(machine);
    --allowed;
  }
  for (std::size_t of = 0; of < unwell.size() && allowed != 0; ++of) {
    if (phase_[machines_[unwell[of]].instance] == Phase::booting) continue;
    retire(unwell[of]);
    --allowed;
    --free;
  }
  for (std::size_t of = 0; of < well.size() && allowed != 0 && ready > bound.least; ++of) {
    retire(well[of]);
    --allowed;
    --free;
    --ready;
  }
  it.replaced = it.limit() - allowed;
  it.surplus = std::min({bound.most - fleet.desired, allowed, free});
  if (old == 0 || free != 0 || allowed == 0) {
    it.waits_since = Refresh::not_yet;
  } else if (it.waits_since == Refresh::not_yet) {
    it.waits_since = now_;
  }
  scale(at);
}

// Old ones that have gone, until now.
std::uint32_t WorldView::replaced(std::uint32_t at) const {
  const Refresh& it = fleets_[at].refresh;
  if (!it.under_way()) return it.replaced;
  std::uint32_t old = 0;
  for_each_alive(fleets_[at], [&](std::uint32_t machine, std::uint32_t) {
    old += it.is_old(machine) ? 1U : 0U;
  });
  for (const std::uint32_t machine : fleets_[at].membership.standby) {
    old += it.is_old(machine) ? 1U : 0U;
  }
  return it.total - old;
}

// One that serves or is stopped leaves its fleet.
void World::retire(std::uint32_t machine) {
  if (machines_[machine].standing == Standing::aside) {
    give_up_aside(machine);
  } else {
    dismiss(machines_[machine].instance);
  }
}

// A refresh asks for more than is desired only while it is under way.
void WorldView::check_refresh() const {
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    const Fleet& fleet = fleets_[at];
    const Refresh& it = fleet.refresh;
    const bool bounded = it.surplus == 0 || it.under_way();
    std::uint64_t vcpus = 0;
    for (const std::uint32_t instance : fleet.members) vcpus += vcpus_of(instance);
    if (bounded && vcpus == fleet.vcpus && it.replaced <= it.total) continue;
    throw InvariantError("the refresh of fleet " + fleet_names_[at] + " does not add up" + where());
  }
}

}  // namespace nephoscope
