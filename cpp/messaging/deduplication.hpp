// The deduplication window of a FIFO queue: which ids were sent in the last five minutes, and the
// number of the message that each of them first named. A repetition does not extend the window.

#pragma once

#include <cstdint>

#include "messaging/key_table.hpp"
#include "messaging/ring_queue.hpp"

namespace nephoscope {

class Deduplication {
 public:
  static constexpr std::int64_t window_ns = 300'000'000'000;

  // The number of the message that this id named, or KeyTable::absent.
  std::uint64_t find(std::uint64_t id, std::int64_t now) {
    while (!sent_.empty() && sent_.front().at + window_ns <= now) numbers_.erase(sent_.pop().id);
    return numbers_.find(id);
  }

  // Precondition: `find` has just not found it.
  void remember(std::uint64_t id, std::uint64_t number, std::int64_t now) {
    numbers_.set(id, number);
    sent_.push({id, now});
  }

  // An id that counts within one group. The multipliers are odd, so that ids of one group never
  // meet; those of two do by a chance of 2^-64.
  static std::uint64_t within(std::uint64_t id, std::uint32_t group) {
    std::uint64_t mixed = (group + 1) * std::uint64_t{0xBF58476D1CE4E5B9};
    mixed = (mixed ^ (mixed >> 31)) * 0x94D049BB133111EB;
    return id * 0x9E3779B97F4A7C15 ^ mixed;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    numbers_.serialize(archive);
    sent_.serialize(archive);
  }

 private:
  struct Sent {
    std::uint64_t id = 0;
    std::int64_t at = 0;
  };

  KeyTable numbers_;
  RingQueue<Sent> sent_;  // in the order of time
};

}  // namespace nephoscope
