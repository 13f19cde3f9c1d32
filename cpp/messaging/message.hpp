// A message, and the record of one that is more than a place in a row: it is in flight, was so, is
// delayed by itself, or belongs to a group.

#pragma once

#include <cstdint>
#include <limits>

#include "kernel/slab.hpp"

namespace nephoscope {

struct Message {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::int64_t sent = 0;     // when retention began to count
  std::uint64_t number = 0;  // its id, given by the queue that it was sent to
  std::uint64_t body = 0;    // what its sender means by it
  std::uint32_t receives = 0;
  std::uint32_t group = none;
};

// A line of the cache; what groups need to know of one is theirs (message_groups.hpp).
struct alignas(64) HeldMessage {
  static constexpr std::uint32_t none = Message::none;

  enum State : std::uint16_t {
    free,     // there is no message
    flight,   // received
    visible,  // without a group, in the heap of those that are not in the row
    grouped,  // visible, in the row of its group
    late,     // visible again, in the second row of its group
    delayed,
  };

  Message message;
  std::int64_t due = 0;       // end of its visibility timeout or its delay
  std::int64_t received = 0;  // when, for the last time
  // Of its latest receipt: counts the receives of all messages that the slot has held.
  std::uint32_t generation = 0;
  State state = free;
  std::uint16_t changed = 0;     // 1: its visibility was, since the latest receipt
  std::uint32_t earlier = none;  // in the list of timers
  std::uint32_t later = none;

  // That of its message's first receipt; those of before are of other messages.
  std::uint32_t first_generation() const { return generation - message.receives + 1; }
};
static_assert(sizeof(HeldMessage) == 64);

using HeldMessages = Slab<HeldMessage>;

}  // namespace nephoscope
