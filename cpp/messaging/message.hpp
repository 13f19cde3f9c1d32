// A message, and the record of one that is more than a place in a row: it is in flight, was so, is
// delayed by itself, or belongs to a group.

#pragma once

#include <cstdint>
#include <limits>

#include "kernel/slab.hpp"

namespace nephoscope {

struct Message {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t number_bits = 48;

  std::int64_t sent = 0;  // when retention began to count
  // Its id, given by the queue that it was sent to, below 2^number_bits; whoever moves it here may
  // say above that where it is from.
  std::uint64_t number = 0;
  std::uint64_t body = 0;  // what its sender means by it
  std::uint32_t receives = 0;
  std::uint32_t group = none;

  // Where it is from, as said; 0: nobody has.
  std::uint32_t origin() const { return static_cast<std::uint32_t>(number >> number_bits); }
  void come_from(std::uint32_t origin) {
    number = (number & ((std::uint64_t{1} << number_bits) - 1)) | std::uint64_t{origin}
                                                                      << number_bits;
  }
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
