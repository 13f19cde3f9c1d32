// Building queues and their consumers.

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t consumer_timeout_min_ns = 1'000'000;

bool is_fifo(const WorldSpec& spec, const Destination& to) {
  if (to.kind == Destination::Kind::topic) return spec.topics[to.index].fifo;
  if (to.kind == Destination::Kind::queue)
    return spec.queues[to.index].rules.kind == QueueKind::fifo;
  return false;
}

std::size_t how_many(const WorldSpec& spec, Destination::Kind kind) {
  if (kind == Destination::Kind::queue) return spec.queues.size();
  if (kind == Destination::Kind::topic) return spec.topics.size();
  return kind == Destination::Kind::bus ? spec.buses.size() : 0;
}

void check_target(const WorldSpec& spec, const Destination& to, std::uint32_t group,
                  const std::string& path) {
  const bool to_topic = to.kind == Destination::Kind::topic;
  require(to.index < how_many(spec, to.kind), path, "is not there");
  require(!is_fifo(spec, to) || group != StepSpec::plain, path,
          to_topic ? "needs a group: its topic is a FIFO topic"
                   : "needs a group: its queue is a FIFO queue");
}

}  // namespace

void Messaging::build(const WorldSpec& spec) {
  require(spec.queues.size() < 65'535, "queues", "has too many entries");
  for (std::size_t index = 0; index < spec.queues.size(); ++index) {
    const WorldQueueSpec& from = spec.queues[index];
    const auto key = [&](const char* purpose) {
      return stream_key(world_.seed_, world_.replication_, "queues/" + from.name + purpose);
    };
    WorldQueue& it = queues_.all.emplace_back();
    it.name = from.name;
    it.dead_letter = from.dead_letter;
    try {
      it.queue = MessageQueue(from.rules, key("/duplicates"), key("/short_polls"), key("/order"));
    } catch (const SpecError& error) {
      throw SpecError(at("queues", index, error.path.c_str()), error.what());
    }
    const bool buries = from.dead_letter != WorldQueueSpec::none;
    require(buries == (from.rules.max_receives != 0), at("queues", index, "max_receives"),
            "and the queue for dead letters belong together");
    if (!buries) continue;
    const std::string path = at("queues", index, "dead_letter");
    require(from.dead_letter < spec.queues.size(), path, "is not there");
    require(from.dead_letter != index, path, "is the queue itself");
    require(spec.queues[from.dead_letter].rules.kind == from.rules.kind, path,
            "is not of the same type");
  }
  build_queue_actions(spec);
  build_topics(spec);
  for (std::size_t index = 0; index < spec.services.size(); ++index) {
    if (spec.services[index].consumes.present()) check_consumes(spec, index);
  }
  for (const Programs::Send& send : world_.programs_.sends()) {
    const std::string path = at("services", send.service, ("steps." + send.path + ".send").c_str());
    check_target(spec, send.to, send.group, path);
    const bool fifo = is_fifo(spec, send.to) || send.to.kind >= Destination::Kind::topic;
    require(send.delay_ns >= -1 && send.delay_ns <= QueueSpec::delay_max, path,
            "has a delay that is not from 0 to 15 min");
    require(!fifo || send.delay_ns == -1, path, "has a delay, and goes to no standard queue");
  }
  for (std::size_t index = 0; index < spec.traffic.size(); ++index) {
    const TrafficSpec& traffic = spec.traffic[index];
    if (traffic.to.kind < Destination::Kind::queue) continue;
    check_target(spec, traffic.to, traffic.group, at("traffic", index, "to"));
  }
}

void Messaging::check_consumes(const WorldSpec& spec, std::size_t service) const {
  const ServiceSpec& from = spec.services[service];
  const auto path = [&](const char* key) { return at("services", service, key); };
  check_consumer(spec, from.consumes, path("consumes."));
  require(!from.processor_sharing || from.concurrency != 0, path("concurrency"),
          "is needed: it says how many workers poll");
  require(from.backlog == -1, path("backlog"), "has no meaning: who consumes waits at the queue");
  require(!from.admission.any(), path("admission"), "has no meaning: who consumes asks for work");
}

void Messaging::check_consumer(const WorldSpec& spec, const ConsumeSpec& rules,
                               const std::string& path) const {
  require(rules.queue < spec.queues.size(), path + "queue", "is not there");
  require(rules.batch >= 1 && rules.batch <= ConsumeSpec::batch_max, path + "batch",
          "must be from 1 to 10");
  require(rules.wait_ns >= 0 && rules.wait_ns <= QueueSpec::wait_max, path + "wait",
          "must be from 0 to 20 s");
  const std::int64_t timeout = spec.queues[rules.queue].rules.visibility_ns;
  require(rules.heartbeat_ns >= 0 && (rules.heartbeat_ns == 0 || rules.heartbeat_ns < timeout),
          path + "heartbeat", "must be less than the visibility timeout of the queue");
  // Lest what fails at once is received again and again, and the clock stands still.
  require(timeout >= consumer_timeout_min_ns, path + "queue",
          "needs a visibility timeout of 1 ms or more");
}

// The visits of each consuming fleet are the requests of a caller of their own.
void Messaging::build_consumers(const WorldSpec& spec) {
  build_pipes(spec);
  for (std::uint32_t fleet = 0; fleet < spec.fleets.size(); ++fleet) {
    const ConsumeSpec& rules = spec.services[spec.fleets[fleet].service].consumes;
    if (!rules.present()) continue;
    if (queues_.consumer_of.empty()) queues_.consumer_of.assign(spec.fleets.size(), Poller::none);
    for (const Route& route : world_.routes_) {
      require(route.fleet != fleet, at("fleets", fleet, "service"),
              "consumes a queue, and takes no requests");
    }
    queues_.consumer_of[fleet] = static_cast<std::uint32_t>(queues_.consumers.size());
    const auto caller = static_cast<std::uint32_t>(world_.callers_.size());
    queues_.consumers.push_back({fleet, caller, rules, Visit::none});
    world_.add_caller({Destination::Kind::fleet, fleet}, 0, false, at("fleets", fleet, "service"));
  }
}

// Instances that serve when the clock starts poll then; the others when they have booted.
void Messaging::start() {
  start_pipes();
  for (const Consumer& consumer : queues_.consumers) {
    if (consumer.is_pipe()) continue;
    for (const std::uint32_t instance : world_.fleets_[consumer.fleet].members)
      begin_polls(instance);
  }
}

}  // namespace nephoscope
