// Receives that are repeated under the id that they were given.

#include <algorithm>
#include <limits>

#include "messaging/message_queue.hpp"

namespace nephoscope {

// The same messages by the same receipts, hidden anew, if all of them are still in flight by these
// and find room. Else nothing: the call is a receive like others.
std::uint32_t MessageQueue::repeat(const Receive& call, Delivery* out) {
  const ReceiveAttempts::Answer* const found = attempts_.find(call.attempt, now_);
  if (found == nullptr || found->count > call.max) return 0;
  const auto count = static_cast<std::uint32_t>(found->count);
  for (std::uint32_t at = 0; at < count; ++at) {
    const HeldMessage& it = held_[static_cast<std::uint32_t>(found->receipts[at])];
    const bool same = it.state == HeldMessage::flight &&
                      it.generation == found->receipts[at] >> 32 && it.changed == 0;
    if (!same) return 0;
  }
  const bool usual = call.visibility == Receive::usual;
  for (std::uint32_t at = 0; at < count; ++at) {
    const auto slot = static_cast<std::uint32_t>(found->receipts[at]);
    HeldMessage& it = held_[slot];
    unschedule(slot);
    it.due = std::min(now_ + (usual ? spec_.visibility_ns : call.visibility),
                      it.received + QueueSpec::visibility_max);
    schedule(slot, false);
    out[at] = {it.message, found->receipts[at]};
  }
  return count;
}

void MessageQueue::remember(std::uint64_t attempt, const Delivery* out, std::uint32_t count) {
  if (count == 0) return;
  ReceiveAttempts::Answer answer{attempt, now_, count, {}};
  for (std::uint32_t at = 0; at < count; ++at) answer.receipts[at] = out[at].receipt;
  attempts_.remember(answer);
}

}  // namespace nephoscope
