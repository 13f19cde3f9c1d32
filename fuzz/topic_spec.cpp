#include "fuzz/topic_spec.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"
#include "messaging/given_up.hpp"

namespace nephoscope::fuzz {
namespace {

constexpr std::uint32_t groups = 3;
constexpr std::uint32_t kinds = 3;

EventChoice said(Bytes& bytes) {
  EventChoice made;
  const std::uint32_t count = bytes.between(0, 3);
  for (std::uint32_t i = 0; i < count; ++i) {
    made.kinds.push_back(odd_index(bytes, kinds));
    made.weights.push_back(odd_number(bytes, 0.1, 3.0));
  }
  return made;
}

DeliveryRules retries(Bytes& bytes) {
  constexpr std::int64_t second = DeliveryRules::second;
  DeliveryRules made;
  made.immediate = odd_count(bytes, 0, 3);
  made.pre_backoff = bytes.between(0, 2);
  made.backoff = odd_count(bytes, 0, 4);
  made.post_backoff = bytes.between(0, 2);
  made.curve = bytes.enumerator<DeliveryCurve>(4);
  made.jitter = bytes.enumerator<DeliveryJitter>(3);
  made.min_ns = bytes.one_in(odd_once_in) ? odd_time(bytes, 0, 100) : second;
  made.max_ns = second * bytes.between(1, 3);
  made.age_ns = bytes.one_in(2) ? odd_time(bytes, 100, 5'000) : 0;
  return made;
}

// A probability, seldom none.
double odd_chance(Bytes& bytes) {
  if (bytes.one_in(2)) return 0.0;
  return bytes.one_in(odd_once_in) ? -1.0 : bytes.between(0, 10) / 16.0;
}

std::vector<std::uint8_t> filter(Bytes& bytes) {
  std::vector<std::uint8_t> made;
  for (std::uint32_t kind = 0; kind < kinds; ++kind) made.push_back(bytes.one_in(2) ? 1 : 0);
  return made;
}

// Of a topic, or the target of a bus.
SubscriptionSpec subscription(Bytes& bytes, const WorldSpec& spec, bool fifo) {
  SubscriptionSpec made;
  const bool queue = !spec.queues.empty() && (fifo || bytes.one_in(2));
  made.to.kind = queue                                        ? Destination::Kind::queue
                 : !spec.balancers.empty() && bytes.one_in(2) ? Destination::Kind::balancer
                                                              : Destination::Kind::fleet;
  const std::size_t there = queue                                         ? spec.queues.size()
                            : made.to.kind == Destination::Kind::balancer ? spec.balancers.size()
                                                                          : spec.fleets.size();
  made.to.index = odd_index(bytes, there);
  made.timeout_ns = odd_time(bytes, 1, 100);
  made.retry = retries(bytes);
  made.client_errors = odd_chance(bytes);
  made.server_errors = odd_chance(bytes) / 2.0;
  if (!fifo || bytes.one_in(odd_once_in)) made.duplicates = odd_chance(bytes);
  if (bytes.one_in(8)) made.becomes = {1, 0, 1};
  if (bytes.one_in(8)) made.letters.assign(kinds * delivery_causes, bytes.between(0, kinds - 1));
  if (!spec.queues.empty() && bytes.one_in(2))
    made.dead_letter = odd_index(bytes, spec.queues.size());
  if (!made.letters.empty() && bytes.one_in(2))
    made.by_retries.assign(made.retry.retries() % 64 + std::size_t{kinds}, 1);
  if (bytes.one_in(4)) made.changes.push_back({odd_time(bytes, 0, 500), filter(bytes)});
  if (bytes.one_in(8)) made.changes.push_back({odd_time(bytes, 500, 900), {}});
  if (bytes.one_in(2)) made.takes = filter(bytes);
  return made;
}

Destination anywhere(Bytes& bytes, const WorldSpec& spec) {
  if (spec.buses.empty() || bytes.one_in(2))
    return {Destination::Kind::topic, odd_index(bytes, spec.topics.size())};
  return {Destination::Kind::bus, odd_index(bytes, spec.buses.size())};
}

BusSpec bus(Bytes& bytes, const WorldSpec& spec) {
  BusSpec made;
  made.name = "bus";
  made.rules = {"one", "two"};
  made.puts_per_second = bytes.one_in(2) ? odd_count(bytes, 0, 20) : 0;
  made.invocations_per_second = bytes.one_in(2) ? odd_count(bytes, 0, 20) : 0;
  if (bytes.one_in(2)) made.latency = distribution(bytes, 20.0);
  made.archives = bytes.one_in(2);
  made.archive_lag_ns = bytes.one_in(3) ? odd_time(bytes, 0, 300) : 0;
  made.retention_ns = bytes.one_in(3) ? odd_time(bytes, 1, 500) : 0;
  if (bytes.one_in(4)) made.archive_takes = {1, 0, 1};
  if (bytes.one_in(4)) made.sizes = {0, 100, 1U << 17};
  if (bytes.one_in(4)) made.malformed = {1, 0, bytes.one_in(2) ? std::uint8_t{1} : std::uint8_t{0}};
  const std::uint32_t targets = bytes.between(0, 3);
  for (std::uint32_t each = 0; each < targets; ++each) {
    SubscriptionSpec target = subscription(bytes, spec, false);
    target.rule = odd_index(bytes, made.rules.size());
    target.group = bytes.one_in(odd_once_in) ? SubscriptionSpec::none : bytes.between(0, groups);
    if (target.asks() && bytes.one_in(2)) target.receives_per_second = odd_count(bytes, 1, 20);
    if (bytes.one_in(3))
      target.to = {Destination::Kind::topic, odd_index(bytes, spec.topics.size())};
    made.targets.push_back(target);
  }
  return made;
}

// The schedule of a rule, behind all other sources.
TrafficSpec schedule(Bytes& bytes, const WorldSpec& spec) {
  TrafficSpec made;
  made.name = "bus/rule";
  made.to = {Destination::Kind::bus, odd_index(bytes, spec.buses.size())};
  made.rule = odd_index(bytes, 2);
  made.arrivals.kind = ArrivalKind::instants;
  const std::uint32_t instants = bytes.between(0, 4);
  for (std::uint32_t i = 0; i < instants; ++i)
    made.arrivals.times_ns.push_back(odd_time(bytes, 0, 500));
  if (!bytes.one_in(odd_once_in))
    std::sort(made.arrivals.times_ns.begin(), made.arrivals.times_ns.end());
  made.says = said(bytes);
  return made;
}

ReplaySpec replay(Bytes& bytes, const WorldSpec& spec) {
  ReplaySpec made;
  made.bus = odd_index(bytes, spec.buses.size());
  made.at_ns = odd_time(bytes, 1, 900);
  made.until_ns = bytes.one_in(4) ? odd_time(bytes, 1, 900) : made.at_ns;
  made.since_ns = bytes.one_in(2) ? odd_time(bytes, 0, 100) : 0;
  if (bytes.one_in(3)) made.rules = {1, 0};
  if (bytes.one_in(3)) made.becomes = {2, 1, 1};
  return made;
}

void publish_from(Bytes& bytes, std::vector<StepSpec>& steps, const WorldSpec& spec) {
  for (StepSpec& step : steps) {
    for (std::vector<StepSpec>& branch : step.branches) publish_from(bytes, branch, spec);
    if (step.kind == StepKind::send && bytes.one_in(2)) step.says = said(bytes);
    if (step.kind != StepKind::sleep || !bytes.one_in(2)) continue;
    step.kind = StepKind::send;
    step.to = anywhere(bytes, spec);
    step.group = bytes.one_in(odd_once_in) ? StepSpec::plain : bytes.between(0, groups);
    step.batch = bytes.one_in(2) ? odd_count(bytes, 1, 10) : 1;
    step.says = said(bytes);
  }
}

// Where arrivals are those of a trace, each says something.
void say_by_serial(Bytes& bytes, TrafficSpec& traffic) {
  if (traffic.arrivals.kind != ArrivalKind::instants || !bytes.one_in(2)) return;
  for (std::size_t i = 0; i < traffic.arrivals.times_ns.size(); ++i)
    traffic.says.by_serial.push_back(odd_index(bytes, kinds));
}

}  // namespace

void add_topics(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  spec.message_quotas.publishes_per_second = bytes.one_in(4) ? odd_count(bytes, 1, 20) : 0;
  spec.message_quotas.puts_per_second = bytes.one_in(4) ? odd_count(bytes, 1, 20) : 0;
  spec.message_quotas.invocations_per_second = bytes.one_in(4) ? odd_count(bytes, 1, 20) : 0;
  const std::uint32_t count = bytes.between(1, 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    TopicSpec topic;
    topic.name = "topic" + std::to_string(i);
    topic.fifo = !spec.queues.empty() && bytes.one_in(2);
    topic.group_deduplication = bytes.one_in(2);
    if (bytes.one_in(4)) topic.latency = distribution(bytes, 20.0);
    topic.publishes_per_second = bytes.one_in(4) ? odd_count(bytes, 1, 20) : 0;
    if (topic.fifo && bytes.one_in(4)) topic.group_publishes_per_second = odd_count(bytes, 1, 9);
    const std::uint32_t subscriptions = bytes.between(0, 3);
    for (std::uint32_t each = 0; each < subscriptions; ++each)
      topic.subscriptions.push_back(subscription(bytes, spec, topic.fifo));
    for (SubscriptionSpec& each : topic.subscriptions) {
      each.outside = bytes.one_in(4);
      if (bytes.one_in(4)) each.confirmed_ns = odd_time(bytes, 0, 500);
      if (each.asks() && bytes.one_in(3)) each.receives_per_second = odd_count(bytes, 1, 20);
    }
    spec.topics.push_back(topic);
  }
  if (bytes.one_in(2)) spec.buses.push_back(bus(bytes, spec));
  for (ServiceSpec& service : spec.services) publish_from(bytes, service.steps, spec);
  for (TrafficSpec& traffic : spec.traffic) {
    traffic.says = said(bytes);
    if (bytes.one_in(2)) traffic.says = {{kinds - 1}, {1.0}, {}};
    say_by_serial(bytes, traffic);
    if (!bytes.one_in(2)) continue;
    traffic.to = anywhere(bytes, spec);
    traffic.group = bytes.between(0, groups);
  }
  const std::uint32_t replays = spec.buses.empty() ? 0 : bytes.between(0, 2);
  for (std::uint32_t i = 0; i < replays; ++i) spec.replays.push_back(replay(bytes, spec));
  const std::uint32_t schedules = spec.buses.empty() ? 0 : bytes.between(0, 2);
  for (std::uint32_t i = 0; i < schedules; ++i) spec.traffic.push_back(schedule(bytes, spec));
}

}  // namespace nephoscope::fuzz
