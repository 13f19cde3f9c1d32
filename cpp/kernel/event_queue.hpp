// The calendar of pending events, popped in the order (time, sequence), exactly.
//
// A wheel of 2^k buckets, each 2^shift ns wide, with a bitmap of the occupied ones; a heap for what lies
// beyond the wheel's span; and `due_`, the sorted events of the bucket that is being emptied. Width and
// size follow the rate of events by themselves (`retune`). They change the cost, never the order.
//
// Invariants:
//   1. An event of bucket b is in `due_` when b <= cursor_, in the wheel when b < cursor_ + buckets, and
//      in `far_` otherwise. So a wheel slot never holds two different buckets.
//   2. `due_` is sorted with the earliest event last.
//   3. A handle is the index of the event's node and is valid until the event is popped or cancelled.
//
// The cursor never passes the bucket of the time the caller asked about in `due_before`, so an event
// pushed at or after that time does not land behind it; if one does, it is only slower.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class EventQueue {
 public:
  using Handle = std::uint32_t;
  static constexpr Handle none = std::numeric_limits<Handle>::max();

  struct Event {
    std::int64_t time;
    std::uint64_t sequence;
    std::uint32_t payload;
  };

  EventQueue() { resize_wheel(minimum_buckets); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The next number of the order among events of equal time; also for events kept outside the queue.
  std::uint64_t next_sequence() { return sequence_++; }

  // Schedules `payload` at `time` >= 0, after everything already scheduled for that time.
  Handle push(std::int64_t time, std::uint32_t payload) {
    return push(time, next_sequence(), payload);
  }

  Handle push(std::int64_t time, std::uint64_t sequence, std::uint32_t payload) {
    const Handle handle = take_node();
    Node& node = nodes_[handle];
    node.time = time;
    node.sequence = sequence;
    node.payload = payload;
    ++size_;
    place(handle, node);
    return handle;
  }

  // True when an event comes before (time, sequence); it is then what `pop` returns.
  bool due_before(std::int64_t time, std::uint64_t sequence) {
    if (due_.empty() && !refill(time)) return false;
    return earlier(due_.back().time, due_.back().sequence, time, sequence);
  }

  // Removes and returns the earliest event. Precondition: `due_before` was just true.
  Event pop() {
    const Due first = due_.back();
    due_.pop_back();
    const std::uint32_t payload = nodes_[first.handle].payload;
    give_node(first.handle);
    --size_;
    ++popped_;
    return {first.time, first.sequence, payload};
  }

  // Removes an event before its time. Precondition: the handle is valid.
  void cancel(Handle handle);

  std::int64_t time_of(Handle handle) const { return nodes_[handle].time; }

  // Buckets and their width in ns, for those who study the calendar itself.
  std::size_t buckets() const { return heads_.size(); }
  std::int64_t bucket_width_ns() const { return std::int64_t{1} << shift_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(nodes_, free_, heads_, occupied_, groups_, due_, far_, cursor_, shift_, size_, sequence_,
            popped_, far_cancelled_, tuned_at_time_, tuned_at_popped_, tune_after_);
  }

 private:
  static constexpr std::size_t minimum_buckets = 64;
  static constexpr std::size_t maximum_buckets = std::size_t{1} << 22;
  static constexpr std::uint32_t in_due = none;           // values of Node::slot that are no slot
  static constexpr std::uint32_t in_far = none - 1;
  static constexpr std::uint32_t cancelled_far = none - 2;

  struct Node {
    std::int64_t time;
    std::uint64_t sequence;
    std::uint32_t payload;
    Handle next;  // in the bucket's list or the list of free nodes
    Handle previous;
    std::uint32_t slot;
  };

  struct Due {
    std::int64_t time;
    std::uint64_t sequence;
    Handle handle;
  };

  static bool earlier(std::int64_t time_a, std::uint64_t sequence_a, std::int64_t time_b,
                      std::uint64_t sequence_b) {
    return time_a < time_b || (time_a == time_b && sequence_a < sequence_b);
  }
  static bool later(const Due& a, const Due& b) {
    return earlier(b.time, b.sequence, a.time, a.sequence);
  }

  std::uint64_t bucket_of(std::int64_t time) const { return static_cast<std::uint64_t>(time) >> shift_; }
  std::uint64_t slot_mask() const { return heads_.size() - 1; }

  Handle take_node() {
    if (free_ == none) return grow_nodes();
    const Handle handle = free_;
    free_ = nodes_[handle].next;
    return handle;
  }

  void give_node(Handle handle) {
    nodes_[handle].next = free_;
    free_ = handle;
  }

  void place(Handle handle, Node& node) {
    const std::uint64_t bucket = bucket_of(node.time);
    if (bucket <= cursor_) {
      insert_due(handle, node);
    } else if (bucket - cursor_ < heads_.size()) {
      link(handle, node, static_cast<std::uint32_t>(bucket & slot_mask()));
    } else {
      put_far(handle, node);
    }
  }

  void insert_due(Handle handle, Node& node) {
    node.slot = in_due;
    due_.push_back({node.time, node.sequence, handle});
    std::size_t at = due_.size() - 1;
    const Due inserted = due_[at];
    while (at > 0 && later(inserted, due_[at - 1])) {
      due_[at] = due_[at - 1];
      --at;
    }
    due_[at] = inserted;
  }

  void link(Handle handle, Node& node, std::uint32_t slot) {
    const Handle head = heads_[slot];
    node.next = head;
    node.previous = none;
    node.slot = slot;
    if (head != none) nodes_[head].previous = handle;
    heads_[slot] = handle;
    occupied_[slot >> 6] |= std::uint64_t{1} << (slot & 63);
    groups_[slot >> 12] |= std::uint64_t{1} << ((slot >> 6) & 63);
  }

  void clear_slot(std::uint32_t slot) {
    heads_[slot] = none;
    occupied_[slot >> 6] &= ~(std::uint64_t{1} << (slot & 63));
    if (occupied_[slot >> 6] == 0) groups_[slot >> 12] &= ~(std::uint64_t{1} << ((slot >> 6) & 63));
  }

  // Distance in buckets from the cursor to the next occupied one, or 0 when the wheel is empty.
  std::uint64_t distance_to_next() const {
    const std::uint64_t mask = slot_mask();
    const std::uint64_t start = (cursor_ + 1) & mask;
    const std::uint64_t word = occupied_[start >> 6] >> (start & 63);
    if (word != 0) return 1 + static_cast<std::uint64_t>(std::countr_zero(word));
    return distance_by_groups(start);
  }

  // Moves the next bucket that begins no later than `time` into `due_`; false when there is none.
  bool refill(std::int64_t time);
  void empty_bucket(std::uint32_t slot);

  std::uint64_t distance_by_groups(std::uint64_t start) const;
  Handle grow_nodes();
  void put_far(Handle handle, Node& node);
  void take_far();
  void drop_cancelled_far();
  void advance_cursor(std::uint64_t bucket);
  void resize_wheel(std::size_t buckets);
  void retune();

  std::vector<Node> nodes_;
  std::vector<Handle> heads_;
  std::vector<std::uint64_t> occupied_;  // a bit a slot
  std::vector<std::uint64_t> groups_;    // a bit a word of `occupied_`
  std::vector<Due> due_;
  std::vector<Due> far_;  // min-heap by (time, sequence)
  std::uint64_t cursor_ = 0;
  std::uint64_t sequence_ = 1;
  std::uint64_t popped_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t far_cancelled_ = 0;
  std::uint64_t tuned_at_popped_ = 0;
  std::uint64_t tune_after_ = 64;
  std::int64_t tuned_at_time_ = 0;
  Handle free_ = none;
  std::uint32_t shift_ = 20;
};

inline bool EventQueue::refill(std::int64_t time) {
  if (popped_ - tuned_at_popped_ >= tune_after_) [[unlikely]] {
    retune();
    if (!due_.empty()) return true;
  }
  const std::uint64_t limit = bucket_of(time);
  while (cursor_ < limit) {
    std::uint64_t bucket = limit;
    const std::uint64_t distance = distance_to_next();
    if (distance != 0) {
      bucket = std::min(limit, cursor_ + distance);
    } else if (!far_.empty()) {
      bucket = std::min(limit, bucket_of(far_.front().time));
    }
    advance_cursor(bucket);
    const auto slot = static_cast<std::uint32_t>(bucket & slot_mask());
    if (heads_[slot] != none) empty_bucket(slot);
    if (!due_.empty()) return true;
  }
  return false;
}

inline void EventQueue::advance_cursor(std::uint64_t bucket) {
  cursor_ = bucket;
  if (!far_.empty() && bucket_of(far_.front().time) - cursor_ < heads_.size()) [[unlikely]] take_far();
}

inline void EventQueue::empty_bucket(std::uint32_t slot) {
  Handle handle = heads_[slot];
  clear_slot(slot);
  std::size_t count = 0;
  while (handle != none) {
    Node& node = nodes_[handle];
    const Handle next = node.next;
    if (count++ < 16) {
      insert_due(handle, node);
    } else {
      node.slot = in_due;
      due_.push_back({node.time, node.sequence, handle});
    }
    handle = next;
  }
  if (count > 16) [[unlikely]] std::sort(due_.begin(), due_.end(), later);
}

}  // namespace nephoscope
