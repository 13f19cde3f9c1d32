// The topics and buses of a world, as plain data, and what requests and messages say. What topics
// do is in messaging.hpp.
//
// Everything that can be said is known before the run, and numbered: a kind is an event and its
// attributes. Which subscriptions let a kind through is a table, so that the world never looks at a
// text. A request says what its source of traffic says of that number (a draw that belongs to the
// request, so it is nowhere kept), unless it is worked for a message that says something else: that
// is kept beside the visits, and goes with whatever follows from them.
//
// What a subscriber takes at once leaves no trace but a count. What it does not, and what waits for
// an answer, is a delivery: it waits for exactly one of an answer, its next attempt, or a delivery
// before it in its group.
//
// Invariants, seen to by `check_topics`:
//   1. Of every subscription: published + scheduled + replayed + duplicated = unconfirmed +
//      filtered + delivered + dead-lettered + dropped + pending.
//   2. A delivery waits for one thing; a visit that is its attempt names it.
//   3. Of a group of a FIFO topic's subscription, the first delivery alone is tried.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel/distributions.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/slab.hpp"
#include "messaging/call_limit.hpp"
#include "messaging/deduplication.hpp"
#include "messaging/given_up.hpp"
#include "messaging/invocation_limit.hpp"
#include "messaging/key_table.hpp"
#include "messaging/message.hpp"
#include "service/program.hpp"
#include "world/messages/event_archive.hpp"
#include "world/requests/visit.hpp"
#include "world/spec/topic_specs.hpp"

namespace nephoscope {

// One of some kinds, by weights; or nothing of its own.
struct Saying {
  std::vector<std::uint32_t> kinds;
  std::vector<double> up_to;             // probability of each kind and those before it
  std::vector<std::uint32_t> by_serial;  // in the place of both: of each request of its source

  std::uint32_t pick(double u) const {
    std::size_t at = 0;
    while (at + 1 < kinds.size() && u >= up_to[at]) ++at;
    return kinds[at];
  }
};

// What an endpoint may answer at once, in the place of taking what it is sent.
enum class EndpointError : std::uint8_t {
  none,
  client,  // it is gone, or does not allow it: there is no use in trying again
  server,
};

struct DeliveryCounts {
  std::uint64_t unconfirmed = 0;  // published while there was nobody yet to get it
  std::uint64_t filtered = 0;
  std::uint64_t delivered = 0;
  std::uint64_t retried = 0;  // attempts beyond the first
  std::uint64_t delayed = 0;  // attempts that had to wait for their turn
  std::uint64_t dead_lettered = 0;
  std::uint64_t dropped = 0;
  std::uint64_t scheduled = 0;      // came by the schedule of its rule, beside what is published
  std::uint64_t replayed = 0;       // let through once more, beside both
  std::uint64_t duplicated = 0;     // delivered once more, beside all of these
  std::uint64_t client_errors = 0;  // after which nothing was tried again
  GivenUp given_up;
};

struct Subscription {
  static constexpr std::uint32_t none = Visit::none;

  SubscriptionSpec rules;  // immutable, as the next
  std::uint32_t topic = 0;
  bool scheduled = false;       // its rule comes by a schedule, too
  std::uint32_t caller = none;  // as which its attempts are counted, where they are requests
  Sampler jitter;
  Sampler errors;
  Sampler copies;

  DeliveryCounts counts;
  InvocationLimit receives;  // of an endpoint of HTTP

  bool is_confirmed(std::int64_t now) const { return now >= rules.confirmed_ns; }
  bool lets_through(std::uint32_t kind, std::int64_t now) const {
    const std::vector<std::uint8_t>* takes = &rules.takes;
    for (const FilterChange& change : rules.changes) {
      if (change.at_ns > now) break;
      takes = &change.takes;
    }
    return takes->empty() || (*takes)[kind] != 0;
  }
};

// Of the entries of a bus, in the whole run.
struct EntryCounts {
  std::uint64_t malformed = 0;  // refused, as no entry should be
  std::uint64_t chunks = 0;     // of 64 KiB, begun, of what was put; where sizes are known
  std::uint64_t replayed_chunks = 0;
  std::uint64_t archived_bytes = 0;
};

struct Topic {
  std::string name;  // immutable, as all up to `count`, and `latency`
  bool fifo = false;
  bool bus = false;
  bool prompt = true;  // deliveries begin at once
  std::vector<std::string> rules;
  std::vector<std::uint32_t> sizes;     // BusSpec
  std::vector<std::uint8_t> malformed;  // BusSpec
  bool group_deduplication = false;
  std::uint32_t first = 0;  // its subscriptions
  std::uint32_t count = 0;

  std::uint64_t published = 0;
  std::uint64_t deduplicated = 0;  // beside those, as the next
  std::uint64_t throttled = 0;
  std::array<std::uint64_t, Programs::batch_max> calls{};  // by how many of theirs were taken, - 1
  EntryCounts entries;
  Deduplication deduplication;
  CallLimit puts;
  InvocationLimit invocations;
  EventArchive archive;
  Sampler latency;

  std::uint64_t chunks(std::uint32_t kind) const {
    constexpr std::uint32_t chunk = 64 * 1024;
    if (sizes.empty()) return 0;
    return sizes[kind] == 0 ? 1 : (std::uint64_t{sizes[kind]} + chunk - 1) / chunk;
  }
  bool takes_entry(std::uint32_t kind) const { return malformed.empty() || malformed[kind] == 0; }
};

struct TopicDelivery {
  static constexpr std::uint32_t none = Visit::none;

  std::int64_t since = 0;  // when it was published
  std::uint64_t body = 0;
  std::uint32_t group = Message::none;
  std::uint32_t subscription = 0;
  std::uint32_t attempts = 0;                   // made so far
  std::uint16_t under_way = 0;                  // an attempt is, and waits for its answer
  std::uint8_t has_turn = 0;                    // the timer is that of its turn (InvocationLimit)
  std::uint8_t copy = 0;                        // it is the second of one message
  EventQueue::Handle timer = EventQueue::none;  // of the next attempt
  std::uint32_t next = none;                    // in its group
};

// Of a group among the deliveries of a subscription.
inline std::uint64_t key_of(std::uint32_t subscription, std::uint32_t group) {
  return std::uint64_t{subscription} << 32 | group;
}

struct Topics {
  static constexpr std::size_t pending_max = std::size_t{1} << 26;
  static constexpr std::size_t kept_max = std::size_t{1} << 26;

  std::vector<Topic> all;  // buses are behind the topics
  std::uint32_t first_bus = 0;
  std::vector<Subscription> subscriptions;  // in the order of topics
  std::uint32_t kinds = 1;
  std::vector<Saying> of_source;           // what each says
  std::vector<Saying> of_send;             // the same of steps that send
  std::vector<Sampler> draws;              // for the choice, where there is one
  std::vector<std::uint32_t> source_draw;  // by source of traffic
  std::vector<std::uint32_t> send_draw;    // by source and step

  // Of the account: what standard topics share, and what buses do.
  CallLimit publishes;
  CallLimit puts;
  InvocationLimit invocations;

  std::vector<Replay> replays;
  std::vector<std::uint16_t> said;  // by visit: a kind + 1, or 0: what its source says
  Slab<TopicDelivery> pending;
  KeyTable last_in_group;  // a pending delivery by subscription and group, of FIFO topics

  bool none() const { return all.empty(); }
  // Of a topic or a bus among all, and how many of its kind there are.
  std::uint32_t number(const Destination& to) const {
    return to.kind == Destination::Kind::topic ? to.index : first_bus + to.index;
  }
  std::size_t size(const Destination& to) const {
    return to.kind == Destination::Kind::topic ? first_bus : all.size() - first_bus;
  }
  bool say_something() const { return kinds > 1; }

  // Whether one more call is within the limit of a topic or a bus and that of the account; if so,
  // it is one.
  bool allow(Topic& topic, std::int64_t now) {
    CallLimit& shared = topic.bus ? puts : publishes;
    if (topic.fifo) return topic.puts.allow(now);
    return topic.puts.has_room(now) && shared.allow(now) && topic.puts.allow(now);
  }

  void note(std::uint32_t visit, std::uint16_t what) {
    if (visit >= said.size()) said.resize(visit + std::size_t{1}, 0);
    said[visit] = what;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    for (Topic& topic : all) {
      archive(topic.published, topic.deduplicated, topic.throttled, topic.calls, topic.entries);
      topic.deduplication.serialize(archive);
      topic.puts.serialize(archive);
      topic.invocations.serialize(archive);
      archive(topic.archive.archived, topic.archive.replayed, topic.archive.refused,
              topic.archive.kept);
      topic.archive.held.serialize(archive);
    }
    publishes.serialize(archive);
    puts.serialize(archive);
    invocations.serialize(archive);
    for (Replay& each : replays) {
      each.pace.serialize(archive);
      archive(each.begun, each.has_turn, each.next, each.bodies);
    }
    for (Subscription& each : subscriptions) {
      archive(each.counts);
      each.receives.serialize(archive);
    }
    archive(said);
    pending.serialize(archive);
    last_in_group.serialize(archive);
  }
};

}  // namespace nephoscope
