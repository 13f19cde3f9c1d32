// Queues of a world, and who consumes them, as plain data.

#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "messaging/queue_spec.hpp"

namespace nephoscope {

struct WorldQueueSpec {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::string name;
  QueueSpec rules;
  std::uint32_t dead_letter = none;  // the queue that gets its dead letters
};

// What is done to a queue at an instant: its messages begin to move to another one, or each to the
// one that it came from as a dead letter; or its attributes change; or all that it has is deleted.
struct QueueActionSpec {
  static constexpr std::int64_t lasts_max = 60'000'000'000;
  static constexpr std::uint32_t home = WorldQueueSpec::none - 1;

  std::int64_t at_ns = 0;
  std::uint32_t queue = 0;
  std::uint32_t to = WorldQueueSpec::none;  // or `home`
  std::uint32_t per_second = 500;           // that move
  std::int64_t lasts_ns = 0;                // of a purge: what was there is deleted when it is over

  // What attributes become; those that stay as they are: `kept`.
  static constexpr std::int64_t kept = -1;
  std::int64_t visibility_ns = kept;
  std::int64_t delay_ns = kept;
  std::int64_t retention_ns = kept;

  bool redrives() const { return to != WorldQueueSpec::none; }
  bool changes() const { return visibility_ns != kept || delay_ns != kept || retention_ns != kept; }
};

// How the workers of a service come by their work, if they do not wait for requests.
struct ConsumeSpec {
  static constexpr std::uint32_t batch_max = 10;

  std::uint32_t queue = WorldQueueSpec::none;
  std::uint32_t batch = 1;        // messages of one receive, at most
  std::int64_t wait_ns = 0;       // for the first of them; 0: a short poll
  std::int64_t heartbeat_ns = 0;  // after which what a worker holds is hidden anew; 0: never
  bool abandons = false;          // work ends with the visibility timeout of its message

  bool present() const { return queue != WorldQueueSpec::none; }
};

}  // namespace nephoscope
