// What operators do to queues at set times.

#include <string>

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"

namespace nephoscope {

void Messaging::build_queue_actions(const WorldSpec& spec) {
  require(spec.queue_actions.size() < (1U << 20), "queue_actions", "has too many entries");
  for (std::size_t index = 0; index < spec.queue_actions.size(); ++index) {
    const QueueActionSpec& from = spec.queue_actions[index];
    require(from.at_ns >= 0 && from.at_ns <= duration_max, at("queue_actions", index, "at"),
            "must be from 0 to 73 years");
    require(from.queue < spec.queues.size(), at("queue_actions", index, "queue"), "is not there");
    if (from.redrives()) {
      const bool home = from.to == QueueActionSpec::home;
      require(home || (from.to < spec.queues.size() && from.to != from.queue),
              at("queue_actions", index, "to"), "is not another queue");
      require(home || spec.queues[from.to].rules.kind == spec.queues[from.queue].rules.kind,
              at("queue_actions", index, "to"), "is not of the same type");
      WorldQueue& letters = queues_.all[from.queue];
      letters.keeps_origins = letters.keeps_origins || home;
      require(from.per_second >= 1 && from.per_second <= MessageQueue::redrive_max,
              at("queue_actions", index, "rate"), "must be from 1 to 500 messages a second");
    }
    const std::int64_t longest = from.redrives() ? 0 : QueueActionSpec::lasts_max;
    require(from.lasts_ns >= 0 && from.lasts_ns <= longest, at("queue_actions", index, "lasts"),
            "must be from 0 to 60 s, and is of a purge");
    queues_.actions.push_back(from);
    const std::int64_t due = from.at_ns + from.lasts_ns;
    if (due >= world_.duration_) continue;
    const auto entry = static_cast<std::uint32_t>(index) + queue_action_parts;
    world_.calendar_.push(due, payload(EventKind::part, entry));
  }
}

// A queue has one redrive at a time; another one is refused.
void Messaging::act_on_queue(std::uint32_t action) {
  const QueueActionSpec& it = queues_.actions[action];
  WorldQueue& queue = queues_.all[it.queue];
  if (!it.redrives()) {
    // One that lasts leaves what was sent since it was asked for.
    queue.queue.purge(world_.now_, it.lasts_ns == 0 ? MessageQueue::never : it.at_ns);
  } else if (queue.queue.redriving()) {
    ++queue.refused_redrives;
  } else {
    queue.redrives_to = it.to;
    queue.queue.start_redrive(world_.now_, it.per_second, it.to == QueueActionSpec::home);
  }
  follow(it.queue);
  world_.run_ready();
}

}  // namespace nephoscope
