// What topics and buses do: whoever has subscribed gets what is published, and a target what a rule
// matches, at once or by and by.

#include "world/messages/messaging.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

// Of an attempt at who answers, which was not completed.
DeliveryFailure failure_of(Outcome outcome) {
  if (outcome == Outcome::rejected) return DeliveryFailure::rejected;
  return outcome == Outcome::failed ? DeliveryFailure::failed : DeliveryFailure::timed_out;
}

}  // namespace

// What a request of this number says at its source.
std::uint16_t Messaging::said_of_source(std::uint16_t traffic, std::uint64_t serial) const {
  if (!topics_.say_something()) return 0;
  const Saying& says = topics_.of_source[traffic];
  if (!says.by_serial.empty()) return static_cast<std::uint16_t>(says.by_serial[serial] + 1);
  const std::uint32_t draw = topics_.source_draw[traffic];
  const double u = draw == Visit::none ? 0.0 : topics_.draws[draw].at(serial, 0);
  return static_cast<std::uint16_t>(says.pick(u) + 1);
}

// What a step says, or what its request does.
std::uint16_t Messaging::said_by_step(std::uint32_t visit, std::uint32_t send,
                                      std::uint32_t entry) const {
  constexpr std::uint32_t first_entry = 0x60000000;  // apart from the numbers of calls
  if (!topics_.say_something()) return 0;
  const Visit& it = world_.visits_[visit];
  const Saying& says = topics_.of_send[send];
  if (says.kinds.empty()) {
    const std::uint16_t said = topics_.said[visit];
    return said != 0 ? said : said_of_source(it.traffic, it.serial);
  }
  const std::uint32_t draw = topics_.send_draw[it.traffic * topics_.of_send.size() + send];
  // Whichever of its receives a visit works, a message says the same.
  const std::uint32_t whole = is_of_poller(it.parent) ? path_of(it) : it.path;
  const std::uint32_t path = entry == 0 ? whole : path_of_call(whole, first_entry + entry);
  const double u = draw == Visit::none ? 0.0 : topics_.draws[draw].at(it.serial, path);
  return static_cast<std::uint16_t>(says.pick(u) + 1);
}

// One call. What is more than a topic or a bus takes in a second, or all of them, is refused: of a
// topic each message for itself, of a bus whole calls. So is what is no entry of a bus, by itself.
std::uint32_t Messaging::publish(std::uint32_t at, const Outgoing* messages, std::uint32_t count) {
  Topic& topic = topics_.all[at];
  std::uint32_t refused = (1U << count) - 1;
  std::uint32_t taken = 0;
  std::uint32_t malformed = 0;
  if (!topic.bus || topics_.allow(topic, world_.now_)) {
    for (std::uint32_t each = 0; each < count; ++each) {
      const std::uint32_t group = messages[each].group;
      const bool allowed =
          topic.bus || (topics_.allow(topic, world_.now_) &&
                        (group == Message::none || topic.puts.allow(world_.now_, group)));
      if (!allowed) continue;
      if (!topic.takes_entry(kind_in(messages[each].body))) {
        ++malformed;
        continue;
      }
      take_in(at, messages[each]);
      refused &= ~(1U << each);
      ++taken;
    }
  }
  topic.throttled += count - taken - malformed;
  topic.entries.malformed += malformed;
  if (taken != 0) ++topic.calls[taken - 1];
  return refused;
}

// A repetition within the window of a FIFO topic is taken and dropped.
void Messaging::take_in(std::uint32_t at, const Outgoing& message) {
  Topic& topic = topics_.all[at];
  if (topic.fifo) {
    const std::uint64_t id = topic.group_deduplication
                                 ? Deduplication::within(message.body, message.group)
                                 : message.body;
    if (topic.deduplication.find(id, world_.now_) != KeyTable::absent) {
      ++topic.deduplicated;
      return;
    }
    topic.deduplication.remember(id, topic.published, world_.now_);
  }
  ++topic.published;
  if (topic.archive.active) keep(at, message.body);
  const std::uint32_t kind = kind_in(message.body);
  topic.entries.chunks += topic.chunks(kind);
  for (std::uint32_t each = topic.first; each < topic.first + topic.count; ++each) {
    Subscription& subscription = topics_.subscriptions[each];
    if (!subscription.is_confirmed(world_.now_)) {
      ++subscription.counts.unconfirmed;
    } else if (subscription.lets_through(kind, world_.now_)) {
      deliver(each, message);
    } else {
      ++subscription.counts.filtered;
    }
  }
}

// At an instant of a rule's schedule its targets have an event of its own, which nobody has put: no
// limit, no pattern and no other rule counts.
void Messaging::follow_schedule(std::uint32_t bus, std::uint32_t rule, const Outgoing& message) {
  const Topic& topic = topics_.all[bus];
  for (std::uint32_t each = topic.first; each < topic.first + topic.count; ++each) {
    Subscription& subscription = topics_.subscriptions[each];
    if (subscription.rules.rule != rule) continue;
    ++subscription.counts.scheduled;
    deliver(each, message);
  }
}

// To what takes messages, as a step sends them.
std::uint32_t Messaging::hand_in(const Destination& to, const Outgoing* sent, std::uint32_t count) {
  if (to.kind != Destination::Kind::queue) return publish(topics_.number(to), sent, count);
  const std::uint32_t refused = put_into(to.index, sent, count);
  follow(to.index);
  return refused;
}

// At least once.
void Messaging::deliver(std::uint32_t subscription, const Outgoing& message) {
  deliver_copy(subscription, message, 0);
  Subscription& it = topics_.subscriptions[subscription];
  if (it.rules.duplicates == 0.0) return;
  if (it.copies.at(drawn_by(message.body), 0) >= it.rules.duplicates) return;
  ++it.counts.duplicated;
  deliver_copy(subscription, message, 1);
}

// At once, if it can be; else there is a delivery, which in a FIFO topic goes to the end of its
// group.
void Messaging::deliver_copy(std::uint32_t subscription, const Outgoing& message,
                             std::uint8_t which) {
  Subscription& it = topics_.subscriptions[subscription];
  const Topic& topic = topics_.all[it.topic];
  const bool asks = it.rules.asks();
  const bool simple = !asks && !it.rules.outside && !it.rules.may_err();
  Outgoing copy;
  copy.body = told(it.rules.becomes, message.body);
  copy.group = topic.bus ? it.rules.group : message.group;
  const std::uint64_t key = key_of(subscription, copy.group);
  const std::uint64_t last = topic.fifo ? topics_.last_in_group.find(key) : KeyTable::absent;
  const bool at_once = simple && topic.prompt && last == KeyTable::absent;
  if (at_once && hand_in(it.rules.to, &copy, 1) == 0) {
    ++it.counts.delivered;
    return;
  }
  copy.body = message.body;
  const std::uint32_t delivery = add_delivery(subscription, copy);
  topics_.pending[delivery].copy = which;
  if (topic.fifo) topics_.last_in_group.set(key, delivery);
  if (last != KeyTable::absent) {
    topics_.pending[static_cast<std::uint32_t>(last)].next = delivery;
  } else if (!topic.prompt) {
    expect_attempt(delivery, latency_of(delivery));
  } else if (asks) {
    if (!waits_for_turn(delivery)) send_request(delivery);
  } else if (!simple) {
    go_on(delivery);
  } else {
    topics_.pending[delivery].attempts = 1;
    if (give_up_or_wait(delivery, DeliveryFailure::throttled)) forget(delivery);
  }
}

// From the publish to the first attempt.
std::int64_t Messaging::latency_of(std::uint32_t delivery) const {
  const TopicDelivery& it = topics_.pending[delivery];
  const Topic& topic = topics_.all[topics_.subscriptions[it.subscription].topic];
  const std::uint32_t path = path_of_call(it.subscription + 1, it.copy);
  return duration_ns(topic.latency.at(drawn_by(it.body), path));
}

// By which topics and buses draw what belongs to a message: its serial, apart from those of other
// sources of traffic. Of schedules each has targets of its own, and draws apart by those.
std::uint64_t Messaging::drawn_by(std::uint64_t body) const {
  const std::uint32_t traffic = traffic_in(body);
  if (traffic == 0 || traffic >= world_.told_) return serial_in(body);
  return serial_in(body) ^ (mix_bits(traffic) >> 2);
}

// What a target is sent in the place of an event, or a replay puts. The event itself is what
// becomes a dead letter.
std::uint64_t Messaging::told(const std::vector<std::uint32_t>& becomes, std::uint64_t body) const {
  return becomes.empty() ? body : with_kind(becomes[kind_in(body)], body);
}

// The same message with another event.
std::uint64_t Messaging::with_kind(std::uint32_t kind, std::uint64_t body) const {
  return std::uint64_t{origin(traffic_in(body), kind + 1)} << serial_bits | serial_in(body);
}

std::uint32_t Messaging::add_delivery(std::uint32_t subscription, const Outgoing& message) {
  if (topics_.pending.size() > Topics::pending_max)
    throw Error("more than 2^26 deliveries of topics are pending");
  const std::uint32_t delivery = topics_.pending.take();
  TopicDelivery& it = topics_.pending[delivery];
  it = TopicDelivery{};
  it.since = world_.now_;
  it.body = message.body;
  it.group = message.group;
  it.subscription = subscription;
  return delivery;
}

// An attempt at what takes messages. Whether the delivery is over.
bool Messaging::hand_over(std::uint32_t delivery) {
  TopicDelivery& it = topics_.pending[delivery];
  Subscription& subscription = topics_.subscriptions[it.subscription];
  subscription.counts.retried += it.attempts != 0 ? 1U : 0U;
  const EndpointError error = error_of(it);
  ++it.attempts;
  if (error == EndpointError::client) {
    ++subscription.counts.client_errors;
    bury(delivery, DeliveryFailure::client_error, DeliveryEnd::for_good);
    return true;
  }
  Outgoing message;
  message.body = told(subscription.rules.becomes, it.body);
  message.group = it.group;
  const bool taken =
      error == EndpointError::none &&
      (subscription.rules.outside || hand_in(subscription.rules.to, &message, 1) == 0);
  const bool errs = error == EndpointError::server;
  const auto failure = errs ? DeliveryFailure::server_error : DeliveryFailure::throttled;
  if (!taken) return give_up_or_wait(delivery, failure);
  ++subscription.counts.delivered;
  return true;
}

// Of its next attempt.
EndpointError Messaging::error_of(const TopicDelivery& it) const {
  constexpr std::uint32_t of_copy = 0x80000000;
  const Subscription& subscription = topics_.subscriptions[it.subscription];
  const SubscriptionSpec& rules = subscription.rules;
  if (!rules.may_err()) return EndpointError::none;
  const std::uint32_t attempt = it.attempts | (it.copy != 0 ? of_copy : 0U);
  const double u = subscription.errors.at(drawn_by(it.body), attempt);
  if (u < rules.client_errors) return EndpointError::client;
  return u < rules.client_errors + rules.server_errors ? EndpointError::server
                                                       : EndpointError::none;
}

// An attempt at whoever answers: a request of the subscription, unless there is an error at once.
// The delivery may be over when this returns.
void Messaging::send_request(std::uint32_t delivery) {
  constexpr std::uint32_t first_attempt = 0x20000000;  // apart from the numbers of calls
  constexpr std::uint32_t not_a_client = 0x80000000;
  TopicDelivery& it = topics_.pending[delivery];
  Subscription& subscription = topics_.subscriptions[it.subscription];
  subscription.counts.retried += it.attempts != 0 ? 1U : 0U;
  const EndpointError error = error_of(it);
  if (error != EndpointError::none) {
    ++it.attempts;
    const bool for_good = error == EndpointError::client;
    subscription.counts.client_errors += for_good ? 1U : 0U;
    if (for_good) bury(delivery, DeliveryFailure::client_error, DeliveryEnd::for_good);
    if (for_good || give_up_or_wait(delivery, DeliveryFailure::server_error)) forget(delivery);
    return;
  }
  it.under_way = 1;
  Request request;
  request.serial = serial_in(it.body);
  request.client = not_a_client | static_cast<std::uint32_t>(request.serial);
  request.traffic = traffic_in(it.body);
  request.said = said_in(told(subscription.rules.becomes, it.body));
  request.flags = Visit::awaited;
  request.path = path_of_call(it.subscription + 1, first_attempt + it.copy);
  request.parent = delivery_parent + delivery;
  request.trial = trial_of(0, it.attempts++);
  Caller& caller = world_.callers_[subscription.caller];
  ++caller.sent;
  const std::uint32_t visit = world_.send<AnyShape>(caller, request);
  if (visit != Visit::none) world_.ready_.push_back(visit);
}

void Messaging::end_delivery(std::uint32_t visit, Outcome outcome) {
  const std::uint32_t delivery = world_.visits_[visit].parent - delivery_parent;
  TopicDelivery& it = topics_.pending[delivery];
  it.under_way = 0;
  if (outcome == Outcome::completed) {
    ++topics_.subscriptions[it.subscription].counts.delivered;
  } else if (!give_up_or_wait(delivery, failure_of(outcome))) {
    return;
  }
  forget(delivery);
}

// After an attempt in vain. Whether the delivery is over: there is no further attempt.
bool Messaging::give_up_or_wait(std::uint32_t delivery, DeliveryFailure failure) {
  TopicDelivery& it = topics_.pending[delivery];
  Subscription& subscription = topics_.subscriptions[it.subscription];
  const DeliveryRules& rules = subscription.rules.retry;
  const bool again = it.attempts <= rules.retries();
  if (again) {
    const std::uint32_t retry = it.attempts - 1;
    const bool drawn = rules.jitter != DeliveryJitter::none;
    const double u = drawn ? subscription.jitter.at(drawn_by(it.body), retry) : 0.0;
    const std::int64_t wait = rules.wait(retry, u);
    const bool in_time = rules.age_ns == 0 || world_.now_ + wait - it.since <= rules.age_ns;
    if (in_time) {
      expect_attempt(delivery, wait);
      return false;
    }
  }
  bury(delivery, failure, again ? DeliveryEnd::age : DeliveryEnd::attempts);
  return true;
}

// It becomes a dead letter, or is dropped; whoever calls this forgets it.
void Messaging::bury(std::uint32_t delivery, DeliveryFailure failure, DeliveryEnd end) {
  const TopicDelivery& it = topics_.pending[delivery];
  Subscription& subscription = topics_.subscriptions[it.subscription];
  subscription.counts.given_up.count(failure, end, it.attempts);
  const std::uint32_t letters = subscription.rules.dead_letter;
  if (letters == Subscription::none) {
    ++subscription.counts.dropped;
    return;
  }
  ++subscription.counts.dead_lettered;
  std::uint64_t body = it.body;
  const SubscriptionSpec& rules = subscription.rules;
  if (!rules.letters.empty()) {
    const std::uint32_t letter =
        rules.letters[kind_in(body) * delivery_causes + cause_of(failure, end)];
    const bool told = !rules.by_retries.empty();
    body = with_kind(told ? rules.by_retries[letter + it.attempts - 1] : letter, body);
  }
  queues_.all[letters].queue.admit(world_.now_, body, it.group);
  follow(letters);
}

void Messaging::expect_attempt(std::uint32_t delivery, std::int64_t wait) {
  topics_.pending[delivery].timer = world_.calendar_.push(
      world_.now_ + wait, payload(EventKind::part, delivery_parts + delivery));
}

// All buses begin so many attempts in a second, and so does each, and either so many at an endpoint
// of HTTP; the turn of what is more is known when it is due.
bool Messaging::waits_for_turn(std::uint32_t delivery) {
  TopicDelivery& it = topics_.pending[delivery];
  if (it.has_turn != 0) {
    it.has_turn = 0;
    return false;
  }
  Subscription& subscription = topics_.subscriptions[it.subscription];
  Topic& topic = topics_.all[subscription.topic];
  const std::int64_t of_all = topic.bus ? topics_.invocations.place(world_.now_) : world_.now_;
  const std::int64_t turn = subscription.receives.place(topic.invocations.place(of_all));
  if (turn == world_.now_) return false;
  ++subscription.counts.delayed;
  it.has_turn = 1;
  expect_attempt(delivery, turn - world_.now_);
  return true;
}

void Messaging::try_again(std::uint32_t delivery) {
  TopicDelivery& it = topics_.pending[delivery];
  it.timer = EventQueue::none;
  if (waits_for_turn(delivery)) return;
  const Subscription& subscription = topics_.subscriptions[it.subscription];
  if (subscription.rules.asks()) {
    send_request(delivery);
  } else {
    go_on(delivery);
  }
  world_.run_ready();
}

// A delivery to what takes messages is tried, and what has waited for it in its group when it is
// over, but not before its own latency is.
void Messaging::go_on(std::uint32_t delivery) {
  while (hand_over(delivery)) {
    delivery = forget(delivery);
    if (delivery == TopicDelivery::none) return;
    const TopicDelivery& next = topics_.pending[delivery];
    const bool prompt = topics_.all[topics_.subscriptions[next.subscription].topic].prompt;
    const std::int64_t due = prompt ? next.since : next.since + latency_of(delivery);
    if (due > world_.now_) return expect_attempt(delivery, due - world_.now_);
  }
}

// A delivery is over. Returns the next in its group.
std::uint32_t Messaging::forget(std::uint32_t delivery) {
  const TopicDelivery& it = topics_.pending[delivery];
  const std::uint32_t next = it.next;
  const bool ordered = topics_.all[topics_.subscriptions[it.subscription].topic].fifo;
  if (ordered && next == TopicDelivery::none)
    topics_.last_in_group.erase(key_of(it.subscription, it.group));
  topics_.pending.release(delivery);
  return next;
}

}  // namespace nephoscope
