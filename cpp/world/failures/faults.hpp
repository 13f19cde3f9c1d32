// Faults as the world keeps them: what has been struck, and until when.
//
// A fault strikes at its instants. What it strikes are hosts, which take everything on them with
// them, or instances by themselves; each counts the strikes that hold it down, so faults may
// overlap. An instance that boots again is another one and forgets what struck it, its host does
// not.

#pragma once

#include <cstdint>
#include <vector>

#include "kernel/distributions.hpp"
#include "kernel/random.hpp"
#include "world/spec/fault_spec.hpp"

namespace nephoscope {

struct FaultCounts {
  std::uint64_t strikes = 0;
  std::uint64_t instances = 0;  // that were struck
  std::uint64_t missed = 0;     // strikes that found nothing
  std::uint64_t moved = 0;      // instances, at the notice of maintenance
  std::uint64_t migrated = 0;   // of these, live
  std::uint64_t unplaced = 0;   // that should have been, and there was no room
};

struct Fault {
  FaultSpec spec;
  Sampler every;
  Sampler lasts;
  Sampler pause;
  WordStream which;
  FaultCounts counts;
  std::uint32_t noticed = 0;  // maintain: the strike that has been announced, from 1, or none
};

// Something that a strike holds down: an instance, or a host of a pool.
struct Struck {
  std::uint32_t strike = 0;
  std::uint32_t fault = 0;
  std::uint32_t pool = 0;  // `instance`: it is one
  std::uint32_t index = 0;

  static constexpr std::uint32_t instance = 0xFFFFFFFF;
};

// A kind of instances while they are slow.
struct SlowKind {
  std::uint32_t of = 0;  // when they are not
  std::uint32_t kind = 0;
  double factor = 1.0;
};

// A visit that stands still at an instance that hangs, with the work that it has to come if it
// computes.
struct Parked {
  std::int64_t work = 0;  // below 0: it does not
  std::uint32_t visit = 0;
  std::uint32_t instance = 0;
};

// Of a visit that tries to connect to an instance that says nothing, with the work it has to come.
struct Connecting {
  std::int64_t began = 0;
  std::int64_t work = 0;
  std::int64_t wait = 0;  // before its next attempt; 0: the visit does not connect
};

struct Faults {
  std::vector<Fault> all;
  std::uint32_t strikes = 0;              // so far
  std::vector<Struck> struck;             // by strikes that end or slow, in their order
  std::vector<std::uint16_t> down;        // by instance: the strikes that hold it down
  std::vector<std::uint16_t> unanswered;  // by instance: that lose its health checks
  std::vector<std::vector<std::uint16_t>> unanswered_at;  // the same, those of one node, by node
  std::vector<std::vector<std::uint16_t>> down_hosts;     // by pool and host
  std::vector<std::vector<std::uint16_t>> noticed_hosts;  // the same: that will be maintained
  std::vector<Struck> announced;                          // by those strikes

  std::vector<SlowKind> slow_kinds;
  std::vector<std::uint16_t> hung;  // by instance: the strikes by which it hangs
  std::vector<Parked> parked;
  bool hangs = false;  // some fault makes instances hang: every request has to be a visit

  std::vector<Connecting> connecting;  // by visit
  bool connects = false;  // some balancer has a time to connect: its requests have to be visits

  bool is_connecting(std::uint32_t visit) const {
    return visit < connecting.size() && connecting[visit].wait != 0;
  }

  bool is_hung(std::uint32_t instance) const {
    return instance < hung.size() && hung[instance] != 0;
  }

  bool slow = false;  // some fault slows: nobody can tell when work will be done

  // Those of a node of a balancer.
  bool loses_checks(std::uint32_t of, std::uint32_t node) const {
    if (of < unanswered.size() && unanswered[of] != 0) return true;
    if (node >= unanswered_at.size()) return false;
    const std::vector<std::uint16_t>& lost = unanswered_at[node];
    return of < lost.size() && lost[of] != 0;
  }
};

}  // namespace nephoscope
