// The way of a request through the house, where it is walked most: defined here so that whoever
// starts or ends a request has it in its own loop.
//
// send -> (worker free) run -> run_on ... -> conclude -> answer -> the caller runs on
//      -> (backlog)         ... conclude of another visit hands its worker over
//      -> (refused)         answer: rejected

#pragma once

#include "kernel/math.hpp"
#include "world/world.hpp"

namespace nephoscope {

// Chooses the instance for a request and offers it the visit. True when the visit has a worker and
// can run; else it waits, or it was refused and answered.
NEPHOSCOPE_HOT bool World::send(std::uint32_t visit, Caller& caller, const Request& request) {
  std::uint32_t at_route = caller.first_route;
  std::uint32_t target = none;
  std::uint32_t instance = none;
  if (caller.to_balancer != 0) [[likely]] {
    Balancer& balancer = balancers_[caller.to];
    target = balancer.router.route(request.client);
    if (target == Router::none) [[unlikely]]
      return refuse(visit, at_route, request);
    const Slot& slot = balancer.slots[target];
    instance = slot.instance;
    if (many_instances_) instances_.prefetch(instance);
    at_route += slot.of_class;
  } else {
    const Fleet& fleet = fleets_[caller.to];
    if (fleet.members.empty()) [[unlikely]]
      return refuse(visit, at_route, request);
    instance = fleet.members.front();
  }
  const Route& route = routes_[at_route];
  Visit& it = visits_[visit];
  it.arrival = now_;
  it.work = -1;
  if (route.first_sampler != none) [[likely]] {
    it.work = duration_ns(samplers_[route.first_sampler].next_in_order(request.serial));
  }
  it.instance = instance;
  it.target = target;
  it.route = at_route;
  it.place = route.entry;
  it.flags = request.flags;
  if (route.detailed) [[unlikely]]
    add_detail(visit, request);
  switch (instances_.admit(instance, visit)) {
    case Instances::Admission::started:
      return true;
    case Instances::Admission::waiting:
      it.flags |= Visit::waiting;
      return false;
    case Instances::Admission::refused:
      answer(visit, Outcome::rejected);
      return false;
  }
  return false;
}

// Runs a visit on until it has to wait, and then every other visit that it set free.
NEPHOSCOPE_HOT void World::run(std::uint32_t visit) {
  for (;;) {
    visit = run_on(visit);
    if (visit != none) continue;
    if (ready_.empty()) [[likely]]
      return;
    visit = ready_.back();
    ready_.pop_back();
  }
}

// Runs a visit on until it has to wait or has ended. Returns the visit that got its worker, or
// none.
NEPHOSCOPE_HOT std::uint32_t World::run_on(std::uint32_t visit) {
  Visit& it = visits_[visit];
  if (it.work >= 0) {
    compute(visit, it.work);
    return none;
  }
  if (it.place == Programs::end && (it.flags & Visit::failing) == 0) [[likely]] {
    return conclude(visit, Outcome::completed);
  }
  return run_program(visit);
}

NEPHOSCOPE_HOT void World::compute(std::uint32_t visit, std::int64_t work) {
  Visit& it = visits_[visit];
  it.work = -1;
  const std::uint32_t instance = it.instance;
  const std::int64_t due = instances_.compute(instance, visit, work, now_);
  if (due != Instances::shared) [[likely]] {
    calendar_.push(due, payload(EventKind::completion, instance));
  } else if (instance != completing_) {
    reschedule(instance);
  }
}

// A visit that holds a worker has ended: the worker goes to the next in the backlog, which is
// returned.
NEPHOSCOPE_HOT std::uint32_t World::conclude(std::uint32_t visit, Outcome outcome) {
  const Visit& it = visits_[visit];
  const std::uint32_t next = instances_.release_worker(it.instance);
  if (next != Instances::none) visits_[next].flags &= static_cast<std::uint8_t>(~Visit::waiting);
  if ((it.flags & Visit::left) != 0) [[unlikely]] {
    routes_[it.route].wasted += it.arrival >= warmup_ ? 1U : 0U;
    visits_.release(visit);
  } else {
    answer(visit, outcome);
  }
  return next;
}

// The end of a visit whose caller still waits. The visit is over.
NEPHOSCOPE_HOT void World::answer(std::uint32_t visit, Outcome outcome) {
  const Visit& it = visits_[visit];
  account(it, outcome);
  if ((it.flags & (Visit::listed | Visit::awaited)) != 0) [[unlikely]] {
    if ((it.flags & Visit::listed) != 0) unlink(visit);
    if ((it.flags & Visit::awaited) != 0) answer_waiting(visit, outcome);
  }
  visits_.release(visit);
}

// Books what a visit ended with, at its caller, its balancer and its route.
NEPHOSCOPE_HOT void World::account(const Visit& it, Outcome outcome) {
  Route& route = routes_[it.route];
  Caller& caller = callers_[route.caller];
  const auto kind = static_cast<std::size_t>(outcome);
  ++caller.ended[kind];
  const bool measured = it.arrival >= warmup_;
  const std::int64_t latency = now_ - it.arrival;
  if (outcome == Outcome::completed) [[likely]] {
    if (measured) route.latency.record(latency);
  } else if (it.instance == none) {
    caller.without_target += measured ? 1U : 0U;
  } else {
    route.ended[kind] += measured ? 1U : 0U;
  }
  if (it.target != none) {
    Balancer& balancer = balancers_[caller.to];
    balancer.router.answered(it.target, latency);
    (outcome == Outcome::completed ? balancer.slots[it.target].completed
                                   : balancer.unserved[it.target][kind]) += measured ? 1U : 0U;
  }
}

}  // namespace nephoscope
