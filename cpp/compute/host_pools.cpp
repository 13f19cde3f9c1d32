#include "compute/host_pools.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::uint32_t most_hosts = 1'048'576;
constexpr std::uint32_t most_racks = std::uint32_t{1} << 31;  // before the last pool's 2^26

}  // namespace

std::uint32_t HostPools::add_pool(const HostPoolFacts& facts) {
  check(facts.host);
  require(facts.scheduler.kind != SchedulerKind::pinned || facts.cpu_overcommit <= 1.0,
          "cpu_overcommit", "must be 1 at most where every vCPU has a thread of its own");
  Pool& pool = pools_.emplace_back(Pool{facts, Hypervisor(facts.scheduler), {}, 0, 0, {}, {}});
  require(facts.sockets >= 1, "sockets", "must be 1 or more");
  pool.interference.set_sockets(facts.sockets);
  if (!facts.on_demand) {
    require(facts.count >= 1 && facts.count <= most_hosts, "count", "must be from 1 to 1,048,576");
    require(!facts.zones.empty(), "zones", "must name a zone");
    require(facts.zones.size() <= zones_max, "zones", "must be 64 at most");
    for (const std::uint32_t zone : facts.zones)
      require(zone < zones_max, "zones", "must be numbered from 0 to 63");
    require(facts.racks >= 1 && facts.racks <= most_hosts, "racks", "must be from 1 to 1,048,576");
    require(racks_ <= most_racks, "racks", "are too many in all pools together");
    add_hosts(pool);
  }
  return static_cast<std::uint32_t>(pools_.size() - 1);
}

void HostPools::add_hosts(Pool& pool) {
  const HostPoolFacts& facts = pool.facts;
  const std::uint32_t at =
      placement_.add_pool(PoolFacts{facts.place, facts.cpu_overcommit, facts.draws});
  pool.first_host = placement_.hosts();
  const auto zones = static_cast<std::uint32_t>(facts.zones.size());
  for (std::uint32_t host = 0; host < facts.count; ++host) {
    const std::uint32_t zone = host % zones;
    HostRoom room;
    room.threads = facts.host.threads();
    room.memory_bytes = facts.memory;
    room.accelerators = facts.accelerators;
    room.disks = facts.disks;
    room.zone = facts.zones[zone];
    room.rack = racks_ + zone * facts.racks + host / zones % facts.racks;
    const std::uint32_t added = placement_.add_host(at, room);
    if (facts.account != nowhere) placement_.allocate_host(added, facts.account, true);
    pool.hypervisor.add_host(facts.host);
  }
  pool.hosts = facts.count;
  racks_ += zones * facts.racks;
}

// Tried on a host that is large enough.
void HostPools::check_tenant(std::uint32_t at, const TenantFacts& facts) const {
  Hypervisor trial(pools_[at].facts.scheduler);
  trial.add_host({facts.vcpus, 1, 1.0, 1.0});
  trial.add_tenant(0, facts);
}

std::uint32_t HostPools::vcpus_taken(std::uint32_t at, std::uint32_t vcpus, bool cores) const {
  const HostPoolFacts& pool = pools_[at].facts;
  const std::uint32_t per_core = pool.host.threads_per_core;
  if (cores) return vcpus * per_core;
  if (pool.scheduler.kind != SchedulerKind::pinned) return vcpus;
  return (vcpus + per_core - 1) / per_core * per_core;
}

bool HostPools::shares(std::uint32_t at, const GuestFacts& facts) const {
  const HostPoolFacts& pool = pools_[at].facts;
  const bool slows = pool.host.threads_per_core > 1 && pool.host.smt_gain < 1.0;
  const bool apart = pool.scheduler.core_scheduling;  // a thread may be kept idle
  const bool alone = facts.tenant.quota_ns != 0 || facts.burst.burstable;
  return pool.cpu_overcommit > 1.0 || slows || apart || alone || pool.migrates ||
         facts.interference.matters();
}

Refusal HostPools::place(std::uint32_t instance, const LaunchRequest& request,
                         const GuestFacts& facts, std::int64_t now, std::uint32_t stopped) {
  Pool& pool = pools_[request.pool];
  Place place;
  place.pool = request.pool;
  if (pool.facts.on_demand) {
    place.host = host_on_demand(pool);
  } else {
    LaunchRequest elsewhere = request;
    if (stopped != none) elsewhere.avoid = pool.first_host + places_[stopped].host;
    const Launch launch = placement_.place(elsewhere);
    if (!launch) return launch.refusal;
    place.placement = launch.placement;
    place.host = launch.host - pool.first_host;
  }
  if (shares(request.pool, facts)) {
    if (!pool.hypervisor.has_room(place.host, facts.tenant)) {
      placement_.release(place.placement);
      return Refusal::capacity;
    }
    pool.hypervisor.advance(now);
    host(pool, place, instance, facts);
  }
  if (places_.size() <= instance) places_.resize(instance + 1U);
  places_[instance] = place;
  if (facts.burst.burstable) open_bucket(instance, facts.burst, now, stopped);
  return Refusal::none;
}

// It becomes a tenant of the hypervisor.
void HostPools::host(Pool& pool, Place& place, std::uint32_t instance, const GuestFacts& facts) {
  place.tenant = pool.hypervisor.add_tenant(place.host, facts.tenant);
  if (facts.interference.matters()) {
    pool.interference.join(place.tenant, place.host, facts.interference);
  }
  pool.instance_of.push_back(instance);
}

// --- live migration ---------------------------------------------------------------------------

Refusal HostPools::migrate(std::uint32_t instance, const LaunchRequest& request,
                           const GuestFacts& facts, std::int64_t pause_ns, std::int64_t now) {
  Place& place = places_[instance];
  Pool& pool = pools_[place.pool];
  LaunchRequest move = request;
  if (move.target != nowhere) move.target += pool.first_host;
  const Launch launch = placement_.move(place.placement, move, [&](std::uint32_t host) {
    return place.tenant == none || pool.hypervisor.has_room(host - pool.first_host, facts.tenant);
  });
  if (!launch) return launch.refusal;
  place.host = launch.host - pool.first_host;
  if (place.tenant == none) return Refusal::none;
  pool.hypervisor.advance(now);
  const std::uint32_t want = place.want;
  if (place.paused_until != Place::runs) {
    count_pause(place, now);
  } else {
    set_want(instance, 0, now);
    place.pause_counted_to = now;
  }
  place.want = want;
  pool.hypervisor.move_tenant(place.tenant, place.host);
  if (pool.interference.has(place.tenant)) {
    pool.interference.leave(place.tenant, now);
    pool.interference.join(place.tenant, place.host, facts.interference);
  }
  place.paused_until = std::max(place.paused_until, now + pause_ns);
  place.paused_until == now ? resume(instance, now)
                            : static_cast<void>(resumptions_.push(place.paused_until, instance));
  return Refusal::none;
}

void HostPools::count_pause(Place& place, std::int64_t now) {
  place.paused_ns += (now - place.pause_counted_to) * place.want;
  place.pause_counted_to = now;
}

// Unless it is gone, or another migration has begun meanwhile.
void HostPools::resume(std::uint32_t instance, std::int64_t now) {
  Place& place = places_[instance];
  if (place.paused_until == Place::runs || place.paused_until > now) return;
  count_pause(place, now);
  place.paused_until = Place::runs;
  const std::uint32_t want = place.want;
  place.want = 0;
  set_want(instance, want, now);
}

// --- CPU credits ------------------------------------------------------------------------------

void HostPools::open_bucket(std::uint32_t instance, const BurstFacts& burst, std::int64_t now,
                            std::uint32_t stopped) {
  Place& place = places_[instance];
  if (stopped == none) {
    place.bucket = static_cast<std::uint32_t>(buckets_.size());
    Bucket& opened = buckets_.emplace_back();
    opened.credits = CpuCredits(burst.credits, burst.mode, now);
    opened.instance = instance;
  } else {
    take_over_bucket(stopped, instance);
  }
  Bucket& bucket = buckets_[place.bucket];
  bucket.credits.advance(now);
  const bool asks = burst.mode == CreditMode::standard && burst.credits.launch_credits != 0;
  bucket.credits.start(asks && launch_credits_.grant(now));
  tell_limit(place);
}

void HostPools::take_over_bucket(std::uint32_t before, std::uint32_t instance) {
  const std::uint32_t bucket = places_[before].bucket;
  places_[before].bucket = none;
  places_[instance].bucket = bucket;
  buckets_[bucket].instance = instance;
}

// What has been earned since lifts the limit, an empty balance brings it back.
void HostPools::renew_limit(const Place& place, std::int64_t now) {
  buckets_[place.bucket].credits.advance(now);
  tell_limit(place);
}

void HostPools::tell_limit(const Place& place) {
  Bucket& bucket = buckets_[place.bucket];
  bucket.limit = bucket.credits.limit();
  pools_[place.pool].hypervisor.set_limit(place.tenant, bucket.limit);
}

// A tenant runs more or less than before. One that others press below its baseline earns again, so
// that its limit rises though it wants no less; that of others is renewed when they want more.
void HostPools::spend(std::uint32_t instance) {
  const Place& place = places_[instance];
  Hypervisor& hypervisor = pools_[place.pool].hypervisor;
  Bucket& bucket = buckets_[place.bucket];
  if (!bucket.credits.running()) return;
  const double share = hypervisor.share(place.tenant);
  bucket.credits.advance(hypervisor.now());
  bucket.credits.set_usage(share);
  const CpuCredits& credits = bucket.credits;
  std::int64_t next = EventQueue::never;
  if (credits.spends() || (credits.saves() && share < place.want)) {
    const bool told = bucket.limit == credits.limit();
    next = told ? credits.limit_changes_at() : hypervisor.now();
  }
  renew_limit_at(bucket, next);
}

void HostPools::renew_limit_at(Bucket& bucket, std::int64_t time) {
  if (bucket.event != EventQueue::none) limit_changes_.cancel(bucket.event);
  bucket.event = EventQueue::none;
  if (time == EventQueue::never) return;
  bucket.event = limit_changes_.push(time, places_[bucket.instance].bucket);
}

CpuCredits HostPools::credits(std::uint32_t instance, std::int64_t now) const {
  CpuCredits credits = buckets_[places_[instance].bucket].credits;
  credits.advance(std::max(now, credits.now()));
  return credits;
}

// --- time -------------------------------------------------------------------------------------

std::uint32_t HostPools::host_on_demand(Pool& pool) {
  if (pool.free_hosts.empty()) {
    pool.hypervisor.add_host(pool.facts.host);
    return pool.hosts++;
  }
  const std::uint32_t host = pool.free_hosts.back();
  pool.free_hosts.pop_back();
  return host;
}

void HostPools::succeed(std::uint32_t before, std::uint32_t instance, const GuestFacts& facts,
                        std::int64_t now) {
  Place place = places_[before];
  Pool& pool = pools_[place.pool];
  if (is_paused(before)) count_pause(places_[before], now);
  places_[before].paused_until = place.paused_until = Place::runs;
  place.paused_ns = 0;
  place.bucket = none;
  place.want = places_[before].want = 0;
  if (place.tenant != none) {
    pool.hypervisor.advance(now);
    pool.hypervisor.remove_tenant(place.tenant);
    if (pool.interference.has(place.tenant)) pool.interference.leave(place.tenant, now);
    host(pool, place, instance, facts);
  }
  if (places_.size() <= instance) places_.resize(instance + 1U);
  places_[instance] = place;
  if (places_[before].bucket == none) return;
  take_over_bucket(before, instance);
  Bucket& bucket = buckets_[places_[instance].bucket];
  bucket.credits.advance(now);
  bucket.credits.set_usage(0.0);
  tell_limit(places_[instance]);
  renew_limit_at(bucket, EventQueue::never);
}

void HostPools::forget(std::uint32_t stopped, std::int64_t now) {
  if (!is_burstable(stopped)) return;
  CpuCredits& credits = buckets_[places_[stopped].bucket].credits;
  if (credits.terminated()) return;
  credits.advance(now);
  credits.terminate();
}

void HostPools::leave(std::uint32_t instance, std::int64_t now, bool stops) {
  Place& place = places_[instance];
  Pool& pool = pools_[place.pool];
  if (pool.facts.on_demand) {
    pool.free_hosts.push_back(place.host);
  } else {
    placement_.release(place.placement);
  }
  if (place.tenant == none) return;
  pool.hypervisor.advance(now);
  pool.hypervisor.remove_tenant(place.tenant);
  if (pool.interference.has(place.tenant)) pool.interference.leave(place.tenant, now);
  if (place.paused_until != Place::runs) count_pause(place, now);
  place.paused_until = Place::runs;
  place.want = 0;  // so that who hears later that it wants nothing need not tell the hypervisor
  if (place.bucket == none) return;
  Bucket& bucket = buckets_[place.bucket];
  bucket.credits.advance(now);
  stops ? bucket.credits.stop() : bucket.credits.terminate();
  renew_limit_at(bucket, EventQueue::never);
}

void HostPools::set_want(std::uint32_t instance, std::uint32_t want, std::int64_t now) {
  Place& place = places_[instance];
  if (want == place.want) return;
  Hypervisor& hypervisor = pools_[place.pool].hypervisor;
  hypervisor.advance(now);
  if (place.paused_until != Place::runs) {
    count_pause(place, now);
    place.want = want;
    return;
  }
  place.want = want;
  if (place.bucket != none) renew_limit(place, now);
  hypervisor.set_want(place.tenant, want);
}

void HostPools::advance(std::int64_t now) {
  for (Pool& pool : pools_) pool.hypervisor.advance(now);
  while (limit_changes_.next_time() <= now) {
    Bucket& bucket = buckets_[limit_changes_.pop().payload];
    bucket.event = EventQueue::none;
    renew_limit(places_[bucket.instance], now);
    renew_limit_at(bucket, bucket.credits.limit_changes_at());
  }
  while (resumptions_.next_time() <= now) resume(resumptions_.pop().payload, now);
}

std::int64_t HostPools::next_event() {
  std::int64_t next = std::min(limit_changes_.next_time(), resumptions_.next_time());
  for (Pool& pool : pools_) next = std::min(next, pool.hypervisor.next_event());
  return next;
}

TenantAccount HostPools::last_account(std::uint32_t instance, std::int64_t& told) const {
  const Place& place = places_[instance];
  const Hypervisor& hypervisor = pools_[place.pool].hypervisor;
  told = hypervisor.now();
  return account_of(place, told);
}

TenantAccount HostPools::account(std::uint32_t instance, std::int64_t now) {
  const Place& place = places_[instance];
  pools_[place.pool].hypervisor.advance(now);
  return account_of(place, now);
}

TenantAccount HostPools::account_of(const Place& place, std::int64_t time) const {
  const Pool& pool = pools_[place.pool];
  TenantAccount account = pool.hypervisor.account(place.tenant, time);
  account.paused_ns = place.paused_ns;
  if (place.paused_until != Place::runs) {
    account.paused_ns += (time - place.pause_counted_to) * place.want;
  }
  account.idle_ns -= account.paused_ns;  // to the scheduler it wanted nothing
  if (pool.interference.knows(place.tenant)) {
    const Interference::Lost lost = pool.interference.lost(place.tenant, time);
    account.slowed_ns = lost.run_ns;
    account.work_ns -= lost.work_ns;
  }
  return account;
}

}  // namespace nephoscope
