// The limit of a queue with one server (M/M/1): by a loop over its two kinds of events, and by Lindley's
// recursion, which knows a departure when the request arrives and so needs no events at all.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common.hpp"
#include "routers.hpp"

namespace limits {

class SingleQueue {
 public:
  SingleQueue(double utilisation, std::uint64_t seed)
      : gaps_(seed, "traffic/customers/arrivals", work_ns / utilisation),
        works_(seed, "traffic/customers/work/serve/0", work_ns),
        ring_(1024) {}

  Outcome run(std::uint64_t requests) {
    const double start = thread_seconds();
    std::int64_t arrival = gaps_.next();
    std::int64_t departure = never;
    for (std::uint64_t left = requests; left > 0;) {
      if (arrival < departure) {
        if (head_ == tail_) departure = arrival + works_.next();
        if (tail_ - head_ == ring_.size()) [[unlikely]] grow();
        ring_[tail_++ & (ring_.size() - 1)] = arrival;
        arrival += gaps_.next();
      } else {
        histogram_.record(departure - ring_[head_++ & (ring_.size() - 1)]);
        departure = head_ == tail_ ? never : departure + works_.next();
        --left;
      }
    }
    return {thread_seconds() - start, histogram_.mean(), histogram_.count()};
  }

 private:
  [[gnu::noinline]] void grow() {
    std::vector<std::int64_t> larger(ring_.size() * 2);
    for (std::size_t i = head_; i != tail_; ++i) {
      larger[i & (larger.size() - 1)] = ring_[i & (ring_.size() - 1)];
    }
    ring_.swap(larger);
  }

  Exponentials gaps_;
  Exponentials works_;
  std::vector<std::int64_t> ring_;  // arrivals of the requests present
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  Histogram histogram_;
};

// N queues, FIFO at constant speed, behind a router that does not look at them.
template <class Router>
class Lindley {
 public:
  Lindley(std::uint32_t instances, double utilisation, std::uint64_t seed)
      : gaps_(seed, "traffic/customers/arrivals", work_ns / (utilisation * instances)),
        works_(seed, "traffic/customers/work/serve/0", work_ns),
        router_(instances, seed),
        free_(instances) {}

  Outcome run(std::uint64_t requests) {
    const double start = thread_seconds();
    std::int64_t now = 0;
    for (std::uint64_t k = 0; k < requests; ++k) {
      now += gaps_.next();
      std::int64_t& free = free_[router_.select()];
      free = std::max(now, free) + works_.next();
      histogram_.record(free - now);
    }
    return {thread_seconds() - start, histogram_.mean(), histogram_.count()};
  }

 private:
  Exponentials gaps_;
  Exponentials works_;
  Router router_;
  std::vector<std::int64_t> free_;  // when each instance has done all its work
  Histogram histogram_;
};

}  // namespace limits
