// Slots in the order of a key, any of which can be taken out: a binary heap that knows where each
// slot is. A key is a time and, between equal times, a number.
//
// Invariants: no entry comes before its parent; places_[slot] is where the slot's entry is, or
// `none`.

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace nephoscope {

class SlotHeap {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  struct Key {
    std::int64_t time = 0;
    std::uint64_t number = 0;

    friend auto operator<=>(const Key&, const Key&) = default;
  };

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  bool contains(std::uint32_t slot) const { return slot < places_.size() && places_[slot] != none; }

  // Precondition: !empty().
  std::uint32_t first() const { return static_cast<std::uint32_t>(entries_.front().slot); }
  const Key& first_key() const { return entries_.front().key; }
  const Key& key(std::uint32_t slot) const { return entries_[places_[slot]].key; }

  // Precondition: it does not contain the slot.
  void push(std::uint32_t slot, Key key) {
    if (slot >= places_.size()) places_.resize(std::size_t{slot} + 1, none);
    entries_.push_back({key, slot});
    rise(entries_.size() - 1);
  }

  // Precondition: it contains the slot.
  void remove(std::uint32_t slot) {
    const std::size_t at = places_[slot];
    places_[slot] = none;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (at == entries_.size()) return;
    entries_[at] = last;
    rise(at);
    sink(places_[last.slot]);
  }

  // Calls `action` with each slot, in no order that means anything.
  template <class Action>
  void for_each(Action action) const {
    for (const Entry& entry : entries_) action(static_cast<std::uint32_t>(entry.slot));
  }

  void clear() {
    for (const Entry& entry : entries_) places_[entry.slot] = none;
    entries_.clear();
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(entries_, places_);
  }

 private:
  struct Entry {
    Key key;
    std::uint64_t slot = 0;
  };

  void put(std::size_t at, const Entry& entry) {
    entries_[at] = entry;
    places_[entry.slot] = static_cast<std::uint32_t>(at);
  }

  void rise(std::size_t at) {
    const Entry entry = entries_[at];
    while (at > 0 && entry.key < entries_[(at - 1) / 2].key) {
      put(at, entries_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    put(at, entry);
  }

  void sink(std::size_t at) {
    const Entry entry = entries_[at];
    for (std::size_t child = 2 * at + 1; child < entries_.size(); child = 2 * at + 1) {
      if (child + 1 < entries_.size() && entries_[child + 1].key < entries_[child].key) ++child;
      if (entry.key <= entries_[child].key) break;
      put(at, entries_[child]);
      at = child;
    }
    put(at, entry);
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> places_;  // by slot
};

}  // namespace nephoscope
