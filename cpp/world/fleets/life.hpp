// The life of instances as the world keeps it, beside the part that has its rules
// (compute/lifecycle).
//
// What the provider calls an instance, a machine here, may be started several times and rebooted.
// Each time its guest boots it is an instance of the engine: a number that serves, leaves and is
// gone, once. So whatever is counted by instance is counted of one boot, and a machine is all its
// instances together.
//
// A machine counts for the size that is desired of its fleet while it is `active` (it boots or
// serves) or `aside` (it has had a notice, reboots, stops or is stopped); one that is `away` is
// leaving or gone, and another is launched in its place. One that is `warm` belongs to a warm pool.
// One on `standby` or `detached` runs on and counts for no size.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "compute/lifecycle/provisioning.hpp"
#include "world/spec/life_spec.hpp"

namespace nephoscope {

// Who has found no room asks again after it.
inline constexpr std::int64_t launch_retry_ns = 60'000'000'000;
// Lest a spot instance that is taken as soon as it runs stop the clock.
inline constexpr std::int64_t shortest_run_ns = 1'000'000;

// Of an instance. `closing`: it gets no requests, and how long it has for those it holds is not its
// own to decide; `leaving`: it is gone, or kept, when it has finished them. `down`: it has failed,
// and whoever sends to it does not know. `preparing`, `prepared`: it boots for a warm pool, and
// waits there. `ending`: it has finished what it held, and its end waits for a hook.
enum class Phase : std::uint8_t {
  booting,
  serving,
  down,
  leaving,
  closing,
  rebooting,
  gone,
  preparing,
  prepared,
  ending
};

// Whether it gets no more requests and may finish those it holds.
inline bool drains(Phase phase) {
  return phase == Phase::leaving || phase == Phase::closing || phase == Phase::ending;
}

enum class Standing : std::uint8_t { active, aside, away, warm, standby, detached };

struct Machine {
  std::uint32_t instance = 0;  // the present one, or the last; all of them are of one fleet
  Standing standing = Standing::active;
  std::uint8_t noticed = 0;  // the provider has said that it will take it back
  std::uint8_t wanted = 0;   // it is stopped, and a start was refused
  std::uint8_t moves = 0;    // it stops to start elsewhere
  std::int64_t launched_ns = 0;
};

// What became of the machines of a fleet, in the whole run.
struct LifeCounts {
  std::array<std::uint64_t, action_kinds> actions{};  // requests that were accepted
  std::uint64_t unmet = 0;                            // asked for, and there was no instance
  std::uint64_t interruptions = 0;                    // spot
  std::uint64_t recommendations = 0;                  // upon which others were launched
  std::uint64_t refused_starts = 0;
  std::uint64_t vcpu_refusals = 0;   // launches, VcpuLimitExceeded
  std::uint64_t throttled = 0;       // requests, RequestLimitExceeded
  std::uint64_t price_refusals = 0;  // launches, while the price of spot was too high
};

// Why a launch was refused beyond what placement knows (Refusal); the numbers go on from there.
inline constexpr std::uint32_t refused_by_quota = 7;
inline constexpr std::uint32_t refused_by_api = 8;
inline constexpr std::uint32_t refused_by_price = 9;

// How many instances of a fleet that buys on spot are bought on demand: a base, and a share of what
// is above it, rounded up. (Amazon EC2 Auto Scaling, "Auto Scaling groups with multiple instance
// types and purchase options".)
struct OnDemand {
  std::uint32_t base = 0;
  std::uint32_t percent = 0;

  bool any() const { return base != 0 || percent != 0; }
  std::uint32_t of(std::uint32_t size) const {
    const std::uint32_t least = std::min(base, size);
    return least + static_cast<std::uint32_t>((std::uint64_t{size - least} * percent + 99) / 100);
  }
};

struct Quota {
  std::uint32_t vcpus = 0;
  std::uint32_t used = 0;
};

}  // namespace nephoscope
