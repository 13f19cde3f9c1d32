#include "compute/devices/accelerators.hpp"

#include <algorithm>

#include "kernel/math.hpp"

namespace nephoscope {

void Accelerators::enqueue(std::uint32_t instance, const Request& request) {
  Instance& it = instances_[instance];
  const std::uint32_t added = requests_.take();
  requests_[added] = request;
  requests_[added].instance = instance;
  requests_[added].next = none;
  (it.head == none ? it.head : requests_[it.tail].next) = added;
  it.tail = added;
  ++held_;
}

Accelerators::Batch Accelerators::begin(std::uint32_t instance) {
  Instance& it = instances_[instance];
  if (it.head == none || it.busy == it.facts.count) return {};
  ++it.busy;
  const std::uint32_t first = it.head;
  Request& leader = requests_[first];
  it.head = leader.next;
  leader.next = none;
  std::uint32_t last = first;
  std::uint32_t before = none;  // the last of those passed over
  std::int64_t longest = leader.work;
  std::uint32_t size = 1;
  for (std::uint32_t at = it.head; at != none && size < leader.batch;) {
    const std::uint32_t next = requests_[at].next;
    if (requests_[at].program == leader.program) {
      (before == none ? it.head : requests_[before].next) = next;
      requests_[last].next = at;
      requests_[at].next = none;
      longest = std::max(longest, requests_[at].work);
      last = at;
      ++size;
    } else {
      before = at;
    }
    at = next;
  }
  // If the last that waited was taken, all of the list was looked at.
  if (it.head == none) {
    it.tail = none;
  } else if (last == it.tail) {
    it.tail = before;
  }
  const double works = 1.0 + static_cast<double>(size - 1) * leader.marginal;
  return {first, duration_ns(static_cast<double>(longest) * works / it.facts.speed)};
}

}  // namespace nephoscope
