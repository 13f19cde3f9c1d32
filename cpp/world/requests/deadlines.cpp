// Clients that stop waiting, and balancers that do.
//
// A balancer's idle timeout and the patience of its client begin at the same instant, so the longer
// one does not matter. But for clients who leave only while their request waits for a worker: when
// their time is over, requests that have one go over to a second list.

#include "world/requests/requests.hpp"

namespace nephoscope {

// All requests of a caller wait equally long, so their deadlines are a list in the order of
// sending, and one entry in the calendar serves it. A request answered at the very instant of its
// deadline is in time: the entry is the last of its instant.
void World::expect_deadline(std::uint32_t visit, Caller& caller) {
  Visit& it = visits_[visit];
  it.flags |= Visit::listed;
  it.older = caller.newest;
  (caller.newest == none ? caller.oldest : visits_[caller.newest].newer) = visit;
  caller.newest = visit;
  if (caller.timer_set != 0) return;
  caller.timer_set = 1;
  const std::uint32_t at = routes_[it.route].caller;
  calendar_.push_last(now_ + caller.timeout_ns, payload(EventKind::deadline, at));
}

void World::unlink(std::uint32_t visit) {
  Visit& it = visits_[visit];
  Caller& caller = caller_of(it);
  std::uint32_t& oldest = caller.oldest == visit ? caller.oldest : caller.oldest_late;
  std::uint32_t& newest = caller.newest == visit ? caller.newest : caller.newest_late;
  (it.older == none ? oldest : visits_[it.older].newer) = it.newer;
  (it.newer == none ? newest : visits_[it.newer].older) = it.older;
  it.flags &= static_cast<std::uint8_t>(~Visit::listed);
}

void World::expire(std::uint32_t at) {
  while (callers_[at].oldest != none) {
    const std::uint32_t visit = callers_[at].oldest;
    const std::int64_t deadline = visits_[visit].arrival + callers_[at].timeout_ns;
    if (deadline > now_) {
      calendar_.push_last(deadline, payload(EventKind::deadline, at));
      return;
    }
    unlink(visit);
    if (callers_[at].out_of_time != 0) {
      give_no_more_time(visit);
      continue;
    }
    const bool waits = (visits_[visit].flags & Visit::waiting) != 0;
    if (callers_[at].abandons == 0 || waits) {
      leave(visit);
    } else if (callers_[at].to_balancer != 0 && balancers_[callers_[at].to].idle_ns != 0) {
      expect_late(visit, callers_[at]);
    }
  }
  callers_[at].timer_set = 0;
}

void World::expect_late(std::uint32_t visit, Caller& caller) {
  Visit& it = visits_[visit];
  it.flags |= Visit::listed;
  it.newer = none;
  it.older = caller.newest_late;
  (caller.newest_late == none ? caller.oldest_late : visits_[caller.newest_late].newer) = visit;
  caller.newest_late = visit;
  if (caller.late_timer_set != 0) return;
  caller.late_timer_set = 1;
  const auto at = static_cast<std::uint32_t>(callers_.size()) + routes_[it.route].caller;
  calendar_.push_last(it.arrival + balancers_[caller.to].idle_ns, payload(EventKind::deadline, at));
}

void World::expire_late(std::uint32_t of) {
  const std::uint32_t at = of - static_cast<std::uint32_t>(callers_.size());
  while (callers_[at].oldest_late != none) {
    const std::uint32_t visit = callers_[at].oldest_late;
    const std::int64_t deadline = visits_[visit].arrival + balancers_[callers_[at].to].idle_ns;
    if (deadline > now_) {
      calendar_.push_last(deadline, payload(EventKind::deadline, of));
      return;
    }
    unlink(visit);
    give_no_more_time(visit);
  }
  callers_[at].late_timer_set = 0;
}

// The balancer answers in the place of the target, 504. The work goes on.
void World::give_no_more_time(std::uint32_t visit) {
  const Sent& it = visits_[visit];
  balancers_[caller_of(it).to].out_of_time += it.arrival >= warmup_ ? 1U : 0U;
  leave(visit, Outcome::failed);
}

// The client of a visit goes. Its work goes on unless it only waited and the caller takes it back.
void World::leave(std::uint32_t visit, Outcome outcome) {
  const std::uint8_t flags = visits_[visit].flags;
  part(visit, outcome == Outcome::timed_out && caller_of(visits_[visit]).abandons != 0, outcome);
  if ((flags & Visit::awaited) == 0) return;
  if ((flags & Visit::tried) != 0) {
    end_attempt(visit, outcome);
  } else {
    answer_waiting(visit, outcome);
  }
  run_ready();
}

// The same, and nobody is told. What the visit was stays to be read until another is made.
void World::part(std::uint32_t visit, bool takes_back, Outcome outcome) {
  Visit& it = visits_[visit];
  if (traces_.active()) Tracing(*this).end(visit, outcome);
  if (it.instance == none) return leave_queue(visit, outcome);
  const bool waits = (it.flags & Visit::waiting) != 0;
  account<AnyShape>(it, it.instance, outcome, now_);
  if ((it.flags & Visit::listed) != 0) unlink(visit);
  it.flags =
      static_cast<std::uint8_t>(Visit::left | (it.flags & (Visit::holding | Visit::failing)));
  if (!takes_back || !waits) return;
  instances_.remove_waiting(it.instance, job_of_visit(visit, 0).id);
  note_load(it.instance);
  visits_.release(visit);
}

// A worker has come to a visit whose deadline passed while it waited: it goes to the next one.
// Returns the visit that must be run now, or none.
std::uint32_t World::drop_late(std::uint32_t instance, std::uint32_t visit) {
  for (;;) {
    visits_.release(visit);
    const Job* next = instances_.release_worker(instance);
    note_load(instance);
    if (next == nullptr) {
      if (leaving_ != 0) end_if_drained(instance);
      return none;
    }
    const Job job = *next;
    if (!is_visit(job)) {
      begin(instance, job);
      return none;
    }
    visit = visit_of(job);
    Visit& it = visits_[visit];
    it.flags &= static_cast<std::uint8_t>(~Visit::waiting);
    if ((it.flags & Visit::failing) != 0) continue;
    if (job.work == Job::undecided) return visit;
    if (traces_.active()) Tracing(*this).compute(visit, job.work);
    begin(instance, job);
    return none;
  }
}

}  // namespace nephoscope
