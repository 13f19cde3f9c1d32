// The event loop, and the arrivals that drive it. What a request does from there on is in
// requests.hpp.

#include <algorithm>
#include <optional>

#include "world/fleets/spot_market.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

// Returns whether the world is still of the shape, and need not go back.
template <class Shape>
NEPHOSCOPE_HOT bool World::arrive() {
  const std::uint32_t at = Shape::known ? 0 : next_arrival_.source;
  Source& source = sources_[at];
  Caller& caller = callers_[at];
  next_arrival_.time = source.arrivals.next();
  next_arrival_.sequence = calendar_.next_sequence();
  if (!Shape::known && later_arrivals_.front().time <= next_arrival_.time) [[unlikely]]
    swap_arrival();
  Request request;
  request.serial = caller.sent;
  if (!Shape::known && caller.resilience != none) request.serial = errands_.of(caller).begun;
  request.traffic = static_cast<std::uint16_t>(at);
  request.client = static_cast<std::uint32_t>(request.serial);
  if (source.client_count != 0 && clients_matter_) {
    request.client = static_cast<std::uint32_t>(source.clients.next_in_order(request.serial));
  }
  const std::uint32_t visit = send_new<Shape>(at, request);
  if constexpr (Shape::known) {
    if (many_instances_) fetch_for_arrivals<Shape>(request.serial + 1);
  } else if (visit < out_of_shape) {
    run(visit);
  }
  return visit != out_of_shape;
}

// Another source may be next: the heap's first and the one just scheduled trade places if so.
void World::swap_arrival() {
  if (comes_before(next_arrival_, later_arrivals_.front())) return;
  const Arrival moved = next_arrival_;
  next_arrival_ = later_arrivals_.front();
  const std::size_t size = later_arrivals_.size();
  std::size_t hole = 0;
  for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && comes_before(later_arrivals_[child + 1], later_arrivals_[child]))
      ++child;
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
  const std::uint32_t visit = send_new<AnyShape>(at, request);
  if (visit != none) run(visit);
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

void World::advance(std::int64_t until) {
  check_policies();
  try {
    run_to<false>(until);
  } catch (const PolicyError&) {
    check_policies();  // knows whose it is
    throw;
  }
}

void World::advance_checked(std::int64_t until) {
  check_policies();
  try {
    run_to<true>(until);
  } catch (const PolicyError&) {
    check_policies();
    throw;
  }
}

// The rare things that happen at set instants come before the events of their instant. What is due
// at `until` has not happened when this returns; but who looks then has looked.
template <bool checked>
void World::run_to(std::int64_t until) {
  until = std::min(until, duration_);
  std::optional<World> earlier;
  for (;;) {
    unseen_until_ = checked ? 0 : std::min(until, next_sight());
    if (unseen_until_ > now_ && may_be_late())
      unseen_until_ = std::min(unseen_until_, book_ahead(earlier));
    std::int64_t next = std::min({until, next_look(), next_control()});
    if (unseen_until_ > now_) next = std::min(next, unseen_until_);
    if constexpr (checked) {
      run_events<AnyShape, true>(next);
    } else {
      run_in_shape(next);
    }
    if (must_go_back()) {
      go_back(earlier);
      continue;
    }
    if (next == until || next == next_look()) bring_all_up_to_date(next);
    now_ = std::max(now_, next);
    if (next_look() == now_) {
      look();
    } else if (now_ >= until) {
      return;
    } else if (next_control() == now_) {
      control();
    }
  }
}

std::int64_t WorldView::next_sample() const {
  return next_sample_ <= duration_ ? next_sample_ : ArrivalStream::never;
}

// When balancers are metered, or the warm-up ends.
std::int64_t WorldView::next_reckoning() const {
  const std::int64_t metered = metering_.next <= duration_ ? metering_.next : ArrivalStream::never;
  return warm_ ? metered : std::min(metered, warmup_);
}

// When somebody looks at all instances.
std::int64_t WorldView::next_look() const {
  return std::min(next_sample(), next_reckoning());
}

// When one of the rare things happens that control() is for.
std::int64_t WorldView::next_control() const {
  return std::min({controls_.next_time(), lives_.next_event(), next_check()});
}

// When somebody may next see what an instance of an unwatched fleet holds, or change it. A health
// check does neither: what it is answered there is foretold, and what is under way stays so. Nor
// does a sample where requests are foretold.
std::int64_t WorldView::next_sight() const {
  const std::int64_t look = may_foretell() ? next_reckoning() : next_look();
  return std::min({look, controls_.next_time(), lives_.next_event()});
}

// Whether all requests are those of one fleet that nobody watches, and samples see no more of them
// than their number.
bool WorldView::may_foretell() const {
  return foretold_.possible() && has_one_plain_caller() && routes_[0].unwatched;
}

void World::control() {
  if (lives_.next_event() == now_) return follow_lives();
  if (controls_.next_time() != now_) return look_after_health();
  const std::uint32_t due = controls_.pop().payload;
  const std::uint32_t index = due & ((1U << index_bits) - 1);
  switch (static_cast<ControlKind>(due >> index_bits)) {
    case ControlKind::retry:
      if (index % 2 != 0) return SpotMarket(*this).change(index / 2);
      fleets_[index / 2].retries = false;
      return scale(index / 2);
    case ControlKind::start:
      machines_[index].wanted = 0;
      return try_start(index);
    case ControlKind::action:
      act(actions_[index].kind, actions_[index].fleet, actions_[index].count,
          actions_[index].replaced);
      return;
    case ControlKind::fault:
      return strike(index);
    case ControlKind::mend:
      return mend(index);
    case ControlKind::drain:
      return index % 2 == 0 ? end_drain(index / 2) : end_launch_hook(index / 2);
    case ControlKind::scale:
      return follow_scaling(index);
    case ControlKind::upkeep:
      return index % 2 == 0 ? refresh(index / 2) : look_at_members(index / 2);
  }
}

void World::look() {
  if (!warm_ && now_ == warmup_) {
    warm_ = true;
    for (Caller& caller : callers_) caller.sent_at_warmup = caller.sent;
    if (warmup_ > 0) run_at_warmup_.resize(instances_.size());
    for (std::uint32_t at = 0; at < run_at_warmup_.size(); ++at) {
      run_at_warmup_[at] = instances_.run_ns(at, now_);
    }
    if (hosted_) note_hosted_at_warmup();
    for (Fleet& fleet : fleets_) restart_count(fleet);
    Messaging(*this).restart_count();
  }
  if (next_sample_ == now_) {
    sample_series();
    next_sample_ += series_interval_;
    foretold_.sampled();
  }
  if (metering_.next == now_) meter();
}

// A world that leaves its shape goes on without one.
void World::run_in_shape(std::int64_t until) {
  if (has_one_plain_caller() && run_in_known_shape(until)) return;
  if (!must_go_back()) run_events<AnyShape, false>(until);
}

// False where it was of none, or is no longer.
bool World::run_in_known_shape(std::int64_t until) {
  if (callers_[0].to_balancer == 0) return run_events<CounterShape, false>(until);
  if (balancers_[0].first_instance == none || routes_[0].by_slot || !balancers_[0].alone)
    return false;
  switch (balancers_[0].router.spec().kind) {
    case RoutingKind::round_robin:
      return run_events<FarmShape<RoutingKind::round_robin>, false>(until);
    case RoutingKind::least_connections:
      return run_events<FarmShape<RoutingKind::least_connections>, false>(until);
    case RoutingKind::ip_hash:
      return run_events<FarmShape<RoutingKind::ip_hash>, false>(until);
    case RoutingKind::least_response_time:
      return run_events<FarmShape<RoutingKind::least_response_time>, false>(until);
    case RoutingKind::random:
      return run_events<FarmShape<RoutingKind::random>, false>(until);
    case RoutingKind::power_of_two:
      return run_events<FarmShape<RoutingKind::power_of_two>, false>(until);
    case RoutingKind::join_idle_queue:
      return run_events<FarmShape<RoutingKind::join_idle_queue>, false>(until);
    case RoutingKind::weighted_random:
      return run_events<FarmShape<RoutingKind::weighted_random>, false>(until);
    case RoutingKind::mitigated_random:
      break;  // of no balancer that is alone
    case RoutingKind::compiled:
      return run_events<FarmShape<RoutingKind::compiled>, false>(until);
  }
  return false;
}

// Nobody who sends on this route has been late so far, or can be.
bool WorldView::asks_without_visits(const Route& route) const {
  return route.plain || (route.timed && fleets_[route.fleet].plain);
}

// See shape.hpp.
bool WorldView::has_one_plain_caller() const {
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    if (sends_checks(at)) return false;
  }
  return !hooked_ && queues_.none() && topics_.none() && traffic_ == 1 &&
         programs_.calls().empty() && callers_[0].routes == 1 && asks_without_visits(routes_[0]) &&
         fleets_[routes_[0].fleet].makes.size() == 1 &&
         !fleets_[routes_[0].fleet].makes.front().hosted && balancers_.size() <= 1 &&
         (!traces_.active() || is_told_afterwards(routes_[0].fleet));
}

// Returns whether the world was of the shape to the end, and need not go back.
template <class Shape, bool checked>
bool World::run_events(std::int64_t until) {
  for (;;) {
    const std::int64_t limit = std::min(next_arrival_.time, until);
    bool due = calendar_.next_time() < limit;
    if (calendar_.next_time() == limit) [[unlikely]]
      due = limit < until && calendar_.due_before(limit, next_arrival_.sequence);
    if (due) {
      const EventQueue::Event event = calendar_.pop();
      now_ = event.time;
      if (many_instances_) fetch_ahead<Shape>();
      handle<Shape>(event);
    } else if (limit < until) {
      now_ = limit;
      if (!arrive<Shape>()) [[unlikely]] {
        ++events_;
        return false;
      }
    } else {
      return true;
    }
    ++events_;
    if constexpr (checked) check();
  }
}

// What the next completions will touch is on its way while this event is handled.
template <class Shape>
NEPHOSCOPE_HOT void World::fetch_ahead() const {
  const std::uint32_t instance = calendar_.fetch_second();
  instances_.prefetch(instance);
  if constexpr (Shape::balanced) {
    const Balancer& balancer = balancers_[0];
    balancer.router.prefetch<Shape::routing>(instance - balancer.first_instance);
  }
}

// What the next requests will touch is on its way until they arrive. `serial` is that of the next.
template <class Shape>
NEPHOSCOPE_HOT void World::fetch_for_arrivals(std::uint64_t serial) const {
  if constexpr (Shape::balanced) {
    constexpr std::uint32_t far = 16;  // arrivals that take as long as memory does to answer
    constexpr std::uint32_t near = 6;
    const Balancer& balancer = balancers_[0];
    const auto foreseen = [&](std::uint32_t ahead) {
      return balancer.router.foreseen<Shape::routing>(serial, ahead);
    };
    if (routes_[0].unwatched) {
      // Nothing happens between arrivals. What waits there can be asked for when the instance came.
      instances_.prefetch(balancer.first_instance + foreseen(far));
      instances_.prefetch_waiting(balancer.first_instance + foreseen(near));
      return;
    }
    const std::uint32_t target = foreseen(0);
    instances_.prefetch(balancer.first_instance + target);
    balancer.router.prefetch<Shape::routing>(target);
    // Where in the calendar the end of the one after will be, if it begins at once.
    const double work = samplers_[routes_[0].first_sampler].foreseen(serial + 1);
    calendar_.fetch_place(sources_[0].arrivals.foreseen() + duration_ns(work));
  }
}

template <class Shape>
NEPHOSCOPE_HOT void World::handle(const EventQueue::Event& event) {
  const std::uint32_t index = event.payload & ((1U << index_bits) - 1);
  if (event.payload <= index) [[likely]]
    return complete<Shape>(index);
  if (static_cast<EventKind>(event.payload >> index_bits) == EventKind::first_completion)
    return complete_first<Shape>(index);
  if constexpr (!Shape::known) handle_other(event);
}

void World::handle_other(const EventQueue::Event& event) {
  const std::uint32_t index = event.payload & ((1U << index_bits) - 1);
  const auto balancers = static_cast<std::uint32_t>(balancers_.size());
  switch (static_cast<EventKind>(event.payload >> index_bits)) {
    case EventKind::wake:
      return run(index);
    case EventKind::deadline:
      return index < callers_.size() ? expire(index) : expire_late(index);
    case EventKind::think:
      return send_of_user(index);
    case EventKind::part:
      if (index >= queue_action_parts)
        return Messaging(*this).act_on_queue(index - queue_action_parts);
      if (index >= replay_parts) return Messaging(*this).go_on_with_replay(index - replay_parts);
      if (index >= delivery_parts) return Messaging(*this).try_again(index - delivery_parts);
      if (index >= queue_parts) return Messaging(*this).wake(index - queue_parts);
      if (index > 1) return end_terminate_hook(index - 2);
      if (index != 0) return finish_devices();
      hosts_due_ = EventQueue::none;
      hosts_.advance(now_);
      return follow_hosts();
    case EventKind::errand:
      return go_on(index);
    case EventKind::surge:
      if (index < balancers) return flow(index);
      return is_kept(index - balancers) ? let_in(index - balancers)
                                        : try_to_connect(index - balancers);
    default:
      return;  // completions have been handled
  }
}

}  // namespace nephoscope
