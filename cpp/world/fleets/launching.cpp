// Which instances a fleet has: launched where there is room, serving when they have booted, leaving
// when their fleet shrinks, gone when they have finished what they held.

#include <algorithm>

#include "world/fleets/spot_market.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::size_t cached_instances = 8192;
constexpr std::uint32_t request_max = 100;  // instances of one request, as the provider advises

}  // namespace

// Brings a fleet to the number of instances that is desired. What does not serve goes first: those
// that have not booted yet, then those set aside.
void World::scale(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  count_instances(fleet);
  let_go_at_risk(at);
  while (fleet.alive() > fleet.wanted()) {
    if (fleet.booting != 0) {
      drop_booting(at);
    } else if (!fleet.aside.empty()) {
      give_up_aside(fleet.aside.back());
    } else if (!remove_some(at, fleet.alive() - fleet.wanted())) {
      break;
    }
  }
  if (fleet.membership.spec.pool.active) {
    while (fleet.alive() < fleet.wanted() && take_warm(at)) {
    }
  }
  if (fleet.alive() < fleet.wanted()) grow(at, fleet.membership.spec.balance);
  fleet.least = std::min(fleet.least, fleet.members.size());
  fleet.most = std::max(fleet.most, fleet.members.size());
  count_reached();
}

// Launches what is missing, in requests to the provider's interface where that limits them. What is
// refused is tried again: by the clock, or as soon as the interface lets a request in.
void World::grow(std::uint32_t at, ZoneBalance balance) {
  Fleet& fleet = fleets_[at];
  std::vector<ZoneCount> zones = zone_counts(fleet);
  if (fleet.on_demand.any()) fleet.bought_on_demand = count_on_demand(fleet);
  if (fleet.allocation.any()) count_on_spot(fleet);
  std::int64_t retry_at = now_ + launch_retry_ns;
  while (fleet.alive() < fleet.wanted()) {
    const std::uint32_t missing = fleet.wanted() - fleet.alive();
    const bool at_first = now_ == 0 && launched_[at] < fleet.initial;
    const bool free = fleet.api == LifeSpec::unlimited || at_first;
    std::uint32_t wanted = missing;
    if (!free) {
      LaunchInterface& api = apis_[fleet.api];
      wanted = std::min(missing, request_max);
      const auto let_in =
          static_cast<std::uint32_t>(std::min<std::int64_t>(api.room(now_), wanted));
      if (let_in == 0) {
        ++fleet.counts.throttled;
        fleet.refusal = refused_by_api;
        retry_at = api.admits_at(1, now_);
        break;
      }
      wanted = let_in;
    }
    std::uint32_t launched = 0;
    // What follows from a launch may launch others.
    while (launched < wanted && fleet.alive() < fleet.wanted()) {
      fleet.refusal = launch(at, zones, balance);
      if (fleet.refusal != 0) break;
      ++launched;
    }
    if (!free) apis_[fleet.api].run_instances(wanted, 1, now_, launched);
    if (launched == wanted || fleet.alive() >= fleet.wanted()) continue;
    // The others would find no room either: they are alike.
    const std::uint32_t refused = missing - launched;
    if (fleet.refusal == refused_by_quota) {
      fleet.counts.vcpu_refusals += refused;
    } else if (fleet.refusal == refused_by_price) {
      fleet.counts.price_refusals += refused;
    } else {
      refused_launches_[fleet.make().request.pool] += refused;
    }
    break;
  }
  if (fleet.alive() >= fleet.wanted() || fleet.retries) return;
  fleet.retries = true;
  controls_.push(retry_at, payload(ControlKind::retry, 2 * at));
}

// Whether the caches hold the instances that requests are sent to.
void World::count_reached() {
  std::size_t reached = 0;
  for (const Fleet& fleet : fleets_) reached += fleet.reached ? fleet.members.size() : 0;
  many_instances_ = reached > cached_instances;
}

// Returns why not, or 0: the account may have no more, there is no room for an instance
// (VcpuLimitExceeded, InsufficientInstanceCapacity), or spot costs too much.
std::uint32_t World::launch(std::uint32_t at, std::vector<ZoneCount>& zones, ZoneBalance balance) {
  Fleet& fleet = fleets_[at];
  if (SpotMarket(*this).refuses_next(fleet)) return refused_by_price;
  const std::uint32_t refusal = find_zone(at, zones, balance);
  if (refusal != 0) return refusal;
  const auto machine = static_cast<std::uint32_t>(machines_.size());
  const std::uint32_t place = launched_[at]++;
  machines_.emplace_back().launched_ns = now_;
  add_instance(machine, at, place);
  LaunchFacts facts = facts_of_next(fleet);
  facts.serial = place;
  lives_.advance(now_);
  now_ == 0 && place < fleet.initial ? lives_.add_running(facts) : lives_.launch(facts);
  follow_lives();
  return 0;
}

// Of a fleet that buys both ways it is on demand while too few are.
LaunchFacts WorldView::facts_of_next(Fleet& fleet) const {
  LaunchFacts facts = fleet.make().facts;
  if (fleet.buys_on_demand()) {
    facts.purchase = Purchase::on_demand;
    facts.interruption = Interruption::terminate;
    ++fleet.bought_on_demand;
  }
  return facts;
}

// The same, for room: in the zone with the fewest instances and, with best effort, in the next.
std::uint32_t World::find_zone(std::uint32_t at, std::vector<ZoneCount>& zones,
                               ZoneBalance balance) {
  if (zones.empty()) return find_make(at, fleets_[at].make().request.zones);
  std::sort(zones.begin(), zones.end(), [](const ZoneCount& a, const ZoneCount& b) {
    return a.instances != b.instances ? a.instances < b.instances : a.zone < b.zone;
  });
  std::uint32_t first = 0;
  for (ZoneCount& zone : zones) {
    const std::uint32_t refusal = find_make(at, std::uint64_t{1} << zone.zone);
    if (refusal == 0) {
      ++zone.instances;
      return 0;
    }
    if (first == 0) first = refusal;
    if (balance == ZoneBalance::only || refusal == refused_by_quota) break;
  }
  return first;
}

// Finds room for the next instance, which is a machine that starts again if `stopped` tells what it
// was before. Returns why there is none, or 0.
std::uint32_t World::find_room(const Make& make, std::uint64_t zones, std::uint32_t stopped) {
  const std::uint32_t vcpus = make.guest.tenant.vcpus;
  Quota* quota = make.quota == LifeSpec::unlimited ? nullptr : &quotas_[make.quota];
  if (quota != nullptr && vcpus > quota->vcpus - quota->used) return refused_by_quota;
  if (make.placed) {
    const auto instance = static_cast<std::uint32_t>(instances_.size());
    LaunchRequest request = make.request;
    request.zones = zones;
    const Refusal refusal = hosts_.place(instance, request, make.guest, now_, stopped);
    if (refusal != Refusal::none) return static_cast<std::uint32_t>(refusal);
  }
  if (quota != nullptr) quota->used += vcpus;
  return 0;
}

// A machine that is launched or starts boots on this one; one that reboots has been `before`.
void World::add_instance(std::uint32_t machine, std::uint32_t at, std::uint32_t place,
                         std::uint32_t before) {
  Machine& it = machines_[machine];
  Fleet& fleet = fleets_[at];
  const std::uint32_t instance = instances_.add(fleet.make_at(place).kind, now_);
  admissions_.add(instance, fleet.admission, now_);
  held_until_.push_back(0);
  it.instance = instance;
  it.standing = Standing::active;
  it.noticed = it.wanted = it.moves = 0;
  fleet_of_.push_back(at);
  index_in_fleet_.push_back(place);
  number_machine(instance, machine);
  const InstanceKind& kind = instances_.kind_of(instance);
  if (kind.workers != 1 || kind.hosted) completion_of_.resize(instance + 1U, EventQueue::none);
  phase_.push_back(Phase::booting);
  if (fleet.booting++ == 0) fleet.launching.clear();
  fleet.launching.push_back(instance);
  if (!with_devices_) return;
  before == none ? add_devices(instance) : devices_.succeed(before);
}

// Until the first one boots again, every machine has one instance, of its own number.
void World::number_machine(std::uint32_t instance, std::uint32_t machine) {
  if (machine_of_.empty() && machine == instance) return;
  while (machine_of_.size() < instance) {
    machine_of_.push_back(static_cast<std::uint32_t>(machine_of_.size()));
  }
  machine_of_.push_back(machine);
}

std::uint32_t WorldView::machine_of(std::uint32_t instance) const {
  return instance < machine_of_.size() ? machine_of_[instance] : instance;
}

// An instance has booted: from now on its balancers send to it.
void World::enter_service(std::uint32_t instance) {
  if (phase_[instance] != Phase::booting) return;
  Fleet& fleet = fleets_[fleet_of_[instance]];
  count_instances(fleet);
  phase_[instance] = Phase::serving;
  --fleet.booting;
  const std::uint32_t index = index_in_fleet_[instance];
  fleet.members.add(index, instance);
  if (fleet.membership.present()) keep_member(instance);
  fleet.vcpus += vcpus_of(instance);
  fleet.most = std::max(fleet.most, fleet.members.size());
  for (Attachment& attachment : fleet.attachments) {
    Balancer& balancer = balancers_[attachment.balancer];
    const std::uint32_t cell =
        balancer.plain ? 0 : cell_of(balancer, attachment.of_class, instance);
    const std::uint32_t slot = balancer.add_target(instance, attachment.of_class, cell, now_);
    balancer.tell_zones(slot, [this](std::uint32_t which) { return zone_of(which); });
    if (index >= attachment.slots.size()) attachment.slots.resize(index + std::size_t{1});
    attachment.slots[index] = slot;
    balancer.draining.end(machine_of(instance));
    expect_flow(attachment.balancer);
  }
  count_reached();
  if (fleet.scaled != none) begin_warmup(instance);
  Messaging(*this).begin_polls(instance);
  if (!faults_.all.empty()) {
    follow_slowness(instance);
    follow_faults(instance);
  }
  let_go_at_risk(fleet_of_[instance]);
  if (fleet.rebalances && lives_.at_risk(machine_of(instance)))
    replace_at_risk(machine_of(instance));
}

// A serving instance gets no more requests. From now on somebody looks at what it holds.
void World::withdraw(std::uint32_t instance) {
  Fleet& fleet = fleets_[fleet_of_[instance]];
  count_instances(fleet);
  const std::uint32_t index = index_in_fleet_[instance];
  fleet.vcpus -= vcpus_of(instance);
  fleet.members.remove(index, [this](std::uint32_t of) { return index_in_fleet_[of]; });
  fleet.membership.unguard(index);
  if (fleet.unwatched) watch_instance(instance);
  if (phase_[instance] == Phase::down) rise(instance);
  fleet.departed.push_back({used(instance, hosts_).run_ns, instance});
  for (Attachment& attachment : fleet.attachments) {
    balancers_[attachment.balancer].remove_target(attachment.slots[index], now_);
    expect_flow(attachment.balancer);
  }
  fleet.least = std::min(fleet.least, fleet.members.size());
  Messaging(*this).end_polls(instance);
  count_reached();
  follow_hosts();
}

// It gets no more requests from its balancers and finishes those it has.
void World::dismiss(std::uint32_t instance) {
  leave_service(instance, Standing::away);
}

void World::leave_service(std::uint32_t instance, Standing standing) {
  const std::uint32_t at = fleet_of_[instance];
  withdraw(instance);
  count_out(machine_of(instance), standing);
  phase_[instance] = Phase::leaving;
  ++leaving_;
  begin_draining(instance);
  end_if_drained(instance);
  if (phase_[instance] != Phase::leaving || instances_.workers_busy(instance) == 0) return;
  std::int64_t patience = 0;  // of the balancer that lets it drain longest
  for (const Attachment& attachment : fleets_[at].attachments) {
    patience = std::max(patience, balancers_[attachment.balancer].drain_ns);
  }
  if (fleets_[at].attachments.empty() || patience >= duration_ - now_) return;
  controls_.push(now_ + patience, payload(ControlKind::drain, 2 * instance));
}

// Its balancers show it as draining, for the whole of their delay.
void World::begin_draining(std::uint32_t instance) {
  for (const Attachment& attachment : fleets_[fleet_of_[instance]].attachments) {
    Balancer& balancer = balancers_[attachment.balancer];
    if (!balancer.health.active()) continue;
    balancer.draining.begin(machine_of(instance), now_ + balancer.drain_ns, now_);
  }
}

// The youngest that has not booted goes at once, of the fullest zone where zones are levelled.
void World::drop_booting(std::uint32_t at) {
  std::vector<std::uint32_t>& launching = fleets_[at].launching;
  while (phase_[launching.back()] != Phase::booting) launching.pop_back();
  std::uint32_t chosen = launching.back();
  std::uint32_t most = 0;
  const std::vector<ZoneCount> zones = zone_counts(fleets_[at]);
  for (std::size_t i = zones.empty() ? 0 : launching.size(); i-- > 0;) {
    if (phase_[launching[i]] != Phase::booting) continue;
    for (const ZoneCount& zone : zones) {
      if (zone.zone != zone_of(launching[i]) || zone.instances <= most) continue;
      chosen = launching[i];
      most = zone.instances;
    }
  }
  drop(chosen);
}

// One that has not booted goes at once, even if it would have booted at this very instant: its room
// is given back before its life is told of the end, which brings to light what is due by now.
void World::drop(std::uint32_t instance) {
  --fleets_[fleet_of_[instance]].booting;
  count_out(machine_of(instance), Standing::away);
  end(instance);
  terminate(machine_of(instance));
}

// One that was set aside goes, or is not replaced when the provider takes it.
void World::give_up_aside(std::uint32_t machine) {
  take_back_in(machine);
  count_out(machine, Standing::away);
  if (machines_[machine].noticed == 0) terminate(machine);
}

void World::terminate(std::uint32_t machine) {
  Answer answer = Answer::accepted;
  lives_.advance(now_);
  lives_.terminate(&machine, 1, &answer);
  follow_lives();
}

void World::end_if_drained(std::uint32_t instance) {
  const std::uint32_t machine = machine_of(instance);
  if (!drains(phase_[instance]) || instances_.workers_busy(instance) != 0) return;
  if (phase_[instance] == Phase::closing) {
    if (lives_.state(machine) == InstanceState::shutting_down) end(instance);
    return;
  }
  // The loop is under way: nothing may become due before the control that it runs to. So a warm
  // pool sees by itself who has drained, and the end of a hook is in the calendar.
  const Standing standing = machines_[machine].standing;
  if (standing == Standing::warm) return;
  if (standing == Standing::standby || standing == Standing::detached) return stay(instance);
  if (hooked_ && lingers(instance)) return;
  end_at_once(instance);
}

void World::end_at_once(std::uint32_t instance) {
  lives_.advance(now_);
  lives_.terminate_at_once(machine_of(instance));
  follow_lives();
  end(instance);
}

// It is over for an instance, and its machine will not start again.
void World::end(std::uint32_t instance) {
  if (phase_[instance] == Phase::gone) return;
  if (drains(phase_[instance])) --leaving_;
  phase_[instance] = Phase::gone;
  const Fleet& fleet = fleets_[fleet_of_[instance]];
  if (fleet.scaled != none) scaled_[fleet.scaled].settled = now_;
  give_room(instance, false);
}

void World::give_room(std::uint32_t instance, bool stops) {
  const Make& make = make_of(instance);
  if (make.quota != LifeSpec::unlimited) quotas_[make.quota].used -= make.guest.tenant.vcpus;
  if (with_devices_) {
    devices_.advance(now_);
    devices_.leave(instance);
    follow_devices();
  }
  if (!make.placed) return;
  stops ? hosts_.stop(instance, now_) : hosts_.release(instance, now_);
  follow_hosts();
}

void WorldView::count_instances(Fleet& fleet) const {
  if (warm_) {
    fleet.instance_ns += (now_ - fleet.counted_to) * std::int64_t{fleet.members.size()};
    fleet.vcpu_ns += (now_ - fleet.counted_to) * static_cast<std::int64_t>(fleet.vcpus);
  }
  fleet.counted_to = now_;
}

// At the end of the warm-up.
void WorldView::restart_count(Fleet& fleet) const {
  fleet.counted_to = now_;
  fleet.least = fleet.most = fleet.members.size();
}

}  // namespace nephoscope
