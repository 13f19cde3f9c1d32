#include "messaging/message_groups.hpp"

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::uint64_t receive_max = 10;  // messages that one receive may hold

SlotHeap::Key key_of(const HeldMessage& held) {
  return {held.message.sent, held.message.number};
}

}  // namespace

void MessageGroups::join(HeldMessages& held, std::uint32_t slot) {
  HeldMessage& it = held[slot];
  const std::uint64_t known = indices_.find(it.message.group);
  if (known != KeyTable::absent) {
    it.group = static_cast<std::uint32_t>(known);
  } else if (!free_.empty()) {
    it.group = free_.back();
    free_.pop_back();
    groups_[it.group] = {};
  } else {
    it.group = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back();
  }
  if (known == KeyTable::absent) indices_.set(it.message.group, it.group);
  groups_[it.group].key = it.message.group;
  ++groups_[it.group].messages;
}

void MessageGroups::wait(HeldMessages& held, std::uint32_t slot) {
  append(held, groups_[held[slot].group].waiting, slot);
  refresh(held, held[slot].group);
}

void MessageGroups::take(HeldMessages& held, std::uint32_t slot) {
  const HeldMessage& it = held[slot];
  Group& group = groups_[it.group];
  if (fifo_ == 0) unlink(held, it.state == HeldMessage::late ? group.late : group.waiting, slot);
  ++group.in_flight;
  ++in_flight_;
  refresh(held, it.group);
}

void MessageGroups::give_back(HeldMessages& held, std::uint32_t slot) {
  Group& group = groups_[held[slot].group];
  --group.in_flight;
  --in_flight_;
  if (fifo_ == 0) append(held, group.late, slot);
  refresh(held, held[slot].group);
}

void MessageGroups::leave(HeldMessages& held, std::uint32_t slot) {
  const HeldMessage& it = held[slot];
  Group& group = groups_[it.group];
  if (it.state == HeldMessage::flight) {
    --group.in_flight;
    --in_flight_;
  }
  if (it.state == HeldMessage::late) {
    unlink(held, group.late, slot);
  } else if (it.state == HeldMessage::grouped || (fifo_ != 0 && it.state == HeldMessage::flight)) {
    unlink(held, group.waiting, slot);
  }
  --group.messages;
  refresh(held, it.group);
}

void MessageGroups::clear() {
  in_flight_ = 0;
  groups_.clear();
  free_.clear();
  indices_.clear();
  quiet_.clear();
  noisy_.clear();
}

void MessageGroups::append(HeldMessages& held, Row& row, std::uint32_t slot) {
  held[slot].previous = row.last;
  held[slot].next = none;
  (row.last == none ? row.first : held[row.last].next) = slot;
  row.last = slot;
}

void MessageGroups::unlink(HeldMessages& held, Row& row, std::uint32_t slot) {
  const HeldMessage& it = held[slot];
  (it.previous == none ? row.first : held[it.previous].next) = it.next;
  (it.next == none ? row.last : held[it.next].previous) = it.previous;
}

bool MessageGroups::is_noisy(const Group& group) const {
  return fifo_ == 0 && group.in_flight > receive_max &&
         std::uint64_t{group.in_flight} * size() > in_flight_;
}

void MessageGroups::refresh(const HeldMessages& held, std::uint32_t index) {
  const Group& group = groups_[index];
  const std::uint32_t first = head(index);
  const bool locked = fifo_ != 0 && group.in_flight != 0;
  const bool noisy = is_noisy(group);
  SlotHeap& here = noisy ? noisy_ : quiet_;
  SlotHeap& there = noisy ? quiet_ : noisy_;
  if (there.contains(index)) there.remove(index);
  const bool listed = here.contains(index);
  if (first == none || locked) {
    if (listed) here.remove(index);
  } else if (!listed || here.key(index) != key_of(held[first])) {
    if (listed) here.remove(index);
    here.push(index, key_of(held[first]));
  }
  if (group.messages == 0) {
    indices_.erase(group.key);
    free_.push_back(index);
  }
}

void MessageGroups::check(const HeldMessages& held) const {
  std::vector<std::uint64_t> messages(groups_.size());
  std::vector<std::uint64_t> in_flight(groups_.size());
  std::uint64_t flying = 0;
  held.for_each([&](const HeldMessage& it) {
    if (it.state == HeldMessage::free || it.group == none) return;
    ++messages[it.group];
    if (it.state != HeldMessage::flight) return;
    ++in_flight[it.group];
    ++flying;
  });
  std::uint64_t existing = 0;
  for (std::size_t at = 0; at < groups_.size(); ++at) {
    const Group& group = groups_[at];
    if (messages[at] != group.messages || in_flight[at] != group.in_flight) {
      throw InvariantError("a message group has not as many messages as are told to be its");
    }
    existing += messages[at] == 0 ? 0 : 1;
    const std::uint32_t index = static_cast<std::uint32_t>(at);
    const bool due = messages[at] != 0 && head(index) != none && (fifo_ == 0 || in_flight[at] == 0);
    const bool listed = quiet_.contains(index) || noisy_.contains(index);
    if (due != listed) throw InvariantError("a message group is not where its turn would be");
  }
  if (existing != size() || flying != in_flight_) {
    throw InvariantError("message groups are miscounted");
  }
}

}  // namespace nephoscope
