// A job in the hands of an instance.

#pragma once

#include <cstdint>

namespace nephoscope {

struct Job {
  static constexpr std::int64_t undecided = -1;

  // To be computed as soon as it has a worker, ns of one reference vCPU, or `undecided`: then it
  // only holds the worker until its owner makes it compute.
  std::int64_t work = undecided;

  // The owner's, handed back as they came; they mean nothing to an instance.
  std::int64_t since = 0;
  std::uint32_t id = 0;
  std::uint32_t place = 0;
};
static_assert(sizeof(Job) == 24);

}  // namespace nephoscope
