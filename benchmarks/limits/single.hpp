// The limit of a queue with one server (M/M/1): by a loop over its two kinds of events, and by
// Lindley's recursion, which knows a departure when the request arrives and so needs no events at
// all.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common.hpp"
#include "routers.hpp"

namespace limits {

class SingleQueue {
 public:
  SingleQueue(double utilisation, std::uint64_t seed)
      : arrivals_(seed, "traffic/customers/arrivals", work_ns / utilisation),
        works_(seed, "traffic/customers/work/serve/0", work_ns),
        ring_(std::make_unique<std::int64_t[]>(1024)) {}

  // Requests that arrive before `end`; those answered by then are counted. What the loop changes
  // all the time are local variables, which a compiler keeps in registers.
  Outcome run(std::int64_t end) {
    const double start = thread_seconds();
    std::int64_t* ring = ring_.get();
    std::size_t mask = mask_;
    std::size_t head = 0;
    std::size_t tail = 0;
    std::int64_t arrival = arrivals_.next();
    std::int64_t departure = never;
    while (arrival < end) {
      if (arrival < departure) {
        if (head == tail) departure = arrival + works_.next();
        if (tail - head > mask) [[unlikely]] {
          ring = grow(head, tail);
          mask = mask_;
        }
        ring[tail++ & mask] = arrival;
        arrival = arrivals_.next();
      } else {
        histogram_.record(departure - ring[head++ & mask]);
        departure = head == tail ? never : departure + works_.next();
      }
    }
    while (departure < end) {
      histogram_.record(departure - ring[head++ & mask]);
      departure = head == tail ? never : departure + works_.next();
    }
    return {thread_seconds() - start, histogram_.mean(), tail, histogram_.count()};
  }

 private:
  [[gnu::noinline]] std::int64_t* grow(std::size_t head, std::size_t tail) {
    auto larger = std::make_unique<std::int64_t[]>(2 * (mask_ + 1));
    for (std::size_t i = head; i != tail; ++i) {
      larger[i & (2 * mask_ + 1)] = ring_[i & mask_];
    }
    ring_ = std::move(larger);
    mask_ = 2 * mask_ + 1;
    return ring_.get();
  }

  Arrivals arrivals_;
  Exponentials works_;
  std::unique_ptr<std::int64_t[]> ring_;  // arrivals of the requests present
  std::size_t mask_ = 1023;
  Histogram histogram_;
};

// N queues, FIFO at constant speed, behind a router that does not look at them.
template <class Router>
class Lindley {
 public:
  Lindley(std::uint32_t instances, double utilisation, std::uint64_t seed)
      : arrivals_(seed, "traffic/customers/arrivals", work_ns / (utilisation * instances)),
        works_(seed, "traffic/customers/work/serve/0", work_ns),
        router_(instances, seed),
        free_(instances) {}

  Outcome run(std::int64_t end) {
    const double start = thread_seconds();
    std::uint64_t offered = 0;
    for (std::int64_t now; (now = arrivals_.next()) < end;) {
      std::int64_t& free = free_[router_.select()];
      free = std::max(now, free) + works_.next();
      if (free < end) histogram_.record(free - now);
      ++offered;
    }
    return {thread_seconds() - start, histogram_.mean(), offered, histogram_.count()};
  }

 private:
  Arrivals arrivals_;
  Exponentials works_;
  Router router_;
  std::vector<std::int64_t> free_;  // when each instance has done all its work
  Histogram histogram_;
};

}  // namespace limits
