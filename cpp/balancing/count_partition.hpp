// Targets kept sorted by their number of outstanding requests, at O(1) a change.
//
// `order_` lists the targets by count, and `end_[c]` is how many have a count of at most c. A target
// whose count rises by one trades places with the last of its bucket and the bucket's edge moves past it;
// nothing else moves. So the least loaded targets are always the first `end_[least]` of the list.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class CountPartition {
 public:
  static constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t size() const { return static_cast<std::uint32_t>(order_.size()); }
  bool contains(std::uint32_t slot) const {
    return slot < cells_.size() && cells_[slot].place != absent;
  }

  // The rest needs size() > 0 or a slot that is contained.
  std::uint32_t least() const { return cells_[order_[0]].count; }
  std::uint32_t ties() const { return end_[least()]; }
  // The targets of least count are those of places 0 .. ties() - 1.
  std::uint32_t at(std::uint32_t place) const { return order_[place]; }
  std::uint32_t count(std::uint32_t slot) const { return cells_[slot].count; }

  void increment(std::uint32_t slot) {
    Cell& cell = cells_[slot];
    move_to(cell, slot, --end_[cell.count]);
    if (++cell.count == end_.size()) [[unlikely]] end_.push_back(size());
  }

  void decrement(std::uint32_t slot) {
    Cell& cell = cells_[slot];
    --cell.count;
    move_to(cell, slot, end_[cell.count]++);
  }

  // Adds a target that has `count` requests outstanding. O(largest count).
  void add(std::uint32_t slot, std::uint32_t count) {
    if (slot >= cells_.size()) cells_.resize(slot + 1);
    while (end_.size() <= count) end_.push_back(size());
    order_.push_back(slot);
    std::uint32_t hole = size() - 1;
    for (std::size_t level = end_.size() - 1; level > count; --level) {
      const std::uint32_t first = end_[level - 1];
      place(order_[first], hole);
      hole = first;
      ++end_[level];
    }
    ++end_[count];
    cells_[slot].count = count;
    place(slot, hole);
  }

  // O(largest count).
  void remove(std::uint32_t slot) {
    std::uint32_t hole = cells_[slot].place;
    for (std::size_t level = cells_[slot].count; level < end_.size(); ++level) {
      const std::uint32_t last = --end_[level];
      place(order_[last], hole);
      hole = last;
    }
    order_.pop_back();
    cells_[slot].place = absent;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(order_, cells_, end_);
  }

 private:
  struct Cell {
    std::uint32_t place = absent;
    std::uint32_t count = 0;
  };

  void place(std::uint32_t slot, std::uint32_t at) {
    order_[at] = slot;
    cells_[slot].place = at;
  }

  void move_to(Cell& cell, std::uint32_t slot, std::uint32_t at) {
    place(order_[at], cell.place);
    order_[at] = slot;
    cell.place = at;
  }

  std::vector<std::uint32_t> order_;
  std::vector<Cell> cells_;         // by slot
  std::vector<std::uint32_t> end_ = {0};  // by count
};

}  // namespace nephoscope
