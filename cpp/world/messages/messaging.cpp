#include "world/messages/messaging.hpp"

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

std::uint32_t Messaging::send(std::uint32_t at, const Request& request) {
  Caller& caller = world_.callers_[at];
  const std::uint32_t to = caller.to;
  const bool to_topic = caller.sends == 2;
  const Sent sent{world_.now_, caller.first_route, Visit::none};
  const std::uint16_t said = said_of_source(request.traffic, request.serial);
  Outgoing message;
  message.body = body_of_request(origin(request.traffic, said), request.serial);
  message.group = world_.sources_[request.traffic].group;
  const std::uint32_t rule = world_.sources_[request.traffic].rule;
  bool taken = true;
  if (rule != Visit::none) {
    message.body = body_of_replay(message.body, of_schedule);
    follow_schedule(to, rule, message);
  } else {
    taken = (to_topic ? publish(to, &message, 1) : put_into(to, &message, 1)) == 0;
  }
  const Outcome outcome = taken ? Outcome::completed : Outcome::rejected;
  ++caller.ended[static_cast<std::size_t>(outcome)];
  Route& route = world_.routes_[sent.route];
  if (sent.arrival >= world_.warmup_) {
    if (taken) {
      route.latency.record(0);
    } else {
      ++route.ended[static_cast<std::size_t>(outcome)];
    }
  }
  if ((request.flags & Visit::awaited) != 0) {
    const std::uint32_t visit = world_.take_visit(sent, request);
    world_.answer_waiting(visit, outcome);
    world_.visits_.release(visit);
  }
  if (!to_topic) follow(to);
  if (world_.ready_.empty()) return Visit::none;
  const std::uint32_t next = world_.ready_.back();
  world_.ready_.pop_back();
  return next;
}

void Messaging::send(std::uint32_t visit, std::uint32_t send) {
  const Programs::Send& it = world_.programs_.sends()[send];
  Outgoing messages[Programs::batch_max];
  const Visit& sender = world_.visits_[visit];
  for (std::uint32_t entry = 0; entry < it.batch; ++entry) {
    Outgoing& message = messages[entry];
    const std::uint16_t from = origin(sender.traffic, said_by_step(visit, send, entry));
    message.body = body_of_send(from, sender, send, entry);
    message.delay = it.delay_ns;
    message.group = it.group;
  }
  if (hand_in(it.to, messages, it.batch) != 0) world_.visits_[visit].flags |= Visit::failing;
}

// One call. Some are not taken where a FIFO queue has had too many calls. Whoever sends has to
// follow the queue.
std::uint32_t Messaging::put_into(std::uint32_t queue, const Outgoing* messages,
                                  std::uint32_t count) {
  SendResult results[Programs::batch_max];
  queues_.all[queue].queue.send(world_.now_, messages, count, results);
  std::uint32_t refused = 0;
  for (std::uint32_t at = 0; at < count; ++at)
    refused |= results[at].status == CallStatus::throttled ? 1U << at : 0U;
  return refused;
}

void Messaging::take(std::uint32_t poller, const Delivery* deliveries, std::uint32_t count) {
  Poller& it = queues_.pollers[poller];
  const ConsumeSpec& rules = queues_.consumers[it.consumer].rules;
  InHand* const hand = queues_.hand(poller);
  for (std::uint32_t at = 0; at < count; ++at) {
    const Message& message = deliveries[at].message;
    hand[at] = {message.sent, message.body, deliveries[at].receipt, message.receives,
                message.group};
  }
  it.at = 0;
  it.count = count;
  it.received = world_.now_;
  if (queues_.consumers[it.consumer].is_pipe()) return carry(poller);
  it.beat = rules.heartbeat_ns != 0 ? world_.now_ + rules.heartbeat_ns : Poller::never;
  const std::int64_t timeout = queues_.all[rules.queue].queue.spec().visibility_ns;
  it.due = rules.abandons ? world_.now_ + timeout : Poller::never;
  expect_timer(poller);
  begin(poller);
}

// What is done at the very instant that its time is over is in time: the timer is the last one.
void Messaging::expect_timer(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const std::int64_t next = std::min(it.beat, it.due);
  if (next >= world_.duration_) return;
  it.timer =
      world_.calendar_.push_last(next, payload(EventKind::part, queue_parts + 2 * poller + 1));
}

std::uint32_t Messaging::path_of(const Visit& visit) const {
  const Poller& it = queues_.pollers[visit.parent - poller_parent];
  return path_of_receive(queues_.consumers[it.consumer].rules, 0);
}

// Begins to work the next message that a poller holds. Where that goes on from the one before, its
// worker is not free yet, and comes back to it at once.
void Messaging::begin(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const Consumer& consumer = queues_.consumers[it.consumer];
  const InHand& message = queues_.hand(poller)[it.at];
  Request request;
  request.serial = serial_in(message.body);
  request.client = it.instance;
  request.traffic = traffic_in(message.body);
  request.said = said_in(message.body);
  request.flags = Visit::awaited;
  request.path = path_of_receive(consumer.rules, message.receives);
  request.parent = poller_parent + poller;
  Caller& caller = world_.callers_[consumer.caller];
  ++caller.sent;
  const Sent sent{world_.now_, caller.first_route, Visit::none};
  it.visit = world_.take_visit(sent, request);
  world_.visits_[it.visit].instance = it.instance;
  world_.visits_[it.visit].place = world_.routes_[sent.route].entry;
  const std::uint32_t next = world_.offer_visit(it.visit, Job::undecided);
  if (next != Visit::none) world_.ready_.push_back(next);
}

void Messaging::end_message(std::uint32_t visit, Outcome outcome) {
  const std::uint32_t poller = world_.visits_[visit].parent - poller_parent;
  Poller& it = queues_.pollers[poller];
  const Consumer& consumer = queues_.consumers[it.consumer];
  if (consumer.is_pipe()) return end_asking(poller, outcome);
  if (it.visit != visit) return;
  it.visit = Poller::none;
  settle(poller, outcome == Outcome::completed);
  if (it.at < it.count) {
    begin(poller);
  } else {
    let_go(poller);
    if (it.polls != 0) poll(poller);
  }
  follow(consumer.rules.queue);
}

// The next message that a poller holds is deleted if it has been worked to the end, by the receipt
// that is good now; else it is left to its timeout, and what follows it in its group of a FIFO
// queue with it.
void Messaging::settle(std::uint32_t poller, bool done) {
  Poller& it = queues_.pollers[poller];
  WorldQueue& queue = queues_.all[queues_.consumers[it.consumer].rules.queue];
  const InHand* const hand = queues_.hand(poller);
  const InHand message = hand[it.at++];
  if (done) {
    ReceiptStatus status = ReceiptStatus::done;
    const std::uint64_t receipt = queue.queue.latest(message.receipt);
    queue.queue.erase(world_.now_, &receipt, 1, &status);
    if (status != ReceiptStatus::done) {
      ++queue.in_vain;
    } else if (message.sent >= world_.warmup_) {
      queue.age.record(world_.now_ - message.sent);
    }
  } else if (queue.queue.spec().kind == QueueKind::fifo) {
    while (it.at < it.count && hand[it.at].group == message.group) ++it.at;
  }
}

// A poller holds nothing more.
void Messaging::let_go(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  if (it.count == 0) return;
  it.at = it.count = 0;
  it.beat = it.due = Poller::never;
  world_.forget_timer(it.timer);
}

void Messaging::wake(std::uint32_t due) {
  const std::uint32_t index = due / 2;
  if (due % 2 != 0) {
    poller_is_due(index);
  } else {
    queues_.all[index].timer = EventQueue::none;
    queues_.all[index].queue.advance(world_.now_);
    follow(index);
  }
  world_.run_ready();
}

// Hands on what has come out of a queue, and of those that it leads to.
void Messaging::follow(std::uint32_t queue) {
  queues_.pending.push_back(queue);
  if (queues_.following) return;
  queues_.following = true;
  while (!queues_.pending.empty()) {
    const std::uint32_t next = queues_.pending.back();
    queues_.pending.pop_back();
    hand_on(next);
  }
  queues_.following = false;
}

// Takes what has come out of a queue. Before a poll, that is: who polls may get the waiter's place
// of somebody who has just been answered.
void Messaging::collect(std::uint32_t at) {
  WorldQueue& it = queues_.all[at];
  if (it.queue.answers().empty() && it.queue.dead().empty() && it.queue.redriven().empty()) return;
  const auto before = static_cast<std::uint32_t>(it.answered.size());
  for (PollAnswer answer : it.queue.answers()) {
    answer.ticket = it.waiting[static_cast<std::uint32_t>(answer.ticket)];
    answer.first += before;
    queues_.pollers[answer.ticket].ticket = 0;
    it.answers.push_back(answer);
  }
  const std::vector<Delivery>& answered = it.queue.answered();
  it.answered.insert(it.answered.end(), answered.begin(), answered.end());
  it.dead.insert(it.dead.end(), it.queue.dead().begin(), it.queue.dead().end());
  const std::vector<Moved>& redriven = it.queue.redriven();
  it.redriven.insert(it.redriven.end(), redriven.begin(), redriven.end());
  it.queue.forget_outcomes();
}

// More may come while that is done.
void Messaging::hand_on(std::uint32_t at) {
  WorldQueue& it = queues_.all[at];
  collect(at);
  for (std::size_t next = 0; next < it.answers.size(); ++next) {
    const PollAnswer answer = it.answers[next];
    const auto poller = static_cast<std::uint32_t>(answer.ticket);
    if (answer.count != 0) {
      take(poller, it.answered.data() + answer.first, answer.count);
    } else if (queues_.pollers[poller].polls != 0) {
      poll(poller);
    }
  }
  for (Moved& letter : it.dead) {
    WorldQueue& letters = queues_.all[it.dead_letter];
    if (letters.keeps_origins) letter.message.come_from(at + 1);
    letters.queue.arrive(world_.now_, letter.message);
    queues_.pending.push_back(it.dead_letter);
  }
  for (const Moved& letter : it.redriven) {
    const bool home = it.redrives_to == QueueActionSpec::home;
    const std::uint32_t to = home ? letter.message.origin() - 1 : it.redrives_to;
    queues_.all[to].queue.admit(world_.now_, letter.message.body, letter.message.group);
    queues_.pending.push_back(to);
  }
  it.answers.clear();
  it.answered.clear();
  it.dead.clear();
  it.redriven.clear();
  count_depth(it, world_.now_);
  expect(at);
}

// A queue has one entry in the calendar, which may come too early but never too late.
void Messaging::expect(std::uint32_t at) {
  WorldQueue& it = queues_.all[at];
  const std::int64_t next = it.queue.next_event();
  if (next >= world_.duration_ || (it.timer != EventQueue::none && it.due <= next)) return;
  const std::uint32_t entry = payload(EventKind::part, queue_parts + 2 * at);
  it.timer = it.timer == EventQueue::none ? world_.calendar_.push(next, entry)
                                          : world_.calendar_.move(it.timer, next);
  it.due = next;
}

void Messaging::restart_count() {
  for (WorldQueue& it : queues_.all) {
    count_depth(it, world_.now_);
    it.depth_ns = 0;
    it.least = it.most = it.depth;
  }
}

}  // namespace nephoscope
