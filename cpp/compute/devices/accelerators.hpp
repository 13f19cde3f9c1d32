// The accelerators of an instance: equal servers of a queue of their own, first come, first served.
//
// A free accelerator takes the request that has waited longest, and with it up to `batch` in all of
// those that wait for the same work (`program`), in the order of their coming. A batch of k is done
// after longest work x (1 + (k - 1) x marginal) / speed, all at once. Nobody waits for a batch to
// fill up: an accelerator that is free takes what there is.
//
// All instances share one store of requests, and each has a list of those that wait. Who keeps the
// time is the owner's business: `begin` says when a batch is due, `finish` gives its owners.
//
// Invariants:
//   busy <= count of each instance; somebody waits only if all its accelerators are busy;
//   every request waits or is in exactly one batch.

#pragma once

#include <cstdint>
#include <vector>

#include "kernel/slab.hpp"

namespace nephoscope {

struct AcceleratorFacts {
  std::uint32_t count = 0;
  double speed = 1.0;  // of one; the reference is 1
};

class Accelerators {
 public:
  static constexpr std::uint32_t none = Slab<int>::none;

  struct Request {
    std::int64_t work = 0;  // on the reference, ns
    double marginal = 0.0;  // what each further one of a batch adds, in works
    std::uint32_t owner = 0;
    std::uint32_t program = 0;  // only equals are batched
    std::uint32_t batch = 1;
    std::uint32_t next = none;  // in the list of those that wait, or of its batch
    std::uint32_t instance = 0;
    std::uint32_t unused = 0;
    static constexpr bool plain_doubles = true;
  };

  struct Batch {
    std::uint32_t first = none;  // none: nothing has begun
    std::int64_t takes_ns = 0;
  };

  // The instances are numbered from 0.
  void add(const AcceleratorFacts& facts) { instances_.push_back({facts, 0, none, none}); }
  std::size_t size() const { return instances_.size(); }

  // A request comes; it waits until `begin` takes it.
  void enqueue(std::uint32_t instance, const Request& request);
  // A free accelerator of the instance takes what waits.
  Batch begin(std::uint32_t instance);
  // A batch is done. Calls action(owner) for each of its requests, in their order.
  template <class Action>
  void finish(std::uint32_t first, Action action) {
    --instances_[requests_[first].instance].busy;
    while (first != none) {
      const std::uint32_t next = requests_[first].next;
      action(requests_[first].owner);
      requests_.release(first);
      --held_;
      first = next;
    }
  }
  // Those that wait are taken back: calls action(owner) for each, in their order.
  template <class Action>
  void drop_waiting(std::uint32_t instance, Action action) {
    Instance& it = instances_[instance];
    while (it.head != none) {
      const std::uint32_t next = requests_[it.head].next;
      action(requests_[it.head].owner);
      requests_.release(it.head);
      --held_;
      it.head = next;
    }
    it.tail = none;
  }
  std::uint32_t instance_of(std::uint32_t first) const { return requests_[first].instance; }

  // Requests that wait or are worked on.
  std::uint64_t held() const { return held_; }

  template <class Archive>
  void serialize(Archive& archive) {
    std::uint64_t size = instances_.size();
    archive(size, held_);
    instances_.resize(static_cast<std::size_t>(size));
    for (Instance& it : instances_) {
      archive(it.facts.count, it.facts.speed, it.busy, it.head, it.tail);
    }
    requests_.serialize(archive);
  }

 private:
  struct Instance {
    AcceleratorFacts facts;
    std::uint32_t busy = 0;
    std::uint32_t head = none;
    std::uint32_t tail = none;
  };

  std::vector<Instance> instances_;
  Slab<Request> requests_;
  std::uint64_t held_ = 0;
};

}  // namespace nephoscope
