// The limit's calendar: at most one event an id, the two earliest kept outside the wheel.
//
// A wheel of narrow buckets (about three an event) with a bitmap of the occupied ones. Buckets that
// narrow hold one event nearly always, so that finding the next is a bit scan and two loads with no
// branch that is mispredicted often. Keeping the two earliest apart lets `time()` answer at once
// after a pop, while the search for the one after is still under way. Events beyond the span wait
// in a heap.
//
// Events of the same nanosecond come in any order: the one liberty taken against the engine's
// calendar.
//
// Invariants:
//   1. The two earliest events are (time_, id_) and (second_time_, second_id_) and nowhere else.
//   2. Every other event is in the wheel when its bucket is less than now_ + size_, where now_ is
//      the bucket of the last event popped, else in the heap. So no bucket holds two laps.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "common.hpp"

namespace limits {

class Calendar {
 public:
  // `ids` events at most, about `gap_ns` between two of them, most within `span_ns` of the present.
  Calendar(std::uint32_t ids, double gap_ns, double span_ns) : nodes_(ids) {
    const auto gap = static_cast<std::uint64_t>(gap_ns);
    const auto span = static_cast<std::uint64_t>(span_ns);
    shift_ = static_cast<std::uint32_t>(std::bit_width(gap / 6));
    while (span >> shift_ > most_buckets) ++shift_;
    size_ = std::bit_ceil(std::max<std::uint64_t>(64, span >> shift_));
    heads_.assign(size_, none);
    occupied_.assign(size_ / 64, 0);
  }

  std::int64_t time() const { return time_; }  // of the earliest event, `never` without one
  std::uint32_t id() const { return id_; }

  // Preconditions: `time` is not before the last event popped; `id` has no event.
  void push(std::int64_t time, std::uint32_t id) {
    if (time < second_time_) {
      std::swap(time, second_time_);
      std::swap(id, second_id_);
      if (second_time_ < time_) {
        std::swap(second_time_, time_);
        std::swap(second_id_, id_);
      }
      if (time == never) return;
    }
    place(time, id);
  }

  // Removes the earliest event.
  void pop() {
    now_ = bucket(time_);
    if (now_ >= far_due_) [[unlikely]]
      take_far();
    time_ = second_time_;
    id_ = second_id_;
    find_second();
  }

  // Removes the event of `id`, due at `time`.
  void remove(std::int64_t time, std::uint32_t id) {
    if (id == second_id_ && time == second_time_) return find_second();
    if (id == id_ && time == time_) {
      time_ = second_time_;
      id_ = second_id_;
      return find_second();
    }
    if (bucket(time) - now_ >= size_) [[unlikely]]
      return remove_far(id);
    --in_wheel_;
    const std::uint64_t slot = bucket(time) & (size_ - 1);
    std::uint32_t* link = &heads_[slot];
    while (*link != id) link = &nodes_[*link].next;
    *link = nodes_[id].next;
    if (heads_[slot] == none) clear(slot);
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  static constexpr std::uint64_t most_buckets = 1 << 20;  // more would leave the caches

  struct Node {
    std::int64_t time;
    std::uint32_t next;
  };
  using Far = std::pair<std::int64_t, std::uint32_t>;

  std::uint64_t bucket(std::int64_t time) const {
    return static_cast<std::uint64_t>(time) >> shift_;
  }

  void clear(std::uint64_t slot) { occupied_[slot >> 6] &= ~(std::uint64_t{1} << (slot & 63)); }

  void place(std::int64_t time, std::uint32_t id) {
    const std::uint64_t at = bucket(time);
    if (at - now_ >= size_) [[unlikely]]
      return put_far(time, id);
    const std::uint64_t slot = at & (size_ - 1);
    ++in_wheel_;
    nodes_[id] = {time, heads_[slot]};
    heads_[slot] = id;
    occupied_[slot >> 6] |= std::uint64_t{1} << (slot & 63);
  }

  void find_second() {
    if (time_ == never) [[unlikely]]
      return;
    if (in_wheel_ == 0) [[unlikely]]
      return take_second_from_far();
    --in_wheel_;
    const std::uint64_t slot = next_occupied();
    const std::uint32_t head = heads_[slot];
    const Node& node = nodes_[head];
    if (node.next != none) [[unlikely]]
      return unlink_earliest(slot);
    second_time_ = node.time;
    second_id_ = head;
    heads_[slot] = none;
    clear(slot);
  }

  // The first occupied slot at or after that of the earliest event. Precondition: there is one.
  std::uint64_t next_occupied() const {
    const std::uint64_t start = bucket(time_) & (size_ - 1);
    const std::uint64_t word = occupied_[start >> 6] >> (start & 63);
    if (word != 0) [[likely]]
      return start + static_cast<std::uint64_t>(std::countr_zero(word));
    std::uint64_t at = start >> 6;
    do {
      at = (at + 1) & (size_ / 64 - 1);
    } while (occupied_[at] == 0);
    return at * 64 + static_cast<std::uint64_t>(std::countr_zero(occupied_[at]));
  }

  [[gnu::noinline]] void unlink_earliest(std::uint64_t slot) {
    std::uint32_t* best = &heads_[slot];
    for (std::uint32_t* link = best; *link != none; link = &nodes_[*link].next) {
      if (nodes_[*link].time < nodes_[*best].time) best = link;
    }
    second_id_ = *best;
    second_time_ = nodes_[second_id_].time;
    *best = nodes_[second_id_].next;
  }

  [[gnu::noinline]] void put_far(std::int64_t time, std::uint32_t id) {
    far_.emplace_back(time, id);
    std::push_heap(far_.begin(), far_.end(), std::greater<>{});
    far_due_ = bucket(far_.front().first) - size_ + 1;
  }

  Far pop_far() {
    const Far first = far_.front();
    std::pop_heap(far_.begin(), far_.end(), std::greater<>{});
    far_.pop_back();
    far_due_ = far_.empty() ? ~std::uint64_t{0} : bucket(far_.front().first) - size_ + 1;
    return first;
  }

  [[gnu::noinline]] void take_far() {
    while (now_ >= far_due_) {
      const auto [time, id] = pop_far();
      place(time, id);
    }
  }

  [[gnu::noinline]] void take_second_from_far() {
    second_time_ = never;
    if (!far_.empty()) std::tie(second_time_, second_id_) = pop_far();
  }

  [[gnu::noinline]] void remove_far(std::uint32_t id) {
    std::erase_if(far_, [id](const Far& event) { return event.second == id; });
    std::make_heap(far_.begin(), far_.end(), std::greater<>{});
    far_due_ = far_.empty() ? ~std::uint64_t{0} : bucket(far_.front().first) - size_ + 1;
  }

  std::int64_t time_ = never;
  std::int64_t second_time_ = never;
  std::uint32_t id_ = none;
  std::uint32_t second_id_ = none;
  std::uint32_t shift_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t in_wheel_ = 0;
  std::uint64_t far_due_ =
      ~std::uint64_t{0};  // when now_ comes here, the first of far_ is within span
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint64_t> occupied_;
  std::vector<Node> nodes_;
  std::vector<Far> far_;
};

}  // namespace limits
