// A request at one instance, from the moment it is sent there until it is answered.
//
// Most requests compute once and are answered, and nobody waits for them: such a plain request is
// nothing but the job that its instance holds (`plain_job`), so it needs no record of its own. The
// others, those that call or sleep, might time out or are waited for, are visits: a record that
// the job names (`job_of_visit`). A request that calls other services is a chain of visits: the
// caller's visit keeps its worker and waits while the visit it made (its child) is served.

#pragma once

#include <cstdint>
#include <limits>

#include "balancing/consistent_hash.hpp"
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
    tried = 128,   // an attempt of an errand, which is its parent (errand.hpp)
  };

  std::uint64_t serial = 0;  // of the request at its source of traffic
  std::int64_t memory = 0;   // bytes it holds of its instance, if it is holding
  std::uint32_t instance = none;
  std::uint32_t path = 0;       // 0 for the first visit of a request; else tells its visits apart
  std::uint32_t parent = none;  // the visit or the errand that waits for the answer
  std::uint32_t client = 0;
  std::uint32_t older = none;  // neighbours in the caller's list of those that may time out
  std::uint32_t newer = none;
  std::uint16_t traffic = 0;
  std::uint16_t place = 0;  // in the program
  std::uint8_t flags = 0;
  std::uint8_t devices = 0;  // of its instance that are at work for it
  std::uint16_t trial = 0;   // tells the attempts of a request apart; 0 for first ones
};
static_assert(sizeof(Visit) == 64);

// Visits of one request differ in their path, a hash of the calls that led there; 0 is the first.
inline std::uint32_t path_of_call(std::uint32_t path, std::uint32_t call) {
  const std::uint64_t mixed = mix_bits((std::uint64_t{path} << 32) + call + 1);
  return static_cast<std::uint32_t>(mixed >> 33) + 1;
}

// An attempt, from 0, of a request that was sent in a trial of another one.
inline std::uint16_t trial_of(std::uint16_t above, std::uint32_t attempt) {
  constexpr std::uint16_t hashed = 0x8000;
  if (attempt == 0) return above;
  if (above == 0 && attempt < hashed) return static_cast<std::uint16_t>(attempt);
  return static_cast<std::uint16_t>(mix_bits((std::uint64_t{above} << 32) + attempt) >> 48) |
         hashed;
}

// What belongs to the attempt is drawn by this in place of the path.
inline std::uint32_t path_of_trial(std::uint32_t path, std::uint16_t trial) {
  return trial == 0 ? path : path_of_call(path, 0x80000000U + trial);
}

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
