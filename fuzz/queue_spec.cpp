#include "fuzz/queue_spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"

namespace nephoscope::fuzz {
namespace {

WorldQueueSpec queue(Bytes& bytes, std::uint32_t number, std::uint32_t count, QueueKind kind) {
  constexpr std::int64_t second = QueueSpec::second;
  WorldQueueSpec made;
  made.name = "queue" + std::to_string(number);
  made.rules.kind = bytes.one_in(odd_once_in) ? bytes.enumerator<QueueKind>(2) : kind;
  made.rules.visibility_ns = odd_time(bytes, 1, 200);
  made.rules.delay_ns = bytes.one_in(2) ? odd_time(bytes, 0, 100) : 0;
  made.rules.retention_ns = bytes.one_in(2) ? 60 * second : odd_time(bytes, 60'000, 90'000);
  made.rules.in_flight_max = bytes.one_in(2) ? odd_count(bytes, 1, 8) : 120'000;
  made.rules.calls_per_second = bytes.one_in(4) ? odd_count(bytes, 0, 50) : 0;
  made.rules.content_deduplication = bytes.one_in(2) ? 1 : 0;
  made.rules.group_deduplication = bytes.one_in(2) ? 1 : 0;
  if (kind == QueueKind::standard && bytes.one_in(3)) {
    made.rules.duplicates = odd_number(bytes, 0.0, 1.0);
    made.rules.sampled = odd_number(bytes, 0.1, 1.0);
    made.rules.disorder = odd_number(bytes, 0.0, 1.0);
  }
  if (count > 1 && bytes.one_in(2)) {
    made.dead_letter = (number + 1) % count;
    if (bytes.one_in(odd_once_in)) made.dead_letter = odd_index(bytes, count);
    made.rules.max_receives = odd_count(bytes, 1, 4);
  }
  return made;
}

Destination to_queue(Bytes& bytes, const WorldSpec& spec) {
  return {Destination::Kind::queue, odd_index(bytes, spec.queues.size())};
}

std::uint32_t group(Bytes& bytes, const WorldSpec& spec) {
  const bool needed = spec.queues.front().rules.kind == QueueKind::fifo;
  return needed || bytes.one_in(4) ? bytes.between(0, 3) : StepSpec::plain;
}

void send_from(Bytes& bytes, std::vector<StepSpec>& steps, const WorldSpec& spec) {
  for (StepSpec& step : steps) {
    for (std::vector<StepSpec>& branch : step.branches) send_from(bytes, branch, spec);
    if (step.kind != StepKind::sleep || !bytes.one_in(2)) continue;
    step.kind = StepKind::send;
    step.to = to_queue(bytes, spec);
    step.group = group(bytes, spec);
    step.batch = bytes.one_in(2) ? bytes.between(1, 10) : 1;
    const bool fifo = spec.queues.front().rules.kind == QueueKind::fifo;
    if (!fifo && bytes.one_in(2)) step.delay_ns = odd_time(bytes, 0, 100);
  }
}

// Does what takes time, fails now and then, and calls nobody: so that nothing goes round.
ServiceSpec consumer(Bytes& bytes, const WorldSpec& spec) {
  ServiceSpec made;
  made.name = "consumer";
  made.concurrency = bytes.between(1, 4);
  made.processor_sharing = bytes.one_in(3);
  made.consumes.queue = odd_index(bytes, spec.queues.size());
  made.consumes.batch = odd_count(bytes, 1, 10);
  made.consumes.wait_ns = odd_wait(bytes);
  made.consumes.heartbeat_ns = bytes.one_in(3) ? odd_time(bytes, 1, 20) : 0;
  made.consumes.abandons = bytes.one_in(2);
  constexpr StepKind kinds[] = {StepKind::compute, StepKind::sleep, StepKind::fail,
                                StepKind::network, StepKind::memory};
  made.steps.resize(bytes.between(1, 3));
  for (StepSpec& step : made.steps) {
    step.kind = bytes.any_of(kinds);
    step.demand = distribution(bytes, 20.0);
    step.probability = odd_number(bytes, 0.0, 0.9);
    step.bytes = odd_time(bytes, 0, 50);
  }
  return made;
}

// A purge, a change of attributes, or a redrive to the next queue or to where each message came
// from.
QueueActionSpec action(Bytes& bytes, const WorldSpec& spec) {
  QueueActionSpec made;
  made.at_ns = odd_time(bytes, 0, 500);
  made.queue = odd_index(bytes, spec.queues.size());
  if (bytes.one_in(3)) made.lasts_ns = odd_time(bytes, 0, 100);
  if (spec.queues.size() > 1 && bytes.one_in(2)) {
    made.to = (made.queue + 1) % static_cast<std::uint32_t>(spec.queues.size());
    if (bytes.one_in(2)) made.to = QueueActionSpec::home;
    made.per_second = odd_count(bytes, 1, 500);
  } else if (bytes.one_in(2)) {
    made.lasts_ns = 0;
    made.visibility_ns = bytes.one_in(2) ? odd_time(bytes, 0, 500) : QueueActionSpec::kept;
    made.delay_ns = bytes.one_in(2) ? odd_time(bytes, 0, 300) : QueueActionSpec::kept;
    if (bytes.one_in(2)) made.retention_ns = odd_time(bytes, 60'000, 90'000);
  }
  return made;
}

}  // namespace

void add_queues(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  const std::uint32_t count = bytes.between(1, 3);
  const QueueKind kind = bytes.one_in(3) ? QueueKind::fifo : QueueKind::standard;
  for (std::uint32_t i = 0; i < count; ++i) spec.queues.push_back(queue(bytes, i, count, kind));
  for (ServiceSpec& service : spec.services) send_from(bytes, service.steps, spec);
  for (TrafficSpec& traffic : spec.traffic) {
    if (!bytes.one_in(2)) continue;
    traffic.to = to_queue(bytes, spec);
    traffic.group = group(bytes, spec);
  }
  FleetSpec fleet = spec.fleets.front();
  fleet.name = "consumers";
  fleet.service = static_cast<std::uint32_t>(spec.services.size());
  spec.services.push_back(consumer(bytes, spec));
  for (ScalingPolicySpec& policy : fleet.scaling.policies) {
    if (bytes.one_in(2)) continue;
    policy.metric = Metric::backlog_per_instance;
    policy.queue = odd_index(bytes, spec.queues.size());
    policy.target = odd_number(bytes, 1.0, 50.0);
  }
  spec.fleets.push_back(fleet);
  const std::uint32_t actions = bytes.one_in(2) ? 0 : bytes.between(1, 2);
  for (std::uint32_t i = 0; i < actions; ++i) spec.queue_actions.push_back(action(bytes, spec));
}

}  // namespace nephoscope::fuzz
