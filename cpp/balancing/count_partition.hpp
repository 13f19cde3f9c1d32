// Targets kept sorted by their number of outstanding requests, at O(1) a change.
//
// `order_` lists the targets by count, and `end_[c]` is how many have a count of at most c. A
// target whose count rises by one trades places with the last of its bucket and the bucket's edge
// moves past it; nothing else moves. So the least loaded targets are always the first `end_[least]`
// of the list.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/hot_path.hpp"

namespace nephoscope {

class CountPartition {
 public:
  static constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t size() const { return static_cast<std::uint32_t>(order_.size()); }

  // The rest needs size() > 0, or a slot that is contained.
  std::uint32_t least() const { return least_; }
  // The targets of least count are those of places 0 .. ties() - 1.
  std::uint32_t ties() const { return end_[least_]; }
  std::uint32_t slot_at(std::uint32_t at) const { return order_[at]; }
  NEPHOSCOPE_HOT void prefetch_place(std::uint32_t at) const {
    NEPHOSCOPE_PREFETCH(order_.data() + at);
  }
  std::uint32_t count(std::uint32_t slot) const { return cells_[slot].count; }

  // Increments the target at `place` < ties() and returns it.
  NEPHOSCOPE_HOT std::uint32_t take(std::uint32_t at) {
    const std::uint32_t slot = order_[at];
    const std::uint32_t count = least_;
    const std::uint32_t last = --end_[count];
    if (last == 0) least_ = count + 1;
    place(order_[last], at);
    order_[last] = slot;
    cells_[slot].place = last;
    cells_[slot].count = count + 1;
    if (count + 1 == levels_) [[unlikely]]
      add_level();
    return slot;
  }

  // Increments any target.
  void increment(std::uint32_t slot) {
    const std::uint32_t count = cells_[slot].count;
    const std::uint32_t last = --end_[count];
    if (count == least_ && last == 0) least_ = count + 1;
    place(order_[last], cells_[slot].place);
    place(slot, last);
    cells_[slot].count = count + 1;
    if (count + 1 == levels_) add_level();
  }

  // A target that has been removed is counted on, and is in no place.
  NEPHOSCOPE_HOT void decrement(std::uint32_t slot) {
    const Cell cell{cells_[slot].place, cells_[slot].count};
    const std::uint32_t count = cell.count - 1;
    if (cell.place == absent) [[unlikely]] {
      cells_[slot].count = count;
      return;
    }
    const std::uint32_t first = end_[count]++;
    if (count < least_) least_ = count;
    place(order_[first], cell.place);
    order_[first] = slot;
    cells_[slot].place = first;
    cells_[slot].count = count;
  }

  NEPHOSCOPE_HOT void prefetch(std::uint32_t slot) const {
    NEPHOSCOPE_PREFETCH(cells_.data() + slot);
  }

  // Adds a target that has `count` requests outstanding. O(largest count).
  void add(std::uint32_t slot, std::uint32_t count) {
    if (slot >= cells_.size()) cells_.resize(slot + 1);
    while (levels_ <= count) add_level();
    order_.push_back(slot);
    std::uint32_t hole = size() - 1;
    for (std::uint32_t level = levels_ - 1; level > count; --level) {
      const std::uint32_t first = end_[level - 1];
      if (first != hole) place(order_[first], hole);  // an empty bucket has nothing to move
      hole = first;
      ++end_[level];
    }
    ++end_[count];
    cells_[slot].count = count;
    place(slot, hole);
    least_ = cells_[order_[0]].count;
  }

  // O(largest count).
  void remove(std::uint32_t slot) {
    std::uint32_t hole = cells_[slot].place;
    for (std::uint32_t level = cells_[slot].count; level < levels_; ++level) {
      const std::uint32_t last = --end_[level];
      if (last != hole) place(order_[last], hole);  // an empty bucket has nothing to move
      hole = last;
    }
    order_.pop_back();
    cells_[slot].place = absent;
    least_ = order_.empty() ? 0 : cells_[order_[0]].count;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(order_, cells_, end_, levels_, least_);
  }

 private:
  struct Cell {
    std::uint32_t place = absent;
    std::uint32_t count = 0;
  };

  NEPHOSCOPE_COLD void add_level() {
    end_.push_back(size());
    ++levels_;
  }

  void place(std::uint32_t slot, std::uint32_t at) {
    order_[at] = slot;
    cells_[slot].place = at;
  }

  std::vector<std::uint32_t> order_;
  std::vector<Cell> cells_;               // by slot
  std::vector<std::uint32_t> end_ = {0};  // by count
  std::uint32_t levels_ = 1;              // of end_
  std::uint32_t least_ = 0;               // count of the first
};

}  // namespace nephoscope
