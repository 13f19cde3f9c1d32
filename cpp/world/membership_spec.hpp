// Which instances a fleet has, keeps and lets go, beside how many, as plain data. Part of
// world/spec.hpp.

#pragma once

#include <cstdint>

#include "scaling/termination.hpp"

namespace nephoscope {

// Whether launches go to the zone with the fewest instances, and what comes of one that is refused
// there: another zone is tried, or the same one later.
enum class ZoneBalance : std::uint8_t { off, best_effort, only };

struct MembershipSpec {
  static constexpr std::uint32_t all = 0xFFFFFFFF;

  TerminationPolicy termination = TerminationPolicy::standard;
  ZoneBalance balance = ZoneBalance::off;
  bool asks_balancers = false;   // whom they hold unhealthy, or who does not run, is replaced
  std::int64_t grace_ns = 0;     // from entering service, in which the balancers are not asked
  bool launches_first = false;   // a replacement is there before who is replaced goes
  std::uint32_t protect = 0;     // instances that scaling in leaves alone
  std::int64_t lifetime_ns = 0;  // after which an instance is replaced; 0: never
};

}  // namespace nephoscope
