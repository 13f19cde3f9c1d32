// Records of one type in one array, addressed by a 32-bit index that stays valid until released.
//
// Released records are taken again first, the latest first, so that a busy slab stays in the cache. The
// array grows by doubling and never shrinks: its size is the largest number of records ever alive at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/errors.hpp"

namespace nephoscope {

template <class Record>
class Slab {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t size_max = std::size_t{1} << 30;

  // The record's fields hold what their last owner left there.
  std::uint32_t take() {
    ++alive_;
    if (free_.empty()) return grow();
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }

  void release(std::uint32_t index) {
    --alive_;
    free_.push_back(index);
  }

  Record& operator[](std::uint32_t index) { return records_[index]; }
  const Record& operator[](std::uint32_t index) const { return records_[index]; }

  // Calls `action` with each record alive, in the order of their indices. O(size).
  template <class Action>
  void for_each(Action action) const {
    std::vector<bool> free(records_.size(), false);
    for (const std::uint32_t index : free_) free[index] = true;
    for (std::size_t index = 0; index < records_.size(); ++index) {
      if (!free[index]) action(records_[index]);
    }
  }

  std::size_t alive() const { return alive_; }
  std::size_t size() const { return records_.size(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(records_, free_, alive_);
  }

 private:
  std::uint32_t grow() {
    if (records_.size() == size_max) throw Error("more than 2^30 requests are in flight");
    records_.emplace_back();
    return static_cast<std::uint32_t>(records_.size() - 1);
  }

  std::vector<Record> records_;
  std::vector<std::uint32_t> free_;
  std::uint64_t alive_ = 0;
};

}  // namespace nephoscope
