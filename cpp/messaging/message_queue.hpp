// A queue that loses nothing, by the rules of SQS: what is received is hidden for a while, and seen
// again unless it was deleted.
//
// The queue has no clock: every call says what time it is, and what is due by then (timeouts,
// delays, expiries, answers to those who wait) happens first, each at its own instant. Messages
// without a group wait in one row, in the order of sending, at 8 bytes each and 24 for each instant
// of sending. Only what is more than that has a record: what is in flight or was so, what is
// delayed by itself, what is in a group.
//
// Visible messages are received in the order of their age (`sent`, then number), as far as a
// standard queue keeps it (QueueSpec::disorder); see MessageGroups for those with a group. Timeouts
// of the usual length come in the order of receiving, so that a list of them is sorted; the others
// are in a heap.
//
// Invariants, seen to by `check`:
//   1. sent + duplicated = deleted + visible + delayed + in flight + dead-lettered + expired.
//   2. row_ is in the order of age; delayed_ in that of age and of due time.
//   3. A record is in exactly one of: aside_ (visible), a row of its group, the timers (in flight
//      or delayed).
//   4. due_ is not after anything that will happen by itself.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"
#include "kernel/slab.hpp"
#include "messaging/call_limit.hpp"
#include "messaging/deduplication.hpp"
#include "messaging/message.hpp"
#include "messaging/message_groups.hpp"
#include "messaging/message_row.hpp"
#include "messaging/queue_calls.hpp"
#include "messaging/queue_spec.hpp"
#include "messaging/receive_attempts.hpp"
#include "messaging/ring_queue.hpp"
#include "messaging/slot_heap.hpp"

namespace nephoscope {

class MessageQueue {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint32_t none = Message::none;
  static constexpr std::uint32_t batch_max = 10;         // of one call
  static constexpr std::uint64_t sampled_below = 1'000;  // visible messages
  static constexpr std::uint32_t redrive_max = 500;      // messages a second
  static constexpr std::int64_t redrive_ns_max = 36 * 3600 * QueueSpec::second;

  MessageQueue() = default;
  // Precondition of the keys: streams that belong to this queue alone.
  MessageQueue(const QueueSpec& spec, StreamKey duplicates, StreamKey sampling, StreamKey order);

  const QueueSpec& spec() const { return spec_; }
  std::int64_t now() const { return now_; }
  const QueueCounts& counts() const { return counts_; }
  std::uint64_t visible() const { return visible_; }
  std::uint64_t delayed() const { return delayed_.size() + delayed_alone_; }
  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t waiting_receivers() const { return waiter_timers_.size(); }

  // When the oldest message that is not deleted was sent, or `never`. O(in flight).
  std::int64_t oldest() const;

  // When something happens next without a call, or `never`.
  std::int64_t next_event() const;

  // Precondition of this and of every call: `now` is not before that of the call before.
  NEPHOSCOPE_HOT void advance(std::int64_t now) {
    while (due_ <= now) [[unlikely]]
      happen(now);
    now_ = now;
  }

  // One call with at most batch_max messages, and bytes_max of them. In a FIFO queue each has a
  // group, and an id or the queue deduplicates by content; delays are the queue's.
  void send(std::int64_t now, const Outgoing* messages, std::uint32_t count, SendResult* results);

  // A message that another queue has given up. It counts as sent; its receives start anew.
  void arrive(std::int64_t now, Message message);

  // A message that a redrive brings: a new one, without a call. A FIFO queue's has a group.
  void admit(std::int64_t now, std::uint64_t body, std::uint32_t group);

  // A short poll. `out` has room for call.max deliveries, at most batch_max. Only a FIFO queue
  // takes an attempt.
  Received receive(std::int64_t now, const Receive& call, Delivery* out);

  // A long poll. Where no message is there, the receiver waits for `wait` and `ticket` names it;
  // the answer will be among `answers`.
  Received poll(std::int64_t now, const Receive& call, std::int64_t wait, Delivery* out);

  // A receiver waits no more. False when it did not.
  bool cancel(std::int64_t now, std::uint64_t ticket);

  // One call with at most batch_max receipts.
  void erase(std::int64_t now, const std::uint64_t* receipts, std::uint32_t count,
             ReceiptStatus* results);

  // The receipt of the message's last receive, by one of an earlier one; this one itself where the
  // message is gone.
  std::uint64_t latest(std::uint64_t receipt) const;

  // The timeout counts from now; 0 makes the message visible at once.
  ReceiptStatus change_visibility(std::int64_t now, std::uint64_t receipt, std::int64_t timeout);

  // Deletes everything that was sent before a time, what is in flight included. Returns how many.
  std::uint64_t purge(std::int64_t now, std::int64_t sent_before = never);

  // Moves the visible messages out, the oldest first, into `redriven`, until there are none or 36
  // hours are over; if they go home, until one has no origin. False when a task is under way.
  bool start_redrive(std::int64_t now, std::uint32_t per_second, bool home = false);
  void cancel_redrive() { redrive_next_ = never; }
  bool redriving() const { return redrive_next_ != never; }

  // Of the messages to come; of those that a FIFO queue delays already as well.
  void set_delay(std::int64_t now, std::int64_t delay);
  void set_visibility(std::int64_t timeout) { spec_.visibility_ns = timeout; }
  // Of all messages.
  void set_retention(std::int64_t now, std::int64_t retention);

  // What has happened and is to be fetched; `forget_outcomes` when that is done.
  const std::vector<PollAnswer>& answers() const { return answers_; }
  const std::vector<Delivery>& answered() const { return answered_; }
  const std::vector<Moved>& dead() const { return dead_; }
  const std::vector<Moved>& redriven() const { return redriven_; }
  void forget_outcomes();

  // Throws InvariantError. O(messages).
  void check() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(spec_, plain_, counts_, now_, due_, next_number_, visible_, in_flight_, delayed_alone_,
            sequence_, flight_first_, flight_last_, first_waiter_, last_waiter_, redrive_next_,
            redrive_until_, redrive_gap_, redrives_home_, answers_, answered_, dead_, redriven_);
    row_.serialize(archive);
    delayed_.serialize(archive);
    held_.serialize(archive);
    aside_.serialize(archive);
    alone_.serialize(archive);
    groups_.serialize(archive);
    deduplication_.serialize(archive);
    attempts_.serialize(archive);
    waiters_.serialize(archive);
    waiter_timers_.serialize(archive);
    for (CallLimit* limit : {&sends_, &receives_, &deletes_, &changes_}) limit->serialize(archive);
    duplicates_.serialize(archive);
    sampling_.serialize(archive);
    order_.serialize(archive);
  }

 private:
  struct Delayed {
    Message message;
    std::int64_t due = 0;
  };

  struct Waiter {
    std::int64_t visibility = 0;
    std::uint32_t max = 0;
    std::uint32_t generation = 0;
    std::uint32_t previous = none;
    std::uint32_t next = none;
    std::uint32_t has_attempt = 0;
    std::uint32_t unused = 0;
    std::uint64_t attempt = 0;
  };

  bool fifo() const { return spec_.kind == QueueKind::fifo; }
  bool expired(const Message& it) const { return it.sent + spec_.retention_ns <= now_; }
  // When the record's time is over, one way or the other.
  std::int64_t timer(const HeldMessage& it) const {
    return std::min(it.due, it.message.sent + spec_.retention_ns);
  }
  NEPHOSCOPE_HOT void note(std::int64_t time) { due_ = time < due_ ? time : due_; }

  // message_queue.cpp
  bool send_plain(const Outgoing* messages, std::uint32_t count, SendResult* results);
  SendResult put(const Outgoing& message);
  void store(const Message& message, std::int64_t delay, bool usual);
  std::uint32_t erase_plain(const std::uint64_t* receipts, std::uint32_t count,
                            ReceiptStatus* results);
  ReceiptStatus erase(std::uint64_t receipt);

  // queue_receive.cpp
  std::uint32_t hand_out(const Receive& call, Delivery* out);
  std::uint32_t hand_out_first(Delivery* out);
  std::uint32_t hand_out_row(std::uint32_t max, Delivery* out);
  std::uint32_t hand_out_groups(const Receive& call, Delivery* out);
  std::uint32_t oldest_visible();
  std::uint32_t next_visible();
  void bury(std::uint32_t slot);
  void serve();
  std::uint32_t seen(std::uint32_t max);

  // queue_attempts.cpp
  std::uint32_t repeat(const Receive& call, Delivery* out);
  void remember(std::uint64_t attempt, const Delivery* out, std::uint32_t count);

  // queue_records.cpp
  void append_to_row(const Message& message);
  void show(const Message& message);
  void show_alone(const Message& message);
  std::uint32_t hold(const Message& message);
  std::uint32_t hold_grouped(const Message& message);
  void put_aside(std::uint32_t slot);
  Delivery fly(std::uint32_t slot, std::int64_t visibility);
  void remove(std::uint32_t slot);
  void schedule(std::uint32_t slot, bool usual);
  void unschedule(std::uint32_t slot);
  void reschedule_all();

  // queue_time.cpp
  void happen(std::int64_t until);
  void time_out(std::uint32_t slot);
  void expire();
  void end_waits();
  void dismiss(std::uint32_t waiter);
  void redrive();

  QueueSpec spec_;
  std::uint64_t plain_ = 0;  // 1: a message without a group or delay of its own goes into the row
  QueueCounts counts_;
  std::int64_t now_ = 0;
  std::int64_t due_ = never;
  std::uint64_t next_number_ = 0;
  std::uint64_t visible_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t delayed_alone_ = 0;  // that have records
  std::uint64_t sequence_ = 0;       // of alone_ and waiter_timers_, among equal times

  MessageRow row_;
  RingQueue<Delayed> delayed_;
  HeldMessages held_;
  std::uint32_t flight_first_ = none;  // the list of timers in order
  std::uint32_t flight_last_ = none;
  SlotHeap alone_;  // timers that are not in the list
  SlotHeap aside_;  // visible, without a group, not in the row
  MessageGroups groups_;
  Deduplication deduplication_;
  ReceiveAttempts attempts_;

  Slab<Waiter> waiters_;
  SlotHeap waiter_timers_;
  std::uint32_t first_waiter_ = none;
  std::uint32_t last_waiter_ = none;

  std::int64_t redrive_next_ = never;
  std::int64_t redrive_until_ = never;
  std::int64_t redrive_gap_ = 0;
  std::uint64_t redrives_home_ = 0;

  CallLimit sends_;
  CallLimit receives_;
  CallLimit deletes_;
  CallLimit changes_;
  WordStream duplicates_;
  WordStream sampling_;
  WordStream order_;

  std::vector<PollAnswer> answers_;
  std::vector<Delivery> answered_;
  std::vector<Moved> dead_;
  std::vector<Moved> redriven_;
};

// Of one whose time is `now`; in the order of age, as those who come are younger than all.
NEPHOSCOPE_HOT void MessageQueue::append_to_row(const Message& message) {
  if (row_.empty()) [[unlikely]]
    note(message.sent + spec_.retention_ns);
  row_.push(message);
  ++visible_;
}

// A record for a message, which is nowhere yet.
NEPHOSCOPE_HOT std::uint32_t MessageQueue::hold(const Message& message) {
  const std::uint32_t slot = held_.take();
  HeldMessage& it = held_[slot];
  it.message = message;
  it.state = HeldMessage::free;
  return slot;
}

// A visible message is received.
NEPHOSCOPE_HOT Delivery MessageQueue::fly(std::uint32_t slot, std::int64_t visibility) {
  HeldMessage& it = held_[slot];
  const bool usual = visibility == Receive::usual;
  it.state = HeldMessage::flight;
  it.changed = 0;
  it.received = now_;
  it.due = now_ + (usual ? spec_.visibility_ns : visibility);
  ++it.message.receives;
  ++it.generation;
  --visible_;
  ++in_flight_;
  ++counts_.received;
  schedule(slot, usual);
  return {it.message, std::uint64_t{it.generation} << 32 | slot};
}

NEPHOSCOPE_HOT void MessageQueue::schedule(std::uint32_t slot, bool usual) {
  HeldMessage& it = held_[slot];
  const std::int64_t time = timer(it);
  note(time);
  if (!usual || (flight_last_ != none && timer(held_[flight_last_]) > time)) [[unlikely]] {
    alone_.push(slot, {time, sequence_++});
    return;
  }
  it.earlier = flight_last_;
  it.later = none;
  (flight_last_ == none ? flight_first_ : held_[flight_last_].later) = slot;
  flight_last_ = slot;
}

NEPHOSCOPE_HOT void MessageQueue::unschedule(std::uint32_t slot) {
  if (alone_.contains(slot)) [[unlikely]]
    return alone_.remove(slot);
  const HeldMessage& it = held_[slot];
  (it.earlier == none ? flight_first_ : held_[it.earlier].later) = it.later;
  (it.later == none ? flight_last_ : held_[it.later].earlier) = it.earlier;
}

}  // namespace nephoscope
