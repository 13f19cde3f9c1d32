// The way of a request, where it is walked less: visits, that is programs of several steps, calls
// and clients who wait; refusals; instances with several workers; fleets that are unwatched.

#include "world/requests/requests.hpp"

namespace nephoscope {

std::uint32_t World::take_visit(const Sent& sent, const Request& request) {
  const std::uint32_t visit = visits_.take();
  Visit& it = visits_[visit];
  static_cast<Sent&>(it) = sent;
  it.serial = request.serial;
  it.path = request.path;
  it.parent = request.parent;
  it.client = request.client;
  it.older = it.newer = none;
  it.devices = 0;
  it.traffic = request.traffic;
  it.flags = request.flags;
  it.trial = request.trial;
  if (traces_.active()) traces_.of_visit(visit) = {};
  if ((it.flags & Visit::tried) != 0) errands_.open[it.parent].add(visit);
  if (topics_.say_something()) [[unlikely]]
    topics_.note(visit, request.said);
  return visit;
}

// The same as send_plain for a request that does more, or is waited for.
std::uint32_t World::send_visit(const Sent& sent, std::uint32_t instance, std::int64_t work,
                                const Request& request) {
  const std::uint32_t visit = take_visit(sent, request);
  Visit& it = visits_[visit];
  it.instance = instance;
  const Route& route = routes_[sent.route];
  it.place = route.entry;
  if (traces_.active()) Tracing(*this).begin(visit);
  if (route.timed || route.plain) fleets_[route.fleet].plain = false;
  Caller& caller = caller_of(sent);
  if (caller.timeout_ns != 0) expect_deadline(visit, caller);
  return offer_visit(visit, work);
}

std::uint32_t World::offer_visit(std::uint32_t visit, std::int64_t work) {
  Visit& it = visits_[visit];
  const std::uint32_t instance = it.instance;
  if (faults_.connects && waits_to_connect(visit, work)) [[unlikely]]
    return none;
  const bool hung = faults_.is_hung(instance);
  const bool let_in = hung || !routes_[it.route].guarded || lets_in(instance, it, false);
  const bool is_held = hung && instances_.has_free_worker(instance);
  const Job job = job_of_visit(visit, is_held ? Job::undecided : work);
  const std::int64_t due = let_in ? instances_.offer(instance, job, now_) : Instances::refused;
  note_load(instance);
  if (due == Instances::held && !hung) return visit;
  if (due == Instances::held) {
    park(visit, work);
    return none;
  }
  if (due == Instances::waiting) {
    it.flags |= Visit::waiting;
    if (traces_.active()) Tracing(*this).enter(visit, Span::waiting);
  } else if (due == Instances::refused) {
    answer(visit, refused_by(it, instance));
  } else {
    if (traces_.active()) Tracing(*this).compute(visit, work);
    expect_completion(instance, due);
  }
  return none;
}

// Who sends to an instance that is down does not get as far as its admission control.
bool World::lets_in(std::uint32_t instance, const Sent& sent, bool is_check) {
  Fleet& fleet = fleets_[fleet_of_[instance]];
  const AdmissionRules& rules = fleet.admission;
  if (!rules.any() || phase_[instance] == Phase::down) return true;
  Held held{instances_.workers_busy(instance), 0};
  if (const Job* oldest = instances_.first_waiting(instance); oldest != nullptr) {
    const Sent waits = is_visit(*oldest) ? visits_[visit_of(*oldest)] : sent_of(*oldest);
    held.requests += instances_.waiting_jobs(instance);
    held.waited_ns = now_ - waits.arrival;
  }
  const Admission answer = admissions_.admit(instance, rules, held, is_check, now_);
  if (answer == Admission::admitted) return true;
  if (is_check || sent.arrival < warmup_) return false;
  ++(answer == Admission::shed ? fleet.refusals.shed : fleet.refusals.throttled);
  return false;
}

// A full backlog, or admission control, rejects; one that is down is as good as a request that
// fails.
Outcome World::refused_by(const Sent& sent, std::uint32_t instance) {
  if (phase_[instance] != Phase::down) return Outcome::rejected;
  count_broken(sent);
  return Outcome::failed;
}

// Its target has not answered, and never will: the balancer's own 502.
void World::count_broken(const Sent& sent) {
  if (sent.target == none || sent.arrival < warmup_) return;
  ++balancers_[caller_of(sent).to].broken;
}

// There is no target.
void World::refuse(const Sent& sent, const Request& request) {
  Caller& caller = caller_of(sent);
  ++caller.ended[static_cast<std::size_t>(Outcome::rejected)];
  caller.without_target += sent.arrival >= warmup_ ? 1U : 0U;
  if ((request.flags & Visit::awaited) == 0) return;
  const std::uint32_t visit = take_visit(sent, request);
  answer_waiting(visit, Outcome::rejected);
  visits_.release(visit);
}

// Runs a visit on until it has to wait, and then every other visit that it set free.
void World::run(std::uint32_t visit) {
  for (;;) {
    visit = run_program(visit);
    if (visit != none) continue;
    if (ready_.empty()) return;
    visit = ready_.back();
    ready_.pop_back();
  }
}

// Runs on who was set free outside of run().
void World::run_ready() {
  if (ready_.empty()) return;
  const std::uint32_t next = ready_.back();
  ready_.pop_back();
  run(next);
}

// Runs a visit on until it has to wait or has ended. Returns the visit that got its worker and must
// be run now, or none.
std::uint32_t World::run_program(std::uint32_t visit) {
  if (faults_.is_hung(visits_[visit].instance) && (visits_[visit].flags & Visit::lost) == 0)
      [[unlikely]] {
    park(visit, Job::undecided);
    return none;
  }
  for (;;) {
    Visit& it = visits_[visit];
    if ((it.flags & Visit::failing) != 0) return conclude(visit, Outcome::failed);
    if (it.place == Programs::end) return conclude(visit, Outcome::completed);
    const Programs::Step& step = programs_[it.place];
    it.place = step.next;
    switch (step.kind) {
      case StepKind::compute:
        compute(visit, duration_ns(draw(it, step)));
        return none;
      case StepKind::sleep:
        if (traces_.active()) Tracing(*this).enter(visit, Span::sleeping);
        calendar_.push(now_ + duration_ns(draw(it, step)), payload(EventKind::wake, visit));
        return none;
      case StepKind::call:
        call(visit, step.call);
        return none;
      case StepKind::choose: {
        const bool of_message = is_of_poller(it.parent);
        const std::uint32_t path = of_message ? Messaging(*this).path_of(it) : it.path;
        const double drawn = sampler(it.traffic, step.draw).at(it.serial, path);
        it.place = programs_.branch(step, drawn);
        break;
      }
      case StepKind::fail:
        if (draw_of_trial(it, step) < step.probability) it.flags |= Visit::failing;
        break;
      case StepKind::send:
        Messaging(*this).send(visit, step.call);
        break;
      default:
        if (use_device(visit, step)) return none;
        break;
    }
  }
}

// A visit that has a worker computes.
void World::compute(std::uint32_t visit, std::int64_t work) {
  if (traces_.active()) Tracing(*this).compute(visit, work);
  begin(visits_[visit].instance, job_of_visit(visit, work));
}

// The visit keeps its worker and waits for the answer of a visit of its own. That one is not run at
// once: the stack of calls must not become the stack of the machine.
void World::call(std::uint32_t visit, std::uint32_t call) {
  const std::uint32_t at = traffic_ + call;
  const Visit& parent = visits_[visit];
  Request request;
  request.serial = parent.serial;
  request.client = parent.client;
  request.traffic = parent.traffic;
  request.flags = Visit::awaited;
  request.path = path_of_call(parent.path, call);
  request.parent = visit;
  request.trial = parent.trial;
  if (topics_.say_something()) request.said = topics_.said[visit];
  const std::uint32_t child = send_new<AnyShape>(at, request);
  if (child != none) ready_.push_back(child);
}

// A visit that holds a worker has ended. Returns the visit that got it and must be run now, or
// none.
std::uint32_t World::conclude(std::uint32_t visit, Outcome outcome) {
  const Visit& it = visits_[visit];
  const std::uint32_t instance = it.instance;
  if (sticky_) set_cookie(it);
  if ((it.flags & (Visit::left | Visit::holding)) == 0) {
    answer(visit, outcome);
  } else if (!conclude_apart(visit, outcome)) {
    return none;
  }
  return hand_over<AnyShape>(instance);
}

// What its target itself answers has a cookie with it, if the balancer has any, and tells that its
// connection is in use.
void World::set_cookie(const Visit& it) {
  if ((it.flags & Visit::left) != 0 || it.target == none) return;
  Balancer& balancer = balancers_[caller_of(it).to];
  if (it.traffic == Visit::health_check) return;
  if (balancer.connections.active()) balancer.connections.answer(it.traffic, it.client, now_);
  if (balancer.cookies.active()) {
    balancer.cookies.renew(it.traffic, it.client, balancer.first_slot(it.target), now_);
  }
  if (balancer.group_cookies.active()) {
    balancer.group_cookies.renew(it.traffic, it.client, balancer.slots[it.target].cell, now_);
  }
}

// Of a visit that holds memory, or whose caller has left. False where it has no worker either.
bool World::conclude_apart(std::uint32_t visit, Outcome outcome) {
  const Visit& it = visits_[visit];
  if ((it.flags & Visit::lost) != 0) {
    visits_.release(visit);
    return false;
  }
  if ((it.flags & Visit::holding) != 0) devices_.give_memory(it.instance, it.memory);
  if ((it.flags & Visit::left) != 0) {
    routes_[it.route].wasted += it.arrival >= warmup_ ? 1U : 0U;
    visits_.release(visit);
  } else {
    answer(visit, outcome);
  }
  return true;
}

// The end of a visit whose caller still waits. The visit is over.
void World::answer(std::uint32_t visit, Outcome outcome) {
  const Visit& it = visits_[visit];
  if (traces_.active()) Tracing(*this).end(visit, outcome);
  account<AnyShape>(it, it.instance, outcome, now_);
  if ((it.flags & Visit::listed) != 0) unlink(visit);
  if ((it.flags & Visit::awaited) != 0) answer_waiting(visit, outcome);
  visits_.release(visit);
}

// Who waits for the answer to a visit has it.
void World::answer_waiting(std::uint32_t visit, Outcome outcome) {
  const Visit& it = visits_[visit];
  if (it.traffic == Visit::health_check) return check_answered(it, outcome == Outcome::completed);
  if ((it.flags & Visit::tried) != 0) return end_attempt(visit, outcome);
  if (is_of_poller(it.parent)) return Messaging(*this).end_message(visit, outcome);
  if (is_of_delivery(it.parent)) return Messaging(*this).end_delivery(visit, outcome);
  wake({it.parent, it.client, it.traffic, now_ - it.arrival}, outcome);
}

// A visit that called runs on, a user thinks or has had enough.
void World::wake(const Awaiting& awaiting, Outcome outcome) {
  if (awaiting.parent == none) {
    const Source& source = sources_[awaiting.traffic];
    const std::uint32_t user = source.first_user + awaiting.client;
    std::uint32_t& in_vain = users_[user].in_vain;
    in_vain = outcome == Outcome::completed ? 0 : in_vain + 1;
    if (source.give_up == 0 || in_vain < source.give_up) think_again(user, awaiting.took_ns);
    return;
  }
  if (outcome != Outcome::completed) visits_[awaiting.parent].flags |= Visit::failing;
  ready_.push_back(awaiting.parent);
}

void World::bring_all_up_to_date(std::int64_t until) {
  constexpr std::size_t ahead =
      8;  // instances, whose next job is on its way until it is their turn
  for (const Fleet& fleet : fleets_) {
    if (!fleet.unwatched) continue;
    const std::vector<std::uint32_t>& line = fleet.members.line();
    for (std::size_t at = 0; at < line.size(); ++at) {
      const std::uint32_t instance = line[at];
      if (instance == Roster::gap) continue;
      if (many_instances_ && at + ahead < line.size())
        instances_.prefetch_waiting(line[at + ahead]);
      if (instances_.completion(instance) < until) bring_up_to_date<AnyShape>(instance, until);
    }
  }
}

// Nobody looks at what its instances hold, and what they hold follows from what they were sent.
bool World::may_be_unwatched(std::uint32_t at) const {
  const Fleet& fleet = fleets_[at];
  for (const Make& make : fleet.makes) {
    const InstanceKind& kind = instances_.kind(make.kind);
    if (make.hosted || kind.workers != 1 || kind.backlog != InstanceKind::unlimited) return false;
  }
  for (const Attachment& attachment : fleet.attachments) {
    const Balancer& balancer = balancers_[attachment.balancer];
    const bool checks = balancer.health.spec().work_ns != 0 || faults_.slow;
    if (balancer.router.looks_at_outstanding() || (balancer.health.active() && checks))
      return false;
    if (balancer.anomalies.active()) return false;
  }
  return fleet.plain && !fleet.mixed;
}

// From now on somebody looks at an instance of an unwatched fleet.
void World::watch_instance(std::uint32_t instance) {
  bring_up_to_date<AnyShape>(instance, now_);
  const std::int64_t due = instances_.completion(instance);
  if (due != Instances::never) expect_completion(instance, due);
}

// From now on somebody looks at a fleet: the completions to come go into the calendar. It stays
// watched for good.
void World::watch(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  for (const std::uint32_t instance : fleet.members) watch_instance(instance);
  fleet.unwatched = false;
  tell_routes();
}

void World::tell_routes() {
  for (Route& route : routes_) {
    if (route.fleet == none) continue;  // it leads to a queue or a topic
    route.unwatched = fleets_[route.fleet].unwatched;
    route.by_slot = fleets_[route.fleet].by_slot || route.check;
  }
}

}  // namespace nephoscope
