// Where the messages of a queue are, and what is done to all of them at once.

#include <vector>

#include "kernel/errors.hpp"
#include "messaging/message_queue.hpp"

namespace nephoscope {

// A message becomes visible for the first time. With a group it is younger than all that are.
void MessageQueue::show(const Message& message) {
  if (message.group == none) return show_alone(message);
  const std::uint32_t slot = hold_grouped(message);
  groups_.wait(held_, slot);
  held_[slot].state = HeldMessage::grouped;
  ++visible_;
}

// By its age, whatever group it says.
void MessageQueue::show_alone(const Message& message) {
  const bool in_order = row_.empty() || SlotHeap::Key{row_.back().sent, row_.back().number} <=
                                            SlotHeap::Key{message.sent, message.number};
  if (in_order) return append_to_row(message);
  put_aside(hold(message));
  ++visible_;
}

// It is younger than all others with a group.
std::uint32_t MessageQueue::hold_grouped(const Message& message) {
  const std::uint32_t slot = hold(message);
  groups_.join(held_, slot);
  if (groups_.oldest() == slot) note(message.sent + spec_.retention_ns);
  return slot;
}

void MessageQueue::put_aside(std::uint32_t slot) {
  HeldMessage& it = held_[slot];
  it.state = HeldMessage::visible;
  aside_.push(slot, {it.message.sent, it.message.number});
  note(it.message.sent + spec_.retention_ns);
}

// A message goes for good, from wherever it is.
void MessageQueue::remove(std::uint32_t slot) {
  HeldMessage& it = held_[slot];
  if (it.state == HeldMessage::flight) {
    unschedule(slot);
    --in_flight_;
  } else if (it.state == HeldMessage::delayed) {
    unschedule(slot);
    --delayed_alone_;
  } else {
    if (it.state == HeldMessage::visible) aside_.remove(slot);
    --visible_;
  }
  if (groups_.holds(slot)) groups_.leave(held_, slot);
  it.state = HeldMessage::free;
  held_.release(slot);
}

// After a change that moves some timers and not others.
void MessageQueue::reschedule_all() {
  std::vector<std::uint32_t> slots;
  while (flight_first_ != none) {
    slots.push_back(flight_first_);
    unschedule(flight_first_);
  }
  while (!alone_.empty()) {
    slots.push_back(alone_.first());
    alone_.remove(alone_.first());
  }
  for (const std::uint32_t slot : slots) schedule(slot, false);
}

std::uint64_t MessageQueue::purge(std::int64_t now, std::int64_t sent_before) {
  advance(now);
  ++counts_.requests;
  const std::uint64_t there = visible_ + delayed() + in_flight_;
  for (std::uint32_t slot = 0; slot < held_.size(); ++slot) {
    const HeldMessage& it = held_[slot];
    if (it.state != HeldMessage::free && it.message.sent < sent_before) remove(slot);
  }
  for (; !row_.empty() && row_.first_sent() < sent_before; --visible_) row_.drop();
  while (!delayed_.empty() && delayed_.front().message.sent < sent_before) delayed_.drop();
  const std::uint64_t count = there - visible_ - delayed() - in_flight_;
  counts_.purged += count;
  counts_.deleted += count;
  return count;
}

void MessageQueue::set_delay(std::int64_t now, std::int64_t delay) {
  advance(now);
  spec_.delay_ns = delay;
  plain_ = !fifo() && delay == 0 && spec_.duplicates == 0.0 ? 1 : 0;
  if (!fifo()) return;
  for (std::uint64_t at = 0; at < delayed_.size(); ++at) {
    delayed_[at].due = delayed_[at].message.sent + delay;
  }
  due_ = now;
  advance(now);
}

void MessageQueue::set_retention(std::int64_t now, std::int64_t retention) {
  advance(now);
  spec_.retention_ns = retention;
  reschedule_all();
  due_ = now;
  advance(now);
}

std::int64_t MessageQueue::oldest() const {
  std::int64_t sent = never;
  const auto look_at = [&](const Message& message) { sent = std::min(sent, message.sent); };
  if (!row_.empty()) look_at(row_.front());
  if (!delayed_.empty()) look_at(delayed_.front().message);
  if (!aside_.empty()) look_at(held_[aside_.first()].message);
  if (groups_.oldest() != none) look_at(held_[groups_.oldest()].message);
  if (fifo()) return sent;
  for (std::uint32_t slot = flight_first_; slot != none; slot = held_[slot].later) {
    look_at(held_[slot].message);
  }
  alone_.for_each([&](std::uint32_t slot) { look_at(held_[slot].message); });
  return sent;
}

void MessageQueue::forget_outcomes() {
  answers_.clear();
  answered_.clear();
  dead_.clear();
  redriven_.clear();
}

void MessageQueue::check() const {
  const std::uint64_t ended = counts_.deleted + counts_.dead_lettered + counts_.expired;
  if (counts_.sent + counts_.duplicated != ended + visible_ + delayed() + in_flight_) {
    throw InvariantError("messages of a queue are lost or made");
  }
  std::uint64_t states[6] = {};
  held_.for_each([&](const HeldMessage& it) { ++states[it.state]; });
  const std::uint64_t seen = row_.size() + states[HeldMessage::visible] +
                             states[HeldMessage::grouped] + states[HeldMessage::late];
  if (seen != visible_ || states[HeldMessage::flight] != in_flight_ ||
      states[HeldMessage::delayed] != delayed_alone_ || states[HeldMessage::free] != 0 ||
      states[HeldMessage::visible] != aside_.size()) {
    throw InvariantError("messages of a queue are not where they are told to be");
  }
  std::uint64_t timers = alone_.size();
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (std::uint32_t slot = flight_first_; slot != none; slot = held_[slot].later) {
    const std::int64_t time = timer(held_[slot]);
    if (time < last) throw InvariantError("timers of a queue are out of order");
    last = time;
    ++timers;
  }
  if (timers != in_flight_ + delayed_alone_) throw InvariantError("timers of a queue are lost");
  std::uint64_t waiting = 0;
  std::int64_t sent = std::numeric_limits<std::int64_t>::min();
  row_.for_each_run([&](const Message& first, std::uint32_t count) {
    if (first.sent < sent || count == 0) {
      throw InvariantError("the row of a queue is out of order");
    }
    sent = first.sent;
    waiting += count;
  });
  if (waiting != row_.size()) throw InvariantError("the row of a queue has lost its runs");
  if (due_ > next_event() || next_event() < now_) {
    throw InvariantError("a queue is behind its time");
  }
  groups_.check(held_);
}

}  // namespace nephoscope
