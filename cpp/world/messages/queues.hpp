// The queues of a world and the workers that live on them, as plain data. What they do is in
// messaging.hpp.
//
// Every worker of a consuming instance is a poller: it asks its queue for messages and waits for
// them, works them one after the other, each as a visit, deletes each when it is done, and asks
// again. What it holds are its receipts; the messages stay the queue's, which shows them again when
// their visibility timeouts end. A pipe has pollers of its own, which belong to no instance and
// hand on what they receive.
//
// Invariants, seen to by `check_queues`:
//   1. Every queue keeps its own, conservation among them.
//   2. A receipt is held by one poller at most; nobody holds more than it has received.
//   3. A poller works a visit if and only if it holds messages, and that visit names it; one of a
//      pipe waits for the answer of one then.
//   4. Who waits at a queue is one poller each.
//   5. Of every pipe: received = filtered + delivered + failed + what its pollers hold.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kernel/event_queue.hpp"
#include "kernel/histogram.hpp"
#include "messaging/message_queue.hpp"
#include "world/requests/visit.hpp"
#include "world/spec/pipe_specs.hpp"

namespace nephoscope {

// A queue, and what is counted of it beyond what it counts itself.
struct WorldQueue {
  static constexpr std::uint32_t none = Visit::none;

  MessageQueue queue;
  std::string name;  // immutable, as the next two
  std::uint32_t dead_letter = none;
  bool keeps_origins = false;  // of its dead letters: the number of their queue + 1

  EventQueue::Handle timer = EventQueue::none;  // not after its next event, if that is in the run
  std::int64_t due = 0;                         // the time of that one
  std::vector<std::uint32_t> waiting;           // pollers, by the waiter's slot of their tickets

  // Measured: since the warm-up.
  std::uint64_t depth = 0;  // messages that are there, when it was last counted
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  double depth_ns = 0.0;  // messages x time
  std::int64_t counted_to = 0;
  Histogram age;  // of those deleted by who worked them, that were sent since

  std::uint32_t redrives_to = none;  // of the latest redrive, or QueueActionSpec::home
  std::uint64_t refused_redrives = 0;

  // In the whole run: worked to the end, and somebody else had been faster, or too late.
  std::uint64_t in_vain = 0;

  // What has come out of the queue and is being handed on: empty between events.
  std::vector<PollAnswer> answers;
  std::vector<Delivery> answered;
  std::vector<Moved> dead;
  std::vector<Moved> redriven;

  std::uint64_t messages() const { return queue.visible() + queue.delayed() + queue.in_flight(); }

  template <class Archive>
  void serialize(Archive& archive) {
    queue.serialize(archive);
    archive(timer, due, waiting, depth, least, most, depth_ns, counted_to, in_vain, redrives_to,
            refused_redrives);
    age.serialize(archive);
  }
};

// Brings the measure of what is there up to date, after whatever has changed at this instant.
inline void count_depth(WorldQueue& it, std::int64_t now) {
  it.depth_ns += static_cast<double>(it.depth) * static_cast<double>(now - it.counted_to);
  it.counted_to = now;
  it.depth = it.messages();
  it.least = std::min(it.least, it.depth);
  it.most = std::max(it.most, it.depth);
}

// A fleet that lives on a queue, or a pipe. Immutable.
struct Consumer {
  std::uint32_t fleet = Visit::none;
  std::uint32_t caller = Visit::none;  // as which its visits are counted, or what a pipe asks
  ConsumeSpec rules;
  std::uint32_t pipe = Visit::none;

  bool is_pipe() const { return pipe != Visit::none; }
};

// Of what a pipe has received, in the whole run.
struct PipeCounts {
  std::uint64_t received = 0;
  std::uint64_t filtered = 0;   // and deleted
  std::uint64_t delivered = 0;  // the same
  std::uint64_t failed = 0;     // its target did not take it: it is left to its timeout
};

struct Pipe {
  PipeSpec rules;  // immutable, as the next two
  std::uint32_t first_poller = 0;
  bool keeps_groups = false;  // the target is ordered, and messages go with their own

  PipeCounts counts;
};

// A message in the hands of a worker.
struct InHand {
  std::int64_t sent = 0;
  std::uint64_t body = 0;
  std::uint64_t receipt = 0;
  std::uint32_t receives = 0;
  std::uint32_t group = Message::none;
};

struct Poller {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint32_t none = Visit::none;

  std::uint64_t ticket = 0;   // it waits for messages, if that is not 0
  std::int64_t received = 0;  // when it got those it holds
  std::int64_t beat = never;  // when it hides them anew
  std::int64_t due = never;   // when it gives them up
  std::uint32_t instance = 0;
  std::uint32_t consumer = 0;
  std::uint32_t visit = none;  // that it works
  std::uint32_t at = 0;        // the message of that, among those it holds
  std::uint32_t count = 0;
  EventQueue::Handle timer = EventQueue::none;  // of the two instants, or of its next poll
  std::uint32_t rests = 0;                      // it will poll when the timer is due
  std::uint32_t polls = 0;                      // it asks for more when it holds none
};

struct Queues {
  std::vector<WorldQueue> all;
  std::vector<Consumer> consumers;
  std::vector<Pipe> pipes;
  std::vector<std::uint32_t> consumer_of;   // by fleet, or none; empty where nobody consumes
  std::vector<std::uint32_t> first_poller;  // by instance, or none
  std::vector<Poller> pollers;
  std::vector<InHand> hands;             // ConsumeSpec::batch_max for each poller
  std::vector<QueueActionSpec> actions;  // immutable
  std::vector<std::uint32_t> pending;    // queues whose outcomes are to be handed on
  bool following = false;                // that is being done

  bool none() const { return all.empty(); }
  InHand* hand(std::uint32_t poller) {
    return hands.data() + std::size_t{poller} * ConsumeSpec::batch_max;
  }
  const InHand* hand(std::uint32_t poller) const {
    return hands.data() + std::size_t{poller} * ConsumeSpec::batch_max;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    for (WorldQueue& each : all) each.serialize(archive);
    for (Pipe& each : pipes) archive(each.counts);
    archive(first_poller, pollers, hands);
  }
};

// Among the entries of the calendar for parts: from here on those of queues and pollers.
inline constexpr std::uint32_t queue_parts = std::uint32_t{1} << 28;
inline constexpr std::uint32_t pollers_max = std::uint32_t{1} << 26;
// And from here on those of deliveries.
inline constexpr std::uint32_t delivery_parts = queue_parts + 2 * pollers_max;

// And from here on those of replays, of fewer than 2^20.
inline constexpr std::uint32_t replay_parts = delivery_parts + (std::uint32_t{1} << 26) + 1;

// And from here on those of what is done to queues, of fewer than 2^20.
inline constexpr std::uint32_t queue_action_parts = replay_parts + (std::uint32_t{1} << 20);

// The parent of a visit that is the work of a poller: neither a visit nor an errand.
inline constexpr std::uint32_t poller_parent = std::uint32_t{1} << 30;
// The same of one that is an attempt at a delivery (topics.hpp).
inline constexpr std::uint32_t delivery_parent = std::uint32_t{1} << 31;
inline bool is_of_poller(std::uint32_t parent) {
  return parent >= poller_parent && parent < delivery_parent;
}
inline bool is_of_delivery(std::uint32_t parent) {
  return parent >= delivery_parent && parent != Visit::none;
}

// How long work takes and whether it fails is drawn anew at each receive, from the first, 1, on.
inline std::uint32_t path_of_receive(const ConsumeSpec& rules, std::uint32_t receive) {
  constexpr std::uint32_t first = 0x40000000;  // apart from the numbers of calls
  return path_of_call(rules.queue + 1, first + receive);
}

// What a message carries: the source of traffic that it goes back to and what it says, in one
// number (topics.hpp), and which of its requests. A message that a service sends has a hash in the
// place of the latter, of all that led to it.
inline constexpr std::uint32_t serial_bits = 48;
inline std::uint64_t body_of_request(std::uint16_t origin, std::uint64_t serial) {
  constexpr std::uint64_t serials = (std::uint64_t{1} << (serial_bits - 1)) - 1;
  return std::uint64_t{origin} << serial_bits | (serial & serials);
}
inline std::uint64_t body_of_send(std::uint16_t origin, const Visit& visit, std::uint32_t send,
                                  std::uint32_t entry) {
  const std::uint64_t path = (std::uint64_t{visit.path} << 32) + (entry << 24) + send + 1;
  const std::uint64_t hash = mix_bits(mix_bits(visit.serial) ^ mix_bits(path));
  return std::uint64_t{origin} << serial_bits | std::uint64_t{1} << (serial_bits - 1) |
         hash >> (65 - serial_bits);
}
inline std::uint64_t serial_in(std::uint64_t body) {
  return body & ((std::uint64_t{1} << serial_bits) - 1);
}
inline std::uint16_t origin_in(std::uint64_t body) {
  return static_cast<std::uint16_t>(body >> serial_bits);
}

// The same event once more, in a replay of that number; or the first that a schedule makes. It is
// told from that of the body by queues that look for duplicates, and draws what belongs to it anew:
// what buses draw goes by the serial alone, whoever the source.
inline constexpr std::uint32_t of_schedule = 0xFFFFFFFF;
inline std::uint64_t body_of_replay(std::uint64_t body, std::uint32_t replay) {
  constexpr std::uint64_t apart = 0x7265706C61790000;  // from what is sent
  const std::uint64_t hash = mix_bits(mix_bits(serial_in(body)) ^ mix_bits(apart + replay));
  return std::uint64_t{origin_in(body)} << serial_bits | std::uint64_t{1} << (serial_bits - 1) |
         hash >> (65 - serial_bits);
}

}  // namespace nephoscope
