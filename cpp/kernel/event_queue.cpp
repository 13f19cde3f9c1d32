#include "kernel/event_queue.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

void EventQueue::grow_nodes() {
  if (nodes_.size() >= in_far) throw Error("more than 4 billion events are pending");
  free_ = static_cast<Handle>(nodes_.size());
  nodes_.emplace_back();
}

EventQueue::Handle EventQueue::find(std::int64_t time, std::uint32_t payload) const {
  const auto is = [&](Handle at) {
    const Node& node = nodes_[at];
    return at != none && node.time == time && node.payload == payload && node.next != cancelled;
  };
  if (is(first_.handle)) return first_.handle;
  if (is(second_.handle)) return second_.handle;
  if (bucket_of(time) - now_ <= mask_) {
    for (Handle at = heads_[bucket_of(time) & mask_]; at != none; at = nodes_[at].next) {
      if (is(at)) return at;
    }
  }
  const auto found = std::find_if(far_.begin(), far_.end(), is);
  return found == far_.end() ? none : *found;
}

// The earliest event of a bucket with several. A crowd is moved to the heap, and then there is
// none.
EventQueue::Handle EventQueue::earliest_of(std::uint64_t slot) {
  Handle best = heads_[slot];
  std::uint32_t count = 1;
  for (Handle at = nodes_[best].next; at != none; at = nodes_[at].next, ++count) {
    if (later(best, at)) best = at;
  }
  if (count <= crowd) return best;
  move_to_far(slot);
  return none;
}

// The same as find_second where the next bucket holds several events, or the heap an earlier one.
// Two are the usual case, and which of them is the earlier nobody can foretell.
void EventQueue::find_second_of(std::uint64_t slot) {
  const Handle head = heads_[slot];
  const Handle other = nodes_[head].next;
  if (other != none && nodes_[other].next == none) [[likely]] {
    const Handle swapped = (head ^ other) & (Handle{0} - Handle{later(head, other)});
    const Handle earlier = head ^ swapped;
    if (nodes_[earlier].time < far_time_) [[likely]] {
      second_ = {nodes_[earlier].time, earlier};
      heads_[slot] = other ^ swapped;
      nodes_[other ^ swapped].next = none;
      --in_wheel_;
      return;
    }
  }
  const Handle handle = earliest_of(slot);
  if (handle == none) return take_second_from_far();
  const std::int64_t time = nodes_[handle].time;
  if (time > far_time_ || (time == far_time_ && later(handle, far_.front()))) {
    return take_second_from_far();
  }
  second_ = {time, handle};
  unlink(handle);
}

void EventQueue::move_to_far(std::uint64_t slot) {
  for (Handle at = heads_[slot]; at != none; --in_wheel_) {
    const Handle next = nodes_[at].next;
    put_far(at);
    at = next;
  }
  heads_[slot] = none;
  leave_empty(slot);
}

void EventQueue::put_far(Handle handle) {
  nodes_[handle].next = in_far;
  far_.push_back(handle);
  std::push_heap(far_.begin(), far_.end(), [this](Handle a, Handle b) { return later(a, b); });
  far_time_ = nodes_[far_.front()].time;
}

void EventQueue::take_second_from_far() {
  second_ = Front{};
  if (far_.empty()) return;
  second_ = {far_time_, far_.front()};
  std::pop_heap(far_.begin(), far_.end(), [this](Handle a, Handle b) { return later(a, b); });
  far_.pop_back();
  drop_cancelled();
}

// A cancelled event stays in the heap until it comes to the front or is one of too many.
void EventQueue::cancel_far(Handle handle) {
  nodes_[handle].next = cancelled;
  if (++far_cancelled_ > far_.size() / 2 + 64) {
    std::erase_if(far_, [this](Handle at) {
      if (nodes_[at].next != cancelled) return false;
      give_node(at);
      return true;
    });
    std::make_heap(far_.begin(), far_.end(), [this](Handle a, Handle b) { return later(a, b); });
    far_cancelled_ = 0;
  }
  drop_cancelled();
}

void EventQueue::drop_cancelled() {
  while (!far_.empty() && nodes_[far_.front()].next == cancelled) {
    std::pop_heap(far_.begin(), far_.end(), [this](Handle a, Handle b) { return later(a, b); });
    give_node(far_.back());
    far_.pop_back();
    --far_cancelled_;
  }
  far_time_ = far_.empty() ? never : nodes_[far_.front()].time;
}

void EventQueue::resize_wheel(std::size_t buckets) {
  mask_ = buckets - 1;
  heads_.assign(buckets, none);
  occupied_.assign(buckets / 64, 0);
  in_wheel_ = 0;
}

// Aims at three to six buckets an event near the present, at twice as many where a near cache holds
// the wheel, and at a span of several times what is pending. Rebuilds only when the present layout
// is off by more than a factor of two.
void EventQueue::retune() {
  const auto now = static_cast<std::int64_t>(now_ << shift_);
  const auto ended = static_cast<std::int64_t>(std::max<std::uint64_t>(ended_ - tuned_ended_, 1));
  const std::int64_t gap = std::max<std::int64_t>((now - tuned_at_time_) / ended, 1);
  tuned_at_time_ = now;
  tuned_ended_ = ended_;
  tune_at_ = sequence_ + std::min<std::uint64_t>(sequence_ * 3, 1 << 16);
  auto shift = static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(gap) / 6));
  std::size_t buckets = std::max(std::bit_ceil(size() * 20 + 1), minimum_buckets);
  if (shift > 0 && 2 * buckets <= cached_buckets) {
    buckets *= 2;
    --shift;
  }
  for (; buckets > maximum_buckets; buckets /= 2) ++shift;
  shift = std::min(shift, 44U);
  const bool width_fits = shift <= shift_ + 1 && shift_ <= shift + 1;
  const bool count_fits = buckets <= heads_.size() && heads_.size() <= buckets * 4;
  if (width_fits && count_fits) return;

  std::vector<Handle> pending(far_);
  for (const Handle head : heads_) {
    for (Handle handle = head; handle != none; handle = nodes_[handle].next)
      pending.push_back(handle);
  }
  far_.clear();
  far_time_ = never;
  now_ = (now_ << shift_) >> shift;
  shift_ = shift;
  resize_wheel(buckets);
  for (const Handle handle : pending) {
    if (nodes_[handle].next == cancelled) {
      give_node(handle);
      --far_cancelled_;
    } else {
      place({nodes_[handle].time, handle});
    }
  }
}

}  // namespace nephoscope
