// Clients that stop waiting.

#include "world/requests.hpp"

namespace nephoscope {

// All requests of a caller wait equally long, so their deadlines are a list in the order of
// sending, and one entry in the calendar serves it. A request answered at the very instant of its
// deadline is in time: the entry is the last of its instant.
void World::expect_deadline(std::uint32_t visit, Caller& caller) {
  VisitDetail& detail = details_[visit];
  visits_[visit].flags |= Visit::listed;
  detail.older = caller.newest;
  detail.newer = none;
  (caller.newest == none ? caller.oldest : details_[caller.newest].newer) = visit;
  caller.newest = visit;
  if (caller.timer_set != 0) return;
  caller.timer_set = 1;
  const std::uint32_t at = routes_[visits_[visit].route].caller;
  calendar_.push_last(now_ + caller.timeout_ns, payload(EventKind::deadline, at));
}

void World::unlink(std::uint32_t visit) {
  const VisitDetail& detail = details_[visit];
  Caller& caller = caller_of(visits_[visit]);
  (detail.older == none ? caller.oldest : details_[detail.older].newer) = detail.newer;
  (detail.newer == none ? caller.newest : details_[detail.newer].older) = detail.older;
  visits_[visit].flags &= static_cast<std::uint8_t>(~Visit::listed);
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
  Visit& it = visits_[visit];
  account(it, Outcome::timed_out);
  const bool awaited = (it.flags & Visit::awaited) != 0;
  it.flags = Visit::left;
  if (caller_of(it).abandons != 0) {
    instances_.remove_waiting(it.instance, visit);
    visits_.release(visit);
  }
  if (!awaited) return;
  answer_waiting(visit, Outcome::timed_out);
  if (details_[visit].parent == none) return;
  ready_.pop_back();
  run(details_[visit].parent);
}

}  // namespace nephoscope
