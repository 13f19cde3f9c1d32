// Which instances a fleet has, keeps and lets go, beside how many, as plain data. Part of
// world/spec/spec.hpp.

#pragma once

#include <cstdint>

#include "kernel/distributions.hpp"
#include "scaling/termination.hpp"

namespace nephoscope {

// Whether launches go to the zone with the fewest instances, and what comes of one that is refused
// there: another zone is tried, or the same one later.
enum class ZoneBalance : std::uint8_t { off, best_effort, only };

// As what an instance of a warm pool waits.
enum class WarmState : std::uint8_t { stopped, running, hibernated };

// Instances that have booted and wait, so many that with those desired so many are `prepared`.
struct WarmPoolSpec {
  bool active = false;
  WarmState state = WarmState::stopped;
  bool reuse = false;          // who leaves when the fleet shrinks goes there
  std::uint32_t min = 0;       // instances that wait in any case
  std::uint32_t prepared = 0;  // 0: as many as the fleet may have
};

// What is done to an instance before it serves, or before it ends, and what comes of it when that
// takes too long.
struct HookSpec {
  bool active = false;
  bool continues = false;  // else another takes its place
  Distribution duration;
  std::int64_t timeout_ns = 3'600'000'000'000;
  std::int64_t heartbeat_ns = 0;  // between two, each of which begins the timeout anew; 0: none
};

struct MembershipSpec {
  static constexpr std::uint32_t all = 0xFFFFFFFF;

  TerminationPolicy termination = TerminationPolicy::standard;
  ZoneBalance balance = ZoneBalance::off;
  bool asks_balancers = false;   // whom they hold unhealthy, or who does not run, is replaced
  std::int64_t impaired_ns = 0;  // who has been down for so long is replaced; 0: never
  std::int64_t grace_ns = 0;     // from entering service, in which neither counts
  bool launches_first = false;   // a replacement is there before who is replaced goes
  std::uint32_t protect = 0;     // instances that scaling in leaves alone
  std::int64_t lifetime_ns = 0;  // after which an instance is replaced; 0: never
  WarmPoolSpec pool;
  HookSpec launch;
  HookSpec terminate;
};

}  // namespace nephoscope
