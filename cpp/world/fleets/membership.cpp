// Which instances a fleet keeps and which it lets go: the upkeep of an Auto Scaling group beside
// its size. Who leaves leaves as when the fleet shrinks, and who replaces it is launched as ever.
// (Amazon EC2 Auto Scaling: "Control which instances terminate", "Health checks", "Availability
// Zone rebalancing", "Replace instances based on maximum lifetime".)

#include "world/fleets/membership.hpp"

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t lifetime_min_ns = 86'400'000'000'000;
constexpr std::int64_t move_retry_ns = 60'000'000'000;
constexpr std::int64_t billing_hour_ns = 3'600'000'000'000;

// Moves from the fullest zone to the emptiest until they differ by one at most; `most` are enough.
std::uint32_t moves_to_level(std::vector<ZoneCount> zones, std::uint32_t most) {
  const auto fewer = [](const ZoneCount& a, const ZoneCount& b) {
    return a.instances < b.instances;
  };
  std::uint32_t moves = 0;
  for (; moves < most; ++moves) {
    const auto [least, fullest] = std::minmax_element(zones.begin(), zones.end(), fewer);
    if (fullest->instances - least->instances < 2) break;
    --fullest->instances;
    ++least->instances;
  }
  return moves;
}

}  // namespace

void World::build_membership(const WorldSpec& spec, std::uint32_t index) {
  const FleetSpec& from = spec.fleets[index];
  const MembershipSpec& rules = from.membership;
  Fleet& fleet = fleets_[index];
  Membership& it = fleet.membership;
  require(static_cast<unsigned>(rules.termination) < termination_policies,
          at("fleets", index, "termination_policy"), "is not known");
  require(static_cast<unsigned>(rules.balance) <= 2, at("fleets", index, "zone_balance"),
          "is not known");
  for (const std::int64_t time : {rules.grace_ns, rules.impaired_ns}) {
    require(time >= 0 && time <= duration_max, at("fleets", index, "health"),
            "grace and impaired must be from 0 to 73 years");
  }
  const bool lasts = rules.lifetime_ns == 0 || rules.lifetime_ns >= lifetime_min_ns;
  require(lasts && rules.lifetime_ns <= duration_max, at("fleets", index, "max_lifetime"),
          "must be a day or more");
  const auto checks = [this](const Attachment& attachment) {
    return balancers_[attachment.balancer].health.active();
  };
  const std::vector<Attachment>& attachments = fleet.attachments;
  require(!rules.asks_balancers || std::any_of(attachments.begin(), attachments.end(), checks),
          at("fleets", index, "health"), "asks balancers, and none checks its instances");
  it.spec = rules;
  it.draws = stream_key(seed_, replication_, "fleets/" + from.name + "/termination");
  const bool together =
      from.group != nowhere && spec.groups[from.group].strategy == GroupStrategy::cluster;
  if (fleet.make().placed && rules.balance != ZoneBalance::off && !together) {
    it.zones = hosts_.facts(fleet.make().request.pool).zones;
    std::sort(it.zones.begin(), it.zones.end());
    it.zones.erase(std::unique(it.zones.begin(), it.zones.end()), it.zones.end());
    std::erase_if(it.zones, [&](std::uint32_t zone) {
      return (fleet.make().request.zones >> zone & 1U) == 0;
    });
    if (it.zones.size() < 2) it.zones.clear();
  }
  check_warm_pool(from, at("fleets", index, "warm_pool").c_str());
  build_hooks(from, fleet, at("fleets", index, "hooks"));
  if (it.looks()) expect_look(index);
}

void World::expect_look(std::uint32_t at) {
  const std::int64_t next = now_ + Membership::look_every_ns;
  if (next < duration_) controls_.push(next, payload(ControlKind::upkeep, 2 * at + 1));
}

// Once a second.
void World::look_at_members(std::uint32_t at) {
  replace_members(at);
  level_zones(at);
  keep_warm(at);
  expect_look(at);
}

std::uint32_t WorldView::zone_of(std::uint32_t instance) const {
  return hosts_.pool_of(instance) == HostPools::none ? 0 : hosts_.zone_of(instance);
}

// Of the zones that launches are levelled over.
std::vector<ZoneCount> WorldView::zone_counts(const Fleet& fleet) const {
  std::vector<ZoneCount> counts;
  for (const std::uint32_t zone : fleet.membership.zones) counts.push_back({zone, 0});
  if (counts.empty()) return counts;
  for_each_alive(fleet, [&](std::uint32_t, std::uint32_t instance) {
    const std::uint32_t zone = zone_of(instance);
    for (ZoneCount& each : counts) each.instances += each.zone == zone ? 1U : 0U;
  });
  return counts;
}

// What the termination policy makes of an instance. While a refresh is under way, those that it
// will replace are of an older version.
std::int64_t WorldView::rank_to_go(const Fleet& fleet, std::uint32_t instance) const {
  const std::uint32_t machine = machine_of(instance);
  const std::int64_t index = index_in_fleet_[instance];
  const TerminationPolicy policy = fleet.membership.spec.termination;
  if (policy == TerminationPolicy::oldest) return index;
  if (policy == TerminationPolicy::newest) return -index;
  if (policy == TerminationPolicy::allocation_strategy) return 0;
  const std::int64_t ran = now_ - lives_.running_since(machine);
  const std::int64_t left = billing_hour_ns - ran % billing_hour_ns;
  const bool is_old = fleet.refresh.under_way() && fleet.refresh.is_old(machine);
  return policy == TerminationPolicy::standard && is_old ? left - billing_hour_ns : left;
}

std::vector<std::uint32_t> WorldView::who_goes(const Fleet& fleet, std::uint32_t count) const {
  const Membership& it = fleet.membership;
  std::vector<Candidate> candidates;
  candidates.reserve(fleet.members.size());
  for (const std::uint32_t instance : fleet.members) {
    const std::uint32_t index = index_in_fleet_[instance];
    const Philox4x64::Block words =
        Philox4x64::block({std::uint64_t{index} + 1, it.scale_ins, 0, 0}, it.draws);
    const bool stays = it.is_guarded(index);
    candidates.push_back(
        {rank_to_go(fleet, instance), words[0], instance, zone_of(instance), stays});
  }
  const TerminationPolicy policy = it.spec.termination;
  const bool by_fit =
      policy == TerminationPolicy::standard || policy == TerminationPolicy::allocation_strategy;
  if (by_fit && fleet.allocation.any()) rate_misfits(fleet, candidates);
  if (fleet.on_demand.any()) return split_to_go(fleet, candidates, count);
  return first_to_go(std::move(candidates), count);
}

// Of a fleet that buys both ways: first as many of those on demand as are too many, then of those
// on spot; and where these are not enough, because they are protected, others on demand.
std::vector<std::uint32_t> WorldView::split_to_go(const Fleet& fleet,
                                                  const std::vector<Candidate>& all,
                                                  std::uint32_t count) const {
  std::vector<Candidate> on_demand;
  std::vector<Candidate> spot;
  for (const Candidate& it : all) {
    const Purchase bought = lives_.facts(machine_of(it.instance)).purchase;
    (bought == Purchase::on_demand ? on_demand : spot).push_back(it);
  }
  const std::uint32_t there = count_on_demand(fleet);
  const std::uint32_t excess = there - std::min(there, fleet.on_demand.of(fleet.wanted()));
  std::vector<std::uint32_t> chosen = first_to_go(on_demand, std::min(count, excess));
  const auto left = [&] { return count - static_cast<std::uint32_t>(chosen.size()); };
  const std::vector<std::uint32_t> more = first_to_go(spot, left());
  if (more.size() < left()) {
    chosen = first_to_go(on_demand, count - static_cast<std::uint32_t>(more.size()));
  }
  chosen.insert(chosen.end(), more.begin(), more.end());
  return chosen;
}

// Some that serve leave. False where all are protected.
bool World::remove_some(std::uint32_t at, std::uint32_t count) {
  const std::vector<std::uint32_t> chosen = who_goes(fleets_[at], count);
  ++fleets_[at].membership.scale_ins;
  for (const std::uint32_t instance : chosen) {
    // What has happened meanwhile may have made room.
    if (fleets_[at].alive() <= fleets_[at].wanted() || !is_member(instance)) continue;
    const bool reuse = fleets_[at].membership.spec.pool.reuse && !fleets_[at].refresh.under_way();
    reuse ? send_back(instance) : dismiss(instance);
  }
  return !chosen.empty();
}

// An instance has entered service.
void World::keep_member(std::uint32_t instance) {
  Membership& it = fleets_[fleet_of_[instance]].membership;
  const std::uint32_t index = index_in_fleet_[instance];
  if (it.timed()) {
    if (index >= it.since.size()) it.since.resize(index + std::size_t{1}, Membership::not_yet);
    if (it.since[index] == Membership::not_yet) it.since[index] = now_;
  }
  if (it.guarded < it.spec.protect) it.guard(index);
}

// (SetInstanceProtection, Amazon EC2 Auto Scaling.) Whoever has decided who goes protects the rest.
std::uint32_t World::protect(std::uint32_t instance, bool on) {
  require(instance < fleet_of_.size(), "instance", "is not there");
  if (!is_member(instance)) return 0;
  const std::uint32_t at = fleet_of_[instance];
  Membership& it = fleets_[at].membership;
  it.steered = 1;
  if (on) {
    it.guard(index_in_fleet_[instance]);
  } else {
    it.unguard(index_in_fleet_[instance]);
    scale(at);  // more may be there than are desired, all of them protected until now
  }
  return 1;
}

// Whether it has been impaired for too long, or some balancer whose word counts holds it unhealthy.
// Who served when the clock started has no grace.
bool WorldView::is_unhealthy(const Fleet& fleet, std::uint32_t instance) const {
  const Membership& it = fleet.membership;
  const std::uint32_t index = index_in_fleet_[instance];
  if (it.since[index] > 0 && now_ - it.since[index] < it.spec.grace_ns) return false;
  if (it.spec.impaired_ns != 0 && phase_[instance] == Phase::down &&
      now_ - it.fell[index] >= it.spec.impaired_ns) {
    return true;
  }
  if (!it.spec.asks_balancers) return false;
  for (const Attachment& attachment : fleet.attachments) {
    const Health& health = balancers_[attachment.balancer].health;
    if (!health.active() || health.unhealthy() == 0) continue;
    if (health.state(attachment.slots[index]) == TargetHealth::unhealthy) return true;
  }
  return false;
}

// Who is not running fails its check at once, whatever grace it has.
void World::give_up_stopped(std::uint32_t at) {
  std::vector<std::uint32_t> stopped;
  for (const std::uint32_t machine : fleets_[at].aside) {
    const InstanceState state = lives_.state(machine);
    if (state == InstanceState::stopping || state == InstanceState::stopped) {
      stopped.push_back(machine);
    }
  }
  for (const std::uint32_t machine : stopped) {
    if (machines_[machine].standing != Standing::aside) continue;
    ++fleets_[at].membership.counts.stopped;
    give_up_aside(machine);
  }
  if (!stopped.empty()) scale(at);
}

// Who is to be replaced now: first those held unhealthy, then some whose time is over.
WorldView::ToReplace WorldView::to_replace(const Fleet& fleet) const {
  const Membership& it = fleet.membership;
  ToReplace made;
  for (const std::uint32_t instance : fleet.members) {
    if (is_unhealthy(fleet, instance)) made.instances.push_back(instance);
  }
  made.unhealthy = made.instances.size();
  // Gradually: the last ones have been replaced.
  const bool settled = fleet.booting == 0 && fleet.members.size() >= fleet.desired;
  if (it.spec.lifetime_ns == 0 || (!it.spec.launches_first && !settled)) return made;
  std::uint32_t allowed = Membership::margin(fleet.desired);
  for (const std::uint32_t instance : fleet.members) {
    const bool over = now_ - it.since[index_in_fleet_[instance]] >= it.spec.lifetime_ns;
    if (!over || allowed == 0) continue;
    const auto end = made.instances.begin() + static_cast<std::ptrdiff_t>(made.unhealthy);
    if (std::find(made.instances.begin(), end, instance) != end) continue;
    made.instances.push_back(instance);
    --allowed;
  }
  return made;
}

// Health replacement and lifetimes. No cooldown holds them up.
void World::replace_members(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  Membership& it = fleet.membership;
  if (!it.timed()) return;
  if (it.spec.asks_balancers) give_up_stopped(at);
  if (it.spec.launches_first && it.moving != 0) return;
  const ToReplace chosen = to_replace(fleet);
  std::size_t may_go = chosen.instances.size();
  const std::uint32_t replacing = it.replacing;
  if (it.spec.launches_first) {
    const std::uint32_t serving = fleet.members.size();
    const std::uint32_t spare = serving - std::min(serving, fleet.desired);
    may_go = std::min<std::size_t>(may_go, spare);
    it.replacing = static_cast<std::uint32_t>(chosen.instances.size() - may_go);
  }
  for (std::size_t i = 0; i < may_go; ++i) {
    if (!is_member(chosen.instances[i])) continue;
    ++(i < chosen.unhealthy ? it.counts.unhealthy : it.counts.expired);
    dismiss(chosen.instances[i]);
  }
  if (may_go != 0 || it.replacing != replacing) scale(at);
}

// Zones that differ by more than one: others are launched where there are too few, and when they
// serve as many go where there are too many.
void World::level_zones(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  Membership& it = fleet.membership;
  if (it.zones.empty() || fleet.booting != 0) return;
  if (it.moving != 0) {
    it.moving = 0;
    return scale(at);
  }
  const bool replaces = it.replacing != 0 || !it.at_risk.empty() || fleet.refresh.under_way();
  if (replaces || now_ < it.rests_until || fleet.alive() != fleet.wanted()) return;
  it.moving = moves_to_level(zone_counts(fleet), margin_of(fleet));
  if (it.moving == 0) return;
  count_instances(fleet);
  const std::uint32_t before = launched_[at];
  grow(at, ZoneBalance::only);
  const std::uint32_t launched = launched_[at] - before;
  it.counts.rebalanced += launched;
  if (launched == it.moving) return;
  it.moving = launched;
  it.rests_until = now_ + move_retry_ns;
}

// Instances beyond its size, at most, while zones are levelled.
std::uint32_t WorldView::margin_of(const Fleet& fleet) const {
  const bool bounded = fleet.scaled != none;
  return Membership::margin(bounded ? scaled_[fleet.scaled].group.max() : fleet.desired);
}

// More than are wanted are there only where all that serve are protected; what is there beyond the
// size has a rule that asks for it; and whoever is protected serves.
void WorldView::check_membership() const {
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    const Fleet& fleet = fleets_[at];
    const Membership& it = fleet.membership;
    std::uint32_t guarded = 0;
    bool agree = it.guarded <= it.spec.protect || it.steered != 0;
    for (const std::uint32_t instance : fleet.members) {
      const std::uint32_t index = index_in_fleet_[instance];
      guarded += index < it.guards.size() ? it.guards[index] : 0U;
      agree = agree &&
              (!it.timed() || (index < it.since.size() && it.since[index] != Membership::not_yet));
    }
    agree = agree && guarded == it.guarded;
    agree = agree && (fleet.alive() <= fleet.wanted() || guarded == fleet.members.size());
    agree = agree && (it.replacing == 0 || it.spec.launches_first);
    agree = agree && (it.moving == 0 || !it.zones.empty());
    for (const std::uint32_t machine : it.at_risk) {
      const Standing standing = machines_[machine].standing;
      agree = agree && (standing == Standing::active || standing == Standing::aside);
    }
    if (!agree) {
      throw InvariantError("fleet " + fleet_names_[at] +
                           " has not the instances that its rules let it keep" + where());
    }
  }
}

}  // namespace nephoscope
