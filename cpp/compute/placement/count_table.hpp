// Counts by a 64-bit key, of which few are above zero at a time: how many instances of this fleet
// on that host, and the like. A key whose count falls to zero is gone, so the table is as large as
// what is alive, never as large as all the pairs there could be.
//
// Open addressing with linear probing, at most half full; a key that leaves is replaced by those
// behind it, so that there are no tombstones and a table that changes for ever stays quick. Only
// looked up, never walked through: its order decides nothing.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class CountTable {
 public:
  // Keys are above 0.
  std::uint64_t count(std::uint64_t key) const {
    if (entries_.empty()) return 0;
    const Entry& entry = entries_[slot_of(key)];
    return entry.key == key ? entry.count : 0;
  }

  // One more; returns the new count.
  std::uint64_t add(std::uint64_t key) {
    if (2 * (size_ + 1) > entries_.size()) grow();
    Entry& entry = entries_[slot_of(key)];
    if (entry.key == 0) {
      entry.key = key;
      ++size_;
    }
    return ++entry.count;
  }

  // One less, of a key that is there; returns the new count.
  std::uint64_t subtract(std::uint64_t key) {
    const std::size_t slot = slot_of(key);
    const std::uint64_t left = --entries_[slot].count;
    if (left == 0) remove(slot);
    return left;
  }

  std::size_t size() const { return size_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(entries_, size_);
  }

 private:
  struct Entry {
    std::uint64_t key = 0;  // 0: no entry
    std::uint64_t count = 0;
  };

  std::size_t home_of(std::uint64_t key) const {
    key = (key ^ (key >> 31)) * 0xBF58476D1CE4E5B9U;
    key = (key ^ (key >> 29)) * 0x94D049BB133111EBU;
    return (key ^ (key >> 32)) & (entries_.size() - 1);
  }

  // Where the key is, or where it would go.
  std::size_t slot_of(std::uint64_t key) const {
    std::size_t slot = home_of(key);
    while (entries_[slot].key != key && entries_[slot].key != 0) slot = next(slot);
    return slot;
  }

  std::size_t next(std::size_t slot) const { return (slot + 1) & (entries_.size() - 1); }

  void remove(std::size_t hole) {
    for (std::size_t at = next(hole); entries_[at].key != 0; at = next(at)) {
      const std::size_t mask = entries_.size() - 1;
      const std::size_t home = home_of(entries_[at].key);
      // It may move back to the hole unless its home lies behind the hole.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        entries_[hole] = entries_[at];
        hole = at;
      }
    }
    entries_[hole] = {};
    --size_;
  }

  void grow() {
    std::vector<Entry> old(entries_.empty() ? 16 : 2 * entries_.size());
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.key != 0) entries_[slot_of(entry.key)] = entry;
    }
  }

  std::vector<Entry> entries_;  // a power of two of them, or none yet
  std::uint64_t size_ = 0;
};

}  // namespace nephoscope
