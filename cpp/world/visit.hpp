// A visit: a request at one instance, from the moment it is sent there until it is answered.
//
// A request that calls other services is a chain of visits: the caller's visit keeps its worker and
// waits while the visit it made (its child) is served.
//
// Most visits compute once and are answered, so what that takes is half a cache line (Visit), and
// what only the others need lies beside it under the same index (VisitDetail).

#pragma once

#include <cstdint>
#include <limits>

namespace nephoscope {

enum class Outcome : std::uint8_t { completed, rejected, failed, timed_out };

struct alignas(32) Visit {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  enum Flag : std::uint8_t {
    waiting = 1,   // in its instance's backlog
    left = 2,      // its client has gone: what it ends with is nobody's answer
    failing = 4,   // a call it made did not succeed: it fails as soon as it runs on
    listed = 8,    // among its caller's visits that may time out
    awaited = 16,  // a visit or a user waits for the answer
  };

  std::int64_t arrival = 0;
  std::int64_t work = -1;  // to be computed before the program goes on, ns of a vCPU, or -1
  std::uint32_t instance = none;
  std::uint32_t target = none;  // slot at the balancer
  std::uint32_t route = 0;      // tells the caller and the class of the target
  std::uint16_t place = 0;      // in the program
  std::uint8_t flags = 0;
  std::uint8_t unused = 0;
};
static_assert(sizeof(Visit) == 32);

// Set for every visit whose route says so (Route::detailed).
struct alignas(32) VisitDetail {
  std::uint64_t serial = 0;  // of the request at its source of traffic
  std::uint32_t path = 0;    // 0 for the first visit of a request; else tells its visits apart
  std::uint32_t parent = Visit::none;  // the visit that waits for the answer
  std::uint32_t client = 0;
  std::uint32_t older = Visit::none;  // neighbours in the caller's list of those that may time out
  std::uint32_t newer = Visit::none;
  std::uint16_t traffic = 0;
  std::uint16_t unused = 0;
};
static_assert(sizeof(VisitDetail) == 32);

}  // namespace nephoscope
