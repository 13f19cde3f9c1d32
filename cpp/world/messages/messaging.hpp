// What queues, their consumers and topics do in a world: the way of a message.
//
// send -> (a worker waits) take -> begin -> ... the visit ends -> end_message -> delete -> poll
//      -> (nobody does) it is there for who polls next
//      -> (a pipe waits) take -> carry -> its target takes it -> settle -> poll
//
// publish -> deliver -> (a queue takes it) -> the queue's
//                    -> try_now -> ... end_delivery -> (in vain) a timer, try_again
//                                                   -> (too often) bury
//
// This is a part of World, which lends itself for as long as a call lasts; worlds without queues
// never come here. Whoever begins to work at an instant is put among the visits that are ready, to
// be run by the event that is being handled.

#pragma once

#include <cstdint>
#include <string>

#include "world/world.hpp"

namespace nephoscope {

class Messaging {
 public:
  explicit Messaging(World& world)
      : world_(world), queues_(world.queues_), topics_(world.topics_) {}

  // Building: queues and topics, the callers that count attempts at deliveries and what consumers
  // do, the draws of what is said, the first polls.
  void build(const WorldSpec& spec);
  void build_endpoints();
  void build_consumers(const WorldSpec& spec);
  void build_sayings(const WorldSpec& spec);
  void start();

  // A source of traffic sends: it is answered as soon as the message has been taken or refused.
  // Returns as World::send does.
  std::uint32_t send(std::uint32_t caller, const Request& request);
  // A step does. A message that is not taken fails the request.
  void send(std::uint32_t visit, std::uint32_t send);

  // An instance begins to poll; polls no more and finishes what it holds; dies with it.
  void begin_polls(std::uint32_t instance);
  void end_polls(std::uint32_t instance);
  void crash(std::uint32_t instance);

  // By which a message draws what belongs to it, whichever of its receives the visit works.
  std::uint32_t path_of(const Visit& visit) const;

  // The visit of a poller has ended.
  void end_message(std::uint32_t visit, Outcome outcome);

  // The attempt at a delivery has ended; the next one is due.
  void end_delivery(std::uint32_t visit, Outcome outcome);
  void try_again(std::uint32_t delivery);

  // An operator does something to a queue.
  void act_on_queue(std::uint32_t action);

  // A replay begins, or has a turn.
  void go_on_with_replay(std::uint32_t replay);

  // An entry of the calendar is due: by number, x 2: of a queue; + 1: of a poller.
  void wake(std::uint32_t due);

  // The measured time begins.
  void restart_count();

 private:
  void check_consumes(const WorldSpec& spec, std::size_t service) const;
  void check_consumer(const WorldSpec& spec, const ConsumeSpec& rules,
                      const std::string& path) const;
  void build_queue_actions(const WorldSpec& spec);
  void check_change(const WorldSpec& spec, const QueueActionSpec& from,
                    const std::string& path) const;
  void change_queue(MessageQueue& queue, const QueueActionSpec& it);
  void poll(std::uint32_t poller);
  void take(std::uint32_t poller, const Delivery* deliveries, std::uint32_t count);
  void begin(std::uint32_t poller);
  void settle(std::uint32_t poller, bool done);
  void let_go(std::uint32_t poller);
  void expect_timer(std::uint32_t poller);
  void rest(std::uint32_t poller, std::int64_t time);
  void poller_is_due(std::uint32_t poller);
  void hide_anew(std::uint32_t poller);
  void give_up(std::uint32_t poller);
  void stop_waiting(std::uint32_t poller);
  void follow(std::uint32_t queue);
  void collect(std::uint32_t queue);
  void hand_on(std::uint32_t queue);
  void expect(std::uint32_t queue);

  // pipes.cpp
  void build_pipes(const WorldSpec& spec);
  void check_pipe(const WorldSpec& spec, const PipeSpec& from, const std::string& path) const;
  void start_pipes();
  void carry(std::uint32_t poller);
  void drop_unmatched(std::uint32_t poller);
  void hand_on_all(std::uint32_t poller);
  void ask(std::uint32_t poller);
  void end_asking(std::uint32_t poller, Outcome outcome);
  void settle_carried(std::uint32_t poller, bool taken);
  void carry_on(std::uint32_t poller);

  // publishing.cpp, build_topics.cpp, replaying.cpp
  void count_kinds(const WorldSpec& spec);
  void build_topics(const WorldSpec& spec);
  void build_latency(Topic& topic, const Distribution& from, const std::string& path);
  void add_subscriptions(const WorldSpec& spec, const std::vector<SubscriptionSpec>& from,
                         const std::string& path);
  void check_subscription(const WorldSpec& spec, const SubscriptionSpec& from,
                          const std::string& path) const;
  void check_kinds(const SubscriptionSpec& from, const std::string& path) const;
  void check_letters(const SubscriptionSpec& from, const std::string& path) const;
  void check_becomes(const std::vector<std::uint32_t>& becomes, const std::string& path) const;
  void mark_scheduled(const Destination& bus, std::uint32_t rule);
  std::uint16_t said_of_source(std::uint16_t traffic, std::uint64_t serial) const;
  std::uint16_t said_by_step(std::uint32_t visit, std::uint32_t send, std::uint32_t entry) const;
  void build_replays(const WorldSpec& spec);
  void expect_replay(std::uint32_t replay, std::int64_t time);
  void keep(std::uint32_t bus, std::uint64_t body);
  void begin_replay(Replay& it);
  void put_again(std::uint32_t replay, std::uint64_t body);
  // The messages of one call that were refused: a bit of each.
  std::uint32_t publish(std::uint32_t topic, const Outgoing* messages, std::uint32_t count);
  void take_in(std::uint32_t topic, const Outgoing& message);
  void follow_schedule(std::uint32_t bus, std::uint32_t rule, const Outgoing& message);
  std::uint32_t hand_in(const Destination& to, const Outgoing* sent, std::uint32_t count);
  void deliver(std::uint32_t subscription, const Outgoing& message);
  void deliver_copy(std::uint32_t subscription, const Outgoing& message, std::uint8_t copy);
  std::uint32_t put_into(std::uint32_t queue, const Outgoing* messages, std::uint32_t count);
  std::uint32_t add_delivery(std::uint32_t subscription, const Outgoing& message);
  std::int64_t latency_of(std::uint32_t delivery) const;
  EndpointError error_of(const TopicDelivery& delivery) const;
  void expect_attempt(std::uint32_t delivery, std::int64_t wait);
  bool waits_for_turn(std::uint32_t delivery);
  bool hand_over(std::uint32_t delivery);
  void send_request(std::uint32_t delivery);
  bool give_up_or_wait(std::uint32_t delivery, DeliveryFailure failure);
  void bury(std::uint32_t delivery, DeliveryFailure failure, DeliveryEnd end);
  void go_on(std::uint32_t delivery);
  std::uint32_t forget(std::uint32_t delivery);

  // Source of traffic and what is said, as one number.
  std::uint16_t origin(std::uint32_t traffic, std::uint32_t said) const {
    return static_cast<std::uint16_t>(traffic + world_.traffic_ * said);
  }
  std::uint16_t traffic_in(std::uint64_t body) const {
    return static_cast<std::uint16_t>(origin_in(body) % world_.traffic_);
  }
  std::uint32_t kind_in(std::uint64_t body) const {
    const std::uint32_t said = said_in(body);
    return said == 0 ? 0 : said - 1;
  }
  std::uint64_t told(const std::vector<std::uint32_t>& becomes, std::uint64_t body) const;
  std::uint64_t with_kind(std::uint32_t kind, std::uint64_t body) const;
  std::uint64_t drawn_by(std::uint64_t body) const;
  std::uint16_t said_in(std::uint64_t body) const {
    return static_cast<std::uint16_t>(origin_in(body) / world_.traffic_);
  }

  World& world_;
  Queues& queues_;
  Topics& topics_;
};

}  // namespace nephoscope
