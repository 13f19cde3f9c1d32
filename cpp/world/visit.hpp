// A request at one instance, from the moment it is sent there until it is answered.
//
// Most requests compute once and are answered, and nobody waits for them: such a plain request is
// nothing but the job that its instance holds (`plain_job`), so it needs no record of its own. The
// others, those that call or sleep, might time out or are waited for, are visits: a record that
// the job names (`job_of_visit`). A request that calls other services is a chain of visits: the
// caller's visit keeps its worker and waits while the visit it made (its child) is served.

#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "compute/job.hpp"

namespace nephoscope {

enum class Outcome : std::uint8_t { completed, rejected, failed, timed_out };

// What has to be known of a request at an instance to answer it.
struct Sent {
  std::int64_t arrival = 0;
  std::uint32_t route = 0;  // tells the caller and the class of the target
  std::uint32_t target = std::numeric_limits<std::uint32_t>::max();  // slot at the balancer
};

struct alignas(64) Visit : Sent {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  // In place of a source of traffic: a health check, of the target whose slot is its `client`.
  static constexpr std::uint16_t health_check = std::numeric_limits<std::uint16_t>::max();

  enum Flag : std::uint8_t {
    waiting = 1,   // in its instance's backlog
    left = 2,      // its client has gone: what it ends with is nobody's answer
    failing = 4,   // a call it made did not succeed: it fails as soon as it runs on
    listed = 8,    // among its caller's visits that may time out
    awaited = 16,  // a visit or a user waits for the answer
    holding = 32,  // memory of its instance
    lost = 64,     // it died with its instance, and only waits for what would have woken it
  };

  std::uint64_t serial = 0;  // of the request at its source of traffic
  std::int64_t memory = 0;   // bytes it holds of its instance, if it is holding
  std::uint32_t instance = none;
  std::uint32_t path = 0;       // 0 for the first visit of a request; else tells its visits apart
  std::uint32_t parent = none;  // the visit that waits for the answer
  std::uint32_t client = 0;
  std::uint32_t older = none;  // neighbours in the caller's list of those that may time out
  std::uint32_t newer = none;
  std::uint16_t traffic = 0;
  std::uint16_t place = 0;  // in the program
  std::uint8_t flags = 0;
  std::uint8_t devices = 0;  // of its instance that are at work for it
  std::array<std::uint8_t, 2> unused{};
};
static_assert(sizeof(Visit) == 64);

// A job of the world: its `id` is a visit or, of a plain request, the route.
constexpr std::uint32_t visit_bit = std::uint32_t{1} << 31;

inline Job job_of_visit(std::uint32_t visit, std::int64_t work) {
  return {work, 0, visit | visit_bit, 0};
}
inline Job plain_job(const Sent& sent, std::int64_t work) {
  return {work, sent.arrival, sent.route, sent.target};
}
inline bool is_visit(const Job& job) {
  return (job.id & visit_bit) != 0;
}
inline std::uint32_t visit_of(const Job& job) {
  return job.id & ~visit_bit;
}
inline Sent sent_of(const Job& plain) {
  return {plain.since, plain.id, plain.place};
}

}  // namespace nephoscope
