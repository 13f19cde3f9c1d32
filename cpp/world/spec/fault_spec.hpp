// What fails in a scenario, when and for how long. Part of world/spec/spec.hpp.

#pragma once

#include <cstdint>

#include "kernel/distributions.hpp"

namespace nephoscope {

enum class FaultKind : std::uint8_t {
  kill,                // what dies stays dead
  fail,                // it comes back
  lose_health_checks,  // it serves, and yet no check is answered
  slow,                // its work takes longer
  maintain,            // as fail, of a host, with a notice at which what is on it is moved
  hang,                // it takes requests and answers nothing, and goes on where it was
};

// How instances leave a host that is to be maintained: they are drained and others are launched,
// they are stopped and start elsewhere, or they go on elsewhere as they are. Or they do not.
enum class MoveBy : std::uint8_t { drain, stop_start, migrate, stay };

// Instances of a fleet; or all that is on a host, in a rack, in a zone.
enum class FaultScope : std::uint8_t { fleet, host, rack, zone };

struct FaultSpec {
  static constexpr std::uint32_t any = 0xFFFFFFFF;

  FaultKind kind = FaultKind::fail;
  FaultScope scope = FaultScope::fleet;
  std::uint32_t index = 0;          // of the fleet, of the pool of hosts, or the zone
  std::uint32_t unit = any;         // host: its place in the pool; rack: its place among the pool's
  std::uint32_t count = 1;          // fleet: so many instances
  bool random = false;              // again and again, and whom it hits is drawn
  std::int64_t at_ns = 0;           // else: when
  Distribution every;               // random: from one to the next, ns
  bool ends = false;                // it comes back; else the fault lasts to the end of the run
  Distribution lasts;               // ns
  std::uint32_t node = any;         // lose_health_checks: those of one node of a balancer alone
  std::uint32_t code = 0;           // the same: checks are answered, with that; 0: by nobody
  double factor = 1.0;              // slow: so many times as long
  std::int64_t notice_ns = 0;       // maintain: from the notice until it begins
  MoveBy by = MoveBy::drain;        // maintain
  MoveBy otherwise = MoveBy::stay;  // migrate: what becomes of those that find no room
  Distribution pause;               // migrate: ns in which an instance runs nowhere
};

}  // namespace nephoscope
