// The hosts of a cloud, in pools of equal ones: which host an instance is on, and what the
// hypervisor of its pool gives it.
//
// Where nobody can ever be short of a thread (the vCPUs placed on a host are no more than its
// threads, all threads are equally fast and no tenant is capped), there is nothing to share: such
// instances have their room on a host and no tenant of the hypervisor. They are `placed`, the
// others `hosted` as well.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "compute/hypervisor.hpp"

namespace nephoscope {

struct PoolFacts {
  SchedulerKind scheduler = SchedulerKind::fluid;
  std::uint32_t count = 1;
  HostFacts host;
  std::int64_t memory = std::numeric_limits<std::int64_t>::max();  // bytes of a host
  double cpu_overcommit = 1.0;  // vCPUs placed on a host, at most, for each of its threads
  bool on_demand = false;       // there is a host for every instance, of its very size
};

class HostPools {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // Throws SpecError with the field's name when a fact is not legal.
  std::uint32_t add_pool(const PoolFacts& facts);

  // Whether an instance in that pool has to be hosted.
  bool shares(std::uint32_t pool, const TenantFacts& facts) const;

  // Finds room for an instance. Returns false where there is none.
  bool place(std::uint32_t instance, std::uint32_t pool, const TenantFacts& facts,
             std::int64_t memory, std::int64_t now);
  // It is gone.
  void release(std::uint32_t instance, std::int64_t now);

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
      if (changed.empty()) continue;
      for (const std::uint32_t tenant : changed) {
        action(pool.instance_of[tenant], pool.hypervisor.rate(tenant));
      }
      pool.hypervisor.clear_changed();
    }
  }

  std::size_t pools() const { return pools_.size(); }
  const PoolFacts& facts(std::uint32_t pool) const { return pools_[pool].facts; }
  bool is_hosted(std::uint32_t instance) const {
    return instance < places_.size() && places_[instance].tenant != none;
  }
  // Where an instance is, or was at last.
  std::uint32_t pool_of(std::uint32_t instance) const {
    return instance < places_.size() ? places_[instance].pool : none;
  }
  std::uint32_t host_of(std::uint32_t instance) const { return places_[instance].host; }
  // Of a hosted instance, until now.
  TenantAccount account(std::uint32_t instance, std::int64_t now);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(places_);
    for (Pool& pool : pools_) {
      archive(pool.rooms, pool.free_hosts, pool.instance_of);
      pool.hypervisor.serialize(archive);
    }
  }

 private:
  struct Room {
    std::int64_t memory = 0;
    std::uint32_t vcpus = 0;
    std::uint32_t instances = 0;
  };

  struct Pool {
    PoolFacts facts;
    Hypervisor hypervisor;
    std::vector<Room> rooms;                 // by host: what is left
    std::vector<std::uint32_t> free_hosts;   // on demand: those whose instance has gone
    std::vector<std::uint32_t> instance_of;  // by tenant
  };

  struct Place {
    std::uint32_t pool = none;
    std::uint32_t host = none;
    std::uint32_t tenant = none;
    std::uint32_t want = 0;
    std::uint32_t vcpus = 0;
    std::uint32_t unused = 0;
    std::int64_t memory = 0;
  };

  std::uint32_t room_for(Pool& pool, const TenantFacts& facts, std::int64_t memory);

  std::vector<Pool> pools_;
  std::vector<Place> places_;  // by instance
};

}  // namespace nephoscope
