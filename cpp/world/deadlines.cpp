// Clients that stop waiting.

#include "world/requests.hpp"

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
  (it.older == none ? caller.oldest : visits_[it.older].newer) = it.newer;
  (it.newer == none ? caller.newest : visits_[it.newer].older) = it.older;
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
    const bool waits = (visits_[visit].flags & Visit::waiting) != 0;
    if (callers_[at].abandons == 0 || waits) leave(visit);
  }
  callers_[at].timer_set = 0;
}

// The client of a visit goes. Its work goes on unless it only waited and the caller takes it back.
void World::leave(std::uint32_t visit) {
  const std::uint8_t flags = visits_[visit].flags;
  part(visit, caller_of(visits_[visit]).abandons != 0);
  if ((flags & Visit::awaited) == 0) return;
  if ((flags & Visit::tried) != 0) {
    end_attempt(visit, Outcome::timed_out);
  } else {
    answer_waiting(visit, Outcome::timed_out);
  }
  run_ready();
}

// The same, and nobody is told. What the visit was stays to be read until another is made.
void World::part(std::uint32_t visit, bool takes_back) {
  Visit& it = visits_[visit];
  const bool waits = (it.flags & Visit::waiting) != 0;
  account<AnyShape>(it, it.instance, Outcome::timed_out, now_);
  if ((it.flags & Visit::listed) != 0) unlink(visit);
  it.flags =
      static_cast<std::uint8_t>(Visit::left | (it.flags & (Visit::holding | Visit::failing)));
  if (!takes_back || !waits) return;
  instances_.remove_waiting(it.instance, job_of_visit(visit, 0).id);
  visits_.release(visit);
}

// A worker has come to a visit whose deadline passed while it waited: it goes to the next one.
// Returns the visit that must be run now, or none.
std::uint32_t World::drop_late(std::uint32_t instance, std::uint32_t visit) {
  for (;;) {
    visits_.release(visit);
    const Job* next = instances_.release_worker(instance);
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
    begin(instance, job);
    return none;
  }
}

}  // namespace nephoscope
