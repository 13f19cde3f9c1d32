// The calendar of pending events, popped in the order (time, sequence), exactly.
//
// The two earliest events are kept apart; the others are in a wheel of 2^k buckets, each 2^shift ns
// wide, with a bitmap of the occupied ones, or, beyond the wheel's span, in a heap. The buckets are
// so narrow that most hold one event: then the next event is a bit scan and two loads away, without
// a branch that is often mispredicted, and because the second is known the first can be compared at
// once after a pop, while the search for the one after is still under way. Width and size follow
// the rate of events by themselves (`retune`). They change the cost, never the order.
//
// Invariants:
//   1. `first_` and `second_` are the earliest events, in order; nothing else holds them.
//   2. Any other event is in the wheel, if its bucket is less than now_ + buckets, or in `far_`;
//   now_ is
//      the bucket of the last event popped. So a slot of the wheel never holds two different
//      buckets. A bucket that turns out crowded is moved to `far_` as a whole.
//   3. A handle is the index of the event's node, valid until the event is popped or cancelled.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernel/hot_path.hpp"

namespace nephoscope {

class EventQueue {
 public:
  using Handle = std::uint32_t;
  static constexpr Handle none =
      0;  // the node of this index is a dummy, so that links need no test
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  struct Event {
    std::int64_t time;
    std::uint32_t payload;
  };

  EventQueue() { resize_wheel(minimum_buckets); }

  std::size_t size() const {
    const std::size_t fronts =
        (first_.handle != none ? 1U : 0U) + (second_.handle != none ? 1U : 0U);
    return fronts + in_wheel_ + far_.size() - far_cancelled_;
  }

  // The next number of the order among events of equal time; also for events kept outside the
  // queue.
  std::uint64_t next_sequence() { return sequence_++; }

  // Schedules `payload` at `time`, after everything already scheduled for that time. Precondition:
  // `time` is not before the last event popped.
  NEPHOSCOPE_HOT Handle push(std::int64_t time, std::uint32_t payload) {
    return push(time, sequence_++, payload);
  }

  // The same, after everything else of that time, whenever it is scheduled.
  Handle push_last(std::int64_t time, std::uint32_t payload) {
    return push(time, sequence_++ | last_of_instant, payload);
  }

  // When the earliest event is due, or `never`.
  NEPHOSCOPE_HOT std::int64_t next_time() const { return first_.time; }

  // True when an event comes before (time, sequence); it is then what `pop` returns.
  NEPHOSCOPE_HOT bool due_before(std::int64_t time, std::uint64_t sequence) const {
    if (first_.time != time) [[likely]]
      return first_.time < time;
    return nodes_[first_.handle].sequence < sequence;
  }

  // Removes and returns the earliest event. Precondition: size() > 0.
  NEPHOSCOPE_HOT Event pop() {
    const Handle handle = first_.handle;
    const Event event{first_.time, nodes_[handle].payload};
    now_ = bucket_of(event.time);
    give_node(handle);
    first_.time = second_.time;
    first_.handle = second_.handle;
    find_second();
    if (sequence_ >= tune_at_) [[unlikely]]
      retune();
    return event;
  }

  // Removes an event before its time. Precondition: the handle is valid.
  NEPHOSCOPE_HOT void cancel(Handle handle) {
    if (take_out(handle)) [[likely]]
      give_node(handle);
  }

  // Cancels an event and schedules it anew for `time`. Returns its handle, which may be another.
  NEPHOSCOPE_HOT Handle move(Handle handle, std::int64_t time) {
    if (!take_out(handle)) [[unlikely]]
      return push(time, nodes_[handle].payload);
    put(handle, time, sequence_++);
    return handle;
  }

  // What the second event carries, or 0, for those who fetch ahead; what the third is made of is
  // fetched on the way.
  NEPHOSCOPE_HOT std::uint32_t fetch_second() const {
    if (in_wheel_ != 0) NEPHOSCOPE_PREFETCH(nodes_.data() + heads_[next_occupied()]);
    return nodes_[second_.handle].payload;
  }

  // Where an event of this time will be put is on its way.
  NEPHOSCOPE_HOT void fetch_place(std::int64_t time) const {
    NEPHOSCOPE_PREFETCH(heads_.data() + (bucket_of(time) & mask_));
  }

  std::int64_t time_of(Handle handle) const { return nodes_[handle].time; }

  // The event of this time and payload, or `none`, for who kept no handle. O(events far away).
  Handle find(std::int64_t time, std::uint32_t payload) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(first_.time, first_.handle, second_.time, second_.handle, nodes_, heads_, occupied_,
            far_, far_time_, free_, shift_, now_, mask_, in_wheel_, sequence_, ended_,
            far_cancelled_, tune_at_, tuned_ended_, tuned_at_time_);
  }

 private:
  static constexpr std::uint64_t last_of_instant = std::uint64_t{1} << 63;
  static constexpr std::size_t minimum_buckets = 64;
  static constexpr std::size_t maximum_buckets = std::size_t{1}
                                                 << 20;  // more would leave the caches
  static constexpr std::size_t cached_buckets = std::size_t{1} << 16;
  static constexpr std::uint32_t crowd = 32;  // events of a bucket that are better off in the heap
  static constexpr Handle in_far = 0xFFFFFFFE;  // values of Node::next in the heap
  static constexpr Handle cancelled = 0xFFFFFFFF;

  struct Node {
    std::int64_t time = never;
    std::uint64_t sequence = 0;
    std::uint32_t payload = 0;
    Handle next = none;  // in the bucket's list or the list of free nodes
  };

  struct Front {
    std::int64_t time = never;
    Handle handle = none;
  };

  NEPHOSCOPE_HOT Handle push(std::int64_t time, std::uint64_t sequence, std::uint32_t payload) {
    const Handle handle = take_node();
    nodes_[handle].payload = payload;
    put(handle, time, sequence);
    return handle;
  }

  NEPHOSCOPE_HOT void put(Handle handle, std::int64_t time, std::uint64_t sequence) {
    Node& node = nodes_[handle];
    node.time = time;
    node.sequence = sequence;
    Front pushed{time, handle};
    if (time <= second_.time && !later(handle, second_.handle)) {
      std::swap(pushed, second_);
      if (second_.time <= first_.time && !later(second_.handle, first_.handle)) {
        std::swap(first_, second_);
      }
      if (pushed.handle == none) return;
    }
    place(pushed);
  }

  // Takes an event from where it waits. False when its node has to stay in the heap, cancelled.
  NEPHOSCOPE_HOT bool take_out(Handle handle) {
    if (handle == first_.handle) {
      first_ = second_;
      find_second();
    } else if (handle == second_.handle) {
      find_second();
    } else if (nodes_[handle].next >= in_far || !unlink(handle)) [[unlikely]] {
      cancel_far(handle);
      return false;
    }
    return true;
  }

  // Whether event a comes after event b.
  bool later(Handle a, Handle b) const {
    const Node& x = nodes_[a];
    const Node& y = nodes_[b];
    return (x.time > y.time) | ((x.time == y.time) & (x.sequence > y.sequence));
  }

  std::uint64_t bucket_of(std::int64_t time) const {
    return static_cast<std::uint64_t>(time) >> shift_;
  }

  NEPHOSCOPE_HOT Handle take_node() {
    if (free_ == none) [[unlikely]]
      grow_nodes();
    const Handle handle = free_;
    free_ = nodes_[handle].next;
    return handle;
  }

  NEPHOSCOPE_HOT void give_node(Handle handle) {
    nodes_[handle].next = free_;
    free_ = handle;
    ++ended_;
  }

  NEPHOSCOPE_HOT void place(const Front& event) {
    const std::uint64_t bucket = bucket_of(event.time);
    if (bucket - now_ > mask_) [[unlikely]]
      return put_far(event.handle);
    const std::uint64_t slot = bucket & mask_;
    Node& node = nodes_[event.handle];
    const Handle head = heads_[slot];
    node.next = head;
    heads_[slot] = event.handle;
    occupied_[slot >> 6] |= std::uint64_t{1} << (slot & 63);
    ++in_wheel_;
  }

  // Takes an event out of its bucket's list. False when the bucket turned out crowded: then all of
  // it has been moved to the heap.
  NEPHOSCOPE_HOT bool unlink(Handle handle) {
    const std::uint64_t slot = bucket_of(nodes_[handle].time) & mask_;
    Handle* link = &heads_[slot];
    for (std::uint32_t steps = 0; *link != handle; ++steps) {
      if (steps == crowd) [[unlikely]] {
        move_to_far(slot);
        return false;
      }
      link = &nodes_[*link].next;
    }
    *link = nodes_[handle].next;
    if (heads_[slot] == none) leave_empty(slot);
    --in_wheel_;
    return true;
  }

  // Makes `second_` the earliest of the events in the wheel and the heap, and takes it out.
  NEPHOSCOPE_HOT void find_second() {
    if (in_wheel_ == 0) [[unlikely]]
      return take_second_from_far();
    const std::uint64_t slot = next_occupied();
    const Handle handle = heads_[slot];
    const Node& node = nodes_[handle];
    if (node.next != none || node.time >= far_time_) [[unlikely]]
      return find_second_of(slot);
    second_.time = node.time;
    second_.handle = handle;
    heads_[slot] = none;
    leave_empty(slot);
    --in_wheel_;
  }

  void leave_empty(std::uint64_t slot) {
    occupied_[slot >> 6] &= ~(std::uint64_t{1} << (slot & 63));
  }

  // The first occupied slot at or after that of the earliest event. Precondition: there is one.
  NEPHOSCOPE_HOT std::uint64_t next_occupied() const {
    const std::uint64_t from = first_.handle == none ? now_ : bucket_of(first_.time);
    const std::uint64_t start = from & mask_;
    const std::uint64_t word = occupied_[start >> 6] >> (start & 63);
    if (word != 0) [[likely]]
      return start + static_cast<std::uint64_t>(std::countr_zero(word));
    std::uint64_t at = start >> 6;
    do {
      at = (at + 1) & (mask_ >> 6);
    } while (occupied_[at] == 0);
    return at * 64 + static_cast<std::uint64_t>(std::countr_zero(occupied_[at]));
  }

  NEPHOSCOPE_COLD Handle earliest_of(std::uint64_t slot);
  __attribute__((noinline)) void find_second_of(std::uint64_t slot);
  NEPHOSCOPE_COLD void move_to_far(std::uint64_t slot);
  NEPHOSCOPE_COLD void grow_nodes();
  NEPHOSCOPE_COLD void put_far(Handle handle);
  NEPHOSCOPE_COLD void take_second_from_far();
  NEPHOSCOPE_COLD void cancel_far(Handle handle);
  NEPHOSCOPE_COLD void retune();
  void drop_cancelled();
  void resize_wheel(std::size_t buckets);

  Front first_;
  Front second_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<Handle> heads_;            // by slot
  std::vector<std::uint64_t> occupied_;  // a bit a slot
  std::vector<Handle> far_;        // heap, the earliest first; cancelled ones never at the front
  std::int64_t far_time_ = never;  // of its first
  Handle free_ = none;
  std::uint32_t shift_ = 20;
  std::uint64_t now_ = 0;
  std::uint64_t mask_ = 0;  // number of buckets - 1
  std::uint64_t in_wheel_ = 0;
  std::uint64_t sequence_ = 1;
  std::uint64_t ended_ = 0;  // popped or cancelled
  std::uint64_t far_cancelled_ = 0;
  std::uint64_t tune_at_ = 64;     // value of sequence_ at which to look at the layout again
  std::uint64_t tuned_ended_ = 0;  // what had ended, and when, at the last look
  std::int64_t tuned_at_time_ = 0;
};

}  // namespace nephoscope
