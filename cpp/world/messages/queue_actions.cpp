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
    if (from.changes()) check_change(spec, from, at("queue_actions", index, ""));
    const bool purges = !from.redrives() && !from.changes();
    const std::int64_t longest = purges ? QueueActionSpec::lasts_max : 0;
    require(from.lasts_ns >= 0 && from.lasts_ns <= longest, at("queue_actions", index, "lasts"),
            "must be from 0 to 60 s, and is of a purge");
    queues_.actions.push_back(from);
    const std::int64_t due = from.at_ns + from.lasts_ns;
    if (due >= world_.duration_) continue;
    const auto entry = static_cast<std::uint32_t>(index) + queue_action_parts;
    world_.calendar_.push(due, payload(EventKind::part, entry));
  }
}

// The queue would have to be possible as it will be.
void Messaging::check_change(const WorldSpec& spec, const QueueActionSpec& from,
                             const std::string& path) const {
  require(!from.redrives(), path + "to", "is of a redrive, and attributes change");
  QueueSpec changed = spec.queues[from.queue].rules;
  if (from.visibility_ns != QueueActionSpec::kept) changed.visibility_ns = from.visibility_ns;
  if (from.delay_ns != QueueActionSpec::kept) changed.delay_ns = from.delay_ns;
  if (from.retention_ns != QueueActionSpec::kept) changed.retention_ns = from.retention_ns;
  try {
    changed.check();
  } catch (const SpecError& error) {
    throw SpecError(path + error.path, error.what());
  }
}

// A changed delay or retention counts for messages that are there, as the queue has it.
void Messaging::change_queue(MessageQueue& queue, const QueueActionSpec& it) {
  queue.advance(world_.now_);
  if (it.visibility_ns != QueueActionSpec::kept) queue.set_visibility(it.visibility_ns);
  if (it.delay_ns != QueueActionSpec::kept) queue.set_delay(world_.now_, it.delay_ns);
  if (it.retention_ns != QueueActionSpec::kept) queue.set_retention(world_.now_, it.retention_ns);
}

// A queue has one redrive at a time; another one is refused.
void Messaging::act_on_queue(std::uint32_t action) {
  const QueueActionSpec& it = queues_.actions[action];
  WorldQueue& queue = queues_.all[it.queue];
  if (it.changes()) {
    change_queue(queue.queue, it);
  } else if (!it.redrives()) {
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
