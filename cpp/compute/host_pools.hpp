// The hosts of a cloud, in pools of equal ones: which host an instance is on, and what the
// hypervisor of its pool gives it.
//
// Where nobody can ever be short of a thread (the vCPUs placed on a host are no more than its
// threads, all threads are equally fast and no tenant is capped), there is nothing to share: such
// instances have their room on a host and no tenant of the hypervisor. They are placed, the others
// hosted as well.
//
// A burstable instance has a balance of CPU credits: what its tenant runs spends them, and when
// they are gone the hypervisor holds it to its baseline until it uses less; where it comes down
// gradually, to what the little that is left allows on the way there.
//
// Instances that press on caches and memory bandwidth, or feel it, are hosted too: what the others
// of the host run decides their pace beside their share.
//
// Hosts are dealt to the zones of their pool in turn, and in a zone to its racks in turn.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "compute/cpu_credits.hpp"
#include "compute/hypervisor/hypervisor.hpp"
#include "compute/hypervisor/interference.hpp"
#include "compute/launch_credit_limit.hpp"
#include "compute/placement/placement.hpp"

namespace nephoscope {

struct HostPoolFacts {
  SchedulerFacts scheduler;
  std::uint32_t count = 1;
  HostFacts host;
  std::uint32_t sockets = 1;                    // that the cores of a host are in
  std::int64_t memory = std::int64_t{1} << 60;  // bytes of a host
  std::uint32_t accelerators = 0;               // of a host
  std::uint32_t disks = 0;                      // of a host
  double cpu_overcommit = 1.0;  // vCPUs placed on a host, at most, for each of its threads
  PlacePolicy place = PlacePolicy::first_fit;
  std::vector<std::uint32_t> zones = {0};  // numbers that mean the same in all pools
  std::uint32_t racks = 1;                 // in each zone
  StreamKey draws = {};                    // of the random policy
  bool on_demand = false;                  // there is a host for every instance, of its very size
  std::uint32_t account = nowhere;         // dedicated hosts: whose
  bool migrates = false;  // instances may be paused while they go from one host to another
};

// Of instances that are burstable.
struct BurstFacts {
  bool burstable = false;
  CreditMode mode = CreditMode::standard;
  CpuCreditFacts credits;
};

// What an instance is to the host that it is on.
struct GuestFacts {
  TenantFacts tenant;
  BurstFacts burst;
  InterferenceFacts interference;
};

class HostPools {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // Throw SpecError with the field's name when a fact is not legal. Pools on demand come last.
  std::uint32_t add_pool(const HostPoolFacts& facts);
  std::uint32_t add_group(GroupStrategy strategy, std::uint32_t partitions) {
    return placement_.add_group(strategy, partitions);
  }

  // Throws SpecError, with the field's name, where the pool's scheduler refuses such a tenant.
  void check_tenant(std::uint32_t pool, const TenantFacts& facts) const;
  // vCPUs of a host that such an instance takes: a core for each of its own where those are cores,
  // and pinned ones take whole cores.
  std::uint32_t vcpus_taken(std::uint32_t pool, std::uint32_t vcpus, bool cores) const;

  // Whether an instance in that pool has to be hosted.
  bool shares(std::uint32_t pool, const GuestFacts& facts) const;

  // Finds room for an instance, or says why there is none. The policy of the pool chooses the host.
  // `stopped` is what it was before it stopped, if it starts again: it takes over the CPU credits,
  // and goes to another host if one will do.
  Refusal place(std::uint32_t instance, const LaunchRequest& request, const GuestFacts& facts,
                std::int64_t now, std::uint32_t stopped = none);
  // It is gone; or it has stopped, and may start again.
  void release(std::uint32_t instance, std::int64_t now) { leave(instance, now, false); }
  void stop(std::uint32_t instance, std::int64_t now) { leave(instance, now, true); }
  // One that has stopped will not start again. Of one that is gone there is nothing to forget.
  void forget(std::uint32_t stopped, std::int64_t now);
  // A reboot: `instance` takes the place of `before` on its host, and its CPU credits.
  void succeed(std::uint32_t before, std::uint32_t instance, const GuestFacts& facts,
               std::int64_t now);

  // A live migration: a running instance goes on another host of its pool and zone, with its CPU
  // credits and what is left of its cap: on the `target` of the request, if it has one. For
  // `pause_ns`, which only hosted ones have, it runs nowhere, and what it wants of its vCPUs is
  // stolen. Of a pool that is not on demand. The reason why it stays where it is, if it does.
  Refusal migrate(std::uint32_t instance, const LaunchRequest& request, const GuestFacts& facts,
                  std::int64_t pause_ns, std::int64_t now);

  // A closed host takes no launches; who is there stays. Of a pool that is not on demand.
  void set_open(std::uint32_t pool, std::uint32_t host, bool open) {
    placement_.set_open(pools_[pool].first_host + host, open);
  }

  // From now on, of a hosted instance.
  void set_want(std::uint32_t instance, std::uint32_t want, std::int64_t now);
  void advance(std::int64_t now);
  // When a rate may change by itself, or EventQueue::never.
  std::int64_t next_event();

  // Calls action(instance, rate) for each hosted instance whose rate has changed, once.
  template <class Action>
  void take_changed(Action action) {
    for (Pool& pool : pools_) {
      const std::vector<std::uint32_t>& changed = pool.hypervisor.changed();
      if (changed.empty() && !pool.interference.unsettled()) continue;
      for (const std::uint32_t tenant : changed) {
        const std::uint32_t instance = pool.instance_of[tenant];
        if (places_[instance].bucket != none) spend(instance);
        const double rate = pool.hypervisor.rate(tenant);
        if (pool.interference.has(tenant)) {
          const double share = pool.hypervisor.share(tenant);
          pool.interference.set_running(tenant, share, rate, pool.hypervisor.now());
        } else {
          action(instance, rate);
        }
      }
      pool.hypervisor.clear_changed();
      pool.interference.settle(pool.hypervisor.now(), [&](std::uint32_t tenant, double rate) {
        action(pool.instance_of[tenant], rate);
      });
    }
  }

  std::uint32_t pools() const { return static_cast<std::uint32_t>(pools_.size()); }
  const HostPoolFacts& facts(std::uint32_t pool) const { return pools_[pool].facts; }
  // Whether instances of a pool slow each other down in caches and memory bandwidth.
  bool interferes(std::uint32_t pool) const { return pools_[pool].interference.active(); }
  bool is_hosted(std::uint32_t instance) const {
    return instance < places_.size() && places_[instance].tenant != none;
  }
  // Where an instance is, or was at last: the pool, and the place of the host in it.
  std::uint32_t pool_of(std::uint32_t instance) const {
    return instance < places_.size() ? places_[instance].pool : none;
  }
  std::uint32_t host_of(std::uint32_t instance) const { return places_[instance].host; }
  bool is_paused(std::uint32_t instance) const {
    return instance < places_.size() && places_[instance].paused_until != Place::runs;
  }
  // Instances that have their room on a host of a pool that is not on demand.
  std::uint32_t instances_on(std::uint32_t pool, std::uint32_t host) const {
    return placement_.used(pools_[pool].first_host + host).instances;
  }
  // Of an instance that is or was on a host.
  std::uint32_t zone_of(std::uint32_t instance) const {
    const std::vector<std::uint32_t>& zones = facts(places_[instance].pool).zones;
    return zones[places_[instance].host % zones.size()];
  }
  // Of a hosted instance, until now.
  TenantAccount account(std::uint32_t instance, std::int64_t now);
  // The same, until its hypervisor was told of something last, and that instant.
  TenantAccount last_account(std::uint32_t instance, std::int64_t& told) const;
  // The same, as it will be at `time` if nobody changes anything; no later than next_event().
  TenantAccount account_at(std::uint32_t instance, std::int64_t time) const {
    return account_of(places_[instance], time);
  }

  bool is_burstable(std::uint32_t instance) const {
    return instance < places_.size() && places_[instance].bucket != none;
  }
  // Of a burstable instance, as they are now.
  CpuCredits credits(std::uint32_t instance, std::int64_t now) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(places_, buckets_);
    limit_changes_.serialize(archive);
    resumptions_.serialize(archive);
    launch_credits_.serialize(archive);
    placement_.serialize(archive);
    for (Pool& pool : pools_) {
      archive(pool.hosts, pool.free_hosts, pool.instance_of);
      pool.hypervisor.serialize(archive);
      pool.interference.serialize(archive);
    }
  }

 private:
  struct Pool {
    HostPoolFacts facts;
    Hypervisor hypervisor;
    Interference interference;
    std::uint32_t first_host = 0;            // in placement
    std::uint32_t hosts = 0;                 // of the hypervisor
    std::vector<std::uint32_t> free_hosts;   // on demand: those whose instance has gone
    std::vector<std::uint32_t> instance_of;  // by tenant
  };

  struct Place {
    static constexpr std::int64_t runs = -1;

    std::int64_t paused_until = runs;
    std::int64_t pause_counted_to = 0;
    std::int64_t paused_ns = 0;  // wanted, in all pauses until then
    std::uint32_t pool = none;
    std::uint32_t host = none;
    std::uint32_t placement = none;
    std::uint32_t tenant = none;
    std::uint32_t bucket = none;
    std::uint32_t want = 0;
  };

  struct Bucket {
    static constexpr bool plain_doubles = true;

    CpuCredits credits;
    std::uint32_t instance = none;
    EventQueue::Handle event = EventQueue::none;  // when its limit comes or goes by itself
    double limit = 0.0;                           // that its hypervisor has been told
  };

  void add_hosts(Pool& pool);
  void host(Pool& pool, Place& place, std::uint32_t instance, const GuestFacts& facts);
  TenantAccount account_of(const Place& place, std::int64_t time) const;
  std::uint32_t host_on_demand(Pool& pool);
  void leave(std::uint32_t instance, std::int64_t now, bool stops);
  static void count_pause(Place& place, std::int64_t now);
  void resume(std::uint32_t instance, std::int64_t now);
  void open_bucket(std::uint32_t instance, const BurstFacts& burst, std::int64_t now,
                   std::uint32_t stopped);
  void take_over_bucket(std::uint32_t before, std::uint32_t instance);
  void renew_limit(const Place& place, std::int64_t now);
  void tell_limit(const Place& place);
  void spend(std::uint32_t instance);
  void renew_limit_at(Bucket& bucket, std::int64_t time);

  std::vector<Pool> pools_;
  Placement placement_;
  std::uint32_t racks_ = 0;
  std::vector<Place> places_;  // by instance
  std::vector<Bucket> buckets_;
  EventQueue limit_changes_;  // by bucket
  EventQueue resumptions_;    // by instance
  LaunchCreditLimit launch_credits_;
};

}  // namespace nephoscope
