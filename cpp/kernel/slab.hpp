// Records of one type in one array, addressed by a 32-bit index that stays valid until released.
//
// Released records are taken again first, the latest first, so that a busy slab stays in the cache.
// The array grows by doubling and never shrinks: its size is the largest number of records ever
// alive at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/errors.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

template <class Record>
class Slab {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t size_max = std::size_t{1} << 29;

  // The record's fields hold what their last owner left there.
  NEPHOSCOPE_HOT std::uint32_t take() {
    if (free_size_ == 0) [[unlikely]]
      grow();
    return free_[--free_size_];
  }

  NEPHOSCOPE_HOT void release(std::uint32_t index) { free_[free_size_++] = index; }

  // The same for many at a time, in the order of an array that is valid until one is released.
  const std::uint32_t* take_each(std::uint32_t count) {
    while (free_size_ < count) grow();
    free_size_ -= count;
    return free_.data() + free_size_;
  }

  // Valid until one is taken.
  Record* data() { return records_.data(); }

  Record& operator[](std::uint32_t index) { return records_[index]; }
  const Record& operator[](std::uint32_t index) const { return records_[index]; }

  // Calls `action` with each record alive, in the order of their indices. O(size).
  template <class Action>
  void for_each(Action action) const {
    std::vector<bool> free(records_.size(), false);
    for (std::uint64_t at = 0; at < free_size_; ++at) free[free_[at]] = true;
    for (std::size_t index = 0; index < records_.size(); ++index) {
      if (!free[index]) action(records_[index]);
    }
  }

  std::size_t size() const { return records_.size(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(records_, free_, free_size_);
  }

 private:
  NEPHOSCOPE_COLD void grow() {
    if (records_.size() == size_max) throw Error("more than 2^29 requests are in flight");
    free_.push_back(0);
    free_[free_size_++] = static_cast<std::uint32_t>(records_.size());
    records_.emplace_back();
  }

  std::vector<Record> records_;
  std::vector<std::uint32_t> free_;  // the first free_size_ are records; as long as records_
  std::uint64_t free_size_ = 0;
};

}  // namespace nephoscope
