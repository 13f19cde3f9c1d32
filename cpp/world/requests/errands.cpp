// The way of an errand: sent, sent again after a wait or beside an attempt that takes long, until
// one attempt succeeds or nothing more may be tried.
//
// begin_errand -> send_attempt -> ... -> end_attempt -> end_errand -> who waits runs on
//                      ^                     |
//                      +---- go_on <---- try_again

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

// Returns as send() does.
std::uint32_t World::begin_errand(std::uint32_t at, const Request& request) {
  if (errands_.open.size() > Errand::open_max) throw Error("more than 2^28 requests are retried");
  Resilience& rules = errands_.of(callers_[at]);
  const std::uint32_t errand = errands_.open.take();
  Errand& it = errands_.open[errand];
  it = Errand{};
  it.begun = now_;
  if (rules.spec.deadline_ns != 0) it.deadline = now_ + rules.spec.deadline_ns;
  it.serial = request.serial;
  it.client = request.client;
  it.path = request.path;
  it.parent = request.parent;
  it.caller = at;
  it.traffic = request.traffic;
  it.trial = request.trial;
  it.said = request.said;
  it.awaited = (request.flags & Visit::awaited) != 0 ? 1 : 0;
  // The deadline of a request is that of all that is done for it.
  if (it.parent != none && (visits_[it.parent].flags & Visit::tried) != 0) {
    it.deadline = std::min(it.deadline, errands_.open[visits_[it.parent].parent].deadline);
  }
  if (traces_.active()) Tracing(*this).begin_errand(errand);
  ++rules.begun;
  rules.offered += now_ >= warmup_ ? 1U : 0U;
  if (!rules.breaker.lets_through(now_)) {
    rules.counts.held_back += now_ >= warmup_ ? 1U : 0U;
    end_errand(errand, Outcome::rejected);
    return none;
  }
  rules.budget.earn(now_);
  if (it.deadline != Errand::never) {
    it.deadline_timer =
        calendar_.push_last(it.deadline, payload(EventKind::errand, 2 * errand + 1));
  }
  return send_attempt(errand);
}

// The attempt, and with it the errand, may be over when this returns.
std::uint32_t World::send_attempt(std::uint32_t errand) {
  Errand& it = errands_.open[errand];
  Caller& caller = callers_[it.caller];
  const std::int64_t hedge_ns = errands_.of(caller).spec.hedge_ns;
  if (hedge_ns != 0 && it.under_way() == 0) {
    it.timer = calendar_.push(now_ + hedge_ns, payload(EventKind::errand, 2 * errand));
  }
  Request request;
  request.serial = it.serial;
  request.client = it.client;
  request.traffic = it.traffic;
  request.flags = Visit::awaited | Visit::tried;
  request.path = it.path;
  request.parent = errand;
  request.trial = trial_of(it.trial, it.attempts);
  request.said = it.said;
  ++it.attempts;
  ++caller.sent;
  return send<AnyShape>(caller, request);
}

// The caller knows what became of an attempt.
void World::end_attempt(std::uint32_t visit, Outcome outcome) {
  const std::uint32_t errand = visits_[visit].parent;
  Errand& it = errands_.open[errand];
  Resilience& rules = errands_.of(callers_[it.caller]);
  rules.breaker.record(outcome == Outcome::completed, visits_[visit].arrival, now_);
  it.remove(visit);
  it.last = outcome;
  if (outcome != Outcome::completed) {
    if (it.under_way() != 0) return;
    forget_timer(it.timer);
    if (try_again(errand)) return;
  }
  // The first answer wins. The other attempt is taken back if it still waits, else wasted.
  for (std::uint32_t& other : it.visits) {
    if (other == none) continue;
    rules.breaker.forget(visits_[other].arrival);
    part(other, true);
    other = none;
  }
  end_errand(errand, outcome);
}

// After an attempt without success, when none is under way. False when there will be no other.
bool World::try_again(std::uint32_t errand) {
  Errand& it = errands_.open[errand];
  Resilience& rules = errands_.of(callers_[it.caller]);
  if (it.retries + 1 >= rules.spec.attempts || is_for_nobody(it)) return false;
  const bool first = it.path == 0 && it.trial == 0;
  const std::uint32_t path = path_of_trial(it.path, it.trial);
  const Backoff& backoff = rules.backoffs[rules.backoffs.size() == 1 ? 0 : it.traffic];
  const std::int64_t wait = backoff.wait(it.retries, it.waited, it.serial,
                                         first ? it.retries : path_of_call(path, it.retries));
  if (it.deadline - now_ < wait) return false;
  if (!rules.budget.spend(now_)) {
    rules.counts.out_of_budget += it.begun >= warmup_ ? 1U : 0U;
    return false;
  }
  it.waited = wait;
  it.timer = calendar_.push(now_ + wait, payload(EventKind::errand, 2 * errand));
  return true;
}

// A timer of an errand is due: its deadline (odd), or that of the next attempt.
void World::go_on(std::uint32_t due) {
  const std::uint32_t errand = due / 2;
  if (due % 2 != 0) {
    give_up(errand);
  } else {
    const std::uint32_t visit = send_further(errand);
    if (visit != none) return run(visit);
  }
  run_ready();
}

// A retry or, beside an attempt under way, a hedge. Returns as send() does.
std::uint32_t World::send_further(std::uint32_t errand) {
  Errand& it = errands_.open[errand];
  Resilience& rules = errands_.of(callers_[it.caller]);
  const bool hedges = it.under_way() != 0;
  const std::uint64_t one = it.begun >= warmup_ ? 1 : 0;
  it.timer = EventQueue::none;
  bool may = !is_for_nobody(it);
  if (may && hedges && !rules.budget.spend(now_)) {
    rules.counts.out_of_budget += one;
    may = false;
  }
  if (may && !rules.breaker.lets_through(now_)) {
    rules.counts.held_back += one;
    may = false;
  }
  if (!may) {
    if (!hedges) end_errand(errand, it.last);
    return none;
  }
  rules.counts.retries += one;
  rules.counts.hedges += hedges ? one : 0;
  if (!hedges) ++it.retries;
  return send_attempt(errand);
}

// The deadline has passed. Servers know it: what waits for a worker will be dropped when one comes,
// and what has one ends with the step under way.
void World::give_up(std::uint32_t errand) {
  Errand& it = errands_.open[errand];
  it.deadline_timer = EventQueue::none;
  for (std::uint32_t& visit : it.visits) {
    if (visit == none) continue;
    const Caller& caller = callers_[it.caller];
    const bool waits = (visits_[visit].flags & Visit::waiting) != 0;
    const bool queued = visits_[visit].instance == none;
    const bool takes_back = queued || (caller.abandons != 0 && waits);
    errands_.of(caller).breaker.record(false, visits_[visit].arrival, now_);
    part(visit, takes_back);
    if (!takes_back) visits_[visit].flags |= Visit::failing;
    visit = none;
  }
  end_errand(errand, Outcome::timed_out);
}

void World::end_errand(std::uint32_t errand, Outcome outcome) {
  Errand& it = errands_.open[errand];
  Resilience& rules = errands_.of(callers_[it.caller]);
  const auto kind = static_cast<std::size_t>(outcome);
  forget_timer(it.timer);
  forget_timer(it.deadline_timer);
  ++rules.ended[kind];
  if (it.begun >= warmup_) {
    if (outcome == Outcome::completed) {
      rules.latency.record(now_ - it.begun);
    } else {
      ++rules.unserved[kind];
    }
  }
  if (traces_.active()) Tracing(*this).end_errand(errand, outcome);
  const Errand over = it;
  errands_.open.release(errand);
  if (over.awaited == 0) return;
  wake({over.parent, over.client, over.traffic, now_ - over.begun}, outcome);
}

// Who made it has died with its instance: nobody tries again.
bool World::is_for_nobody(const Errand& errand) const {
  return errand.parent != none && (visits_[errand.parent].flags & Visit::lost) != 0;
}

void World::forget_timer(EventQueue::Handle& timer) {
  if (timer != EventQueue::none) calendar_.cancel(timer);
  timer = EventQueue::none;
}

// What a source with errands counts as its requests.
void WorldView::tell_requests(TrafficAccount& account, std::uint32_t traffic) const {
  const Resilience& rules = errands_.of(callers_[traffic]);
  account.offered = rules.offered;
  account.ended = rules.unserved;
  account.ended[static_cast<std::size_t>(Outcome::completed)] = rules.latency.count();
  account.latency = rules.latency;
  account.resilient = true;
  account.counts = rules.counts;
  account.breaks = rules.spec.breaker.present();
  account.opened = rules.breaker.opened();
  account.in_flight = 0;
  errands_.open.for_each([&](const Errand& it) {
    if (it.caller == traffic && it.begun >= warmup_) ++account.in_flight;
  });
}

// Begun = ended + open for every caller, over the whole run and over the measured requests; every
// open one waits for something, and every attempt under way is one errand's.
void WorldView::check_errands() const {
  if (errands_.rules.empty()) return;
  std::vector<std::uint64_t> open(errands_.rules.size());
  std::vector<std::uint64_t> measured(errands_.rules.size());
  std::uint64_t under_way = 0;
  bool whole = true;
  errands_.open.for_each([&](const Errand& it) {
    const std::uint32_t of = callers_[it.caller].resilience;
    ++open[of];
    measured[of] += it.begun >= warmup_ ? 1U : 0U;
    under_way += it.under_way();
    whole &= it.under_way() != 0 || it.timer != EventQueue::none;
    for (const std::uint32_t visit : it.visits) {
      if (visit == none) continue;
      const auto errand = static_cast<std::uint32_t>(&it - &errands_.open[0]);
      whole &= visits_[visit].parent == errand && (visits_[visit].flags & Visit::tried) != 0;
    }
  });
  visits_.for_each([&](const Visit& it) { under_way -= (it.flags & Visit::tried) != 0 ? 1 : 0; });
  for (std::size_t at = 0; at < open.size(); ++at) {
    const Resilience& rules = errands_.rules[at];
    whole &= rules.begun == total(rules.ended) + open[at];
    whole &= rules.offered == total(rules.unserved) + rules.latency.count() + measured[at];
  }
  if (!whole || under_way != 0) {
    throw InvariantError("requests that are sent again were lost or doubled" + where());
  }
}

}  // namespace nephoscope
