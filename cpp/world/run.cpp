// The way of a request through the house.
//
// arrive -> dispatch -> (worker free) run -> step ... -> conclude -> answer -> the caller runs on
//                    -> (backlog)     ... conclude of another visit hands its worker over
//                    -> (refused)     answer: rejected

#include <algorithm>

#include "kernel/math.hpp"
#include "world/world.hpp"

namespace nephoscope {

// ---- Requests come in -------------------------------------------------------------------------------

NEPHOSCOPE_HOT void World::arrive() {
  const std::uint32_t at = next_arrival_.source;
  Source& source = sources_[at];
  Caller& caller = callers_[at];
  schedule_arrival(source.arrivals.next());
  Request request;
  request.serial = caller.sent++;
  request.traffic = static_cast<std::uint16_t>(at);
  request.client = static_cast<std::uint32_t>(request.serial);
  if (source.client_count != 0 && clients_matter_) {
    request.client = static_cast<std::uint32_t>(source.clients.next_in_order(request.serial));
  }
  const std::uint32_t visit = take_visit();
  if (send(visit, caller, request)) run(visit);
}

// When the source whose arrival is being handled sends again.
NEPHOSCOPE_HOT void World::schedule_arrival(std::int64_t time) {
  next_arrival_.time = time;
  next_arrival_.sequence = calendar_.next_sequence();
  if (later_arrivals_.front().time <= time) [[unlikely]] swap_arrival();
}

// Another source may be next: the heap's first and the one just scheduled trade places if so.
void World::swap_arrival() {
  if (comes_before(next_arrival_, later_arrivals_.front())) return;
  const Arrival moved = next_arrival_;
  next_arrival_ = later_arrivals_.front();
  const std::size_t size = later_arrivals_.size();
  std::size_t hole = 0;
  for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && comes_before(later_arrivals_[child + 1], later_arrivals_[child])) ++child;
    if (!comes_before(later_arrivals_[child], moved)) break;
    later_arrivals_[hole] = later_arrivals_[child];
    hole = child;
  }
  later_arrivals_[hole] = moved;
}

void World::send_of_user(std::uint32_t user) {
  const std::uint32_t at = users_[user].source;
  const Source& source = sources_[at];
  Request request;
  request.client = user - source.first_user;
  request.serial = users_[user].requests++ * source.users + request.client;
  request.traffic = static_cast<std::uint16_t>(at);
  request.flags = Visit::awaited;
  ++callers_[at].sent;
  const std::uint32_t visit = take_visit();
  if (send(visit, callers_[at], request)) run(visit);
}

// A closed user thinks before each request; think k of user u is draw k x users + u.
void World::think_again(std::uint32_t user, std::int64_t took_ns) {
  constexpr std::uint32_t endless = 1'000'000;
  User& it = users_[user];
  const Source& source = sources_[it.source];
  const std::uint64_t serial = it.requests * source.users + (user - source.first_user);
  const std::int64_t time = now_ + duration_ns(source.think.at(serial, 0));
  it.at_once = took_ns == 0 && time == now_ ? it.at_once + 1 : 0;
  if (it.at_once == endless) {
    throw SpecError("traffic." + traffic_names_[it.source] + ".arrivals.closed.think",
                    "is 0 and requests are answered at once: time does not go on" + where());
  }
  if (time < duration_) calendar_.push(time, payload(EventKind::think, user));
}

NEPHOSCOPE_HOT std::uint32_t World::take_visit() {
  const std::uint32_t visit = visits_.take();
  if (visit >= details_.size()) [[unlikely]] details_.resize(visit + 1);
  return visit;
}

// Chooses the instance for a request and offers it the visit. True when the visit has a worker and can
// run; else it waits, or it was refused and answered.
NEPHOSCOPE_HOT bool World::send(std::uint32_t visit, Caller& caller, const Request& request) {
  std::uint32_t at_route = caller.first_route;
  std::uint32_t target = none;
  std::uint32_t instance = none;
  if (caller.to_balancer != 0) [[likely]] {
    Balancer& balancer = balancers_[caller.to];
    target = balancer.router.route(request.client);
    if (target == Router::none) [[unlikely]] return refuse(visit, at_route, request);
    const Slot& slot = balancer.slots[target];
    instance = slot.instance;
    at_route += slot.of_class;
  } else {
    const Fleet& fleet = fleets_[caller.to];
    if (fleet.members.empty()) [[unlikely]] return refuse(visit, at_route, request);
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
  if (route.detailed) [[unlikely]] add_detail(visit, request);
  switch (instances_.admit(instance, visit)) {
    case Instances::Admission::started: return true;
    case Instances::Admission::waiting: it.flags |= Visit::waiting; return false;
    case Instances::Admission::refused: answer(visit, Outcome::rejected); return false;
  }
  return false;
}

// What a visit needs to do more than its first step, to be waited for or to time out.
void World::add_detail(std::uint32_t visit, const Request& request) {
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

// ---- Requests are served ----------------------------------------------------------------------------

NEPHOSCOPE_HOT void World::complete(std::uint32_t instance) {
  run(instances_.complete(instance, now_));
}

// The same for an instance with several workers, whose next completion is found when all is done.
void World::complete_first(std::uint32_t instance) {
  completion_of_[instance] = EventQueue::none;
  completing_ = instance;
  run(instances_.complete_first(instance, now_));
  completing_ = none;
  reschedule(instance);
}

// Runs a visit on until it has to wait, and then every other visit that it set free.
NEPHOSCOPE_HOT void World::run(std::uint32_t visit) {
  for (;;) {
    visit = run_on(visit);
    if (visit != none) continue;
    if (ready_.empty()) [[likely]] return;
    visit = ready_.back();
    ready_.pop_back();
  }
}

// Runs a visit on until it has to wait or has ended. Returns the visit that got its worker, or none.
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
      case StepKind::compute: compute(visit, duration_ns(draw(detail, step))); return none;
      case StepKind::sleep:
        calendar_.push(now_ + duration_ns(draw(detail, step)), payload(EventKind::wake, visit));
        return none;
      case StepKind::call: call(visit, step.call); return none;
      case StepKind::choose: it.place = programs_.branch(step, draw(detail, step)); break;
      case StepKind::fail:
        if (draw(detail, step) < step.probability) it.flags |= Visit::failing;
        break;
    }
  }
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

// Brings the calendar's one entry for an instance with several workers in line with its next completion.
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

// The visit keeps its worker and waits for the answer of a visit of its own. That one is not run at once:
// the stack of calls must not become the stack of the machine.
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
  const std::uint32_t child = take_visit();
  if (send(child, caller, request)) ready_.push_back(child);
}

// ---- Requests are answered --------------------------------------------------------------------------

// A visit that holds a worker has ended: the worker goes to the next in the backlog, which is returned.
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

// A visit that called runs on, a user thinks.
void World::answer_waiting(std::uint32_t visit, Outcome outcome) {
  const VisitDetail& detail = details_[visit];
  if (detail.parent == none) {
    think_again(sources_[detail.traffic].first_user + detail.client,
                now_ - visits_[visit].arrival);
    return;
  }
  if (outcome != Outcome::completed) visits_[detail.parent].flags |= Visit::failing;
  ready_.push_back(detail.parent);
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

// ---- Clients stop waiting ---------------------------------------------------------------------------

// All requests of a caller wait equally long, so their deadlines are a list in the order of sending, and
// one entry in the calendar serves it. A request answered at the very instant of its deadline is in time:
// the entry lies 1 ns behind.
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
  calendar_.push(now_ + caller.timeout_ns + 1, payload(EventKind::deadline, at));
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
    if (deadline >= now_) {
      calendar_.push(deadline + 1, payload(EventKind::deadline, at));
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

// ---- The loop ---------------------------------------------------------------------------------------

void World::advance(std::int64_t until) { run_to<false>(until); }

void World::advance_checked(std::int64_t until) { run_to<true>(until); }

// The rare things that happen at set instants come before the events of their instant.
template <bool checked>
void World::run_to(std::int64_t until) {
  until = std::min(until, duration_);
  for (;;) {
    const std::int64_t next = std::min(until, next_control());
    run_events<checked>(next);
    now_ = std::max(now_, next);
    if (next_control() == now_) {
      control();
    } else if (now_ >= until) {
      return;
    }
  }
}

std::int64_t World::next_control() const {
  const std::int64_t sample = next_sample_ <= duration_ ? next_sample_ : ArrivalStream::never;
  return warm_ ? sample : std::min(sample, warmup_);
}

void World::control() {
  if (!warm_ && now_ == warmup_) {
    warm_ = true;
    for (Caller& caller : callers_) caller.sent_at_warmup = caller.sent;
    for (std::uint32_t at = 0; at < instances_.size(); ++at) {
      run_at_warmup_[at] = instances_.run_ns(at, now_);
    }
    for (Fleet& fleet : fleets_) restart_count(fleet);
  }
  if (next_sample_ == now_) {
    sample_series();
    next_sample_ += series_interval_;
  }
}

template <bool checked>
void World::run_events(std::int64_t until) {
  for (;;) {
    // Events before `until`: sequence 0 is earlier than any event's.
    const Arrival& arrival = next_arrival_;
    const bool arrival_next = arrival.time < until;
    const std::int64_t limit = arrival_next ? arrival.time : until;
    const std::uint64_t sequence = arrival_next ? arrival.sequence : 0;
    if (calendar_.due_before(limit, sequence)) {
      const EventQueue::Event event = calendar_.pop();
      now_ = event.time;
      fetch_ahead();
      handle(event);
    } else if (arrival_next) {
      now_ = limit;
      arrive();
    } else {
      return;
    }
    ++events_;
    if constexpr (checked) check();
  }
}

// What the next completions will touch is on its way while this event is handled.
NEPHOSCOPE_HOT void World::fetch_ahead() const {
  instances_.prefetch(calendar_.second_payload());
  visits_.prefetch(instances_.running_hint(calendar_.first_payload()));
}

NEPHOSCOPE_HOT void World::handle(const EventQueue::Event& event) {
  const std::uint32_t index = event.payload & ((1U << index_bits) - 1);
  if (event.payload == index) [[likely]] return complete(index);
  switch (static_cast<EventKind>(event.payload >> index_bits)) {
    case EventKind::completion: complete(index); break;
    case EventKind::first_completion: complete_first(index); break;
    case EventKind::wake: run(index); break;
    case EventKind::deadline: expire(index); break;
    case EventKind::think: send_of_user(index); break;
  }
}

}  // namespace nephoscope
