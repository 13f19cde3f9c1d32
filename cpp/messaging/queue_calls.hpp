// What goes into a queue's calls and what comes out of them.

#pragma once

#include <cstdint>

#include "messaging/message.hpp"

namespace nephoscope {

struct Outgoing {
  static constexpr std::int64_t usual = -1;

  std::uint64_t body = 0;
  std::uint64_t deduplication = 0;  // an id, if has_deduplication
  std::int64_t delay = usual;       // or the queue's
  std::uint32_t group = Message::none;
  std::uint32_t has_deduplication = 0;
};

enum class CallStatus : std::uint8_t {
  done,
  duplicate,   // a send: it succeeds, and is dropped
  throttled,   // a FIFO queue has had as many calls in this second as it takes
  over_limit,  // a short poll of a standard queue that has as much in flight as it may
};

struct SendResult {
  std::uint64_t number = 0;  // of a duplicate: that of the first
  CallStatus status = CallStatus::done;
};

struct Receive {
  static constexpr std::int64_t usual = -1;

  std::uint32_t max = 1;
  std::int64_t visibility = usual;  // or the queue's timeout
  // An id, if has_attempt, of a FIFO queue's receive: the same messages again, if nothing has been
  // done to them.
  std::uint64_t attempt = 0;
  std::uint32_t has_attempt = 0;
};

enum class ReceiptStatus : std::uint8_t {
  done,
  stale,          // a delete: it succeeds, without effect
  late,           // a delete in a FIFO queue, of a message that is visible or received again
  not_in_flight,  // a change: nothing to change
  too_long,       // a change: more than 12 hours from the receive
  throttled,
};

struct Delivery {
  Message message;
  std::uint64_t receipt = 0;  // slot | generation << 32
};

// What a receive came to; a ticket, which is not 0, if the receiver waits.
struct Received {
  CallStatus status = CallStatus::done;
  std::uint32_t count = 0;
  std::uint64_t ticket = 0;
};

// To a receiver that has waited: `count` of the deliveries, from `first` on.
struct PollAnswer {
  std::uint64_t ticket = 0;
  std::int64_t time = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// A message that has left for another queue.
struct Moved {
  Message message;
  std::int64_t time = 0;
};

struct QueueCounts {
  std::uint64_t sent = 0;  // without those dropped as duplicates, with those that arrived
  std::uint64_t arrived = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t deduplicated = 0;
  std::uint64_t received = 0;
  std::uint64_t deleted = 0;  // with those purged and redriven
  std::uint64_t purged = 0;
  std::uint64_t redriven = 0;
  std::uint64_t stopped_redrives = 0;  // by a message of which nobody knows where it is from
  std::uint64_t dead_lettered = 0;
  std::uint64_t expired = 0;
  std::uint64_t timed_out = 0;  // receives whose message became visible again
  std::uint64_t requests = 0;   // calls as they are billed: by what they hold
  std::uint64_t empty_receives = 0;
  std::uint64_t throttled = 0;
  std::uint64_t over_limit = 0;
};

}  // namespace nephoscope
