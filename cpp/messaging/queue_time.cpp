// What happens to a queue by itself.

#include <algorithm>

#include "messaging/message_queue.hpp"

namespace nephoscope {

std::int64_t MessageQueue::next_event() const {
  std::int64_t next = redrive_next_;
  const auto at = [&](std::int64_t time) { next = std::min(next, time); };
  if (flight_first_ != none) at(timer(held_[flight_first_]));
  if (!alone_.empty()) at(alone_.first_key().time);
  if (!delayed_.empty()) {
    at(delayed_.front().due);
    at(delayed_.front().message.sent + spec_.retention_ns);
  }
  if (!row_.empty()) at(row_.first_sent() + spec_.retention_ns);
  if (!aside_.empty()) at(aside_.first_key().time + spec_.retention_ns);
  if (groups_.oldest() != none) at(held_[groups_.oldest()].message.sent + spec_.retention_ns);
  if (!waiter_timers_.empty()) at(waiter_timers_.first_key().time);
  return next;
}

// One instant. What ends comes before what begins to be visible, and that before those who wait for
// it: who waits until then is still answered.
void MessageQueue::happen(std::int64_t until) {
  due_ = next_event();
  if (due_ > until) return;
  now_ = std::max(now_, due_);
  expire();
  while (flight_first_ != none && timer(held_[flight_first_]) <= now_) time_out(flight_first_);
  while (!alone_.empty() && alone_.first_key().time <= now_) time_out(alone_.first());
  while (!delayed_.empty() && delayed_.front().due <= now_) show(delayed_.pop().message);
  serve();
  end_waits();
  if (redrive_next_ <= now_) redrive();
}

// The end of a visibility timeout or of a delay.
void MessageQueue::time_out(std::uint32_t slot) {
  HeldMessage& it = held_[slot];
  if (expired(it.message)) {
    ++counts_.expired;
    return remove(slot);
  }
  unschedule(slot);
  ++visible_;
  const bool flew = it.state == HeldMessage::flight;
  if (flew) {
    --in_flight_;
    ++counts_.timed_out;
  } else {
    --delayed_alone_;
  }
  if (!groups_.holds(slot)) return put_aside(slot);
  if (flew) {
    groups_.give_back(held_, slot);
  } else {
    groups_.wait(held_, slot);
  }
  it.state = flew && !fifo() ? HeldMessage::late : HeldMessage::grouped;
}

void MessageQueue::expire() {
  while (!row_.empty() && expired(row_.front())) {
    row_.drop();
    --visible_;
    ++counts_.expired;
  }
  while (!delayed_.empty() && expired(delayed_.front().message)) {
    delayed_.drop();
    ++counts_.expired;
  }
  while (!aside_.empty() && expired(held_[aside_.first()].message)) {
    remove(aside_.first());
    ++counts_.expired;
  }
  while (groups_.oldest() != none && expired(held_[groups_.oldest()].message)) {
    remove(groups_.oldest());
    ++counts_.expired;
  }
}

void MessageQueue::end_waits() {
  while (!waiter_timers_.empty() && waiter_timers_.first_key().time <= now_) {
    const std::uint32_t slot = waiter_timers_.first();
    const std::uint64_t ticket = std::uint64_t{waiters_[slot].generation} << 32 | slot;
    answers_.push_back({ticket, now_, static_cast<std::uint32_t>(answered_.size()), 0});
    ++counts_.empty_receives;
    dismiss(slot);
  }
}

void MessageQueue::dismiss(std::uint32_t slot) {
  const Waiter& it = waiters_[slot];
  (it.previous == none ? first_waiter_ : waiters_[it.previous].next) = it.next;
  (it.next == none ? last_waiter_ : waiters_[it.next].previous) = it.previous;
  waiter_timers_.remove(slot);
  waiters_.release(slot);
}

bool MessageQueue::start_redrive(std::int64_t now, std::uint32_t per_second, bool home) {
  advance(now);
  ++counts_.requests;
  if (redriving()) return false;
  redrive_gap_ = (QueueSpec::second + per_second - 1) / per_second;
  redrive_until_ = now + redrive_ns_max;
  redrive_next_ = now;
  redrives_home_ = home ? 1 : 0;
  note(now);
  advance(now);
  return true;
}

void MessageQueue::redrive() {
  if (now_ >= redrive_until_) return cancel_redrive();
  const std::uint32_t slot = oldest_visible();
  if (slot == none) return cancel_redrive();
  if (redrives_home_ != 0 && held_[slot].message.origin() == 0) {
    ++counts_.stopped_redrives;
    if (held_[slot].state == HeldMessage::free) put_aside(slot);  // it was in the row
    return cancel_redrive();
  }
  redriven_.push_back({held_[slot].message, now_});
  ++counts_.redriven;
  ++counts_.deleted;
  remove(slot);
  redrive_next_ = now_ + redrive_gap_;
}

}  // namespace nephoscope
