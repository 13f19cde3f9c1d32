// The way of a request through the house.
//
// arrive -> dispatch -> (worker free) run -> step ... -> conclude -> answer -> the caller runs on
//                    -> (backlog)     ... conclude of another visit hands its worker over
//                    -> (refused)     answer: rejected

#include <algorithm>

#include "kernel/math.hpp"
#include "world/world.hpp"

namespace nephoscope {

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
    std::int64_t limit = until;
    std::uint64_t sequence = 0;
    const bool arrival_next = !arrivals_.empty() && arrivals_.front().time < until;
    if (arrival_next) {
      limit = arrivals_.front().time;
      sequence = arrivals_.front().sequence;
    }
    if (calendar_.due_before(limit, sequence)) {
      const EventQueue::Event event = calendar_.pop();
      now_ = event.time;
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

inline void World::handle(const EventQueue::Event& event) {
  const std::uint32_t index = event.payload & ((1U << index_bits) - 1);
  switch (static_cast<EventKind>(event.payload >> index_bits)) {
    case EventKind::completion: complete(index); break;
    case EventKind::wake: run(index); break;
    case EventKind::deadline: expire(index); break;
    case EventKind::think: send_of_user(index); break;
  }
}

// ---- Requests come in -------------------------------------------------------------------------------

inline void World::arrive() {
  const std::uint32_t at = arrivals_.front().source;
  Source& source = sources_[at];
  const std::uint64_t serial = callers_[at].sent;
  schedule_arrival(source.arrivals.next());
  std::uint64_t client = serial;
  if (source.client_count != 0 && clients_matter_) {
    client = static_cast<std::uint64_t>(source.clients.next_in_order(serial));
  }
  send(at, serial, client);
}

// Puts the next arrival of the source whose arrival is being handled into the heap.
inline void World::schedule_arrival(std::int64_t time) {
  Arrival moved{time, calendar_.next_sequence(), arrivals_.front().source};
  const std::size_t size = arrivals_.size();
  std::size_t hole = 0;
  for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && comes_before(arrivals_[child + 1], arrivals_[child])) ++child;
    if (!comes_before(arrivals_[child], moved)) break;
    arrivals_[hole] = arrivals_[child];
    hole = child;
  }
  arrivals_[hole] = moved;
}

void World::send_of_user(std::uint32_t user) {
  const std::uint32_t at = users_[user].source;
  const Source& source = sources_[at];
  const std::uint64_t own = user - source.first_user;
  const std::uint64_t serial = users_[user].requests++ * source.users + own;
  send(at, serial, own);
}

// A closed user thinks before each request; think k of user u is draw k x users + u.
void World::think_again(std::uint32_t user) {
  const Source& source = sources_[users_[user].source];
  const std::uint64_t serial = users_[user].requests * source.users + (user - source.first_user);
  const std::int64_t time = now_ + to_ns(source.think.at(serial, 0));
  if (time < duration_) calendar_.push(time, payload(EventKind::think, user));
}

inline void World::send(std::uint32_t source, std::uint64_t serial, std::uint64_t client) {
  Caller& caller = callers_[source];
  const std::uint32_t visit = visits_.take();
  Visit& it = visits_[visit];
  it = Visit{};
  it.arrival = now_;
  it.serial = serial;
  it.caller = source;
  it.client = static_cast<std::uint32_t>(client);
  it.traffic = static_cast<std::uint16_t>(source);
  dispatch_and_run(visit, caller);
}

inline void World::dispatch_and_run(std::uint32_t visit, Caller& caller) {
  ++caller.sent;
  if (now_ >= warmup_) ++caller.offered;
  switch (dispatch(visit, caller)) {
    case Instances::Admission::started: run(visit); break;
    case Instances::Admission::waiting: visits_[visit].flags |= Visit::waiting; break;
    case Instances::Admission::refused: answer(visit, Outcome::rejected); break;
  }
}

// Chooses the instance and offers it the visit.
inline Instances::Admission World::dispatch(std::uint32_t visit, Caller& caller) {
  Visit& it = visits_[visit];
  const Fleet* fleet = nullptr;
  if (caller.to.kind == Destination::Kind::balancer) {
    Balancer& balancer = balancers_[caller.to.index];
    const std::uint32_t slot = balancer.router.route(client_of(it));
    if (slot == Router::none) return Instances::Admission::refused;
    it.target = slot;
    it.instance = balancer.instances[slot];
    it.of_class = static_cast<std::uint16_t>(balancer.router.class_of(slot));
    fleet = &fleets_[balancer.fleets[it.of_class]];
  } else {
    fleet = &fleets_[caller.to.index];
    if (fleet->members.empty()) return Instances::Admission::refused;
    it.instance = fleet->members.front();
  }
  it.place = fleet->entry;
  if (it.path == 0 && it.place != Programs::end) {
    const Programs::Step& first = programs_[it.place];
    if (first.kind == StepKind::compute) {
      it.work = to_ns(sampler(it.traffic, first.draw).next_in_order(it.serial));
    }
  }
  if (caller.timeout_ns != 0) expect_deadline(visit, caller);
  return instances_.admit(it.instance, visit);
}

// ---- Requests are served ----------------------------------------------------------------------------

inline void World::complete(std::uint32_t instance) {
  if (instances_.solo(instance)) {
    run(instances_.complete(instance, now_));
    return;
  }
  completion_of_[instance] = EventQueue::none;
  completing_ = instance;
  run(instances_.complete(instance, now_));
  completing_ = none;
  reschedule(instance);
}

// Runs a visit on until it has to wait, and then every other visit that it set free.
inline void World::run(std::uint32_t visit) {
  for (;;) {
    while (step(visit)) {
    }
    if (ready_.empty()) return;
    visit = ready_.back();
    ready_.pop_back();
  }
}

// One step of a visit's program. False when the visit has to wait or has ended.
inline bool World::step(std::uint32_t visit) {
  Visit& it = visits_[visit];
  if ((it.flags & Visit::failing) != 0 || it.place == Programs::end) {
    conclude(visit, (it.flags & Visit::failing) != 0 ? Outcome::failed : Outcome::completed);
    return false;
  }
  const Programs::Step& step = programs_[it.place];
  it.place = step.next;
  switch (step.kind) {
    case StepKind::compute:
      compute(visit, it.work >= 0 ? it.work : to_ns(draw(it, step)));
      return false;
    case StepKind::sleep:
      calendar_.push(now_ + to_ns(draw(it, step)), payload(EventKind::wake, visit));
      return false;
    case StepKind::call: return call(visit, step);
    case StepKind::choose: it.place = programs_.branch(step, draw(it, step)); return true;
    case StepKind::fail:
      if (draw(it, step) < step.probability) it.flags |= Visit::failing;
      return true;
  }
  return false;
}

inline void World::compute(std::uint32_t visit, std::int64_t work) {
  Visit& it = visits_[visit];
  it.work = -1;
  const std::uint32_t instance = it.instance;
  const std::int64_t due = instances_.compute(instance, visit, work, now_);
  if (instances_.solo(instance)) {
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
  if (due != Instances::never) entry = calendar_.push(due, payload(EventKind::completion, instance));
}

// The visit keeps its worker and waits for the answer of a visit of its own.
bool World::call(std::uint32_t visit, const Programs::Step& step) {
  const std::uint32_t child = visits_.take();
  const Visit& parent = visits_[visit];
  Visit& it = visits_[child];
  it = Visit{};
  it.arrival = now_;
  it.serial = parent.serial;
  it.path = path_of_call(parent.path, step.call);
  it.caller = traffic_ + step.call;
  it.parent = visit;
  it.client = parent.client;
  it.traffic = parent.traffic;
  // Not run at once: the stack of calls must not become the stack of the machine.
  Caller& caller = callers_[it.caller];
  ++caller.sent;
  if (now_ >= warmup_) ++caller.offered;
  switch (dispatch(child, caller)) {
    case Instances::Admission::started: ready_.push_back(child); break;
    case Instances::Admission::waiting: visits_[child].flags |= Visit::waiting; break;
    case Instances::Admission::refused: answer(child, Outcome::rejected); break;
  }
  return false;
}

// ---- Requests are answered --------------------------------------------------------------------------

// A visit that holds a worker has ended: the worker goes to the next in the backlog.
inline void World::conclude(std::uint32_t visit, Outcome outcome) {
  const std::uint32_t next = instances_.release_worker(visits_[visit].instance);
  if (next != Instances::none) {
    visits_[next].flags &= static_cast<std::uint8_t>(~Visit::waiting);
    ready_.push_back(next);
  }
  if ((visits_[visit].flags & Visit::left) != 0) {
    if (visits_[visit].arrival >= warmup_) ++route_of(visits_[visit]).wasted;
    visits_.release(visit);
    return;
  }
  answer(visit, outcome);
}

// The end of a visit whose caller still waits. The visit is over.
inline void World::answer(std::uint32_t visit, Outcome outcome) {
  account(visits_[visit], outcome);
  const Visit it = visits_[visit];
  if (callers_[it.caller].timeout_ns != 0) unlink(visit);
  visits_.release(visit);
  if (it.parent != none) {
    if (outcome != Outcome::completed) visits_[it.parent].flags |= Visit::failing;
    ready_.push_back(it.parent);
  } else if (sources_[it.traffic].closed) {
    think_again(sources_[it.traffic].first_user + it.client);
  }
}

// Books what a visit ended with, at its caller, its balancer and its route.
inline void World::account(const Visit& it, Outcome outcome) {
  Caller& caller = callers_[it.caller];
  const auto kind = static_cast<std::size_t>(outcome);
  ++caller.ended[kind];
  const bool measured = it.arrival >= warmup_;
  if (it.instance == none) {
    if (measured) ++caller.without_target;
    return;
  }
  const std::int64_t latency = now_ - it.arrival;
  if (measured) {
    Route& route = route_of(it);
    if (outcome == Outcome::completed) {
      route.latency.record(latency);
    } else {
      ++route.ended[kind];
    }
  }
  if (it.target != none) {
    Balancer& balancer = balancers_[caller.to.index];
    balancer.router.answered(it.target, latency);
    if (measured) ++balancer.ended[it.target][kind];
  }
}

// ---- Clients stop waiting ---------------------------------------------------------------------------

// All requests of a caller wait equally long, so their deadlines are a list in the order of sending, and
// one entry in the calendar serves it. A request answered at the very instant of its deadline is in time:
// the entry lies 1 ns behind.
void World::expect_deadline(std::uint32_t visit, Caller& caller) {
  Visit& it = visits_[visit];
  it.older = caller.newest;
  it.newer = none;
  (caller.newest == none ? caller.oldest : visits_[caller.newest].newer) = visit;
  caller.newest = visit;
  if (caller.timer_set) return;
  caller.timer_set = true;
  calendar_.push(now_ + caller.timeout_ns + 1, payload(EventKind::deadline, it.caller));
}

void World::unlink(std::uint32_t visit) {
  Visit& it = visits_[visit];
  Caller& caller = callers_[it.caller];
  if (caller.oldest != visit && it.older == none) return;  // not in the list
  (it.older == none ? caller.oldest : visits_[it.older].newer) = it.newer;
  (it.newer == none ? caller.newest : visits_[it.newer].older) = it.older;
  it.older = it.newer = none;
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
    if (!callers_[at].abandons || waits) leave(visit);
  }
  callers_[at].timer_set = false;
}

// The client of a visit goes. Its work goes on unless it only waited and the caller takes it back.
void World::leave(std::uint32_t visit) {
  Visit& it = visits_[visit];
  account(it, Outcome::timed_out);
  const std::uint32_t parent = it.parent;
  const std::uint32_t traffic = it.traffic;
  const std::uint32_t client = it.client;
  it.parent = none;
  it.flags |= Visit::left;
  if (callers_[it.caller].abandons) {
    instances_.remove_waiting(it.instance, visit);
    visits_.release(visit);
  }
  if (parent != none) {
    visits_[parent].flags |= Visit::failing;
    run(parent);
  } else if (sources_[traffic].closed) {
    think_again(sources_[traffic].first_user + client);
  }
}

}  // namespace nephoscope
