// Who receives which message.

#include <algorithm>

#include "messaging/message_queue.hpp"

namespace nephoscope {

namespace {

// Field by field: what has just been written in parts is slow to be read as a whole.
NEPHOSCOPE_HOT void copy_received(Message& to, const Message& from) {
  to.sent = from.sent;
  to.number = from.number;
  to.body = from.body;
  to.receives = 1;
  to.group = from.group;
}

// The first receive of a message.
NEPHOSCOPE_HOT void begin_flight(HeldMessage& it, const Message& message, std::int64_t now,
                                 std::int64_t due) {
  copy_received(it.message, message);
  it.due = due;
  it.received = now;
  ++it.generation;
  it.state = HeldMessage::flight;
  it.changed = 0;
}

}  // namespace

Received MessageQueue::receive(std::int64_t now, const Receive& call, Delivery* out) {
  advance(now);
  ++counts_.requests;
  if (!receives_.allow(now)) {
    ++counts_.throttled;
    return {CallStatus::throttled, 0, 0};
  }
  if (!fifo() && in_flight_ >= spec_.in_flight_max) {
    ++counts_.over_limit;
    return {CallStatus::over_limit, 0, 0};
  }
  std::uint32_t count = call.has_attempt != 0 ? repeat(call, out) : 0;
  if (count == 0) {
    count = hand_out({seen(call.max), call.visibility}, out);
    if (count == 0) ++counts_.empty_receives;
    if (call.has_attempt != 0) remember(call.attempt, out, count);
  }
  counts_.requests += spec_.requests(count) - 1;
  return {CallStatus::done, count, 0};
}

Received MessageQueue::poll(std::int64_t now, const Receive& call, std::int64_t wait,
                            Delivery* out) {
  advance(now);
  ++counts_.requests;
  if (!receives_.allow(now)) {
    ++counts_.throttled;
    return {CallStatus::throttled, 0, 0};
  }
  std::uint32_t count = call.has_attempt != 0 ? repeat(call, out) : 0;
  if (count == 0) {
    count = hand_out(call, out);
    if (call.has_attempt != 0) remember(call.attempt, out, count);
  }
  counts_.requests += spec_.requests(count) - 1;
  if (count != 0) return {CallStatus::done, count, 0};
  if (wait == 0) {
    ++counts_.empty_receives;
    return {};
  }
  const std::uint32_t slot = waiters_.take();
  Waiter& it = waiters_[slot];
  it.visibility = call.visibility;
  it.max = call.max;
  ++it.generation;
  it.previous = last_waiter_;
  it.next = none;
  it.has_attempt = call.has_attempt;
  it.attempt = call.attempt;
  (last_waiter_ == none ? first_waiter_ : waiters_[last_waiter_].next) = slot;
  last_waiter_ = slot;
  waiter_timers_.push(slot, {now + wait, sequence_++});
  note(now + wait);
  return {CallStatus::done, 0, std::uint64_t{it.generation} << 32 | slot};
}

bool MessageQueue::cancel(std::int64_t now, std::uint64_t ticket) {
  advance(now);
  const auto slot = static_cast<std::uint32_t>(ticket);
  if (!waiter_timers_.contains(slot) || waiters_[slot].generation != ticket >> 32) return false;
  dismiss(slot);
  return true;
}

void MessageQueue::serve() {
  while (first_waiter_ != none && visible_ != 0) {
    const std::uint32_t slot = first_waiter_;
    const Waiter& it = waiters_[slot];
    const auto first = static_cast<std::uint32_t>(answered_.size());
    Delivery out[batch_max];
    const std::uint32_t count = hand_out({it.max, it.visibility}, out);
    if (count == 0) return;
    if (it.has_attempt != 0) remember(it.attempt, out, count);
    counts_.requests += spec_.requests(count) - 1;
    answered_.insert(answered_.end(), out, out + count);
    answers_.push_back({std::uint64_t{it.generation} << 32 | slot, now_, first, count});
    dismiss(slot);
  }
}

// A short poll asks some of the servers. Of which messages they are the keepers is left open; the
// number is that of independent chances, and the oldest are taken for those found.
std::uint32_t MessageQueue::seen(std::uint32_t max) {
  if (spec_.sampled == 1.0 || visible_ >= sampled_below) return max;
  std::uint32_t found = 0;
  for (std::uint64_t at = 0; at < visible_ && found < max; ++at) {
    if (sampling_.unit() < spec_.sampled) ++found;
  }
  return found;
}

std::uint32_t MessageQueue::hand_out(const Receive& call, Delivery* out) {
  if (fifo()) return hand_out_groups(call, out);
  std::uint32_t count = 0;
  while (count < call.max && in_flight_ < spec_.in_flight_max) {
    if (aside_.empty() && !groups_.ready() && call.visibility == Receive::usual &&
        spec_.disorder == 0.0) {
      const std::uint32_t max = call.max - count;
      return count + (max == 1 ? hand_out_first(out + count) : hand_out_row(max, out + count));
    }
    const std::uint32_t slot = next_visible();
    if (slot == none) break;
    const HeldMessage& it = held_[slot];
    if (spec_.max_receives != 0 && it.message.receives >= spec_.max_receives) {
      bury(slot);
      continue;
    }
    if (it.state == HeldMessage::visible) aside_.remove(slot);
    if (groups_.holds(slot)) groups_.take(held_, slot);
    out[count++] = fly(slot, call.visibility);
  }
  return count;
}

// One message of the row, for the usual time.
std::uint32_t MessageQueue::hand_out_first(Delivery* out) {
  if (row_.empty()) return 0;
  const std::int64_t due = now_ + spec_.visibility_ns;
  const std::int64_t first = std::min(due, row_.first_sent() + spec_.retention_ns);
  const std::uint32_t last = flight_last_;
  if (last != none && timer(held_[last]) > first) [[unlikely]] {
    *out = fly(hold(row_.pop()), Receive::usual);
    return 1;
  }
  note(first);
  const std::uint32_t slot = held_.take();
  HeldMessage& it = held_[slot];
  const Message message = row_.pop();
  begin_flight(it, message, now_, due);
  it.earlier = last;
  it.later = none;
  (last == none ? flight_first_ : held_[last].later) = slot;
  flight_last_ = slot;
  --visible_;
  ++in_flight_;
  ++counts_.received;
  copy_received(out->message, message);
  out->receipt = std::uint64_t{it.generation} << 32 | slot;
  return 1;
}

// From the row alone and for the usual time, so that the timers are in order behind those before.
std::uint32_t MessageQueue::hand_out_row(std::uint32_t max, Delivery* out) {
  const std::uint64_t room = spec_.in_flight_max - in_flight_;
  const auto count = static_cast<std::uint32_t>(std::min({std::uint64_t{max}, row_.size(), room}));
  if (count == 0) return 0;
  const std::int64_t due = now_ + spec_.visibility_ns;
  const std::int64_t first = std::min(due, row_.first_sent() + spec_.retention_ns);
  if (flight_last_ != none && timer(held_[flight_last_]) > first) [[unlikely]] {
    for (std::uint32_t at = 0; at < count; ++at) out[at] = fly(hold(row_.pop()), Receive::usual);
    return count;
  }
  note(first);
  const std::uint32_t* const slots = held_.take_each(count);
  HeldMessage* const held = held_.data();
  const std::int64_t now = now_;
  std::uint32_t last = flight_last_;
  std::uint32_t* link = last == none ? &flight_first_ : &held[last].later;
  row_.pop_each(count, [&](const Message& message, std::uint32_t at) {
    const std::uint32_t slot = slots[at];
    HeldMessage& it = held[slot];
    begin_flight(it, message, now, due);
    it.earlier = last;
    *link = slot;
    link = &it.later;
    last = slot;
    copy_received(out[at].message, message);
    out[at].receipt = std::uint64_t{it.generation} << 32 | slot;
  });
  *link = none;
  flight_last_ = last;
  visible_ -= count;
  in_flight_ += count;
  counts_.received += count;
  return count;
}

// As many as possible of one group, then of the next. A dead letter at the head of a group that has
// not begun may give the turn to another.
std::uint32_t MessageQueue::hand_out_groups(const Receive& call, Delivery* out) {
  std::uint32_t count = 0;
  while (count < call.max && in_flight_ < spec_.in_flight_max && groups_.ready()) {
    bool begun = false;
    std::uint32_t slot = groups_.head(groups_.turn());
    while (slot != none && count < call.max && in_flight_ < spec_.in_flight_max) {
      const std::uint32_t next = groups_.next(slot);
      if (spec_.max_receives != 0 && held_[slot].message.receives >= spec_.max_receives) {
        bury(slot);
        if (!begun) break;
      } else {
        groups_.take(held_, slot);
        out[count++] = fly(slot, call.visibility);
        begun = true;
      }
      slot = next;
    }
  }
  return count;
}

// The record of the message to be received next, or `none`; one that was in the row has no state.
std::uint32_t MessageQueue::oldest_visible() {
  constexpr SlotHeap::Key last{never, ~std::uint64_t{0}};
  const SlotHeap::Key row =
      row_.empty() ? last : SlotHeap::Key{row_.first_sent(), row_.front().number};
  const SlotHeap::Key aside = aside_.empty() ? last : aside_.first_key();
  const SlotHeap::Key group = groups_.quiet() ? groups_.turn_key() : last;
  if (group < row && group < aside) return groups_.head(groups_.turn());
  if (aside != last && aside <= row) return aside_.first();
  if (row != last) return hold(row_.pop());
  return groups_.ready() ? groups_.head(groups_.turn()) : none;
}

// The same of what is received: by chance the one behind the oldest, which stays. Groups that make
// a queue fair keep their order.
std::uint32_t MessageQueue::next_visible() {
  const std::uint32_t first = oldest_visible();
  if (spec_.disorder == 0.0 || first == none || order_.unit() >= spec_.disorder) return first;
  if (groups_.holds(first)) return first;
  if (held_[first].state == HeldMessage::visible) aside_.remove(first);
  const std::uint32_t second = oldest_visible();
  put_aside(first);
  return second == none || groups_.holds(second) ? first : second;
}

// On the receive after the last one allowed.
void MessageQueue::bury(std::uint32_t slot) {
  dead_.push_back({held_[slot].message, now_});
  ++counts_.dead_lettered;
  remove(slot);
}

}  // namespace nephoscope
