// Which instances a fleet keeps, as the world has it beside their number (membership.cpp): who is
// protected, since when they serve, which zones they are levelled over.
//
// Whoever has rules that time alone can set off looks at its fleet once a second.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernel/distributions.hpp"
#include "kernel/random.hpp"
#include "world/spec/membership_spec.hpp"

namespace nephoscope {

// What was done for its rules, in the whole run.
struct MembershipCounts {
  std::uint64_t unhealthy = 0;    // replaced: held so by a balancer, or impaired for too long
  std::uint64_t stopped = 0;      // replaced, because they did not run
  std::uint64_t expired = 0;      // replaced, because their time was over
  std::uint64_t rebalanced = 0;   // launched in a zone that had too few
  std::uint64_t warm_starts = 0;  // that came from the warm pool
  std::uint64_t returned = 0;     // that went there
  std::uint64_t overdue = 0;      // lifecycle hooks that ended with their timeout
};

struct Hook {
  HookSpec spec;
  Sampler duration;  // by place and start
};

struct Membership {
  static constexpr std::int64_t not_yet = -1;
  static constexpr std::int64_t look_every_ns = 1'000'000'000;

  // Immutable after construction.
  MembershipSpec spec;
  StreamKey draws;                   // who goes, of those whom the policy holds equal
  std::vector<std::uint32_t> zones;  // that launches are levelled over; empty: they are not

  Hook launch;
  Hook terminate;

  std::uint32_t scale_ins = 0;         // so far; each has draws of its own
  std::uint32_t replacing = 0;         // instances beyond those desired, until others go
  std::uint32_t moving = 0;            // the same, in zones that had too few
  std::uint32_t guarded = 0;           // instances that are protected
  std::uint32_t steered = 0;           // somebody says which
  std::int64_t rests_until = 0;        // a zone had no room: no other move before
  std::vector<std::int64_t> since;     // by index in the fleet, when it entered service
  std::vector<std::int64_t> fell;      // by index, when it went down last
  std::vector<std::uint8_t> guards;    // by index
  std::vector<std::uint32_t> pool;     // machines, in the order of coming there
  std::vector<std::uint32_t> standby;  // machines, in the order of leaving service
  std::vector<std::uint32_t> at_risk;  // machines that others are launched for, before they go
  std::int64_t pool_rests_until = 0;   // there was no room for one more: no other try before
  MembershipCounts counts;

  std::uint32_t surplus() const {
    return replacing + moving + static_cast<std::uint32_t>(at_risk.size());
  }
  bool timed() const {
    return spec.asks_balancers || spec.impaired_ns != 0 || spec.lifetime_ns != 0;
  }
  bool looks() const { return timed() || !zones.empty() || spec.pool.active; }
  // Whether there is something to tell.
  bool present() const { return looks() || hooked() || spec.protect != 0 || steered != 0; }
  // One has gone down: its status checks fail from now on.
  void note_fall(std::uint32_t index, std::int64_t now) {
    if (spec.impaired_ns == 0) return;
    if (index >= fell.size()) fell.resize(index + std::size_t{1});
    fell[index] = now;
  }
  bool is_guarded(std::uint32_t index) const { return index < guards.size() && guards[index] != 0; }
  void guard(std::uint32_t index) {
    if (index >= guards.size()) guards.resize(index + std::size_t{1});
    guarded += guards[index] == 0 ? 1U : 0U;
    guards[index] = 1;
  }
  // One that was protected, perhaps, has left service.
  void unguard(std::uint32_t index) {
    if (!is_guarded(index)) return;
    guards[index] = 0;
    --guarded;
  }
  bool hooked() const { return launch.spec.active || terminate.spec.active; }

  // How many may be there beyond the size, while zones are levelled.
  static std::uint32_t margin(std::uint32_t size) { return std::max(size / 10, 1U); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(scale_ins, replacing, moving, guarded, steered, rests_until, since, fell, guards, pool,
            standby, at_risk, pool_rests_until, counts);
  }
};

struct FleetSpec;
// Throws SpecError, at that path, when a fleet may not have such a warm pool.
void check_warm_pool(const FleetSpec& from, const char* path);

// Instances of a fleet in a zone.
struct ZoneCount {
  std::uint32_t zone = 0;
  std::uint32_t instances = 0;
};

}  // namespace nephoscope
