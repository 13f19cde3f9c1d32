// The way of a request, where it is walked less: programs of several steps, calls, instances with
// several workers, refusals.

#include "world/requests.hpp"

namespace nephoscope {

// What a visit needs to do more than its first step, to be waited for or to time out.
void World::add_detail(std::uint32_t visit, const Request& request) {
  if (visit >= details_.size()) [[unlikely]]
    details_.resize(visits_.size());
  VisitDetail& detail = details_[visit];
  detail.serial = request.serial;
  detail.path = request.path;
  detail.parent = request.parent;
  detail.client = request.client;
  detail.traffic = request.traffic;
  Caller& caller = caller_of(visits_[visit]);
  if (caller.timeout_ns != 0 && visits_[visit].instance != none) expect_deadline(visit, caller);
}

// There is no target.
bool World::refuse(std::uint32_t visit, std::uint32_t route, const Request& request) {
  Visit& it = visits_[visit];
  it = Visit{};
  it.arrival = now_;
  it.route = route;
  it.flags = request.flags;
  add_detail(visit, request);
  answer(visit, Outcome::rejected);
  return false;
}

// The same for an instance with several workers, whose next completion is found when all is done.
void World::complete_first(std::uint32_t instance) {
  completion_of_[instance] = EventQueue::none;
  completing_ = instance;
  run(instances_.complete_first(instance, now_));
  completing_ = none;
  reschedule(instance);
}

// The steps behind the first.
std::uint32_t World::run_program(std::uint32_t visit) {
  for (;;) {
    Visit& it = visits_[visit];
    if ((it.flags & Visit::failing) != 0) return conclude(visit, Outcome::failed);
    if (it.place == Programs::end) return conclude(visit, Outcome::completed);
    const Programs::Step& step = programs_[it.place];
    const VisitDetail& detail = details_[visit];
    it.place = step.next;
    switch (step.kind) {
      case StepKind::compute:
        compute(visit, duration_ns(draw(detail, step)));
        return none;
      case StepKind::sleep:
        calendar_.push(now_ + duration_ns(draw(detail, step)), payload(EventKind::wake, visit));
        return none;
      case StepKind::call:
        call(visit, step.call);
        return none;
      case StepKind::choose:
        it.place = programs_.branch(step, draw(detail, step));
        break;
      case StepKind::fail:
        if (draw(detail, step) < step.probability) it.flags |= Visit::failing;
        break;
    }
  }
}

// Brings the calendar's one entry for an instance with several workers in line with its next
// completion.
void World::reschedule(std::uint32_t instance) {
  const std::int64_t due = instances_.next_completion(instance);
  EventQueue::Handle& entry = completion_of_[instance];
  if (entry != EventQueue::none) {
    if (calendar_.time_of(entry) == due) return;
    calendar_.cancel(entry);
    entry = EventQueue::none;
  }
  if (due != Instances::never) {
    entry = calendar_.push(due, payload(EventKind::first_completion, instance));
  }
}

// The visit keeps its worker and waits for the answer of a visit of its own. That one is not run at
// once: the stack of calls must not become the stack of the machine.
void World::call(std::uint32_t visit, std::uint32_t call) {
  Caller& caller = callers_[traffic_ + call];
  ++caller.sent;
  const VisitDetail& parent = details_[visit];
  Request request;
  request.serial = parent.serial;
  request.client = parent.client;
  request.traffic = parent.traffic;
  request.flags = Visit::awaited;
  request.path = path_of_call(parent.path, call);
  request.parent = visit;
  const std::uint32_t child = visits_.take();
  if (send(child, caller, request)) ready_.push_back(child);
}

// A visit that called runs on, a user thinks.
void World::answer_waiting(std::uint32_t visit, Outcome outcome) {
  const VisitDetail& detail = details_[visit];
  if (detail.parent == none) {
    think_again(sources_[detail.traffic].first_user + detail.client, now_ - visits_[visit].arrival);
    return;
  }
  if (outcome != Outcome::completed) visits_[detail.parent].flags |= Visit::failing;
  ready_.push_back(detail.parent);
}

}  // namespace nephoscope
