#include "messaging/message_queue.hpp"

#include "kernel/errors.hpp"

namespace nephoscope {

MessageQueue::MessageQueue(const QueueSpec& spec, StreamKey duplicates, StreamKey sampling)
    : spec_(spec),
      groups_(spec.kind == QueueKind::fifo),
      sends_(spec.calls_per_second, spec.group_calls_per_second),
      receives_(spec.calls_per_second, 0),
      deletes_(spec.calls_per_second, spec.group_calls_per_second),
      changes_(spec.calls_per_second, 0),
      duplicates_(duplicates),
      sampling_(sampling) {
  spec.check();
  plain_ = !fifo() && spec.delay_ns == 0 && spec.duplicates == 0.0 ? 1 : 0;
}

void MessageQueue::send(std::int64_t now, const Outgoing* messages, std::uint32_t count,
                        Sent* results) {
  advance(now);
  ++counts_.requests;
  if (!sends_.allow(now)) {
    ++counts_.throttled;
    for (std::uint32_t at = 0; at < count; ++at) results[at] = {0, CallStatus::throttled};
    return;
  }
  if (!send_plain(messages, count, results)) {
    for (std::uint32_t at = 0; at < count; ++at) results[at] = put(messages[at]);
  }
  if (first_waiter_ != none) serve();
}

// All of them into the row, if that is where they belong.
bool MessageQueue::send_plain(const Outgoing* messages, std::uint32_t count, Sent* results) {
  if (plain_ == 0) return false;
  for (std::uint32_t at = 0; at < count; ++at) {
    if (messages[at].group != none || messages[at].delay > 0) return false;
  }
  if (row_.empty()) note(now_ + spec_.retention_ns);
  const std::int64_t now = now_;
  const std::uint64_t first = next_number_;
  row_.push_each(count, [=](std::uint32_t at) {
    results[at] = {first + at, CallStatus::done};
    return Message{now, first + at, messages[at].body, 0, none};
  });
  next_number_ += count;
  visible_ += count;
  counts_.sent += count;
  return true;
}

Sent MessageQueue::put(const Outgoing& it) {
  if (fifo()) {
    if (!sends_.allow(now_, it.group)) {
      ++counts_.throttled;
      return {0, CallStatus::throttled};
    }
    std::uint64_t id = it.has_deduplication != 0 ? it.deduplication : it.body;
    if (spec_.group_deduplication != 0) id = Deduplication::within(id, it.group);
    const std::uint64_t first = deduplication_.find(id, now_);
    if (first != KeyTable::absent) {
      ++counts_.deduplicated;
      return {first, CallStatus::duplicate};
    }
    deduplication_.remember(id, next_number_, now_);
  }
  const bool usual = it.delay == Outgoing::usual;
  const Message message{now_, next_number_++, it.body, 0, it.group};
  ++counts_.sent;
  store(message, usual ? spec_.delay_ns : it.delay, usual);
  // Word i of the stream is for message i, so that what else happens changes no copy.
  if (spec_.duplicates > 0.0 && duplicates_.unit() < spec_.duplicates) {
    ++counts_.duplicated;
    store(message, usual ? spec_.delay_ns : it.delay, usual);
  }
  return {message.number, CallStatus::done};
}

// A message that was sent now.
void MessageQueue::store(const Message& message, std::int64_t delay, bool usual) {
  if (delay == 0) return show(message);
  const std::int64_t due = now_ + delay;
  const bool in_order = delayed_.empty() || delayed_.back().due <= due;
  if (fifo() || (usual && in_order && message.group == none)) {
    delayed_.push({message, due});
    return note(std::min(due, message.sent + spec_.retention_ns));
  }
  const std::uint32_t slot = message.group == none ? hold(message) : hold_grouped(message);
  held_[slot].state = HeldMessage::delayed;
  held_[slot].due = due;
  ++delayed_alone_;
  schedule(slot, false);
}

void MessageQueue::arrive(std::int64_t now, Message message) {
  advance(now);
  ++counts_.sent;
  ++counts_.arrived;
  message.receives = 0;
  if (fifo()) {
    message.sent = now;
    store(message, spec_.delay_ns, true);
  } else {
    // By age alone: the groups of a fair queue are rows in the order of sending.
    show_alone(message);
    advance(now);  // it may have been too old
  }
  serve();
}

void MessageQueue::admit(std::int64_t now, std::uint64_t body, std::uint32_t group) {
  advance(now);
  ++counts_.sent;
  ++counts_.arrived;
  store({now, next_number_++, body, 0, group}, spec_.delay_ns, true);
  serve();
}

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
  const std::uint32_t count = hand_out({seen(call.max), call.visibility}, out);
  if (count == 0) ++counts_.empty_receives;
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
  const std::uint32_t count = hand_out(call, out);
  if (count != 0) return {CallStatus::done, count, 0};
  if (wait == 0) {
    ++counts_.empty_receives;
    return {};
  }
  const std::uint32_t slot = waiters_.take();
  Waiter& it = waiters_[slot];
  it = {call.visibility, call.max, it.generation + 1, last_waiter_, none};
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
    if (aside_.empty() && !groups_.ready() && call.visibility == Receive::usual) {
      count += hand_out_row(call.max - count, out + count);
      break;
    }
    const std::uint32_t slot = oldest_visible();
    if (slot == none) break;
    const HeldMessage& it = held_[slot];
    if (spec_.max_receives != 0 && it.message.receives >= spec_.max_receives) {
      bury(slot);
      continue;
    }
    if (it.state == HeldMessage::visible) aside_.remove(slot);
    if (it.group != none) groups_.take(held_, slot);
    out[count++] = fly(slot, call.visibility);
  }
  return count;
}

// From the row alone and for the usual time, so that the timers are in order behind those before.
std::uint32_t MessageQueue::hand_out_row(std::uint32_t max, Delivery* out) {
  const std::uint64_t room = spec_.in_flight_max - in_flight_;
  const auto count = static_cast<std::uint32_t>(std::min({std::uint64_t{max}, row_.size(), room}));
  if (count == 0) return 0;
  const std::int64_t due = now_ + spec_.visibility_ns;
  const std::int64_t first = std::min(due, row_.front().sent + spec_.retention_ns);
  if (flight_last_ != none && timer(held_[flight_last_]) > first) [[unlikely]] {
    for (std::uint32_t at = 0; at < count; ++at) out[at] = fly(hold(row_.pop()), Receive::usual);
    return count;
  }
  note(first);
  std::uint32_t slots[batch_max];
  held_.take(slots, count);
  HeldMessage* const held = held_.data();
  const std::int64_t now = now_;
  std::uint32_t last = flight_last_;
  row_.pop_each(count, [&](const Message& message, std::uint32_t at) {
    const std::uint32_t slot = slots[at];
    HeldMessage& it = held[slot];
    it.message = message;
    it.message.receives = message.receives + 1;
    it.due = due;
    it.received = now;
    const std::uint32_t generation = it.generation + 1;
    it.generation = generation;
    it.first_generation = generation;
    it.state = HeldMessage::flight;
    it.group = none;
    it.earlier = last;
    it.later = none;
    (last == none ? flight_first_ : held[last].later) = slot;
    last = slot;
    out[at].message = message;
    out[at].message.receives = message.receives + 1;
    out[at].receipt = std::uint64_t{generation} << 32 | slot;
  });
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
      const std::uint32_t next = held_[slot].next;
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
      row_.empty() ? last : SlotHeap::Key{row_.front().sent, row_.front().number};
  const SlotHeap::Key aside = aside_.empty() ? last : aside_.first_key();
  const SlotHeap::Key group = groups_.quiet() ? groups_.turn_key() : last;
  if (group < row && group < aside) return groups_.head(groups_.turn());
  if (aside != last && aside <= row) return aside_.first();
  if (row != last) return hold(row_.pop());
  return groups_.ready() ? groups_.head(groups_.turn()) : none;
}

// On the receive after the last one allowed.
void MessageQueue::bury(std::uint32_t slot) {
  dead_.push_back({held_[slot].message, now_});
  ++counts_.dead_lettered;
  remove(slot);
}

void MessageQueue::erase(std::int64_t now, const std::uint64_t* receipts, std::uint32_t count,
                         ReceiptStatus* results) {
  advance(now);
  ++counts_.requests;
  if (!deletes_.allow(now)) {
    ++counts_.throttled;
    std::fill_n(results, count, ReceiptStatus::throttled);
    return;
  }
  std::uint32_t at = 0;
  while (at < count) {
    at += erase_plain(receipts + at, count - at, results + at);
    if (at == count) break;
    results[at] = erase(receipts[at]);
    ++at;
  }
  if (first_waiter_ != none) serve();
}

// Of the first ones as many as are in flight in the list of timers, without a group.
std::uint32_t MessageQueue::erase_plain(const std::uint64_t* receipts, std::uint32_t count,
                                        ReceiptStatus* results) {
  std::uint32_t slots[batch_max];
  HeldMessage* const held = held_.data();
  const std::uint64_t size = alone_.empty() ? held_.size() : 0;
  std::uint32_t first = flight_first_;
  std::uint32_t last = flight_last_;
  std::uint32_t at = 0;
  for (; at < count; ++at) {
    const auto slot = static_cast<std::uint32_t>(receipts[at]);
    if (slot >= size) break;
    HeldMessage& it = held[slot];
    if (it.generation != receipts[at] >> 32 || it.state != HeldMessage::flight ||
        it.group != none) {
      break;
    }
    (it.earlier == none ? first : held[it.earlier].later) = it.later;
    (it.later == none ? last : held[it.later].earlier) = it.earlier;
    it.state = HeldMessage::free;
    slots[at] = slot;
    results[at] = ReceiptStatus::done;
  }
  flight_first_ = first;
  flight_last_ = last;
  held_.release(slots, at);
  in_flight_ -= at;
  counts_.deleted += at;
  return at;
}

ReceiptStatus MessageQueue::erase(std::uint64_t receipt) {
  const auto slot = static_cast<std::uint32_t>(receipt);
  const auto generation = static_cast<std::uint32_t>(receipt >> 32);
  if (slot >= held_.size()) return ReceiptStatus::stale;
  const HeldMessage& it = held_[slot];
  const bool of_this = it.state != HeldMessage::free &&
                       static_cast<std::int32_t>(generation - it.first_generation) >= 0;
  if (!of_this) return ReceiptStatus::stale;  // its message is gone
  const bool latest = generation == it.generation;
  if (fifo() && (!latest || it.state != HeldMessage::flight)) return ReceiptStatus::late;
  if (!latest) return ReceiptStatus::stale;
  if (!deletes_.allow(now_, it.message.group)) {
    ++counts_.throttled;
    return ReceiptStatus::throttled;
  }
  ++counts_.deleted;
  remove(slot);
  return ReceiptStatus::done;
}

ReceiptStatus MessageQueue::change_visibility(std::int64_t now, std::uint64_t receipt,
                                              std::int64_t timeout) {
  advance(now);
  ++counts_.requests;
  if (!changes_.allow(now)) {
    ++counts_.throttled;
    return ReceiptStatus::throttled;
  }
  const auto slot = static_cast<std::uint32_t>(receipt);
  if (slot >= held_.size()) return ReceiptStatus::not_in_flight;
  HeldMessage& it = held_[slot];
  if (it.state != HeldMessage::flight || it.generation != receipt >> 32) {
    return ReceiptStatus::not_in_flight;
  }
  if (now + timeout > it.received + QueueSpec::visibility_max) return ReceiptStatus::too_long;
  unschedule(slot);
  it.due = now + timeout;
  schedule(slot, false);
  advance(now);
  return ReceiptStatus::done;
}

}  // namespace nephoscope
