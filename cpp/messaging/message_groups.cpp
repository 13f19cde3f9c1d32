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
  if (slot >= links_.size()) links_.resize(std::size_t{slot} + 1);
  const std::uint32_t key = held[slot].message.group;
  Links& it = links_[slot];
  const std::uint64_t known = indices_.find(key);
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
  if (known == KeyTable::absent) indices_.set(key, it.group);
  groups_[it.group].key = key;
  ++groups_[it.group].messages;
  it.older = newest_;
  it.newer = none;
  (newest_ == none ? oldest_ : links_[newest_].newer) = slot;
  newest_ = slot;
}

void MessageGroups::wait(HeldMessages& held, std::uint32_t slot) {
  const std::uint32_t index = links_[slot].group;
  append(groups_[index].waiting, slot);
  refresh(held, index);
}

void MessageGroups::take(HeldMessages& held, std::uint32_t slot) {
  const std::uint32_t index = links_[slot].group;
  Group& group = groups_[index];
  if (fifo_ == 0) {
    unlink(held[slot].state == HeldMessage::late ? group.late : group.waiting, slot);
  }
  ++group.in_flight;
  ++in_flight_;
  refresh(held, index);
}

void MessageGroups::give_back(HeldMessages& held, std::uint32_t slot) {
  const std::uint32_t index = links_[slot].group;
  Group& group = groups_[index];
  --group.in_flight;
  --in_flight_;
  if (fifo_ == 0) append(group.late, slot);
  refresh(held, index);
}

void MessageGroups::leave(HeldMessages& held, std::uint32_t slot) {
  Links& it = links_[slot];
  const HeldMessage::State state = held[slot].state;
  const std::uint32_t index = it.group;
  Group& group = groups_[index];
  if (state == HeldMessage::flight) {
    --group.in_flight;
    --in_flight_;
  }
  if (state == HeldMessage::late) {
    unlink(group.late, slot);
  } else if (state == HeldMessage::grouped || (fifo_ != 0 && state == HeldMessage::flight)) {
    unlink(group.waiting, slot);
  }
  --group.messages;
  (it.older == none ? oldest_ : links_[it.older].newer) = it.newer;
  (it.newer == none ? newest_ : links_[it.newer].older) = it.older;
  it.group = none;
  refresh(held, index);
}

void MessageGroups::append(Row& row, std::uint32_t slot) {
  links_[slot].previous = row.last;
  links_[slot].next = none;
  (row.last == none ? row.first : links_[row.last].next) = slot;
  row.last = slot;
}

void MessageGroups::unlink(Row& row, std::uint32_t slot) {
  const Links& it = links_[slot];
  (it.previous == none ? row.first : links_[it.previous].next) = it.next;
  (it.next == none ? row.last : links_[it.next].previous) = it.previous;
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
  for (std::uint32_t slot = 0; slot < links_.size(); ++slot) {
    const std::uint32_t group = links_[slot].group;
    if (group == none) continue;
    ++messages[group];
    if (held[slot].state == HeldMessage::free) {
      throw InvariantError("a message group has a message that is gone");
    }
    if (held[slot].state != HeldMessage::flight) continue;
    ++in_flight[group];
    ++flying;
  }
  std::uint64_t listed_by_age = 0;
  for (std::uint32_t slot = oldest_; slot != none; slot = links_[slot].newer) ++listed_by_age;
  std::uint64_t existing = 0;
  std::uint64_t all = 0;
  for (std::size_t at = 0; at < groups_.size(); ++at) {
    const Group& group = groups_[at];
    if (messages[at] != group.messages || in_flight[at] != group.in_flight) {
      throw InvariantError("a message group has not as many messages as are told to be its");
    }
    existing += messages[at] == 0 ? 0 : 1;
    all += messages[at];
    const std::uint32_t index = static_cast<std::uint32_t>(at);
    const bool due = messages[at] != 0 && head(index) != none && (fifo_ == 0 || in_flight[at] == 0);
    const bool listed = quiet_.contains(index) || noisy_.contains(index);
    if (due != listed) throw InvariantError("a message group is not where its turn would be");
  }
  if (existing != size() || flying != in_flight_ || all != listed_by_age) {
    throw InvariantError("message groups are miscounted");
  }
}

}  // namespace nephoscope
