// Requests that wait at their balancer for a target that has room.
//
// A visit in a surge queue is at no instance and has no target, and its `memory` is its ticket. A
// balancer with such a queue sends nothing to a target that is full, that is, would refuse it; when
// there is a target that is not, what waits goes there, as an event of its own at the same instant.
// Who comes while others wait goes behind them.

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

// Whether it would refuse a request for want of room. One that is down refuses for another reason.
bool WorldView::is_full(std::uint32_t instance) const {
  return phase_[instance] == Phase::serving && instances_.is_full(instance);
}

// What an instance holds has changed, or whether it is up.
void World::note_load(std::uint32_t instance) {
  if (!surging_) return;
  if (full_.size() < instances_.size()) full_.resize(instances_.size());
  const bool full = is_full(instance);
  if (full == (full_[instance] != 0)) return;
  full_[instance] = full ? 1 : 0;
  for (const Attachment& attachment : fleets_[fleet_of_[instance]].attachments) {
    Balancer& balancer = balancers_[attachment.balancer];
    if (!balancer.surge.active()) continue;
    const std::uint32_t slot = attachment.slots[index_in_fleet_[instance]];
    if (balancer.slots[slot].instance != instance) continue;
    balancer.set_full(slot, full);
    expect_flow(attachment.balancer);
  }
}

// Who waits can go on, or what is under way at a target that is ill is to be reset.
void World::expect_flow(std::uint32_t at) {
  Balancer& balancer = balancers_[at];
  const bool waits = !balancer.surge.empty() && balancer.router.size() != 0;
  if ((!waits && balancer.ill.empty()) || balancer.flows != 0) return;
  balancer.flows = 1;
  calendar_.push(now_, payload(EventKind::surge, at));
}

// Visits under way at targets that are reset, by their numbers.
std::vector<std::uint32_t> WorldView::flows_to_ill(std::uint32_t at) const {
  const Balancer& balancer = balancers_[at];
  std::vector<std::uint32_t> found;
  if (balancer.ill.empty()) return found;
  visits_.for_each([&](const Visit& it) {
    if ((it.flags & Visit::left) != 0 || it.target == none) return;
    if (it.traffic == Visit::health_check) return;
    const Caller& caller = callers_[routes_[it.route].caller];
    if (caller.to_balancer == 0 || caller.to != at) return;
    const bool is_ill =
        std::find(balancer.ill.begin(), balancer.ill.end(), it.target) != balancer.ill.end();
    if (is_ill) found.push_back(static_cast<std::uint32_t>(&it - &visits_[0]));
  });
  return found;
}

void World::flow(std::uint32_t at) {
  Balancer& balancer = balancers_[at];
  balancer.flows = 0;
  const std::vector<std::uint32_t> cut = flows_to_ill(at);
  balancer.ill.clear();
  for (const std::uint32_t visit : cut) {
    const Visit& it = visits_[visit];
    const bool still = (it.flags & Visit::left) == 0 && it.target != none && it.arrival < now_ &&
                       caller_of(it).to_balancer != 0 && caller_of(it).to == at;
    if (!still || !balancer.resets(it.target)) continue;
    balancer.reset += it.arrival >= warmup_ ? 1U : 0U;
    leave(visit, Outcome::failed);
  }
  while (!balancer.surge.empty() && balancer.router.size() != 0) {
    const std::uint32_t visit = balancer.surge.pop();
    const Visit& it = visits_[visit];
    const std::uint32_t said = topics_.say_something() ? topics_.said[visit] : 0U;
    place(visit, balancer, balancer.router.route(Asked{it.client, now_, it.traffic, said}));
  }
  run_ready();
}

// Sends a request that has waited to its target.
void World::place(std::uint32_t visit, Balancer& balancer, std::uint32_t target) {
  Visit& it = visits_[visit];
  Caller& caller = caller_of(it);
  caller.queued -= it.arrival >= warmup_ ? 1U : 0U;
  it.memory = 0;
  it.flags &= static_cast<std::uint8_t>(~Visit::waiting);
  it.target = target;
  if (balancer.split.active()) balancer.send_parts(target, it.arrival);
  it.instance = balancer.slots[it.target].instance;
  it.route += balancer.slots[it.target].of_class;
  const Route& route = routes_[it.route];
  it.place = route.entry;
  const std::int64_t work =
      route.first_sampler != none
          ? duration_ns(samplers_[route.first_sampler].next_in_order(it.serial))
          : Job::undecided;
  const std::uint32_t held = offer_visit(visit, work);
  if (held != none) ready_.push_back(held);
}

// There is no target for a request: it waits, unless there is no queue or that is full; or there is
// no capacity for it, or its balancer keeps it.
void World::queue_up(std::uint32_t at, Sent sent, const Request& request) {
  Balancer& balancer = balancers_[at];
  const bool turned_away = sent.target == Balancer::turned_away;
  const bool kept = sent.target == Balancer::kept;
  sent.target = none;
  if (kept) return keep(at, sent, request);
  if (turned_away) {
    balancer.over_capacity += sent.arrival >= warmup_ ? 1 : 0;
    return refuse(sent, request);
  }
  if (!balancer.surge.active()) return refuse(sent, request);
  const std::uint32_t measured = sent.arrival >= warmup_ ? 1 : 0;
  if (balancer.surge.full()) {
    balancer.spilled += measured;
    return refuse(sent, request);
  }
  const std::uint32_t visit = take_visit(sent, request);
  visits_[visit].instance = none;
  visits_[visit].flags |= Visit::waiting;
  visits_[visit].memory = balancer.surge.push(
      visit, [this](std::uint32_t moved, std::int64_t to) { visits_[moved].memory = to; });
  if (traces_.active()) {
    Tracing(*this).begin(visit);
    Tracing(*this).enter(visit, Span::balancer);
  }
  Caller& caller = caller_of(sent);
  caller.queued += measured;
  if (caller.timeout_ns != 0) expect_deadline(visit, caller);
}

// Whoever waits for one in the queue waits no longer: it is as if it had never been there.
void World::leave_queue(std::uint32_t visit, Outcome outcome) {
  Visit& it = visits_[visit];
  Caller& caller = caller_of(it);
  if (is_kept(visit)) {
    calendar_.cancel(kept_[visit].timer);
    kept_[visit] = {};
  } else {
    balancers_[caller.to].surge.drop(it.memory);
  }
  ++caller.ended[static_cast<std::size_t>(outcome)];
  if (it.arrival >= warmup_) {
    --caller.queued;
    ++caller.gave_up_queued[static_cast<std::size_t>(outcome)];
  }
  if ((it.flags & Visit::listed) != 0) unlink(visit);
  visits_.release(visit);
}

// Nobody waits where there is room but for the next event; full is who would refuse.
void WorldView::check_surges() const {
  if (!surging_) return;
  std::vector<std::uint32_t> waiting(balancers_.size());
  visits_.for_each([&](const Visit& it) {
    const auto visit = static_cast<std::uint32_t>(&it - &visits_[0]);
    const bool queued = it.instance == none && (it.flags & Visit::left) == 0 && !is_kept(visit);
    if (queued) ++waiting[caller_of(it).to];
  });
  bool agree = true;
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    const Balancer& balancer = balancers_[at];
    agree = agree && waiting[at] == balancer.surge.waiting();
    agree = agree && (waiting[at] == 0 || balancer.router.size() == 0 || balancer.flows != 0);
    for (std::uint32_t slot = 0; slot < balancer.full.size(); ++slot) {
      if (!balancer.router.present(slot)) continue;
      agree = agree && (balancer.full[slot] != 0) == is_full(balancer.slots[slot].instance);
    }
  }
  if (!agree) throw InvariantError("a surge queue is not what waits for room" + where());
}

}  // namespace nephoscope
