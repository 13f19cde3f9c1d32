// Building topics and buses, who gets what is sent there, and what is said.

#include <algorithm>
#include <cmath>

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"

namespace nephoscope {

namespace {

constexpr std::size_t subscriptions_max = std::size_t{1} << 20;

Saying saying(const EventChoice& from, const std::string& path) {
  require(from.kinds.size() == from.weights.size(), path, "needs a weight for each event");
  Saying made;
  double total = 0.0;
  for (const double weight : from.weights) {
    require(std::isfinite(weight) && weight >= 0.0, path, "has a weight that is below 0");
    total += weight;
  }
  require(from.kinds.empty() || positive(total), path, "has no weight above 0");
  double sum = 0.0;
  for (std::size_t at = 0; at < from.kinds.size(); ++at) {
    sum += from.weights[at];
    // One of weight 0 is left out: rounding must not reach it.
    if (from.weights[at] == 0.0) continue;
    made.kinds.push_back(from.kinds[at]);
    made.up_to.push_back(sum / total);
  }
  return made;
}

}  // namespace

// All that is said, where anybody looks at it.
void Messaging::count_kinds(const WorldSpec& spec) {
  if (spec.topics.empty() && spec.buses.empty() && spec.pipes.empty()) return;
  std::uint64_t most = 0;
  const auto count_all = [&](const std::vector<std::uint32_t>& kinds) {
    for (const std::uint32_t kind : kinds) most = std::max<std::uint64_t>(most, kind);
  };
  const auto count = [&](const EventChoice& says) {
    count_all(says.kinds);
    count_all(says.by_serial);
  };
  for (const TrafficSpec& traffic : spec.traffic) count(traffic.says);
  for (const Programs::Send& send : world_.programs_.sends()) count(send.says);
  const auto count_made = [&](const std::vector<SubscriptionSpec>& of) {
    for (const SubscriptionSpec& each : of) {
      count_all(each.becomes);
      count_all(each.by_retries.empty() ? each.letters : each.by_retries);
    }
  };
  for (const TopicSpec& topic : spec.topics) count_made(topic.subscriptions);
  for (const BusSpec& bus : spec.buses) count_made(bus.targets);
  for (const ReplaySpec& replay : spec.replays) count_all(replay.becomes);
  for (const PipeSpec& pipe : spec.pipes) count_all(pipe.becomes);
  // With the sources of traffic, kinds are a number of 16 bits (Messaging::origin).
  require(most == 0 || (most + 2) * spec.traffic.size() <= 65'535, "events",
          "are too many that differ");
  topics_.kinds = static_cast<std::uint32_t>(most + 1);
}

void Messaging::build_topics(const WorldSpec& spec) {
  require(spec.topics.size() < 65'535, "topics", "has too many entries");
  require(spec.buses.size() < 65'535, "buses", "has too many entries");
  count_kinds(spec);
  topics_.first_bus = static_cast<std::uint32_t>(spec.topics.size());
  topics_.publishes = CallLimit(spec.message_quotas.publishes_per_second, 0);
  topics_.puts = CallLimit(spec.message_quotas.puts_per_second, 0);
  topics_.invocations = InvocationLimit(spec.message_quotas.invocations_per_second);
  for (std::size_t index = 0; index < spec.topics.size(); ++index) {
    const TopicSpec& from = spec.topics[index];
    Topic& it = topics_.all.emplace_back();
    it.name = from.name;
    it.fifo = from.fifo;
    it.group_deduplication = from.group_deduplication;
    require(from.group_publishes_per_second <= CallLimit::group_limit_max &&
                (from.fifo || from.group_publishes_per_second == 0),
            at("topics", index, "group_publishes_per_second"),
            "must be 65,535 at most, and is of FIFO topics");
    it.puts = CallLimit(from.publishes_per_second, from.group_publishes_per_second);
    build_latency(it, from.latency, at("topics", index, "latency"));
    add_subscriptions(spec, from.subscriptions, at("topics", index, "subscriptions."));
  }
  for (std::size_t index = 0; index < spec.buses.size(); ++index) {
    const BusSpec& from = spec.buses[index];
    Topic& it = topics_.all.emplace_back();
    it.name = from.name;
    it.bus = true;
    it.rules = from.rules;
    it.puts = CallLimit(from.puts_per_second, 0);
    it.invocations = InvocationLimit(from.invocations_per_second);
    build_latency(it, from.latency, at("buses", index, "latency"));
    it.prompt = it.prompt && !topics_.invocations.active();
    require(from.retention_ns >= 0, at("buses", index, "retention"), "must not be below 0");
    require(from.archive_takes.empty() || from.archive_takes.size() == topics_.kinds,
            at("buses", index, "archive_takes"), "must say so of each event");
    require(from.sizes.empty() || from.sizes.size() == topics_.kinds, at("buses", index, "sizes"),
            "must say so of each event");
    require(from.malformed.empty() || from.malformed.size() == topics_.kinds,
            at("buses", index, "malformed"), "must say so of each event");
    it.sizes = from.sizes;
    it.malformed = from.malformed;
    it.archive.active = from.archives;
    it.archive.held = HeldTime(from.retention_ns);
    require(from.archive_lag_ns >= 0 && from.archive_lag_ns <= duration_max,
            at("buses", index, "archive_lag"), "must be from 0 to 73 years");
    it.archive.retention_ns = from.retention_ns;
    it.archive.lag_ns = from.archive_lag_ns;
    it.archive.takes = from.archive_takes;
    add_subscriptions(spec, from.targets, at("buses", index, "targets."));
  }
  build_replays(spec);
}

void Messaging::build_latency(Topic& topic, const Distribution& from, const std::string& path) {
  const std::string stream = (topic.bus ? "buses/" : "topics/") + topic.name + "/latency";
  try {
    topic.latency = Sampler(from, stream_key(world_.seed_, world_.replication_, stream));
  } catch (const SpecError& error) {
    throw SpecError(path, error.what());
  }
  topic.prompt =
      from.kind == DistributionKind::constant && from.mean == 0.0 && !topic.invocations.active();
}

// Of the topic or the bus that has been added last.
void Messaging::add_subscriptions(const WorldSpec& spec, const std::vector<SubscriptionSpec>& from,
                                  const std::string& path) {
  Topic& topic = topics_.all.back();
  topic.first = static_cast<std::uint32_t>(topics_.subscriptions.size());
  topic.count = static_cast<std::uint32_t>(from.size());
  require(from.size() + topic.first <= subscriptions_max, path, "are too many");
  const std::string streams = (topic.bus ? "buses/" : "topics/") + topic.name + '/';
  for (std::size_t each = 0; each < from.size(); ++each) {
    const std::string number = std::to_string(each);
    check_subscription(spec, from[each], path + number + '.');
    Subscription& made = topics_.subscriptions.emplace_back();
    made.rules = from[each];
    made.topic = static_cast<std::uint32_t>(topics_.all.size() - 1);
    made.receives = InvocationLimit(from[each].receives_per_second);
    const auto draws = [&](const char* what) {
      const std::string stream = streams + number + what;
      return Sampler(unit_uniform, stream_key(world_.seed_, world_.replication_, stream));
    };
    if (from[each].may_err()) made.errors = draws("/errors");
    if (from[each].duplicates > 0.0) made.copies = draws("/duplicates");
    if (from[each].retry.jitter != DeliveryJitter::none) made.jitter = draws("/jitter");
  }
}

void Messaging::check_subscription(const WorldSpec& spec, const SubscriptionSpec& from,
                                   const std::string& path) const {
  const Topic& topic = topics_.all.back();
  const auto is_chance = [](double p) { return p >= 0.0 && p <= 1.0; };
  require(is_chance(from.client_errors) && is_chance(from.server_errors) &&
              from.client_errors + from.server_errors <= 1.0,
          path + "client_errors", "and server_errors must be probabilities, at most 1 together");
  require(is_chance(from.duplicates) && (!topic.fifo || from.duplicates == 0.0),
          path + "duplicates", "must be a probability, and is not of FIFO topics");
  require(from.confirmed_ns >= 0 && (!topic.bus || from.confirmed_ns == 0), path + "confirmed",
          "must not be below 0, and belongs to topics");
  check_kinds(from, path);
  const bool to_queue = !from.outside && from.to.kind == Destination::Kind::queue;
  const bool to_topic = !from.outside && from.to.kind == Destination::Kind::topic;
  require(!from.outside || !topic.bus, path + "outside", "belongs to topics");
  require(from.outside || from.to.kind < Destination::Kind::topic || (to_topic && topic.bus),
          path + "to", "is neither a queue nor an endpoint of HTTP");
  require(to_queue || !topic.fifo, path + "to", "must be a queue: the topic is a FIFO topic");
  require(!topic.bus || from.rule < topic.rules.size(), path + "rule", "is not there");
  require(!to_queue || from.to.index < spec.queues.size(), path + "to", "is not there");
  require(!to_topic || from.to.index < spec.topics.size(), path + "to", "is not there");
  const auto kind_of = [&](std::uint32_t queue) { return spec.queues[queue].rules.kind; };
  const QueueKind kind = to_queue ? kind_of(from.to.index) : QueueKind::standard;
  const bool ordered = kind == QueueKind::fifo || (to_topic && spec.topics[from.to.index].fifo);
  require(topic.fifo || topic.bus || !ordered, path + "to", "is a FIFO queue, and no FIFO topic's");
  require(!topic.bus || !ordered || from.group != SubscriptionSpec::none, path + "group",
          "is needed: messages go to a FIFO queue or topic");
  require(!from.asks() || (from.timeout_ns > 0 && from.timeout_ns <= duration_max),
          path + "timeout", "must be above 0 and below 73 years");
  require(from.receives_per_second == 0 || from.asks(), path + "receives_per_second",
          "belongs to endpoints of HTTP");
  try {
    from.retry.check();
  } catch (const SpecError& error) {
    throw SpecError(path + "retry." + error.path, error.what());
  }
  if (from.dead_letter == SubscriptionSpec::none) return;
  require(from.dead_letter < spec.queues.size(), path + "dead_letter", "is not there");
  const QueueKind wanted = topic.bus ? QueueKind::standard : kind;
  require(kind_of(from.dead_letter) == wanted, path + "dead_letter", "is not of the right type");
}

void Messaging::check_kinds(const SubscriptionSpec& from, const std::string& path) const {
  require(from.takes.empty() || from.takes.size() == topics_.kinds, path + "takes",
          "must say so of each event");
  std::int64_t last = -1;
  for (const FilterChange& change : from.changes) {
    require(change.at_ns > last && change.at_ns <= duration_max, path + "changes",
            "must be in the order of time, from 0 to 73 years");
    require(change.takes.empty() || change.takes.size() == topics_.kinds, path + "changes",
            "must say so of each event");
    last = change.at_ns;
  }
  check_letters(from, path);
  check_becomes(from.becomes, path);
}

void Messaging::check_letters(const SubscriptionSpec& from, const std::string& path) const {
  require(from.letters.empty() || from.letters.size() == topics_.kinds * delivery_causes,
          path + "letters", "must say so of each event and cause");
  if (from.by_retries.empty()) return;
  for (const std::uint32_t first : from.letters) {
    require(std::uint64_t{first} + from.retry.retries() < from.by_retries.size(),
            path + "by_retries", "must say so of each number of retries");
  }
}

void Messaging::check_becomes(const std::vector<std::uint32_t>& becomes,
                              const std::string& path) const {
  require(becomes.empty() || becomes.size() == topics_.kinds, path + "becomes",
          "must say so of each event");
}

// Attempts at whoever answers are requests of a caller of each subscription's own.
void Messaging::build_endpoints() {
  for (const Topic& topic : topics_.all) {
    const std::string path = (topic.bus ? "buses." : "topics.") + topic.name + ".";
    for (std::uint32_t each = 0; each < topic.count; ++each) {
      Subscription& it = topics_.subscriptions[topic.first + each];
      if (!it.rules.asks()) continue;
      it.caller = static_cast<std::uint32_t>(world_.callers_.size());
      world_.add_caller(it.rules.to, it.rules.timeout_ns, false, path + std::to_string(each));
    }
  }
}

void Messaging::mark_scheduled(const Destination& bus, std::uint32_t rule) {
  const Topic& topic = topics_.all[topics_.number(bus)];
  for (std::uint32_t each = 0; each < topic.count; ++each) {
    Subscription& it = topics_.subscriptions[topic.first + each];
    it.scheduled = it.scheduled || it.rules.rule == rule;
  }
}

void Messaging::build_sayings(const WorldSpec& spec) {
  const std::vector<Programs::Send>& sends = world_.programs_.sends();
  const auto add_draw = [&](const Saying& says, const std::string& stream) {
    if (says.kinds.size() < 2) return Visit::none;
    topics_.draws.emplace_back(unit_uniform, stream_key(world_.seed_, world_.replication_, stream));
    return static_cast<std::uint32_t>(topics_.draws.size() - 1);
  };
  for (std::size_t send = 0; send < sends.size(); ++send) {
    const std::string path =
        at("services", sends[send].service, ("steps." + sends[send].path + ".event").c_str());
    topics_.of_send.push_back(saying(sends[send].says, path));
    require(sends[send].says.by_serial.empty(), path, "belongs to a source of traffic");
  }
  for (std::size_t traffic = 0; traffic < spec.traffic.size(); ++traffic) {
    const TrafficSpec& from = spec.traffic[traffic];
    const std::string name = "traffic/" + from.name + "/events";
    Saying& says =
        topics_.of_source.emplace_back(saying(from.says, at("traffic", traffic, "event")));
    require(from.says.by_serial.empty() ||
                (from.arrivals.kind == ArrivalKind::instants &&
                 from.says.by_serial.size() >= from.arrivals.times_ns.size()),
            at("traffic", traffic, "event"), "must say so of each arrival of a trace");
    says.by_serial = from.says.by_serial;
    if (says.kinds.empty()) {
      says.kinds = {0};
      says.up_to = {1.0};
    }
    if (from.rule != StepSpec::plain) mark_scheduled(from.to, from.rule);
    topics_.source_draw.push_back(add_draw(says, name));
    for (std::size_t send = 0; send < sends.size(); ++send) {
      const std::string& service = spec.services[sends[send].service].name;
      const std::string stream = name + '/' + service + '/' + sends[send].path;
      topics_.send_draw.push_back(add_draw(topics_.of_send[send], stream));
    }
  }
}

}  // namespace nephoscope
