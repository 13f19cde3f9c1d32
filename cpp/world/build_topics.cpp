// Building topics, their subscriptions, and what is said.

#include <algorithm>
#include <cmath>

#include "world/build_checks.hpp"
#include "world/messaging.hpp"

namespace nephoscope {

namespace {

constexpr std::size_t subscriptions_max = std::size_t{1} << 20;

std::string field_path(std::size_t topic, std::size_t subscription, const char* field) {
  return at("topics", topic, ("subscriptions." + std::to_string(subscription) + field).c_str());
}

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

// A number on (0, 1) for each choice.
const Distribution unit{DistributionKind::uniform, 0.0, 0.0, {0.0, 1.0}, {}};

}  // namespace

// All that is said.
void Messaging::count_kinds(const WorldSpec& spec) {
  std::uint64_t most = 0;
  const auto count = [&](const EventChoice& says) {
    for (const std::uint32_t kind : says.kinds) most = std::max<std::uint64_t>(most, kind);
  };
  for (const TrafficSpec& traffic : spec.traffic) count(traffic.says);
  for (const Programs::Send& send : world_.programs_.sends()) count(send.says);
  // With the sources of traffic, kinds are a number of 16 bits (Messaging::origin).
  require(most == 0 || (most + 2) * spec.traffic.size() <= 65'535, "events",
          "are too many that differ");
  topics_.kinds = static_cast<std::uint32_t>(most + 1);
}

void Messaging::build_topics(const WorldSpec& spec) {
  require(spec.topics.size() < 65'535, "topics", "has too many entries");
  count_kinds(spec);
  for (std::uint32_t index = 0; index < spec.topics.size(); ++index) {
    const TopicSpec& from = spec.topics[index];
    Topic& it = topics_.all.emplace_back();
    it.name = from.name;
    it.fifo = from.fifo;
    it.group_deduplication = from.group_deduplication;
    it.first = static_cast<std::uint32_t>(topics_.subscriptions.size());
    it.count = static_cast<std::uint32_t>(from.subscriptions.size());
    require(from.subscriptions.size() + it.first <= subscriptions_max,
            at("topics", index, "subscriptions"), "are too many");
    for (std::size_t each = 0; each < from.subscriptions.size(); ++each) {
      build_subscription(spec, from.subscriptions[each], index, field_path(index, each, "."));
      Subscription& made = topics_.subscriptions.back();
      if (made.rules.retry.jitter == DeliveryJitter::none) continue;
      const std::string stream = "topics/" + from.name + '/' + std::to_string(each) + "/jitter";
      made.jitter = Sampler(unit, stream_key(world_.seed_, world_.replication_, stream));
    }
  }
}

void Messaging::build_subscription(const WorldSpec& spec, const SubscriptionSpec& from,
                                   std::uint32_t topic, const std::string& path) {
  const bool to_queue = from.to.kind == Destination::Kind::queue;
  const bool fifo = spec.topics[topic].fifo;
  require(from.to.kind != Destination::Kind::topic, path + "to", "is a topic");
  require(to_queue || !fifo, path + "to", "must be a queue: the topic is a FIFO topic");
  require(!to_queue || from.to.index < spec.queues.size(), path + "to", "is not there");
  const auto kind_of = [&](std::uint32_t queue) { return spec.queues[queue].rules.kind; };
  const QueueKind kind = to_queue ? kind_of(from.to.index) : QueueKind::standard;
  require(fifo || kind == QueueKind::standard, path + "to",
          "is a FIFO queue, and the topic is not");
  require(to_queue || (from.timeout_ns > 0 && from.timeout_ns <= duration_max), path + "timeout",
          "must be above 0 and below 73 years");
  require(from.takes.empty() || from.takes.size() == topics_.kinds, path + "takes",
          "must say so of each event");
  try {
    from.retry.check();
  } catch (const SpecError& error) {
    throw SpecError(path + "retry." + error.path, error.what());
  }
  if (from.dead_letter != SubscriptionSpec::none) {
    require(from.dead_letter < spec.queues.size(), path + "dead_letter", "is not there");
    require(kind_of(from.dead_letter) == kind, path + "dead_letter", "is not of the right type");
  }
  Subscription& made = topics_.subscriptions.emplace_back();
  made.rules = from;
  made.topic = topic;
}

// Attempts at whoever answers are requests of a caller of each subscription's own.
void Messaging::build_endpoints() {
  for (std::size_t topic = 0; topic < topics_.all.size(); ++topic) {
    for (std::uint32_t each = 0; each < topics_.all[topic].count; ++each) {
      Subscription& it = topics_.subscriptions[topics_.all[topic].first + each];
      if (it.rules.to.kind == Destination::Kind::queue) continue;
      it.caller = static_cast<std::uint32_t>(world_.callers_.size());
      world_.add_caller(it.rules.to, it.rules.timeout_ns, false, field_path(topic, each, ".to"));
    }
  }
}

void Messaging::build_sayings(const WorldSpec& spec) {
  const std::vector<Programs::Send>& sends = world_.programs_.sends();
  const auto add_draw = [&](const Saying& says, const std::string& stream) {
    if (says.kinds.size() < 2) return Visit::none;
    topics_.draws.emplace_back(unit, stream_key(world_.seed_, world_.replication_, stream));
    return static_cast<std::uint32_t>(topics_.draws.size() - 1);
  };
  for (std::size_t send = 0; send < sends.size(); ++send) {
    const std::string path =
        at("services", sends[send].service, ("steps." + sends[send].path + ".event").c_str());
    topics_.of_send.push_back(saying(sends[send].says, path));
  }
  for (std::size_t traffic = 0; traffic < spec.traffic.size(); ++traffic) {
    const TrafficSpec& from = spec.traffic[traffic];
    const std::string name = "traffic/" + from.name + "/events";
    Saying& says =
        topics_.of_source.emplace_back(saying(from.says, at("traffic", traffic, "event")));
    if (says.kinds.empty()) says = Saying{{0}, {1.0}};
    topics_.source_draw.push_back(add_draw(says, name));
    for (std::size_t send = 0; send < sends.size(); ++send) {
      const std::string& service = spec.services[sends[send].service].name;
      const std::string stream = name + '/' + service + '/' + sends[send].path;
      topics_.send_draw.push_back(add_draw(topics_.of_send[send], stream));
    }
  }
}

}  // namespace nephoscope
