// Live migration: an instance goes on on another host of its pool, in its zone, as it is: with the
// requests that it holds and what is left of their work, with its targets, and with what its
// devices have under way. For a moment, the pause, it runs nowhere; what it wanted to run then is
// stolen. Its memory is copied before that, which costs nothing here.
//
// What accelerators do cannot be copied: instances that have some stay. So does who is on a host
// that is down, and who would find no room by the rules of a launch.

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

// Whether some fault moves instances off hosts of a pool in this way.
bool World::is_migrated(const WorldSpec& spec, std::uint32_t pool) const {
  const std::vector<std::uint32_t>& zones = spec.hosts[pool].facts.zones;
  return std::any_of(spec.faults.begin(), spec.faults.end(), [&](const FaultSpec& fault) {
    if (fault.kind != FaultKind::maintain || fault.by != MoveBy::migrate) return false;
    if (fault.scope != FaultScope::zone) return fault.index == pool;
    return std::find(zones.begin(), zones.end(), fault.index) != zones.end();
  });
}

// To that host of its pool, or wherever there is room. False where it has to stay.
bool World::migrate(std::uint32_t instance, std::uint32_t host, std::int64_t pause_ns) {
  const Make& make = make_of(instance);
  const std::uint32_t pool = hosts_.pool_of(instance);
  if (phase_[instance] == Phase::gone || pool >= host_names_.size()) return false;
  const std::uint32_t from = hosts_.host_of(instance);
  if (faults_.down_hosts[pool][from] != 0 || make.request.accelerators != 0) return false;
  LaunchRequest request = make.request;
  request.target = host;
  const TenantAccount before = used(instance, hosts_);
  if (hosts_.migrate(instance, request, make.guest, pause_ns, now_) != Refusal::none) return false;
  if (warm_) migrations_.push_back({before, pool, from, instance, 0});
  ++migrated_[pool];
  if (with_devices_ && host_network_[pool] != 0) {
    devices_.advance(now_);
    devices_.move_link(instance, Device::network, shared_link(instance, Device::network));
    if (receiving_)
      devices_.move_link(instance, Device::network_in, shared_link(instance, Device::network_in));
    follow_devices();
  }
  follow_hosts();
  if (faults_.slow) follow_slowness(instance);
  return true;
}

std::uint32_t World::migrate_now(std::uint32_t instance, std::uint32_t host,
                                 std::int64_t pause_ns) {
  require(instance < instances_.size(), "instance", "is not there");
  const std::uint32_t pool = hosts_.pool_of(instance);
  require(pool < host_names_.size(), "instance", "is not on hosts");
  require(host == nowhere || host < hosts_.facts(pool).count, "host", "is not there");
  require(pause_ns >= 0 && pause_ns <= duration_max, "pause", "must be from 0 to 73 years");
  require(pause_ns == 0 || hosts_.is_hosted(instance), "pause",
          "must be 0 where no maintenance migrates instances and they do not share their host");
  tells_migrations_ = true;
  return migrate(instance, host, pause_ns) ? 1 : 0;
}

// What migrated instances used on the hosts that they have left, since the warm-up: `used` has it
// all on the present ones.
void WorldView::split_between_hosts(std::vector<HostPoolAccount>& pools) const {
  std::vector<TenantAccount> counted(migrations_.empty() ? 0 : instances_.size());
  for (std::size_t at = 0; at < counted.size(); ++at) {
    if (hosts_.is_hosted(static_cast<std::uint32_t>(at))) {
      if (at < account_at_warmup_.size()) counted[at] = account_at_warmup_[at];
    } else {
      counted[at].run_ns = run_at_warmup(static_cast<std::uint32_t>(at));
    }
  }
  for (const Migration& it : migrations_) {
    TenantAccount there = it.before;
    there -= counted[it.instance];
    counted[it.instance] = it.before;
    pools[it.pool].used[it.host] += there;
    pools[it.pool].used[hosts_.host_of(it.instance)] -= there;
  }
}

// As many instances have their room on a host as there are; who is paused has somewhere to go on.
void WorldView::check_migrations() const {
  if (host_names_.empty()) return;
  std::vector<std::vector<std::uint32_t>> found;
  for (std::uint32_t pool = 0; pool < host_names_.size(); ++pool) {
    found.emplace_back(hosts_.facts(pool).count);
  }
  bool agree = true;
  for (std::uint32_t instance = 0; instance < instances_.size(); ++instance) {
    const bool gone = phase_[instance] == Phase::gone;
    agree = agree && !(gone && hosts_.is_paused(instance));
    const std::uint32_t pool = hosts_.pool_of(instance);
    if (!gone && pool < found.size()) ++found[pool][hosts_.host_of(instance)];
  }
  for (std::uint32_t pool = 0; pool < found.size(); ++pool) {
    for (std::uint32_t host = 0; host < found[pool].size(); ++host) {
      agree = agree && found[pool][host] == hosts_.instances_on(pool, host);
    }
  }
  if (!agree) throw InvariantError("instances are not where they have room" + where());
}

}  // namespace nephoscope
