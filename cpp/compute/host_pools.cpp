#include "compute/host_pools.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

void require(bool condition, const char* field, const char* message) {
  if (!condition) throw SpecError(field, message);
}

}  // namespace

std::uint32_t HostPools::add_pool(const PoolFacts& facts) {
  check(facts.host);
  require(facts.on_demand || (facts.count >= 1 && facts.count <= 1'048'576), "count",
          "must be from 1 to 1,048,576");
  require(facts.memory > 0, "memory", "must be above 0");
  require(facts.cpu_overcommit >= 0.01 && facts.cpu_overcommit <= 1000.0, "cpu_overcommit",
          "must be from 0.01 to 1000");
  Pool& pool = pools_.emplace_back(Pool{facts, Hypervisor(facts.scheduler), {}, {}, {}});
  const auto vcpus = static_cast<std::uint32_t>(facts.host.threads() * facts.cpu_overcommit);
  if (!facts.on_demand) {
    pool.rooms.assign(facts.count, Room{facts.memory, vcpus, 0});
    for (std::uint32_t host = 0; host < facts.count; ++host) pool.hypervisor.add_host(facts.host);
  }
  return static_cast<std::uint32_t>(pools_.size() - 1);
}

bool HostPools::shares(std::uint32_t at, const TenantFacts& facts) const {
  const PoolFacts& pool = pools_[at].facts;
  const bool slows = pool.host.threads_per_core > 1 && pool.host.smt_gain < 1.0;
  return pool.cpu_overcommit > 1.0 || slows || facts.quota_ns != 0;
}

bool HostPools::place(std::uint32_t instance, std::uint32_t at, const TenantFacts& facts,
                      std::int64_t memory, std::int64_t now) {
  Pool& pool = pools_[at];
  const std::uint32_t host = room_for(pool, facts, memory);
  if (host == none) return false;
  Room& room = pool.rooms[host];
  room.vcpus -= facts.vcpus;
  room.memory -= memory;
  ++room.instances;
  if (places_.size() <= instance) places_.resize(instance + 1U);
  Place& place = places_[instance];
  place.pool = at;
  place.host = host;
  place.vcpus = facts.vcpus;
  place.memory = memory;
  if (!shares(at, facts)) return true;
  pool.hypervisor.advance(now);
  place.tenant = pool.hypervisor.add_tenant(place.host, facts);
  pool.instance_of.push_back(instance);
  return true;
}

std::uint32_t HostPools::room_for(Pool& pool, const TenantFacts& facts, std::int64_t memory) {
  if (pool.facts.on_demand) {
    if (pool.free_hosts.empty()) {
      pool.hypervisor.add_host(pool.facts.host);
      pool.rooms.push_back({memory, facts.vcpus, 0});
      return static_cast<std::uint32_t>(pool.rooms.size() - 1);
    }
    const std::uint32_t host = pool.free_hosts.back();
    pool.free_hosts.pop_back();
    return host;
  }
  const auto fits = [&](const Room& room) {
    return room.vcpus >= facts.vcpus && room.memory >= memory;
  };
  const auto found = std::find_if(pool.rooms.begin(), pool.rooms.end(), fits);
  return found == pool.rooms.end() ? none : static_cast<std::uint32_t>(found - pool.rooms.begin());
}

void HostPools::release(std::uint32_t instance, std::int64_t now) {
  const Place& place = places_[instance];
  Pool& pool = pools_[place.pool];
  Room& room = pool.rooms[place.host];
  room.vcpus += place.vcpus;
  room.memory += place.memory;
  --room.instances;
  if (pool.facts.on_demand) pool.free_hosts.push_back(place.host);
  if (place.tenant == none) return;
  pool.hypervisor.advance(now);
  pool.hypervisor.remove_tenant(place.tenant);
}

void HostPools::set_want(std::uint32_t instance, std::uint32_t want, std::int64_t now) {
  Place& place = places_[instance];
  if (want == place.want) return;
  place.want = want;
  Hypervisor& hypervisor = pools_[place.pool].hypervisor;
  hypervisor.advance(now);
  hypervisor.set_want(place.tenant, want);
}

void HostPools::advance(std::int64_t now) {
  for (Pool& pool : pools_) pool.hypervisor.advance(now);
}

std::int64_t HostPools::next_event() {
  std::int64_t next = EventQueue::never;
  for (Pool& pool : pools_) next = std::min(next, pool.hypervisor.next_event());
  return next;
}

TenantAccount HostPools::account(std::uint32_t instance, std::int64_t now) {
  const Place& place = places_[instance];
  pools_[place.pool].hypervisor.advance(now);
  return pools_[place.pool].hypervisor.account(place.tenant);
}

}  // namespace nephoscope
