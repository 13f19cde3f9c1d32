// Pipes: each receives messages from a queue, as many pollers at a time as it has, and hands what
// its filter lets through to one target. What that takes is deleted, and what the filter drops; the
// rest is left to its timeout, and comes again.

#include <string>
#include <vector>

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

bool is_ordered(const WorldSpec& spec, const Destination& to) {
  if (to.kind == Destination::Kind::topic) return spec.topics[to.index].fifo;
  return to.kind == Destination::Kind::queue && spec.queues[to.index].rules.kind == QueueKind::fifo;
}

// Whether what is sent somewhere may get into a queue, by and by, without any service.
bool leads_to(const WorldSpec& spec, const Destination& first, std::uint32_t queue) {
  std::vector<Destination> ahead = {first};
  std::vector<bool> seen(spec.queues.size(), false);
  while (!ahead.empty()) {
    const Destination at = ahead.back();
    ahead.pop_back();
    const auto add_queue = [&](std::uint32_t it) {
      if (it != PipeSpec::none) ahead.push_back({Destination::Kind::queue, it});
    };
    if (at.kind >= Destination::Kind::topic) {
      for (const SubscriptionSpec& each : subscriptions_of(spec, at)) {
        if (!each.outside) ahead.push_back(each.to);
        add_queue(each.dead_letter);
      }
    }
    if (at.kind != Destination::Kind::queue || seen[at.index]) continue;
    if (at.index == queue) return true;
    seen[at.index] = true;
    add_queue(spec.queues[at.index].dead_letter);
    for (const PipeSpec& pipe : spec.pipes) {
      if (pipe.from.queue == at.index) ahead.push_back(pipe.to);
    }
  }
  return false;
}

}  // namespace

void Messaging::check_pipe(const WorldSpec& spec, const PipeSpec& from,
                           const std::string& path) const {
  check_consumer(spec, from.from, path + "from.");
  require(from.from.heartbeat_ns == 0 && !from.from.abandons, path + "from",
          "neither hides messages anew nor abandons them");
  require(from.pollers >= 1 && from.pollers <= PipeSpec::pollers_max, path + "pollers",
          "must be from 1 to 1,000");
  const std::size_t there = from.to.kind == Destination::Kind::queue   ? spec.queues.size()
                            : from.to.kind == Destination::Kind::topic ? spec.topics.size()
                            : from.to.kind == Destination::Kind::bus   ? spec.buses.size()
                            : from.to.kind == Destination::Kind::fleet ? spec.fleets.size()
                                                                       : spec.balancers.size();
  require(from.to.index < there, path + "to", "is not there");
  require(!is_ordered(spec, from.to) || from.group != PipeSpec::none ||
              spec.queues[from.from.queue].rules.kind == QueueKind::fifo,
          path + "group", "is needed: messages go to a FIFO queue or topic");
  require(!from.asks() || (from.timeout_ns > 0 && from.timeout_ns <= duration_max),
          path + "timeout", "must be above 0 and below 73 years");
  require(from.takes.empty() || from.takes.size() == topics_.kinds, path + "takes",
          "must say so of each event");
  check_becomes(from.becomes, path);
}

// What a pipe asks is counted as the requests of a caller of its own.
void Messaging::build_pipes(const WorldSpec& spec) {
  require(spec.pipes.size() < 65'535, "pipes", "has too many entries");
  for (std::size_t index = 0; index < spec.pipes.size(); ++index)
    check_pipe(spec, spec.pipes[index], at("pipes", index, ""));
  for (std::size_t index = 0; index < spec.pipes.size(); ++index) {
    const PipeSpec& from = spec.pipes[index];
    require(!leads_to(spec, from.to, from.from.queue), at("pipes", index, "to"),
            "leads back to the queue of the pipe");
    Pipe& made = queues_.pipes.emplace_back();
    made.rules = from;
    made.keeps_groups = is_ordered(spec, from.to) && from.group == PipeSpec::none;
    made.first_poller = static_cast<std::uint32_t>(queues_.pollers.size());
    Consumer& consumer = queues_.consumers.emplace_back();
    consumer.rules = from.from;
    consumer.pipe = static_cast<std::uint32_t>(index);
    if (from.asks()) {
      consumer.caller = static_cast<std::uint32_t>(world_.callers_.size());
      world_.add_caller(from.to, from.timeout_ns, false, "pipes." + from.name);
    }
    Poller poller;
    poller.instance = Poller::none;
    poller.consumer = static_cast<std::uint32_t>(queues_.consumers.size() - 1);
    poller.polls = 1;
    queues_.pollers.resize(queues_.pollers.size() + from.pollers, poller);
    queues_.hands.resize(queues_.pollers.size() * ConsumeSpec::batch_max);
  }
  require(queues_.pollers.size() <= pollers_max, "pipes", "have more than 2^26 pollers");
}

void Messaging::start_pipes() {
  for (const Pipe& pipe : queues_.pipes) {
    for (std::uint32_t each = 0; each < pipe.rules.pollers; ++each) {
      rest(pipe.first_poller + each, world_.now_);
    }
  }
}

// Settles what a poller of a pipe has received, or begins to ask.
void Messaging::carry(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const Consumer& consumer = queues_.consumers[it.consumer];
  Pipe& pipe = queues_.pipes[consumer.pipe];
  pipe.counts.received += it.count;
  if (!pipe.rules.takes.empty()) drop_unmatched(poller);
  if (!pipe.rules.asks()) hand_on_all(poller);
  carry_on(poller);
}

// It deletes what its filter does not match, and holds the rest.
void Messaging::drop_unmatched(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const Consumer& consumer = queues_.consumers[it.consumer];
  Pipe& pipe = queues_.pipes[consumer.pipe];
  InHand* const hand = queues_.hand(poller);
  std::uint32_t kept = 0;
  for (std::uint32_t at = 0; at < it.count; ++at) {
    if (pipe.rules.takes[kind_in(hand[at].body)] != 0) {
      hand[kept++] = hand[at];
      continue;
    }
    ReceiptStatus status = ReceiptStatus::done;
    queues_.all[consumer.rules.queue].queue.erase(world_.now_, &hand[at].receipt, 1, &status);
    ++pipe.counts.filtered;
  }
  it.count = kept;
}

// To what takes messages: in one call; what comes in order in one each, so that nothing overtakes
// what is refused.
void Messaging::hand_on_all(std::uint32_t poller) {
  Poller& it = queues_.pollers[poller];
  const Consumer& consumer = queues_.consumers[it.consumer];
  const Pipe& pipe = queues_.pipes[consumer.pipe];
  const InHand* const hand = queues_.hand(poller);
  const bool ordered = queues_.all[consumer.rules.queue].queue.spec().kind == QueueKind::fifo;
  while (it.at < it.count) {
    const std::uint32_t count = ordered ? 1 : it.count - it.at;
    Outgoing messages[ConsumeSpec::batch_max];
    for (std::uint32_t each = 0; each < count; ++each) {
      const InHand& from = hand[it.at + each];
      messages[each].body = told(pipe.rules.becomes, from.body);
      messages[each].group = pipe.keeps_groups ? from.group : pipe.rules.group;
    }
    const std::uint32_t refused = hand_in(pipe.rules.to, messages, count);
    for (std::uint32_t each = 0; each < count; ++each) {
      settle_carried(poller, (refused >> each & 1U) == 0);
    }
  }
}

// Sends the next message that it holds as a request, and waits for the answer, which may be there
// when this returns.
void Messaging::ask(std::uint32_t poller) {
  constexpr std::uint32_t not_a_client = 0x80000000;
  Poller& it = queues_.pollers[poller];
  const Consumer& consumer = queues_.consumers[it.consumer];
  const InHand& message = queues_.hand(poller)[it.at];
  Request request;
  request.serial = serial_in(message.body);
  request.client = not_a_client | static_cast<std::uint32_t>(request.serial);
  request.traffic = traffic_in(message.body);
  request.said = said_in(told(queues_.pipes[consumer.pipe].rules.becomes, message.body));
  request.flags = Visit::awaited;
  request.path = path_of_receive(consumer.rules, message.receives);
  request.parent = poller_parent + poller;
  Caller& caller = world_.callers_[consumer.caller];
  ++caller.sent;
  const std::uint32_t visit = world_.send<AnyShape>(caller, request);
  if (visit != Visit::none) world_.ready_.push_back(visit);
}

void Messaging::end_asking(std::uint32_t poller, Outcome outcome) {
  settle_carried(poller, outcome == Outcome::completed);
  carry_on(poller);
}

// With what is left. Without anything it polls when the events of this instant are handled: a full
// queue is emptied by turns, not in the depth of the stack.
void Messaging::carry_on(std::uint32_t poller) {
  const Poller& it = queues_.pollers[poller];
  if (it.at < it.count) {
    ask(poller);
  } else {
    let_go(poller);
    rest(poller, world_.now_);
  }
  follow(queues_.consumers[it.consumer].rules.queue);
}

void Messaging::settle_carried(std::uint32_t poller, bool taken) {
  const Poller& it = queues_.pollers[poller];
  Pipe& pipe = queues_.pipes[queues_.consumers[it.consumer].pipe];
  const std::uint32_t before = it.at;
  settle(poller, taken);
  (taken ? pipe.counts.delivered : pipe.counts.failed) += it.at - before;
}

}  // namespace nephoscope
