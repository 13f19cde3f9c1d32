// The message groups of a queue: rows of messages, and which group's turn it is.
//
// In a FIFO queue a group is locked while one of its messages is in flight; of the others that
// whose first message is the oldest comes first. In a standard queue (a "fair queue") nothing is
// locked, but groups that hold more of what is in flight than an equal share, and more than one
// receive may hold, are noisy: they wait until no quiet group has a message.
//
// Invariants:
//   1. The first row of a group holds its waiting messages in the order of sending; in a FIFO queue
//      those in flight as well. The second one holds what is visible again, in a standard queue.
//   2. A group is in quiet_ or noisy_ if it may be received from, by the age of the message that
//      would be received; else in neither.
//   3. A group exists as long as one of its messages does.
//   4. All messages with a group are in one list by age.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "messaging/key_table.hpp"
#include "messaging/message.hpp"
#include "messaging/slot_heap.hpp"

namespace nephoscope {

class MessageGroups {
 public:
  static constexpr std::uint32_t none = Message::none;

  explicit MessageGroups(bool fifo = false) : fifo_(fifo ? 1 : 0) {}

  bool ready() const { return !quiet_.empty() || !noisy_.empty(); }
  bool quiet() const { return !quiet_.empty(); }
  // The group whose turn it is, and the message. Precondition: ready().
  std::uint32_t turn() const { return quiet_.empty() ? noisy_.first() : quiet_.first(); }
  SlotHeap::Key turn_key() const {
    return quiet_.empty() ? noisy_.first_key() : quiet_.first_key();
  }
  // Whether a record is of a message with a group.
  bool holds(std::uint32_t slot) const {
    return slot < links_.size() && links_[slot].group != none;
  }
  // The record behind this one in its row of the group, or `none`.
  std::uint32_t next(std::uint32_t slot) const { return links_[slot].next; }
  // That of the oldest message with a group, or `none`.
  std::uint32_t oldest() const { return oldest_; }

  std::uint32_t head(std::uint32_t group) const {
    const Group& it = groups_[group];
    return it.late.first != none ? it.late.first : it.waiting.first;
  }

  // The number of groups that have messages.
  std::uint64_t size() const { return indices_.size(); }

  // The steps of a message's life, told before its state changes. It comes under the key of its
  // group, younger than all that have one...
  void join(HeldMessages& held, std::uint32_t slot);
  // ...is visible...
  void wait(HeldMessages& held, std::uint32_t slot);
  // ...in flight...
  void take(HeldMessages& held, std::uint32_t slot);
  // ...visible again...
  void give_back(HeldMessages& held, std::uint32_t slot);
  // ...and gone, from any of these.
  void leave(HeldMessages& held, std::uint32_t slot);

  // Throws InvariantError.
  void check(const HeldMessages& held) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(fifo_, in_flight_, groups_, free_, links_, oldest_, newest_);
    indices_.serialize(archive);
    quiet_.serialize(archive);
    noisy_.serialize(archive);
  }

 private:
  struct Row {
    std::uint32_t first = none;
    std::uint32_t last = none;
  };

  struct Group {
    std::uint32_t key = 0;
    std::uint32_t messages = 0;
    std::uint32_t in_flight = 0;
    Row waiting;
    Row late;
    std::uint32_t unused = 0;
  };

  struct Links {
    std::uint32_t group = none;     // index
    std::uint32_t previous = none;  // in its row of the group
    std::uint32_t next = none;
    std::uint32_t older = none;  // among all with a group
    std::uint32_t newer = none;
  };

  void append(Row& row, std::uint32_t slot);
  void unlink(Row& row, std::uint32_t slot);
  bool is_noisy(const Group& group) const;
  void refresh(const HeldMessages& held, std::uint32_t index);

  std::uint64_t fifo_;
  std::uint64_t in_flight_ = 0;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> free_;
  std::vector<Links> links_;  // by slot
  std::uint32_t oldest_ = none;
  std::uint32_t newest_ = none;
  KeyTable indices_;  // by key
  SlotHeap quiet_;
  SlotHeap noisy_;
};

}  // namespace nephoscope
