// What queues and their consumers do in a world: the way of a message.
//
// send -> (a worker waits) take -> begin -> ... the visit ends -> end_message -> delete -> poll
//      -> (nobody does) it is there for who polls next
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
  explicit Messaging(World& world) : world_(world), queues_(world.queues_) {}

  // Building: the queues, then the callers that count what consumers do, then the first polls.
  void build(const WorldSpec& spec);
  void build_consumers(const WorldSpec& spec);
  void start();

  // A source of traffic sends: it is answered as soon as the queue has taken or refused the
  // message. Returns as World::send does.
  std::uint32_t send(std::uint32_t caller, const Request& request);
  // A step does. A message that the queue does not take fails the request.
  void send(std::uint32_t visit, std::uint32_t send);

  // An instance begins to poll; polls no more and finishes what it holds; dies with it.
  void begin_polls(std::uint32_t instance);
  void end_polls(std::uint32_t instance);
  void crash(std::uint32_t instance);

  // By which a message draws what belongs to it, whichever of its receives the visit works.
  std::uint32_t path_of(const Visit& visit) const;

  // The visit of a poller has ended.
  void end_message(std::uint32_t visit, Outcome outcome);

  // An entry of the calendar is due: by number, x 2: of a queue; + 1: of a poller.
  void wake(std::uint32_t due);

  // The measured time begins.
  void restart_count();

 private:
  void check_consumes(const WorldSpec& spec, std::size_t service) const;
  void poll(std::uint32_t poller);
  void take(std::uint32_t poller, const Delivery* deliveries, std::uint32_t count);
  void begin(std::uint32_t poller);
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

  World& world_;
  Queues& queues_;
};

}  // namespace nephoscope
