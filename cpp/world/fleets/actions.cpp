// What an operator does to instances, at set times or from outside, and what accounts may launch.

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/fleets/spot_market.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::uint32_t stream_of(Law law) {
  return static_cast<std::uint32_t>(law);
}

}  // namespace

// The durations of instances of a make, how they are bought and billed. They are drawn from the
// streams of the fleet, whatever the make.
void World::build_lives(const FleetSpec& from, std::uint32_t index, Make& make) {
  const LifeSpec& life = from.life;
  SystemFacts facts;
  facts.billing = from.billing;
  facts.encryption_ns = life.encryption_ns;
  facts.laws[stream_of(Law::pending)] = from.pending;
  facts.laws[stream_of(Law::boot)] = from.boot;
  facts.laws[stream_of(Law::restart)] = life.restart;
  facts.laws[stream_of(Law::resume)] = life.resume;
  facts.laws[stream_of(Law::reboot)] = life.reboot;
  facts.laws[stream_of(Law::stop)] = life.stop;
  facts.laws[stream_of(Law::hibernate)] = life.hibernate;
  facts.laws[stream_of(Law::terminate)] = life.terminate;
  const std::string name = "fleets/" + fleet_names_[index];
  make.facts.system = lives_.add_system(facts, seed_, replication_, name);
  make.facts.hibernation = life.hibernation;
  make.facts.purchase = life.spot ? Purchase::spot : Purchase::on_demand;
  make.facts.interruption = life.behaviour;
  nephoscope::check(make.facts);
  if (life.quota != LifeSpec::unlimited && life.quota >= quotas_.size()) {
    throw SpecError("life.quota", "is not there");
  }
  make.quota = life.quota;
}

// What is the same for all makes of a fleet.
void World::build_life(const FleetSpec& from, std::uint32_t index) {
  const LifeSpec& life = from.life;
  Fleet& fleet = fleets_[index];
  const std::string name = "fleets/" + from.name;
  fleet.interrupted = life.spot && life.interrupted;
  fleet.on_demand = {life.on_demand_base, life.on_demand_percent};
  require(life.on_demand_percent <= 100, at("fleets", index, "life.on_demand_percent"),
          "must be from 0 to 100");
  require(life.spot || !fleet.on_demand.any(), at("fleets", index, "life.on_demand_base"),
          "belongs to spot");
  fleet.rebalances = life.rebalances;
  require(!life.rebalances || (fleet.interrupted && life.behaviour == Interruption::terminate),
          at("fleets", index, "life.rebalances"), "needs spot instances that are terminated");
  if (fleet.interrupted || !life.prices.empty()) {
    fleet.interruption =
        Sampler(life.interruption, stream_key(seed_, replication_, name + "/interruption"));
    fleet.outage = Sampler(life.outage, stream_key(seed_, replication_, name + "/outage"));
    fleet.recommendation =
        Sampler(life.recommendation, stream_key(seed_, replication_, name + "/recommendation"));
  }
  const bool limited = life.api != LifeSpec::unlimited;
  require(!limited || life.api < apis_.size(), at("fleets", index, "life.api"), "is not there");
  fleet.api = life.api;
  SpotMarket(*this).build(from, index);
  fleet.counts_lives = from.counts_lives;
  fleet.eventful = life.spot || life.quota != LifeSpec::unlimited || limited;
}

void World::build_accounts(const WorldSpec& spec) {
  for (const QuotaSpec& quota : spec.quotas) quotas_.push_back({quota.vcpus, 0});
  for (std::size_t index = 0; index < spec.apis.size(); ++index) {
    try {
      apis_.emplace_back(spec.apis[index]);
    } catch (const SpecError& error) {
      throw SpecError(at("apis", index, error.path.c_str()), error.what());
    }
  }
}

void World::build_actions(const WorldSpec& spec) {
  require(spec.actions.size() < (1U << 20), "actions", "has too many entries");
  actions_ = spec.actions;
  for (std::size_t index = 0; index < actions_.size(); ++index) {
    const ActionSpec& action = actions_[index];
    require(action.at_ns >= 0 && action.at_ns <= duration_max, at("actions", index, "at"),
            "must not be below 0");
    require(action.fleet < fleets_.size(), at("actions", index, "fleet"), "is not there");
    require(static_cast<std::size_t>(action.kind) < action_kinds, at("actions", index, "kind"),
            "is not known");
    require(action.kind != ActionKind::hibernate || fleets_[action.fleet].make().facts.hibernation,
            at("actions", index, "fleet"), "has no hibernation");
    fleets_[action.fleet].eventful = true;
    fleets_[action.fleet].parks |= action.kind >= ActionKind::standby;
    controls_.push(action.at_ns, payload(ControlKind::action, static_cast<std::uint32_t>(index)));
  }
}

// To those that have served longest; a start, to those that have been stopped longest.
std::uint32_t World::act(ActionKind kind, std::uint32_t at, std::uint32_t count, bool replaced) {
  require(at < fleets_.size(), "fleets", "is not there");
  require(static_cast<std::size_t>(kind) < action_kinds, "kind", "is not known");
  Fleet& fleet = fleets_[at];
  require(kind != ActionKind::hibernate || fleet.make().facts.hibernation, "fleets.hibernation",
          "is not switched on");
  fleet.eventful = true;
  if (kind >= ActionKind::standby) {
    fleet.parks = true;
    const bool back = kind == ActionKind::in_service || kind == ActionKind::attach;
    return count_act(
        kind, at, count,
        back ? bring_back(kind, at, count) : put_on_standby(kind, at, count, replaced));
  }
  std::vector<std::uint32_t> chosen;
  if (kind == ActionKind::start) {
    for (const std::uint32_t machine : fleet.aside) {
      const bool stopped = lives_.state(machine) == InstanceState::stopped;
      if (stopped && machines_[machine].wanted == 0) chosen.push_back(machine);
    }
  } else {
    for (const std::uint32_t instance : fleet.members) chosen.push_back(machine_of(instance));
  }
  if (chosen.size() > count) chosen.resize(count);
  std::uint32_t done = 0;
  for (const std::uint32_t machine : chosen) done += request(kind, machine) ? 1 : 0;
  return count_act(kind, at, count, done);
}

std::uint32_t World::count_act(ActionKind kind, std::uint32_t at, std::uint32_t count,
                               std::uint32_t done) {
  LifeCounts& counts = fleets_[at].counts;
  counts.actions[static_cast<std::size_t>(kind)] += done;
  if (count != ActionSpec::all) counts.unmet += count - done;
  return done;
}

// One request to the provider, about one machine. False when it is refused.
bool World::request(ActionKind kind, std::uint32_t machine) {
  lives_.advance(now_);
  Answer answer = Answer::accepted;
  switch (kind) {
    case ActionKind::stop:
      answer = lives_.stop(machine);
      break;
    case ActionKind::start:
      try_start(machine);
      break;
    case ActionKind::reboot:
      answer = lives_.reboot(machine);
      break;
    case ActionKind::hibernate:
      answer = lives_.hibernate(machine);
      break;
    case ActionKind::terminate:
      lives_.terminate(&machine, 1, &answer);
      break;
    case ActionKind::standby:
    case ActionKind::in_service:
    case ActionKind::detach:
    case ActionKind::attach:
      break;  // are nothing to the provider of machines
  }
  follow_lives();
  return answer == Answer::accepted;
}

}  // namespace nephoscope
