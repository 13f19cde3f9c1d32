// The workers that live on queues: when they ask for messages, and what ends that.

#include <algorithm>

#include "world/messages/messaging.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

// Between a poll that brought nothing at once and the next: about a round trip to the service.
constexpr std::int64_t round_trip_ns = 10'000'000;

}  // namespace

// Its workers poll when the events of this instant are handled: what they get must be run by one.
void Messaging::begin_polls(std::uint32_t instance) {
  if (queues_.consumer_of.empty()) return;
  const std::uint32_t consumer = queues_.consumer_of[world_.fleet_of_[instance]];
  if (consumer == Poller::none) return;
  if (instance >= queues_.first_poller.size()) {
    queues_.first_poller.resize(instance + std::size_t{1}, Poller::none);
  }
  const std::uint32_t workers = world_.instances_.kind_of(instance).workers;
  if (queues_.first_poller[instance] == Poller::none) {
    if (queues_.pollers.size() + workers > pollers_max)
      throw Error("more than 2^26 workers poll queues");
    queues_.first_poller[instance] = static_cast<std::uint32_t>(queues_.pollers.size());
    queues_.pollers.resize(queues_.pollers.size() + workers);
    queues_.hands.resize(queues_.pollers.size() * ConsumeSpec::batch_max);
  }
  const std::uint32_t first = queues_.first_poller[instance];
  for (std::uint32_t at = first; at < first + workers; ++at) {
    Poller& it = queues_.pollers[at];
    it.instance = instance;
    it.consumer = consumer;
    if (it.polls != 0) continue;
    it.polls = 1;
    if (it.count == 0) rest(at, world_.now_);
  }
}

void Messaging::end_polls(std::uint32_t instance) {
  if (instance >= queues_.first_poller.size()) return;
  const std::uint32_t first = queues_.first_poller[instance];
  if (first == Poller::none) return;
  const std::uint32_t consumer = queues_.pollers[first].consumer;
  for (std::uint32_t at = first; at < queues_.pollers.size(); ++at) {
    if (queues_.pollers[at].instance != instance) break;
    queues_.pollers[at].polls = 0;
    stop_waiting(at);
  }
  follow(queues_.consumers[consumer].rules.queue);
  world_.run_ready();
}

// What its workers hold is seen again when its timeouts end; their visits die with the instance.
void Messaging::crash(std::uint32_t instance) {
  if (instance >= queues_.first_poller.size()) return;
  const std::uint32_t first = queues_.first_poller[instance];
  if (first == Poller::none) return;
  for (std::uint32_t at = first; at < queues_.pollers.size(); ++at) {
    if (queues_.pollers[at].instance != instance) break;
    queues_.pollers[at].visit = Poller::none;
    let_go(at);
  }
  end_polls(instance);
}

void Messaging::stop_waiting(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  if (it.ticket != 0) {
    const std::uint32_t queue = queues_.consumers[it.consumer].rules.queue;
    // What is due by now is answered first, so it may be too late; what it gets is its own then.
    if (queues_.all[queue].queue.cancel(world_.now_, it.ticket)) it.ticket = 0;
  }
  if (it.rests == 0) return;
  it.rests = 0;
  world_.forget_timer(it.timer);
}

// Asks for messages. What comes at once is begun.
void Messaging::poll(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const ConsumeSpec& rules = queues_.consumers[it.consumer].rules;
  WorldQueue& from = queues_.all[rules.queue];
  Delivery deliveries[ConsumeSpec::batch_max];
  from.queue.advance(world_.now_);
  collect(rules.queue);
  const Receive call{rules.batch, Receive::usual};
  const Received got = rules.wait_ns == 0
                           ? from.queue.receive(world_.now_, call, deliveries)
                           : from.queue.poll(world_.now_, call, rules.wait_ns, deliveries);
  if (got.count != 0) {
    take(poller, deliveries, got.count);
  } else if (got.ticket != 0) {
    const auto slot = static_cast<std::uint32_t>(got.ticket);
    if (slot >= from.waiting.size()) from.waiting.resize(slot + std::size_t{1});
    from.waiting[slot] = poller;
    it.ticket = got.ticket;
  } else {
    rest(poller, world_.now_ + round_trip_ns);
  }
  follow(rules.queue);
}

void Messaging::rest(std::uint32_t poller, std::int64_t time) {
  Poller& it = queues_.pollers[poller];
  it.rests = 1;
  it.timer = world_.calendar_.push(time, payload(EventKind::part, queue_parts + 2 * poller + 1));
}

void Messaging::poller_is_due(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  it.timer = EventQueue::none;
  if (it.rests != 0) {
    it.rests = 0;
    return poll(poller);
  }
  // Who hangs neither hides anew nor gives up.
  const bool hung = world_.faults_.is_hung(it.instance);
  if (it.beat <= world_.now_) {
    it.beat = Poller::never;
    if (!hung) hide_anew(poller);
  }
  if (it.due <= world_.now_) {
    it.due = Poller::never;
    if (!hung) return give_up(poller);
  }
  expect_timer(poller);
}

// A heartbeat: all that it holds is hidden for the whole timeout from now on, as far as that may
// be.
void Messaging::hide_anew(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const ConsumeSpec& rules = queues_.consumers[it.consumer].rules;
  MessageQueue& queue = queues_.all[rules.queue].queue;
  const std::int64_t timeout = queue.spec().visibility_ns;
  const InHand* const hand = queues_.hand(poller);
  if (world_.now_ + timeout > it.received + QueueSpec::visibility_max) return;
  it.beat = world_.now_ + rules.heartbeat_ns;
  for (std::uint32_t at = it.at; at < it.count; ++at) {
    queue.change_visibility(world_.now_, hand[at].receipt, timeout);
  }
  if (rules.abandons) it.due = world_.now_ + timeout;
  follow(rules.queue);
}

// The time of what it holds is over: the work under way stops, and the rest is not begun. What
// waits for something that will come, a sleep or an answer, is `lost` (failing.cpp).
void Messaging::give_up(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  it.count = it.at + 1;
  it.beat = Poller::never;
  const std::uint32_t visit = it.visit;
  const std::uint32_t instance = it.instance;
  const std::uint32_t job = job_of_visit(visit, 0).id;
  std::uint32_t next = Visit::none;
  if (!world_.instances_.is_shared(instance) &&
      world_.instances_.completion(instance) != Instances::never) {
    world_.forget_completion(instance);
  }
  if (world_.instances_.stop_computing(instance, job, world_.now_)) {
    if (world_.instances_.is_shared(instance)) world_.reschedule(instance);
    next = world_.conclude(visit, Outcome::failed);
  } else {
    Visit& work = world_.visits_[visit];
    if ((work.flags & Visit::holding) != 0) {
      world_.devices_.give_memory(instance, work.memory);
      work.flags &= static_cast<std::uint8_t>(~Visit::holding);
    }
    world_.lose(visit);
    next = world_.hand_over<AnyShape>(instance);
  }
  if (next != Visit::none) world_.ready_.push_back(next);
}

}  // namespace nephoscope
