// Lifecycle hooks: what is done to an instance between booting and service, and between the last
// request and its end. It is billed meanwhile. (Amazon EC2 Auto Scaling, "Lifecycle hooks".)

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t hook_timeout_min_ns = 1'000'000'000;
// With heartbeats: two days, or a hundred timeouts if that is less. (Amazon EC2 Auto Scaling,
// "Lifecycle hooks".)
constexpr std::int64_t prolonged_max_ns = 172'800'000'000'000;
constexpr std::int64_t timeouts_max = 100;

std::int64_t longest_ns(const HookSpec& spec) {
  if (spec.heartbeat_ns == 0) return spec.timeout_ns;
  return timeouts_max * std::min(spec.timeout_ns, prolonged_max_ns / timeouts_max);
}

}  // namespace

void World::build_hooks(const FleetSpec& from, Fleet& fleet, const std::string& path) {
  const auto made = [&](const HookSpec& spec, const char* name) {
    Hook hook;
    if (!spec.active) return hook;
    require(spec.timeout_ns >= hook_timeout_min_ns && spec.timeout_ns <= duration_max, path,
            "timeout must be from 1 s to 73 years");
    require(spec.heartbeat_ns >= 0 && spec.heartbeat_ns < spec.timeout_ns, path,
            "heartbeats must be less than a timeout apart");
    hook.spec = spec;
    const std::string stream = "fleets/" + from.name + "/hooks/" + name;
    try {
      hook.duration = Sampler(spec.duration, stream_key(seed_, replication_, stream));
    } catch (const SpecError& error) {
      throw SpecError(path + "." + name, error.what());
    }
    hooked_ = true;
    return hook;
  };
  fleet.membership.launch = made(from.membership.launch, "launch");
  fleet.membership.terminate = made(from.membership.terminate, "terminate");
}

// How long a hook lasts, and whether that is as long as it may: its timeout or, where whoever is at
// it sends heartbeats all the while, what these may prolong it to.
std::int64_t WorldView::hook_ns(const Hook& hook, std::uint32_t instance, bool& late) const {
  const std::uint32_t start = lives_.starts(machine_of(instance));
  const std::int64_t drawn = duration_ns(hook.duration.at(index_in_fleet_[instance], start));
  const std::int64_t longest = longest_ns(hook.spec);
  late = drawn > longest;
  return std::min(drawn, longest);
}

// An instance has booted. Those that serve when the clock starts have been through it.
void World::begin_service(std::uint32_t instance) {
  const Hook& hook = fleets_[fleet_of_[instance]].membership.launch;
  const bool waits = hook.spec.active && phase_[instance] == Phase::booting;
  const std::uint32_t at = fleet_of_[instance];
  const bool at_first = now_ == 0 && index_in_fleet_[instance] < fleets_[at].initial;
  if (!waits || at_first) return enter_service(instance);
  bool late = false;
  const std::int64_t over = now_ + hook_ns(hook, instance, late);
  if (over < duration_) controls_.push(over, payload(ControlKind::drain, 2 * instance + 1));
}

// The hook before service is over. Without an answer in time another takes its place, or it serves
// all the same.
void World::end_launch_hook(std::uint32_t instance) {
  if (phase_[instance] != Phase::booting) return;
  const std::uint32_t at = fleet_of_[instance];
  Membership& it = fleets_[at].membership;
  bool late = false;
  hook_ns(it.launch, instance, late);
  it.counts.overdue += late ? 1 : 0;
  if (!late || it.launch.spec.continues) return enter_service(instance);
  drop(instance);
  scale(at);
}

// An instance has finished what it held. True where its end waits for a hook; the end is the same
// whatever comes of that.
bool World::lingers(std::uint32_t instance) {
  Membership& it = fleets_[fleet_of_[instance]].membership;
  if (phase_[instance] == Phase::ending) return true;
  if (!it.terminate.spec.active) return false;
  bool late = false;
  const std::int64_t over = now_ + hook_ns(it.terminate, instance, late);
  it.counts.overdue += late ? 1 : 0;
  phase_[instance] = Phase::ending;
  if (over < duration_) calendar_.push(over, payload(EventKind::part, 2 + instance));
  return true;
}

void World::end_terminate_hook(std::uint32_t instance) {
  if (phase_[instance] == Phase::ending) end_at_once(instance);
}

}  // namespace nephoscope
