#include "messaging/message_queue.hpp"

#include <algorithm>

namespace nephoscope {

MessageQueue::MessageQueue(const QueueSpec& spec, StreamKey duplicates, StreamKey sampling,
                           StreamKey order)
    : spec_(spec),
      groups_(spec.kind == QueueKind::fifo),
      sends_(spec.calls_per_second, spec.group_calls_per_second),
      receives_(spec.calls_per_second, 0),
      deletes_(spec.calls_per_second, spec.group_calls_per_second),
      changes_(spec.calls_per_second, 0),
      duplicates_(duplicates),
      sampling_(sampling),
      order_(order) {
  spec.check();
  plain_ = !fifo() && spec.delay_ns == 0 && spec.duplicates == 0.0 ? 1 : 0;
}

void MessageQueue::send(std::int64_t now, const Outgoing* messages, std::uint32_t count,
                        SendResult* results) {
  advance(now);
  counts_.requests += spec_.requests(count);
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
bool MessageQueue::send_plain(const Outgoing* messages, std::uint32_t count, SendResult* results) {
  if (plain_ == 0 || count == 0) return false;
  bool plain = true;
  for (std::uint32_t at = 0; at < count; ++at) {
    plain &= (messages[at].group == none) & (messages[at].delay <= 0);
  }
  if (!plain) return false;
  if (row_.empty()) note(now_ + spec_.retention_ns);
  const std::uint64_t first = next_number_;
  if (count == 1) {
    row_.push({now_, first, messages->body, 0, none});
    *results = {first, CallStatus::done};
  } else {
    row_.push_each(now_, first, count, [=](std::uint32_t at) {
      results[at] = {first + at, CallStatus::done};
      return messages[at].body;
    });
  }
  next_number_ += count;
  visible_ += count;
  counts_.sent += count;
  return true;
}

SendResult MessageQueue::put(const Outgoing& it) {
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

// Of the first ones as many as are in flight in the list of timers, in a queue without groups.
std::uint32_t MessageQueue::erase_plain(const std::uint64_t* receipts, std::uint32_t count,
                                        ReceiptStatus* results) {
  HeldMessage* const held = held_.data();
  const std::uint64_t size = alone_.empty() && groups_.size() == 0 ? held_.size() : 0;
  std::uint32_t first = flight_first_;
  std::uint32_t last = flight_last_;
  std::uint32_t at = 0;
  for (; at < count; ++at) {
    const auto slot = static_cast<std::uint32_t>(receipts[at]);
    if (slot >= size) break;
    HeldMessage& it = held[slot];
    if (it.generation != receipts[at] >> 32 || it.state != HeldMessage::flight) break;
    // Mostly the first one goes; whose turn is next learns at the end that nobody is before it.
    if (slot == first) {
      first = it.later;
    } else {
      held[it.earlier].later = it.later;
      (it.later == none ? last : held[it.later].earlier) = it.earlier;
    }
    it.state = HeldMessage::free;
    held_.release(slot);
    results[at] = ReceiptStatus::done;
  }
  (first == none ? last : held[first].earlier) = none;
  flight_first_ = first;
  flight_last_ = last;
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
                       static_cast<std::int32_t>(generation - it.first_generation()) >= 0;
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

std::uint64_t MessageQueue::latest(std::uint64_t receipt) const {
  const auto slot = static_cast<std::uint32_t>(receipt);
  if (slot >= held_.size()) return receipt;
  const HeldMessage& it = held_[slot];
  const auto since = static_cast<std::int32_t>((receipt >> 32) - it.first_generation());
  if (it.state == HeldMessage::free || since < 0) return receipt;
  return std::uint64_t{it.generation} << 32 | slot;
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
  it.changed = 1;
  it.due = now + timeout;
  schedule(slot, false);
  advance(now);
  return ReceiptStatus::done;
}

}  // namespace nephoscope
