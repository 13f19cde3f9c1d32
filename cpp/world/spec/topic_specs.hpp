// Topics and buses of a world, and who gets what is sent there, as plain data. Targets of the rules
// of a bus are subscriptions too: what a rule's pattern matches is let through. What comes by a
// rule's schedule is sent by a source of traffic (TrafficSpec::rule).

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "messaging/delivery_rules.hpp"
#include "service/step_spec.hpp"

namespace nephoscope {

// From an instant on, what lets events through, as SubscriptionSpec::takes.
struct FilterChange {
  std::int64_t at_ns = 0;
  std::vector<std::uint8_t> takes;
};

struct SubscriptionSpec {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  Destination to;        // a queue, who answers as an endpoint of HTTP or, of a bus, a topic
  bool outside = false;  // in its place, of a topic: a reader of mail or the like, who has no delay
  std::int64_t timeout_ns = 0;  // that such an endpoint has for its answer
  DeliveryRules retry;
  std::uint32_t receives_per_second = 0;  // such an endpoint; more wait; 0: no limit
  double client_errors = 0.0;             // probability that an attempt is refused for good
  double server_errors = 0.0;  // the same that it is in vain, beside those; not above 1 together
  double duplicates = 0.0;     // that what is let through is delivered twice; of no FIFO topic
  std::uint32_t group = none;  // of a bus: of the messages for a FIFO queue or topic
  std::uint32_t dead_letter = none;    // the queue that gets what could not be delivered
  std::uint32_t rule = 0;              // of a bus
  std::vector<std::uint32_t> becomes;  // by kind, what is delivered; empty: the same
  // By kind and cause (given_up.hpp), what becomes the dead letter; empty: the same. Where dead
  // letters tell how often they were tried again, the place in `by_retries` of what it becomes
  // after none; what it becomes after one, two and so on stands behind that.
  std::vector<std::uint32_t> letters;
  std::vector<std::uint32_t> by_retries;
  std::vector<std::uint8_t> takes;    // by kind of event: 1: its filter lets it through; empty: all
  std::vector<FilterChange> changes;  // by time
  std::int64_t confirmed_ns = 0;      // of a topic: before that it gets nothing

  // Whether attempts wait for answers.
  bool asks() const { return !outside && to.kind < Destination::Kind::queue; }
  bool may_err() const { return client_errors + server_errors > 0.0; }
};

struct TopicSpec {
  std::string name;
  bool fifo = false;
  bool group_deduplication = false;              // of a FIFO topic: an id counts within its group
  std::uint32_t publishes_per_second = 0;        // more are refused; 0: no limit
  std::uint32_t group_publishes_per_second = 0;  // the same of each group of a FIFO topic
  Distribution latency;  // from the publish to the first attempt at each delivery, ns
  std::vector<SubscriptionSpec> subscriptions;
};

struct BusSpec {
  std::string name;
  bool archives = false;                     // what is put, for replays
  std::int64_t retention_ns = 0;             // of the archive; 0: for ever
  std::int64_t archive_lag_ns = 0;           // from the put until it is there for replays
  std::vector<std::uint8_t> archive_takes;   // by kind of event, as of a subscription
  std::uint32_t puts_per_second = 0;         // more are refused; 0: no limit
  std::uint32_t invocations_per_second = 0;  // attempts at deliveries; more wait; 0: no limit
  Distribution latency;                   // from the put to the first attempt at each delivery, ns
  std::vector<std::uint32_t> sizes;       // by kind of event, bytes; empty: not known here
  std::vector<std::uint8_t> malformed;    // by kind, 1: it is no entry, and refused; empty: none
  std::vector<std::string> rules;         // names
  std::vector<SubscriptionSpec> targets;  // of all rules, which say whose they are
};

// What the topics and the buses of an account share in a second, beside the limits that each has;
// 0: no limit.
struct MessageQuotas {
  std::uint32_t publishes_per_second = 0;    // of all standard topics; more are refused
  std::uint32_t puts_per_second = 0;         // of all buses; more are refused
  std::uint32_t invocations_per_second = 0;  // of all buses; more wait
};

// What the archive of a bus has of [since, until) is put there again.
struct ReplaySpec {
  std::uint32_t bus = 0;
  std::int64_t at_ns = 0;
  std::int64_t since_ns = 0;
  std::int64_t until_ns = 0;           // not later than `at`
  std::vector<std::uint8_t> rules;     // of the bus, 1: its targets get it; empty: all
  std::vector<std::uint32_t> becomes;  // by kind, what is put again; empty: the same
};

}  // namespace nephoscope
