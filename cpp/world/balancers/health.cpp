// Health checks: a balancer asks its targets, as anybody would, and sends to those that answer.
//
// A check is a request of a caller that only the balancer knows; it waits for a worker like any
// other and counts for nobody. Where it can be told beforehand when it will be answered, and it has
// nothing to compute, it need not be sent. An instance that is down refuses it at once; one whose
// checks are lost lets it time out.

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

void World::build_health(const BalancerSpec& from, std::size_t index) {
  Balancer& balancer = balancers_[index];
  require(from.drain_ns >= 0 && from.drain_ns <= duration_max,
          at("load_balancers", index, "deregistration_delay"), "must be from 0 to 73 years");
  balancer.drain_ns = from.drain_ns;
  if (from.health.interval_ns == 0) return;
  const std::string name = "load_balancers/" + from.name + "/health_checks";
  try {
    const StreamKey phases = stream_key(seed_, replication_, name);
    balancer.health = Health(from.health, phases, balancer.cells());
  } catch (const SpecError& error) {
    throw SpecError(at("load_balancers", index, "health_check.") + error.path, error.what());
  }
}

void World::add_checker(std::uint32_t index) {
  Balancer& balancer = balancers_[index];
  if (!balancer.health.active()) return;
  balancer.checker = static_cast<std::uint32_t>(callers_.size());
  Caller& caller = callers_.emplace_back();
  caller.to = index;
  caller.checks = 1;
  caller.timeout_ns = balancer.health.spec().timeout_ns;
  caller.first_route = static_cast<std::uint32_t>(routes_.size());
  caller.routes = static_cast<std::uint32_t>(balancer.fleets.size());
  for (const std::uint32_t fleet : balancer.fleets) {
    add_route(balancer.checker, fleet);
    routes_.back().entry = Programs::end;
    routes_.back().check = true;
    routes_.back().guarded = false;  // see check_target()
  }
}

std::int64_t WorldView::next_check() const {
  std::int64_t next = Health::never;
  for (const Balancer& balancer : balancers_) next = std::min(next, balancer.next_event());
  return next;
}

// One thing that is due now at a balancer: a look at what has been answered or sent, a check, or an
// answer that was known beforehand.
void World::look_after_health() {
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    if (balancers_[at].next_event() != now_) continue;
    if (balancers_[at].anomalies.next_event() == now_) return balancers_[at].look_for_anomalies();
    if (balancers_[at].capacity.next_event() == now_) return balancers_[at].capacity.follow();
    const std::uint32_t slot = balancers_[at].health.take_due(now_);
    if (slot != Health::none) check_target(at, slot);
    return follow_health(at);
  }
}

// Whether a check without work that waits at an instance need not be there: nobody notices it, and
// when its turn comes is known.
bool WorldView::may_be_foretold(const Fleet& fleet) const {
  const bool alone = std::all_of(fleet.makes.begin(), fleet.makes.end(), [this](const Make& make) {
    const InstanceKind& kind = instances_.kind(make.kind);
    return kind.workers == 1 && kind.backlog == InstanceKind::unlimited;
  });
  return fleet.plain && alone && !faults_.slow;
}

// Whether some check of a balancer may have to be sent.
bool WorldView::sends_checks(std::uint32_t at) const {
  const Balancer& balancer = balancers_[at];
  if (!balancer.health.active()) return false;
  if (balancer.health.spec().work_ns != 0) return true;
  return std::any_of(balancer.fleets.begin(), balancer.fleets.end(), [this](std::uint32_t of) {
    const Fleet& fleet = fleets_[of];
    const InstanceKind& kind = instances_.kind(fleet.makes.front().kind);  // as of all of them
    const bool never_waits = kind.workers == InstanceKind::unlimited;
    return !never_waits && !may_be_foretold(fleet);
  });
}

// What an instance answers checks of a node with: 200, but for faults; of several the last counts.
std::uint32_t WorldView::code_of_checks(std::uint32_t instance, std::uint32_t node) const {
  std::uint32_t code = 200;
  for (const Struck& it : faults_.struck) {
    const FaultSpec& spec = faults_.all[it.fault].spec;
    const bool asked = spec.node == FaultSpec::any || spec.node == node;
    if (spec.code != 0 && asked && holds(it, instance)) code = spec.code;
  }
  return code;
}

void World::check_target(std::uint32_t at, std::uint32_t slot) {
  Balancer& balancer = balancers_[at];
  const Slot& target = balancer.slots[slot];
  const std::int64_t deadline = now_ + balancer.health.spec().timeout_ns;
  const std::uint32_t node = balancer.nodes == 1 ? 0 : target.cell;
  const bool is_down = phase_[target.instance] == Phase::down;
  const bool hangs = (!is_down && faults_.is_hung(target.instance)) ||
                     (is_down && balancer.connect_ns != 0 && is_silent(target.instance));
  if (hangs || faults_.loses_checks(target.instance, node))
    return balancer.health.foretell(slot, Health::never, deadline);
  if (is_down) return balancer.health.answered(slot, false, now_);
  const std::uint32_t code = code_of_checks(target.instance, node);
  const HealthSpec& spec = balancer.health.spec();
  if (code < spec.first_code || code > spec.last_code)
    return balancer.health.answered(slot, false, now_);
  if (!lets_in(target.instance, Sent{}, true)) return balancer.health.answered(slot, false, now_);
  if (balancer.health.spec().work_ns == 0) {
    const Fleet& fleet = fleets_[fleet_of_[target.instance]];
    if (fleet.unwatched) bring_up_to_date<AnyShape>(target.instance, now_);
    const std::int64_t due = instances_.turn_of_next(target.instance, now_, deadline);
    if (due == now_) return balancer.health.answered(slot, true, now_);
    if (due == Instances::refused) return balancer.health.answered(slot, false, now_);
    if (due != Instances::never && may_be_foretold(fleet))
      return balancer.health.foretell(slot, due, deadline);
  }
  send_check(balancer, slot);
}

void World::send_check(const Balancer& balancer, std::uint32_t slot) {
  const Slot& target = balancer.slots[slot];
  Caller& caller = callers_[balancer.checker];
  ++caller.sent;
  Request request;
  request.client = slot;
  request.traffic = Visit::health_check;
  request.flags = Visit::awaited;
  const Sent sent{now_, caller.first_route + target.of_class, none};
  send_visit(sent, target.instance, balancer.health.spec().work_ns, request);
}

// What was foretold of an instance that breaks down comes otherwise.
void World::break_checks(std::uint32_t instance) {
  for (const Attachment& attachment : fleets_[fleet_of_[instance]].attachments) {
    Health& health = balancers_[attachment.balancer].health;
    if (!health.active()) continue;
    const std::uint32_t first = attachment.slots[index_in_fleet_[instance]];
    for (std::uint32_t node = 0; node < balancers_[attachment.balancer].nodes; ++node)
      health.break_down(first + node, now_);
    follow_health(attachment.balancer);
  }
}

void World::check_answered(const Visit& check, bool success) {
  const std::uint32_t balancer = caller_of(check).to;
  balancers_[balancer].health.answered(check.client, success, now_);
  follow_health(balancer);
}

void World::follow_health(std::uint32_t at) {
  balancers_[at].follow_health(now_);
  expect_flow(at);
}

// An instance that leaves has had the time that its balancers give it.
void World::end_drain(std::uint32_t instance) {
  if (phase_[instance] != Phase::leaving) return;
  fail_work(instance);
  end_if_drained(instance);
}

// Whoever is healthy, or has to do, is in the round of its cell or has a share that grows.
void WorldView::check_health() const {
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    const Balancer& balancer = balancers_[at];
    for (const SlowStart& slow_start : balancer.slow_starts) slow_start.check(now_);
    bool agree = balancer.cookies.names_below(balancer.router.slots());
    for (std::uint32_t slot = 0; slot < balancer.slots.size() && !balancer.plain; ++slot) {
      for (std::uint32_t cell = 0; cell < balancer.cells(); ++cell) {
        const bool own = cell == balancer.slots[slot].cell;
        agree = agree && (own || !balancer.router_in(cell).present(slot));
      }
      const Router& of = balancer.router_of(slot);
      agree = agree && (!balancer.is_ramping(slot) || (of.present(slot) && of.suspended(slot)));
    }
    if (balancer.health.active()) balancer.health.check();
    balancer.anomalies.check();
    balancer.capacity.check();
    agree = agree && balancer.next_event() >= now_;
    for (std::uint32_t slot = 0; slot < balancer.slots.size(); ++slot) {
      if (!balancer.anomalies.active()) break;
      const std::uint32_t share = balancer.router_of(slot).share_of(slot);
      agree = agree && share == balancer.anomalies.share(slot);
    }
    for (std::uint32_t slot = 0; slot < balancer.slots.size() && balancer.health.active(); ++slot) {
      const Router& of = balancer.router_of(slot);
      const bool present = of.present(slot);
      agree = agree && present == (balancer.health.state(slot) != TargetHealth::unused);
      if (!present) continue;
      const bool in_round = balancer.health.takes_requests(slot) && !balancer.is_ramping(slot) &&
                            !balancer.is_full(slot);
      agree = agree && in_round != of.suspended(slot);
    }
    if (!agree) {
      throw InvariantError("balancer " + balancer_names_[at] +
                           " does not send to whom its health checks say" + where());
    }
  }
}

}  // namespace nephoscope
