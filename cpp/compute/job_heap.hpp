// The computing jobs of an instance that serves several at once: a binary heap in an array of its
// owner's, the first to be done in front.

#pragma once

#include <cstdint>

#include "kernel/hot_path.hpp"

namespace nephoscope {

struct ComputingJob {
  std::int64_t due = 0;  // on the clock of service of its instance
  std::int64_t since = 0;
  std::uint32_t id = 0;
  std::uint32_t place = 0;
  std::uint32_t order = 0;  // of beginning, for jobs due at the same instant
  std::uint32_t unused = 0;
};

inline bool comes_before(const ComputingJob& a, const ComputingJob& b) {
  if (a.due != b.due) return a.due < b.due;
  return static_cast<std::int32_t>(a.order - b.order) < 0;
}

// Precondition: there is room for one more than `size`.
NEPHOSCOPE_HOT void push_job(ComputingJob* heap, std::uint32_t size, const ComputingJob& added) {
  std::uint32_t hole = size;
  while (hole > 0) {
    const std::uint32_t parent = (hole - 1) / 2;
    if (!comes_before(added, heap[parent])) break;
    heap[hole] = heap[parent];
    hole = parent;
  }
  heap[hole] = added;
}

// Takes the first out. `size` is what is left.
NEPHOSCOPE_HOT void pop_job(ComputingJob* heap, std::uint32_t size) {
  const ComputingJob last = heap[size];
  std::uint32_t hole = 0;
  for (std::uint32_t child = 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && comes_before(heap[child + 1], heap[child])) ++child;
    if (!comes_before(heap[child], last)) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = last;
}

}  // namespace nephoscope
