// The limit of a farm of N processor-sharing instances of one CPU: each serves all its requests at
// once at equal speed. Virtual time (work attained by a request since the start) makes an arrival
// or departure a constant number of operations; every arrival moves its instance's one pending
// departure.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "calendar.hpp"
#include "common.hpp"
#include "routers.hpp"

namespace limits {

struct Shared {
  double finish;  // in virtual time
  std::int64_t arrival;
};

struct alignas(64) SharingInstance {
  double virtual_time;
  std::int64_t updated;
  std::int64_t departure;
  Shared* requests;  // the first to finish last
  std::uint32_t count;
  std::uint32_t capacity;
};

template <class Router>
class SharingFarm {
 public:
  SharingFarm(std::uint32_t instances, double utilisation, std::uint64_t seed)
      : arrivals_(seed, "traffic/customers/arrivals", work_ns / (utilisation * instances)),
        works_(seed, "traffic/customers/work/serve/0", work_ns),
        router_(instances, seed),
        calendar_(instances, work_ns / (utilisation * instances), 5 * work_ns),
        first_slots_(std::size_t{instances} * slots),
        instances_(instances) {
    for (std::uint32_t i = 0; i < instances; ++i) {
      instances_[i] = {0.0, 0, never, &first_slots_[std::size_t{i} * slots], 0, slots};
    }
    for (std::size_t k = 1; k < shares_.size(); ++k) shares_[k] = 1.0 / static_cast<double>(k);
  }

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
  static constexpr std::uint32_t slots = 8;

  void arrive(std::int64_t now) {
    const std::uint32_t target = router_.select();
    router_.sent(target);
    SharingInstance& instance = instances_[target];
    if (instance.count != 0) {
      const auto elapsed = static_cast<double>(now - instance.updated);
      instance.virtual_time += elapsed * shares_[instance.count];
      calendar_.remove(instance.departure, target);
    }
    instance.updated = now;
    insert(instance, {instance.virtual_time + static_cast<double>(works_.next()), now});
    schedule(instance, now, target);
  }

  void depart() {
    const std::int64_t now = calendar_.time();
    const std::uint32_t target = calendar_.id();
    calendar_.pop();
    SharingInstance& instance = instances_[target];
    const Shared request = instance.requests[--instance.count];
    instance.virtual_time = request.finish;
    instance.updated = now;
    const std::int64_t response = now - request.arrival;
    histogram_.record(response);
    router_.finished(target, response);
    if (instance.count != 0) schedule(instance, now, target);
  }

  void schedule(SharingInstance& instance, std::int64_t now, std::uint32_t target) {
    const double left = instance.requests[instance.count - 1].finish - instance.virtual_time;
    instance.departure = now + static_cast<std::int64_t>(left * instance.count + 0.5);
    calendar_.push(instance.departure, target);
  }

  void insert(SharingInstance& instance, Shared request) {
    if (instance.count == instance.capacity) [[unlikely]]
      grow(instance);
    std::uint32_t at = instance.count++;
    for (; at > 0 && instance.requests[at - 1].finish < request.finish; --at) {
      instance.requests[at] = instance.requests[at - 1];
    }
    instance.requests[at] = request;
  }

  [[gnu::noinline]] void grow(SharingInstance& instance) {
    auto larger = std::make_unique<Shared[]>(std::size_t{instance.capacity} * 2);
    std::copy_n(instance.requests, instance.count, larger.get());
    instance.requests = larger.get();
    instance.capacity *= 2;
    grown_.push_back(std::move(larger));
  }

  Arrivals arrivals_;
  Exponentials works_;
  Router router_;
  Calendar calendar_;
  std::vector<Shared> first_slots_;
  std::vector<SharingInstance> instances_;
  std::vector<std::unique_ptr<Shared[]>> grown_;
  std::array<double, 4096> shares_{};
  Histogram histogram_;
};

}  // namespace limits
