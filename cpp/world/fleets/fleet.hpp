// A fleet as the world keeps it: where its instances go and which of them serve.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "compute/admission.hpp"
#include "compute/host_pools.hpp"
#include "compute/hypervisor/hypervisor_facts.hpp"
#include "compute/lifecycle/lifecycle_facts.hpp"
#include "compute/placement/placement_facts.hpp"
#include "kernel/distributions.hpp"
#include "service/program.hpp"
#include "world/fleets/allocation.hpp"
#include "world/fleets/fresh_volume.hpp"
#include "world/fleets/life.hpp"
#include "world/fleets/membership.hpp"
#include "world/fleets/refresh.hpp"
#include "world/fleets/roster.hpp"
#include "world/fleets/spot_prices.hpp"

namespace nephoscope {

// A place a fleet's instances have among a balancer's targets.
struct Attachment {
  std::uint32_t balancer = 0;
  std::uint32_t of_class = 0;
  std::vector<std::uint32_t> slots;  // by index in the fleet, of those that serve
};

struct Departed {
  std::int64_t run_ns;  // when it left
  std::uint32_t instance;
  std::uint32_t unused = 0;
};

// What the requests of a fleet asked of devices since the warm-up, where they asked.
struct DeviceUse {
  std::uint64_t network_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t disk_ops = 0;
  std::uint64_t gpu_ns = 0;  // of accelerators, by batches that have begun
  std::uint64_t out_of_memory = 0;
  std::uint64_t network_ever = 0;    // bytes, since the start
  std::uint64_t received_bytes = 0;  // of network_bytes, inward
  std::uint64_t received_ever = 0;   // of network_ever, the same
};

// What became of its instances by faults, in the whole run.
struct FailureCounts {
  std::uint64_t falls = 0;
  std::uint64_t down_ns = 0;  // an instance that is down has taken off when it fell
};

// Measured requests that its instances did not let in.
struct AdmissionCounts {
  std::uint64_t throttled = 0;
  std::uint64_t shed = 0;
};

// What instances are, and where they go: all that follows from their type and system.
struct Make {
  std::uint32_t kind = 0;     // of Instances
  std::uint32_t devices = 0;  // the same of InstanceDevices
  bool placed = false;        // on hosts, by `request`
  bool hosted = false;        // they share the CPU of their hosts
  LaunchRequest request;
  GuestFacts guest;
  LaunchFacts facts;                          // that their machines are launched with
  std::uint32_t quota = LifeSpec::unlimited;  // of vCPUs
};

// How an instance serves, whatever its make.
struct ServingRules {
  bool processor_sharing = false;
  std::uint32_t concurrency = 0;  // 0: as many as it has vCPUs (fifo), or no limit (ps)
  std::uint32_t backlog = 0;
};

// Which make instances have been launched as, from one of them on.
struct Launched {
  std::uint32_t first_index = 0;
  std::uint32_t make = 0;
};

struct Fleet {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // What its instances are: as they were at first, and what refreshes may change them to, or what
  // they are at the same time, by its allocation.
  std::vector<Make> makes;
  std::vector<Launched> launched_as{Launched{}};  // ascending; changes as refreshes begin
  Allocation allocation;
  Programs::Place entry = Programs::end;
  ServingRules serving;
  AdmissionRules admission;
  bool reached = false;      // requests are sent to it
  bool interrupted = false;  // spot: the provider takes them back, after times by place and start
  Sampler interruption;
  Sampler outage;           // spot that stops, by place and start
  bool rebalances = false;  // spot: who is at risk is replaced before it is taken
  Sampler recommendation;   // so long before the notice, by place and start
  OnDemand on_demand;       // spot: of those, so many are not
  SpotPrices prices;        // spot
  std::uint32_t api = LifeSpec::unlimited;
  bool eventful = false;        // its results tell of more than launches
  bool counts_lives = false;    // for how long its instances were there, in any state
  bool parks = false;           // and of those that are on standby or detached
  std::uint32_t scaled = none;  // which of those whose size follows policies
  std::uint32_t initial = 0;    // instances that have booted when the clock starts

  // Those there are.
  std::uint32_t desired = 0;
  Refresh refresh;
  Membership membership;
  std::uint32_t booting = 0;             // instances that do not serve yet
  std::uint32_t bought_on_demand = 0;    // of those that count, while it grows
  std::vector<std::uint32_t> launching;  // those, in the order of launch, and some that serve
  Roster members;                        // serving instances, in the order of beginning to
  Roster aside;                          // machines, in the order of being set aside
  std::vector<Departed> departed;
  std::vector<Attachment> attachments;
  bool retries = false;       // a launch was refused and will be tried again
  std::uint32_t refusal = 0;  // of the last launch
  std::uint64_t terminations = 0;
  std::uint64_t successions = 0;  // instances that took the place of one before a reboot
  LifeCounts counts;
  FailureCounts failures;
  AdmissionCounts refusals;

  std::uint32_t make_number(std::uint32_t index) const {
    if (launched_as.back().first_index <= index) return launched_as.back().make;
    const auto after =
        std::upper_bound(launched_as.begin(), launched_as.end(), index,
                         [](std::uint32_t of, const Launched& it) { return of < it.first_index; });
    return (after - 1)->make;
  }
  // From this place in the order of launch on, instances are of another make.
  void launch_as(std::uint32_t index, std::uint32_t make) {
    if (make == launched_as.back().make) return;
    if (launched_as.back().first_index == index) {
      launched_as.back().make = make;
    } else {
      launched_as.push_back({index, make});
    }
  }
  // Of the instance with this place in the order of launch, and of the next.
  const Make& make_at(std::uint32_t index) const { return makes[make_number(index)]; }
  const Make& make() const { return makes[launched_as.back().make]; }

  std::uint32_t alive() const { return booting + members.size() + aside.size(); }
  std::uint32_t wanted() const { return desired + refresh.surplus + membership.surplus(); }
  // Of one that buys on spot, whether the next is not: too few are.
  bool buys_on_demand() const {
    return on_demand.any() && bought_on_demand < on_demand.of(wanted());
  }
  bool buys_on_spot() const {
    return makes.front().facts.purchase == Purchase::spot && !buys_on_demand();
  }

  std::int64_t instance_ns = 0;  // instances x time since the warm-up, until counted_to
  std::int64_t vcpu_ns = 0;      // the same of their vCPUs
  std::int64_t counted_to = 0;
  std::uint64_t vcpus = 0;  // of those that serve
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  DeviceUse devices;
  FreshVolume fresh;

  // All that has been asked of its instances is to compute, once, and nothing is taken back.
  bool plain = true;
  // Some of those who ask leave after a while, and some (mixed) do not. A request that may be late
  // is not plain.
  bool timed = false;
  bool mixed = false;
  // Nobody looks at what its instances hold, so their completions are not in the calendar.
  bool unwatched = false;
  // An instance that is no more than one target keeps the count of what it has answered itself:
  // it is at hand then. Otherwise each of its slots does.
  bool by_slot = false;
};

}  // namespace nephoscope
