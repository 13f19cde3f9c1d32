// The way of a request through the house, where it is walked most: defined here so that whoever
// starts or ends a request has it in its own loop.
//
// send -> (plain) send_plain: its instance has the job, complete -> finish -> account
//      -> (visit) send_visit: run -> run_program ... -> conclude -> answer -> the caller runs on
// A worker that gets free goes to the next in the backlog: hand_over.

#pragma once

#include "kernel/math.hpp"
#include "world/messages/messaging.hpp"
#include "world/shape.hpp"
#include "world/tracing/tracing.hpp"
#include "world/world.hpp"

namespace nephoscope {

// A caller sends a request for the first time. Returns as send() does.
template <class Shape>
NEPHOSCOPE_HOT std::uint32_t World::send_new(std::uint32_t at, const Request& request) {
  Caller& caller = callers_[at];
  if (!Shape::known && caller.resilience != none) return begin_errand(at, request);
  ++caller.sent;
  return send<Shape>(caller, request);
}

// Whether a request that needs no visit would be answered by its deadline, whatever comes later.
NEPHOSCOPE_HOT bool WorldView::answers_in_time(const Route& route, std::uint32_t instance,
                                               std::int64_t work, std::int64_t deadline) const {
  return route.timed && instances_.done_by(instance, work, now_) <= deadline;
}

// Chooses the instance for a request and offers it there. Returns the visit that has a worker and
// must be run now, or none; or that the world is no longer of the shape, or must go back.
template <class Shape>
NEPHOSCOPE_HOT std::uint32_t World::send(Caller& caller, const Request& request) {
  Sent sent{now_, Shape::known ? 0 : caller.first_route, none};
  if (!Shape::known && caller.sends != 0) [[unlikely]]
    return Messaging(*this).send(routes_[sent.route].caller, request);
  std::uint32_t instance = none;
  if (Shape::balanced || (!Shape::known && caller.to_balancer != 0)) {
    Balancer& balancer = balancers_[Shape::balanced ? 0 : caller.to];
    const Asked asked{request.client, now_, request.traffic, request.said};
    if constexpr (Shape::balanced) {
      sent.target = balancer.router.route_as<Shape::routing>(asked);
    } else if (balancer.plain) {
      sent.target = balancer.router.route(request.client);
    } else {
      sent.target = balancer.choose(asked, balancers_);
    }
    if (sent.target >= Balancer::kept) [[unlikely]] {
      queue_up(caller.to, sent, request);
      return none;
    }
    if (Shape::balanced || balancer.first_instance != none) {
      instance = balancer.first_instance + sent.target;
    } else {
      const Slot& slot = balancer.slots[sent.target];
      instance = slot.instance;
      sent.route += slot.of_class;
    }
    if (many_instances_) instances_.prefetch(instance);
  } else {
    const Fleet& fleet = fleets_[caller.to];
    if (fleet.members.empty()) [[unlikely]] {
      refuse(sent, request);
      return none;
    }
    instance = fleet.members.front();
  }
  const Route& route = routes_[sent.route];
  std::int64_t work = Job::undecided;
  if (Shape::known || route.first_sampler != none) [[likely]] {
    work = duration_ns(samplers_[route.first_sampler].next_in_order(request.serial));
  }
  if (route.unwatched) {
    if (send_unseen<Shape>(caller, sent, instance, work)) [[likely]]
      return none;
    if (!watch_from_here(route.fleet)) return out_of_shape;
  }
  // A client who leaves only after the answer has come might as well wait for ever.
  if (!route.plain && !answers_in_time(route, instance, work, now_ + caller.timeout_ns)) {
    const std::uint32_t visit = send_visit(sent, instance, work, request);
    return Shape::known ? out_of_shape : visit;
  }
  if (!Shape::known && traces_.active() && Tracing(*this).wants_visit(request.traffic, route.fleet))
      [[unlikely]]
    return send_visit(sent, instance, work, request);
  send_plain(instance, plain_job(sent, work));
  return none;
}

// To an instance of an unwatched fleet: what has been done before anybody looks is booked at once.
// Returns false, and nothing has changed, when the request may be answered too late.
template <class Shape>
NEPHOSCOPE_HOT bool World::send_unseen(const Caller& caller, const Sent& sent,
                                       std::uint32_t instance, std::int64_t work) {
  bring_up_to_date<Shape>(instance, now_);
  const bool plain = routes_[Shape::known ? 0 : sent.route].plain;
  const std::int64_t deadline = now_ + caller.timeout_ns;
  const std::int64_t until = plain ? unseen_until_ : std::min(unseen_until_, deadline + 1);
  const std::int64_t done = instances_.do_unseen(instance, work, now_, until);
  if (done == Instances::never) [[unlikely]] {
    if (!plain && !holds_in_time(instance, work, deadline)) return false;
    instances_.hold_unseen(instance, plain_job(sent, work), now_);
    return true;
  }
  if (done >= next_sample_) foretold_.note(done - next_sample_);
  if (traces_.may_follow(sent.arrival)) [[unlikely]]
    Tracing(*this).note_plain(sent, instances_.time_for(instance, work), done);
  account<Shape>(sent, instance, Outcome::completed, done);
  ++events_;
  return true;
}

NEPHOSCOPE_HOT void World::send_plain(std::uint32_t instance, const Job& job) {
  const std::int64_t due = instances_.offer(instance, job, now_);
  if (due == Instances::waiting) return;
  if (due == Instances::refused) [[unlikely]] {
    const Sent sent = sent_of(job);
    return account<AnyShape>(sent, instance, refused_by(sent, instance), now_);
  }
  expect_completion(instance, due);
}

// A job has begun to compute, to be done at `due` or, where jobs share, at a time that changes.
NEPHOSCOPE_HOT void World::expect_completion(std::uint32_t instance, std::int64_t due) {
  if (due != Instances::shared) [[likely]] {
    calendar_.push(due, payload(EventKind::completion, instance));
  } else if (instance != completing_) {
    reschedule(instance);
  }
}

// What an instance with several workers computes has changed.
NEPHOSCOPE_HOT void World::reschedule(std::uint32_t instance) {
  if (hosted_ && hosts_.is_hosted(instance)) follow(instance);
  retime(instance);
}

// Brings the calendar's one entry for an instance in line with its next completion.
NEPHOSCOPE_HOT void World::retime(std::uint32_t instance) {
  const std::int64_t due = instances_.next_completion(instance);
  EventQueue::Handle& entry = completion_of_[instance];
  if (due == Instances::never) [[unlikely]] {
    // The last completion has taken the entry with it, unless all jobs stand still.
    if (entry != EventQueue::none) calendar_.cancel(entry);
    entry = EventQueue::none;
    return;
  }
  if (entry == EventQueue::none) {
    entry = calendar_.push(due, payload(EventKind::first_completion, instance));
  } else if (calendar_.time_of(entry) != due) {
    entry = calendar_.move(entry, due);
  }
}

template <class Shape>
NEPHOSCOPE_HOT void World::complete(std::uint32_t instance) {
  const std::uint32_t visit = finish<Shape>(instance, Job(instances_.complete(instance, now_)));
  if (visit != none) run(visit);
}

// The first of the computing jobs of an instance with several workers is done. Its next completion
// is found when all that follows from this one has been done.
template <class Shape>
NEPHOSCOPE_HOT void World::complete_first(std::uint32_t instance) {
  completion_of_[instance] = EventQueue::none;
  completing_ = instance;
  const std::uint32_t visit = finish<Shape>(instance, instances_.complete_first(instance, now_));
  if (visit != none) run(visit);
  completing_ = none;
  reschedule(instance);
}

// A job has computed. Returns the visit that must be run now, or none.
template <class Shape>
NEPHOSCOPE_HOT std::uint32_t World::finish(std::uint32_t instance, const Job& job) {
  if (!Shape::known && is_visit(job)) return visit_of(job);
  if (traces_.may_follow(sent_of(job).arrival) && !instances_.is_shared(instance)) [[unlikely]]
    Tracing(*this).note_plain(sent_of(job), job.work, now_);
  account<Shape>(sent_of(job), instance, Outcome::completed, now_);
  return hand_over<Shape>(instance);
}

// A worker is free: the job that has waited longest begins. Returns the visit that must be run
// now, or none.
template <class Shape>
NEPHOSCOPE_HOT std::uint32_t World::hand_over(std::uint32_t instance) {
  const Job* next = instances_.release_worker(instance);
  if (!Shape::known && surging_) [[unlikely]]
    note_load(instance);
  if (next == nullptr) {
    if (leaving_ != 0) [[unlikely]]
      end_if_drained(instance);
    return none;
  }
  const Job job = *next;
  if (!Shape::known && is_visit(job)) {
    Visit& it = visits_[visit_of(job)];
    it.flags &= static_cast<std::uint8_t>(~Visit::waiting);
    if ((it.flags & Visit::failing) != 0) [[unlikely]]
      return drop_late(instance, visit_of(job));
    if (job.work == Job::undecided) return visit_of(job);
    if (traces_.active()) [[unlikely]]
      Tracing(*this).compute(visit_of(job), job.work);
  }
  begin(instance, job);
  return none;
}

// A job that has a worker computes.
NEPHOSCOPE_HOT void World::begin(std::uint32_t instance, const Job& job) {
  expect_completion(instance, instances_.begin(instance, job, now_));
}

// Books what an unwatched instance has done before `until`.
template <class Shape>
NEPHOSCOPE_HOT void World::bring_up_to_date(std::uint32_t instance, std::int64_t until) {
  Job job;
  std::int64_t time = 0;
  while (instances_.finish_before(instance, until, job, time)) {
    if (traces_.may_follow(sent_of(job).arrival)) [[unlikely]]
      Tracing(*this).note_plain(sent_of(job), job.work, time);
    account<Shape>(sent_of(job), instance, Outcome::completed, time);
    ++events_;
  }
}

// Books what a request that reached an instance ended with, at its caller, its balancer and its
// route.
template <class Shape>
NEPHOSCOPE_HOT void World::account(const Sent& sent, std::uint32_t instance, Outcome outcome,
                                   std::int64_t now) {
  Route& route = routes_[Shape::known ? 0 : sent.route];
  Caller& caller = callers_[Shape::known ? 0 : route.caller];
  const auto kind = static_cast<std::size_t>(outcome);
  ++caller.ended[kind];
  const std::int64_t latency = now - sent.arrival;
  if constexpr (Shape::balanced) {
    balancers_[0].router.answered_as<Shape::routing>(sent.target, latency);
  } else if (!Shape::known && sent.target != none) {
    Balancer& balancer = balancers_[caller.to];
    Router& router = balancer.plain ? balancer.router : balancer.router_of(sent.target);
    router.answered(sent.target, latency);
    if (!balancer.plain && balancer.split.active()) [[unlikely]]
      balancer.end_parts(sent.target, sent.arrival, latency);
    // Whose client has left has not been answered.
    if (!balancer.plain && balancer.anomalies.active() && outcome != Outcome::timed_out)
      balancer.anomalies.answered(sent.target, outcome != Outcome::completed);
  }
  if (sent.arrival < warmup_) return;
  if (outcome != Outcome::completed) [[unlikely]] {
    ++route.ended[kind];
    if (sent.target != none) ++balancers_[caller.to].unserved[sent.target][kind];
    return;
  }
  route.latency.record(latency);
  if (Shape::balanced || (!Shape::known && !route.by_slot)) {
    instances_.count(instance);
  } else if (!Shape::known && sent.target != none) {
    ++balancers_[caller.to].slots[sent.target].completed;
  }
}

}  // namespace nephoscope
