// What fails: instances by themselves, or hosts, racks and zones with everything on them.
//
// An instance that has failed loses what it holds, is down for as long as a strike holds it, and
// refuses every request meanwhile; its balancers find out by their checks, if they have any. What
// is killed is terminated there and then, and its fleet launches another.

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

// Lest faults that follow each other at once stop the clock.
constexpr std::int64_t shortest_gap_ns = 1'000'000;

std::int64_t later(std::int64_t now, std::int64_t by) {
  return now + std::min(by, duration_max - now);
}

// From the last strike of a random fault, or from the start, to its next.
std::int64_t gap_before(const Fault& fault) {
  return std::max(duration_ns(fault.every.at(fault.counts.strikes, 0)), shortest_gap_ns);
}

std::uint16_t& count_of(std::vector<std::uint16_t>& counts, std::uint32_t instance) {
  if (instance >= counts.size()) counts.resize(instance + std::size_t{1});
  return counts[instance];
}

std::uint32_t rack_of(const HostPoolFacts& facts, std::uint32_t host) {
  const auto zones = static_cast<std::uint32_t>(facts.zones.size());
  return host % zones * facts.racks + host / zones % facts.racks;
}

// Whether a host is in what the fault strikes; `unit` is the host or rack that is meant.
bool is_within(const FaultSpec& spec, std::uint32_t unit, const HostPoolFacts& facts,
               std::uint32_t pool, std::uint32_t host) {
  switch (spec.scope) {
    case FaultScope::host:
      return pool == spec.index && host == unit;
    case FaultScope::rack:
      return pool == spec.index && rack_of(facts, host) == unit;
    case FaultScope::zone:
      return facts.zones[host % facts.zones.size()] == spec.index;
    case FaultScope::fleet:
      break;
  }
  return false;
}

std::uint32_t racks_in(const HostPoolFacts& facts) {
  return static_cast<std::uint32_t>(facts.zones.size()) * facts.racks;
}

// Those that have served longest, or any.
std::vector<std::uint32_t> choose(Fault& fault, const Roster& members) {
  std::vector<std::uint32_t> from;
  for (const std::uint32_t member : members) from.push_back(member);
  const auto size = static_cast<std::uint32_t>(from.size());
  const std::uint32_t count = std::min(fault.spec.count, size);
  for (std::uint32_t at = 0; fault.spec.random && at < count; ++at) {
    std::swap(from[at], from[at + fault.which.below(size - at)]);
  }
  from.resize(count);
  return from;
}

}  // namespace

void World::build_faults(const WorldSpec& spec) {
  require(spec.faults.size() < (1U << 20), "faults", "has too many entries");
  for (std::uint32_t pool = 0; pool < host_names_.size(); ++pool) {
    faults_.down_hosts.emplace_back(hosts_.facts(pool).count, std::uint16_t{0});
    faults_.noticed_hosts.push_back(faults_.down_hosts.back());
  }
  for (std::uint32_t index = 0; index < spec.faults.size(); ++index) {
    const FaultSpec& from = spec.faults[index];
    check_fault(from, at("faults", index, ""));
    const std::string name = "faults/" + std::to_string(index);
    const auto key = [&](const char* purpose) {
      return stream_key(seed_, replication_, name + purpose);
    };
    try {
      faults_.all.push_back({from,
                             Sampler(from.every, key("/every")),
                             Sampler(from.lasts, key("/for")),
                             Sampler(from.pause, key("/pause")),
                             WordStream(key("/which")),
                             {},
                             0});
    } catch (const SpecError& error) {
      throw SpecError(at("faults", index, "every"), error.what());
    }
    if (from.kind == FaultKind::slow) add_slow_kinds(from.factor);
    if (from.node != FaultSpec::any && from.node >= faults_.unanswered_at.size())
      faults_.unanswered_at.resize(from.node + std::size_t{1});
    const std::int64_t first = from.random ? gap_before(faults_.all[index]) : from.at_ns;
    expect_fault(index, std::max<std::int64_t>(first - from.notice_ns, 0));
  }
}

void World::add_slow_kinds(double factor) {
  for (const Fleet& fleet : fleets_) {
    for (const Make& make : fleet.makes) add_slow_kind(make.kind, factor);
  }
}

void World::add_slow_kind(std::uint32_t of, double factor) {
  for (const SlowKind& known : faults_.slow_kinds) {
    if (known.of == of && known.factor == factor) return;
  }
  const std::uint32_t kind = instances_.add_slow_kind(of, factor);
  require(kind <= 0xFFFF, "faults", "slow too many fleets by too many factors");
  faults_.slow_kinds.push_back({of, kind, factor});
}

void World::check_fault(const FaultSpec& fault, const std::string& path) const {
  require(static_cast<unsigned>(fault.kind) <= 5, path + "kind", "is not known");
  check_maintenance(fault, path);
  require(fault.factor >= 1.0 && fault.factor <= 1000.0, path + "factor", "must be from 1 to 1000");
  require(fault.at_ns >= 0 && fault.at_ns <= duration_max, path + "at", "must not be below 0");
  require(fault.count >= 1, path + "count", "must be 1 or more");
  const bool of_a_node = std::any_of(
      balancers_.begin(), balancers_.end(),
      [&](const Balancer& balancer) { return balancer.nodes > 1 && fault.node < balancer.nodes; });
  const bool loses = fault.kind == FaultKind::lose_health_checks;
  require(fault.node == FaultSpec::any || (loses && of_a_node), path + "node", "is not there");
  require(fault.code == 0 || (loses && fault.code >= 100 && fault.code <= 599), path + "code",
          "must be from 100 to 599, of checks");
  require(fault.kind != FaultKind::kill || !fault.ends, path + "for",
          "has no meaning: what is killed stays dead");
  const bool any = fault.unit == FaultSpec::any;
  switch (fault.scope) {
    case FaultScope::fleet:
      return require(fault.index < fleets_.size(), path + "fleet", "is not there");
    case FaultScope::host:
      require(fault.index < host_names_.size(), path + "host", "is not there");
      return require(any || fault.unit < hosts_.facts(fault.index).count, path + "index",
                     "is not there");
    case FaultScope::rack:
      require(fault.index < host_names_.size(), path + "rack", "is not there");
      return require(any || fault.unit < racks_in(hosts_.facts(fault.index)), path + "index",
                     "is not there");
    case FaultScope::zone:
      return;
  }
  throw SpecError(path + "scope", "is not known");
}

void World::expect_fault(std::uint32_t index, std::int64_t time) {
  if (time < duration_) controls_.push(time, payload(ControlKind::fault, index));
}

void World::strike(std::uint32_t index) {
  Fault& fault = faults_.all[index];
  const bool maintains = fault.spec.kind == FaultKind::maintain;
  if (maintains && fault.noticed == 0) return announce(index);
  const std::uint32_t number = maintains ? fault.noticed - 1 : faults_.strikes++;
  const std::uint64_t serial = fault.counts.strikes++;
  const std::vector<Struck> struck = maintains ? take_announced(index) : victims(index, number);
  fault.counts.missed += struck.empty() ? 1 : 0;
  if (fault.spec.ends || fault.spec.kind == FaultKind::slow || fault.spec.code != 0) {
    faults_.struck.insert(faults_.struck.end(), struck.begin(), struck.end());
  }
  for (const Struck& it : struck) hit(it);
  if (fault.spec.ends) {
    const std::int64_t lasts = duration_ns(fault.lasts.at(serial, 0));
    const std::int64_t over = later(now_, std::max<std::int64_t>(lasts, 1));
    if (over < duration_) controls_.push(over, payload(ControlKind::mend, number));
  }
  if (!fault.spec.random) return;
  const std::int64_t gap = gap_before(fault) - fault.spec.notice_ns;
  expect_fault(index, later(now_, std::max(gap, shortest_gap_ns)));
}

// What a strike takes: hosts as a whole, unless it only concerns what is on them.
std::vector<Struck> World::victims(std::uint32_t index, std::uint32_t strike) {
  Fault& fault = faults_.all[index];
  const FaultSpec& spec = fault.spec;
  std::vector<Struck> struck;
  if (spec.scope == FaultScope::fleet) {
    for (const std::uint32_t it : choose(fault, fleets_[spec.index].members)) {
      struck.push_back({strike, index, Struck::instance, it});
    }
    return struck;
  }
  std::uint32_t unit = spec.unit;
  if (unit == FaultSpec::any && spec.scope != FaultScope::zone) {
    const HostPoolFacts& facts = hosts_.facts(spec.index);
    unit = fault.which.below(spec.scope == FaultScope::host ? facts.count : racks_in(facts));
  }
  for (std::uint32_t pool = 0; pool < host_names_.size(); ++pool) {
    const HostPoolFacts& facts = hosts_.facts(pool);
    for (std::uint32_t host = 0; host < facts.count; ++host) {
      if (is_within(spec, unit, facts, pool, host)) struck.push_back({strike, index, pool, host});
    }
  }
  const bool each = spec.kind == FaultKind::lose_health_checks || spec.kind == FaultKind::hang;
  return each ? each_instance(struck) : struck;
}

std::vector<Struck> World::each_instance(const std::vector<Struck>& hosts) const {
  std::vector<Struck> each;
  for (const Struck& host : hosts) {
    for (const std::uint32_t instance : instances_of(host)) {
      each.push_back({host.strike, host.fault, Struck::instance, instance});
    }
  }
  return each;
}

void World::hit(const Struck& struck) {
  Fault& fault = faults_.all[struck.fault];
  const bool host = struck.pool != Struck::instance;
  const bool stays_open = !host || fault.spec.kind == FaultKind::slow;
  if (!stays_open) {
    ++faults_.down_hosts[struck.pool][struck.index];
    open_if_well(struck);
  }
  for (const std::uint32_t instance : instances_of(struck)) {
    ++fault.counts.instances;
    switch (fault.spec.kind) {
      case FaultKind::kill:
        kill(instance);
        break;
      case FaultKind::fail:
        if (!host) ++count_of(faults_.down, instance);
        follow_faults(instance);
        break;
      case FaultKind::maintain:
        follow_faults(instance);
        break;
      case FaultKind::lose_health_checks:
        if (fault.spec.code == 0) ++count_of(lost_checks(fault.spec), instance);
        break;
      case FaultKind::slow:
        follow_slowness(instance);
        break;
      case FaultKind::hang:
        hang(instance);
        break;
    }
  }
}

// The strikes by which checks are lost, by instance.
std::vector<std::uint16_t>& World::lost_checks(const FaultSpec& fault) {
  return fault.node == FaultSpec::any ? faults_.unanswered : faults_.unanswered_at[fault.node];
}

// A strike is over.
void World::mend(std::uint32_t number) {
  std::vector<Struck> over;
  std::vector<Struck> others;
  for (const Struck& it : faults_.struck) (it.strike == number ? over : others).push_back(it);
  faults_.struck = std::move(others);
  for (const Struck& it : over) heal(it);
}

void World::heal(const Struck& struck) {
  const FaultKind kind = faults_.all[struck.fault].spec.kind;
  if (kind == FaultKind::slow) {
    for (const std::uint32_t instance : instances_of(struck)) follow_slowness(instance);
    return;
  }
  if (kind == FaultKind::hang) return go_on_from_hanging(struck.index);
  if (struck.pool != Struck::instance) {
    --faults_.down_hosts[struck.pool][struck.index];
    open_if_well(struck);
  } else if (kind == FaultKind::lose_health_checks) {
    const FaultSpec& spec = faults_.all[struck.fault].spec;
    if (spec.code == 0) --lost_checks(spec)[struck.index];
  } else {
    --faults_.down[struck.index];
  }
  for (const std::uint32_t instance : instances_of(struck)) follow_faults(instance);
}

// The instances that are there, in the order of launch.
std::vector<std::uint32_t> WorldView::instances_of(const Struck& struck) const {
  if (struck.pool == Struck::instance) return {struck.index};
  std::vector<std::uint32_t> found;
  for (std::uint32_t instance = 0; instance < instances_.size(); ++instance) {
    if (phase_[instance] != Phase::gone && holds(struck, instance)) found.push_back(instance);
  }
  return found;
}

// Whether a strike holds it, or its host.
bool WorldView::is_struck(std::uint32_t instance) const {
  if (instance < faults_.down.size() && faults_.down[instance] != 0) return true;
  const std::uint32_t pool = hosts_.pool_of(instance);
  return pool < faults_.down_hosts.size() &&
         faults_.down_hosts[pool][hosts_.host_of(instance)] != 0;
}

// What a serving instance is, down or up, is what strikes make of it. One that leaves or closes and
// is struck loses what it holds.
void World::follow_faults(std::uint32_t instance) {
  const bool struck = is_struck(instance);
  const Phase phase = phase_[instance];
  if (struck && phase == Phase::serving) return fall(instance);
  if (!struck && phase == Phase::down) {
    rise(instance);
    Messaging(*this).begin_polls(instance);
    return;
  }
  if (!struck || !drains(phase)) return;
  fail_work(instance);
  end_if_drained(instance);
}

// Whether it is the instance that is struck, or on the host.
bool WorldView::holds(const Struck& struck, std::uint32_t instance) const {
  if (struck.pool == Struck::instance) return struck.index == instance;
  return hosts_.pool_of(instance) == struck.pool && hosts_.host_of(instance) == struck.index;
}

// Of the strikes that slow it, the worst counts.
double WorldView::slowness(std::uint32_t instance) const {
  double factor = 1.0;
  for (const Struck& it : faults_.struck) {
    const FaultSpec& spec = faults_.all[it.fault].spec;
    if (spec.kind != FaultKind::slow) continue;
    if (holds(it, instance)) factor = std::max(factor, spec.factor);
  }
  return factor;
}

// What computes there is done at another time when its pace has changed.
void World::follow_slowness(std::uint32_t instance) {
  if (phase_[instance] == Phase::gone || phase_[instance] == Phase::down) return;
  const double factor = slowness(instance);
  const std::uint32_t fleet = fleet_of_[instance];
  const std::uint32_t usual = make_of(instance).kind;
  std::uint32_t kind = usual;
  for (const SlowKind& slow : faults_.slow_kinds) {
    if (slow.of == usual && slow.factor == factor) kind = slow.kind;
  }
  if (&instances_.kind_of(instance) == &instances_.kind(kind)) return;
  if (fleets_[fleet].unwatched) watch(fleet);
  forget_completion(instance);
  instances_.set_pace(instance, kind, now_);
  if (instances_.is_shared(instance)) return retime(instance);
  const std::int64_t due = instances_.completion(instance);
  if (due != Instances::never) calendar_.push(due, payload(EventKind::completion, instance));
}

void World::fall(std::uint32_t instance) {
  Fleet& fleet = fleets_[fleet_of_[instance]];
  if (fleet.unwatched) watch(fleet_of_[instance]);
  Messaging(*this).crash(instance);
  phase_[instance] = Phase::down;
  fleet.membership.note_fall(index_in_fleet_[instance], now_);
  break_checks(instance);
  ++fleet.failures.falls;
  fleet.failures.down_ns -= static_cast<std::uint64_t>(now_);
  if (instances_.workers_busy(instance) == 0) {
    instances_.take_down(instance);
    note_load(instance);
  } else {
    fail_work(instance);
  }
}

void World::rise(std::uint32_t instance) {
  Fleet& fleet = fleets_[fleet_of_[instance]];
  phase_[instance] = Phase::serving;
  fleet.failures.down_ns += static_cast<std::uint64_t>(now_);
  instances_.bring_up(instance, make_of(instance).kind, now_);
  note_load(instance);
  follow_slowness(instance);
}

void World::kill(std::uint32_t instance) {
  if (phase_[instance] == Phase::gone) return;
  lives_.advance(now_);
  lives_.terminate_at_once(machine_of(instance));
  follow_lives();
}

// Who serves is down if and only if a strike holds it.
void WorldView::check_faults() const {
  if (faults_.all.empty()) return;
  for (const Fleet& fleet : fleets_) {
    for (const std::uint32_t instance : fleet.members) {
      if (is_struck(instance) == (phase_[instance] == Phase::down)) continue;
      throw InvariantError("instance " + std::to_string(instance) +
                           " is not down, or up, as strikes have it" + where());
    }
  }
}

}  // namespace nephoscope
