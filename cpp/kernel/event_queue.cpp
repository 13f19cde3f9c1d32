#include "kernel/event_queue.hpp"

namespace nephoscope {

namespace {

bool after(std::int64_t time_a, std::uint64_t sequence_a, std::int64_t time_b, std::uint64_t sequence_b) {
  return time_a > time_b || (time_a == time_b && sequence_a > sequence_b);
}

}  // namespace

EventQueue::Handle EventQueue::grow_nodes() {
  const auto handle = static_cast<Handle>(nodes_.size());
  nodes_.emplace_back();
  return handle;
}

void EventQueue::cancel(Handle handle) {
  Node& node = nodes_[handle];
  --size_;
  if (node.slot == in_far) {
    node.slot = cancelled_far;
    if (++far_cancelled_ > far_.size() / 2 + 64) drop_cancelled_far();
    return;
  }
  if (node.slot == in_due) {
    const auto found = std::find_if(due_.rbegin(), due_.rend(),
                                    [handle](const Due& due) { return due.handle == handle; });
    due_.erase(std::next(found).base());
  } else if (node.previous != none) {
    nodes_[node.previous].next = node.next;
    if (node.next != none) nodes_[node.next].previous = node.previous;
  } else if (node.next != none) {
    nodes_[node.next].previous = none;
    heads_[node.slot] = node.next;
  } else {
    clear_slot(node.slot);
  }
  give_node(handle);
}

std::uint64_t EventQueue::distance_by_groups(std::uint64_t start) const {
  const std::uint64_t mask = slot_mask();
  const std::uint64_t words = occupied_.size();
  const std::uint64_t first = (start >> 6) + 1;
  // The whole circle and the starting word once more, for its bits below `start`.
  for (std::uint64_t step = 0; step < words;) {
    const std::uint64_t word = (first + step) % words;
    const std::uint64_t group = groups_[word >> 6] >> (word & 63);
    if (group == 0) {
      step += std::min(64 - (word & 63), words - word);
      continue;
    }
    const std::uint64_t found = word + static_cast<std::uint64_t>(std::countr_zero(group));
    const std::uint64_t slot = (found << 6) + static_cast<std::uint64_t>(std::countr_zero(occupied_[found]));
    return 1 + ((slot - start) & mask);
  }
  return 0;
}

void EventQueue::put_far(Handle handle, Node& node) {
  node.slot = in_far;
  far_.push_back({node.time, node.sequence, handle});
  std::push_heap(far_.begin(), far_.end(), later);
}

void EventQueue::take_far() {
  while (!far_.empty() && bucket_of(far_.front().time) < cursor_ + heads_.size()) {
    std::pop_heap(far_.begin(), far_.end(), later);
    const Handle handle = far_.back().handle;
    far_.pop_back();
    Node& node = nodes_[handle];
    if (node.slot == cancelled_far) {
      --far_cancelled_;
      give_node(handle);
    } else {
      place(handle, node);
    }
  }
}

void EventQueue::drop_cancelled_far() {
  std::erase_if(far_, [this](const Due& entry) {
    if (nodes_[entry.handle].slot != cancelled_far) return false;
    give_node(entry.handle);
    return true;
  });
  std::make_heap(far_.begin(), far_.end(), later);
  far_cancelled_ = 0;
}

void EventQueue::resize_wheel(std::size_t buckets) {
  heads_.assign(buckets, none);
  occupied_.assign((buckets + 63) / 64, 0);
  groups_.assign((occupied_.size() + 63) / 64, 0);
}

// Aims at one to two events a bucket near the cursor and at a span of several times what is pending.
// Rebuilds only when the present layout is off by more than a factor of two.
void EventQueue::retune() {
  const std::int64_t now = static_cast<std::int64_t>(cursor_ << shift_);
  const auto events = static_cast<std::int64_t>(popped_ - tuned_at_popped_);
  const std::int64_t gap = std::max<std::int64_t>((now - tuned_at_time_) / events, 1);
  tuned_at_time_ = now;
  tuned_at_popped_ = popped_;
  tune_after_ = std::min<std::uint64_t>(tune_after_ * 4, 1 << 15);
  const auto shift = static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(gap)));
  const std::size_t buckets =
      std::clamp(std::bit_ceil(size_ * 4 + 1), minimum_buckets, maximum_buckets);
  const bool width_fits = shift == shift_ || shift + 1 == shift_;
  const bool count_fits = buckets <= heads_.size() && heads_.size() <= buckets * 4;
  if (width_fits && count_fits) return;

  std::vector<Handle> pending;
  pending.reserve(size_);
  for (const Due& due : due_) pending.push_back(due.handle);
  for (Handle head : heads_) {
    for (Handle handle = head; handle != none; handle = nodes_[handle].next) pending.push_back(handle);
  }
  drop_cancelled_far();
  for (const Due& entry : far_) pending.push_back(entry.handle);
  due_.clear();
  far_.clear();
  if (!width_fits) {
    shift_ = std::min(shift, 40U);
    cursor_ = static_cast<std::uint64_t>(now) >> shift_;
  }
  resize_wheel(buckets);
  // Latest first, so that what lands in `due_` is appended, not inserted.
  std::sort(pending.begin(), pending.end(), [this](Handle a, Handle b) {
    return after(nodes_[a].time, nodes_[a].sequence, nodes_[b].time, nodes_[b].sequence);
  });
  for (Handle handle : pending) place(handle, nodes_[handle]);
}

}  // namespace nephoscope
