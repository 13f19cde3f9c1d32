// Values by key, without an order: open addressing with linear probing, at most half full.
//
// Invariant: between a key's first place and where it is, no place is empty.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class KeyTable {
 public:
  static constexpr std::uint64_t absent = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t size() const { return size_; }

  // The value, or `absent`.
  std::uint64_t find(std::uint64_t key) const {
    if (size_ == 0) return absent;
    return entries_[place(key)].value;
  }

  // Precondition: the value is not `absent`.
  void set(std::uint64_t key, std::uint64_t value) {
    if (2 * (size_ + 1) > entries_.size()) grow();
    Entry& entry = entries_[place(key)];
    if (entry.value == absent) ++size_;
    entry = {key, value};
  }

  // Precondition: the key is there. What stands behind it moves up.
  void erase(std::uint64_t key) {
    std::size_t hole = place(key);
    --size_;
    for (std::size_t at = next(hole); entries_[at].value != absent; at = next(at)) {
      const std::size_t distance = (at - home(entries_[at].key)) & mask();
      if (distance < ((at - hole) & mask())) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].value = absent;
  }

  void clear() {
    for (Entry& entry : entries_) entry.value = absent;
    size_ = 0;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(entries_, size_);
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t value = absent;
  };

  std::size_t mask() const { return entries_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

  std::size_t home(std::uint64_t key) const {
    key = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
    return static_cast<std::size_t>(key ^ (key >> 29)) & mask();
  }

  // Where the key is, or the empty place where it would be.
  std::size_t place(std::uint64_t key) const {
    std::size_t at = home(key);
    while (entries_[at].value != absent && entries_[at].key != key) at = next(at);
    return at;
  }

  void grow() {
    std::vector<Entry> old(entries_.empty() ? 16 : 2 * entries_.size());
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.value != absent) entries_[place(entry.key)] = entry;
    }
  }

  std::vector<Entry> entries_;
  std::uint64_t size_ = 0;
};

}  // namespace nephoscope
