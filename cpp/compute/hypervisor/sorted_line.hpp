// A line of entries in ascending order, taken mostly at its head and joined mostly at its tail, as
// lines of deadlines are: then both cost a few instructions, whatever its length. Elsewhere the
// shorter of the two sides moves up. Entries of one vector, so that a line is copied and saved as
// it is.
//
// Invariants: entries_[head_ ..) ascend by operator<; what is before head_ counts for nothing.

#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace nephoscope {

template <class Entry>
class SortedLine {
 public:
  bool empty() const { return head_ == entries_.size(); }
  std::size_t size() const { return entries_.size() - head_; }
  const Entry& operator[](std::size_t at) const { return entries_[head_ + at]; }

  void insert(const Entry& entry) {
    if (entries_.size() == entries_.capacity()) close_up();
    entries_.push_back(entry);
    std::size_t at = entries_.size() - 1;
    for (; at > head_ && entry < entries_[at - 1]; --at) entries_[at] = entries_[at - 1];
    entries_[at] = entry;
  }

  void erase(std::size_t at) {
    if (at == 0) [[likely]] {
      ++head_;
      return;
    }
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(head_);
    const auto place = first + static_cast<std::ptrdiff_t>(at);
    if (2 * at < size()) {
      std::copy_backward(first, place, place + 1);
      ++head_;
    } else {
      entries_.erase(place);
    }
  }

  void clear() {
    entries_.clear();
    head_ = 0;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    close_up();
    archive(entries_);
  }

 private:
  // The free places go from before the head to behind the tail.
  void close_up() {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  std::vector<Entry> entries_;
  std::size_t head_ = 0;
};

}  // namespace nephoscope
