// The limit of a farm: N single-CPU FIFO instances behind a balancer, Poisson arrivals, exponential
// work. Arrival, route, ring buffer, service, departure, one histogram record.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "calendar.hpp"
#include "common.hpp"
#include "routers.hpp"

namespace limits {

struct Waiting {
  std::int64_t arrival;
  std::int64_t work;
};

// Half a cache line; its first waiting requests lie beside it in one array.
struct alignas(32) Instance {
  std::int64_t arrival;  // of the request in service
  Waiting* ring;
  std::uint32_t head;
  std::uint32_t tail;
  std::uint16_t mask;
  bool busy;
};

class Instances {
 public:
  explicit Instances(std::uint32_t count)
      : first_slots_(std::size_t{count} * slots), instances_(count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      instances_[i] = {0, &first_slots_[std::size_t{i} * slots], 0, 0, slots - 1, false};
    }
  }

  Instance& operator[](std::uint32_t index) { return instances_[index]; }

  void wait(Instance& instance, Waiting request) {
    if (instance.tail - instance.head > instance.mask) [[unlikely]]
      grow(instance);
    instance.ring[instance.tail++ & instance.mask] = request;
  }

 private:
  static constexpr std::uint16_t slots = 8;

  [[gnu::noinline]] void grow(Instance& instance) {
    const std::uint32_t length = instance.tail - instance.head;
    auto ring = std::make_unique<Waiting[]>(std::size_t{length} * 2);
    for (std::uint32_t i = 0; i < length; ++i) {
      ring[i] = instance.ring[(instance.head + i) & instance.mask];
    }
    instance = {
        instance.arrival, ring.get(), 0, length, static_cast<std::uint16_t>(2 * length - 1), true};
    grown_.push_back(std::move(ring));
  }

  std::vector<Waiting> first_slots_;
  std::vector<Instance> instances_;
  std::vector<std::unique_ptr<Waiting[]>> grown_;
};

template <class Router>
class Farm {
 public:
  Farm(std::uint32_t instances, double utilisation, std::uint64_t seed)
      : arrivals_(seed, "traffic/customers/arrivals", work_ns / (utilisation * instances)),
        works_(seed, "traffic/customers/work/serve/0", work_ns),
        router_(instances, seed),
        calendar_(instances, work_ns / (utilisation * instances), 5 * work_ns),
        instances_(instances) {}

  // Requests that arrive before `end`; those answered by then are counted.
  Outcome run(std::int64_t end) {
    const double start = thread_seconds();
    std::uint64_t offered = 0;
    for (std::int64_t now; (now = arrivals_.next()) < end;) {
      while (calendar_.time() <= now) depart();
      arrive(now);
      ++offered;
    }
    while (calendar_.time() < end) depart();
    return {thread_seconds() - start, histogram_.mean(), offered, histogram_.count()};
  }

 private:
  void arrive(std::int64_t now) {
    const std::uint32_t target = router_.select();
    router_.sent(target);
    const std::int64_t work = works_.next();
    Instance& instance = instances_[target];
    if (instance.busy) {
      instances_.wait(instance, {now, work});
    } else {
      instance.busy = true;
      instance.arrival = now;
      calendar_.push(now + work, target);
    }
  }

  void depart() {
    const std::int64_t now = calendar_.time();
    const std::uint32_t target = calendar_.id();
    calendar_.pop();
    Instance& instance = instances_[target];
    const std::int64_t response = now - instance.arrival;
    histogram_.record(response);
    router_.finished(target, response);
    if (instance.head != instance.tail) {
      const Waiting next = instance.ring[instance.head++ & instance.mask];
      instance.arrival = next.arrival;
      calendar_.push(now + next.work, target);
    } else {
      instance.busy = false;
    }
  }

  Arrivals arrivals_;
  Exponentials works_;
  Router router_;
  Calendar calendar_;
  Instances instances_;
  Histogram histogram_;
};

}  // namespace limits
