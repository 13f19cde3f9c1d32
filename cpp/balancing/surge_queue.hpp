// A surge queue: requests that wait at the balancer because no target can take them, first come,
// first served, up to a number.
//
// A ring buffer of tickets: who gives up while waiting leaves a gap, which is passed over later.
// Invariant: of the tickets in [first_, next_), waiting_ are no gaps.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class SurgeQueue {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t size_max = 1U << 20;

  // There is none.
  SurgeQueue() = default;
  explicit SurgeQueue(std::uint32_t size) : size_(size), ring_(std::size_t{2} * size, none) {}

  bool active() const { return size_ != 0; }
  bool empty() const { return waiting_ == 0; }
  bool full() const { return waiting_ == size_; }
  std::uint32_t waiting() const { return waiting_; }
  std::uint32_t most() const { return most_; }

  // Takes a request and returns its ticket. `renumber(request, ticket)` is called for those whose
  // ticket changes. Precondition: !full().
  template <class Renumber>
  std::int64_t push(std::uint32_t request, Renumber renumber) {
    if (next_ - first_ == static_cast<std::int64_t>(ring_.size())) close_up(renumber);
    at(next_) = request;
    most_ = ++waiting_ > most_ ? waiting_ : most_;
    return next_++;
  }

  // The one that has waited longest. Precondition: !empty().
  std::uint32_t pop() {
    while (at(first_) == none) ++first_;
    const std::uint32_t request = at(first_);
    drop(first_++);
    return request;
  }

  void drop(std::int64_t ticket) {
    at(ticket) = none;
    --waiting_;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(ring_, first_, next_, waiting_, most_);
  }

 private:
  std::uint32_t& at(std::int64_t ticket) {
    return ring_[static_cast<std::size_t>(ticket) % ring_.size()];
  }

  // Half of the tickets are gaps at least.
  template <class Renumber>
  void close_up(Renumber renumber) {
    std::int64_t to = first_;
    for (std::int64_t from = first_; from < next_; ++from) {
      const std::uint32_t request = at(from);
      if (request == none) continue;
      at(from) = none;
      at(to) = request;
      renumber(request, to++);
    }
    next_ = to;
  }

  std::uint32_t size_ = 0;
  std::vector<std::uint32_t> ring_;
  std::int64_t first_ = 0;
  std::int64_t next_ = 0;
  std::uint32_t waiting_ = 0;
  std::uint32_t most_ = 0;
};

}  // namespace nephoscope
