// What a world consists of: its parts and plain data, addressed by indices alone, so that a copy is
// a fork. What happens to it is in World.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/admission.hpp"
#include "compute/devices/instance_devices.hpp"
#include "compute/host_pools.hpp"
#include "compute/instances.hpp"
#include "compute/lifecycle/lifecycle.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/series.hpp"
#include "kernel/slab.hpp"
#include "service/program.hpp"
#include "workload/arrivals.hpp"
#include "world/balancers/balancer.hpp"
#include "world/balancers/metering.hpp"
#include "world/failures/faults.hpp"
#include "world/failures/migration.hpp"
#include "world/fleets/fleet.hpp"
#include "world/fleets/life.hpp"
#include "world/fleets/scaling.hpp"
#include "world/messages/queues.hpp"
#include "world/messages/topics.hpp"
#include "world/requests/callers.hpp"
#include "world/requests/errand.hpp"
#include "world/requests/sources.hpp"
#include "world/requests/visit.hpp"
#include "world/results/foretold.hpp"
#include "world/spec/spec.hpp"
#include "world/tracing/traces.hpp"

namespace nephoscope {

// All instances that there ever were of the fleets to which requests are sent, for who sums over
// them now and then. It follows from the rest of a world, and is no part of what is saved.
struct WorkedSoFar {
  std::vector<std::vector<std::uint32_t>> of_fleet;
  std::uint32_t known = 0;  // instances that have been looked at
};

struct WorldState {
  static constexpr std::uint32_t none = Visit::none;

  explicit WorldState(const WorldSpec& spec)
      : seed_(spec.seed),
        replication_(spec.replication),
        duration_(spec.duration_ns),
        warmup_(spec.warmup_ns),
        series_interval_(spec.series_ns),
        traffic_(static_cast<std::uint32_t>(spec.traffic.size())) {}

  // Immutable after construction.
  std::uint64_t seed_;
  std::uint64_t replication_;
  std::int64_t duration_;
  std::int64_t warmup_;
  std::int64_t series_interval_;
  Programs programs_;
  bool clients_matter_ = false;  // some balancer looks at who sent a request
  std::vector<std::string> traffic_names_;
  std::vector<std::string> balancer_names_;
  std::vector<std::string> fleet_names_;
  std::vector<std::string> host_names_;     // of the pools that the scenario names
  std::uint32_t groups_ = 0;                // of placement
  bool sticky_ = false;                     // some balancer sets cookies
  bool hooked_ = false;                     // some fleet has lifecycle hooks
  bool hosted_ = false;                     // some fleet is
  bool with_devices_ = false;               // some step uses one
  bool receiving_ = false;                  // and some step the network inward
  std::vector<std::int64_t> host_network_;  // by pool: bytes a second of a host; 0: no limit
  std::vector<bool> fleet_uses_devices_;
  std::vector<bool> fleet_receives_;       // some step of its service is of the network inward
  std::uint32_t traffic_;                  // the first callers are the sources; calls follow
  std::uint32_t told_ = 0;                 // of the sources the first, those that are no schedules
  std::vector<std::uint32_t> sampler_of_;  // [traffic x draw] -> place in samplers_, or none

  std::int64_t now_ = 0;
  std::int64_t unseen_until_ = 0;                // while the loop runs: nobody looks before
  std::int64_t late_at_ = ArrivalStream::never;  // the same: somebody may be (going_back.cpp)
  std::uint64_t events_ = 0;
  EventQueue calendar_;
  EventQueue controls_;
  Arrival next_arrival_ = no_arrival;
  std::vector<Arrival> later_arrivals_;  // of the other sources: binary heap, the earliest first
  std::vector<Source> sources_;
  std::vector<User> users_;
  std::vector<Caller> callers_;
  std::vector<Route> routes_;
  std::vector<Sampler> samplers_;
  std::vector<Balancer> balancers_;
  std::vector<Fleet> fleets_;
  std::vector<std::uint32_t> fleet_of_;        // by instance
  std::vector<std::uint32_t> index_in_fleet_;  // by instance: in the order of launch
  std::vector<std::uint32_t> launched_;        // by fleet
  Instances instances_;
  AdmissionControl admissions_;
  std::vector<std::uint32_t> machine_of_;  // by instance, see number_machine()
  std::vector<Phase> phase_;               // by instance
  Lifecycle lives_;                        // of machines
  std::vector<Machine> machines_;
  std::vector<Quota> quotas_;
  std::vector<LaunchInterface> apis_;
  std::vector<ActionSpec> actions_;
  Faults faults_;
  Metering metering_;
  std::vector<ScaledFleet> scaled_;
  bool following_lives_ = false;  // their changes are being followed
  std::uint32_t leaving_ = 0;     // instances that may finish what they hold
  HostPools hosts_;
  EventQueue::Handle hosts_due_ = EventQueue::none;
  InstanceDevices devices_;
  EventQueue::Handle devices_due_ = EventQueue::none;
  std::vector<std::uint64_t> refused_launches_;    // by pool
  std::vector<Migration> migrations_;              // since the warm-up
  std::vector<std::uint64_t> migrated_;            // by pool: instances, ever
  bool tells_migrations_ = false;                  // some may be
  std::vector<std::int64_t> run_at_warmup_;        // by instance, ns
  std::vector<TenantAccount> account_at_warmup_;   // by hosted instance
  std::vector<EventQueue::Handle> completion_of_;  // by instance with several workers
  Slab<Visit> visits_;
  Errands errands_;
  Queues queues_;
  Topics topics_;
  Traces traces_;
  // By instance: the end of all that it holds, where nobody watches and patience is limited. It
  // follows from what it holds, and is no part of what is saved.
  std::vector<std::int64_t> held_until_;
  std::vector<std::uint32_t> ready_;  // visits that can run on at this instant
  std::uint32_t completing_ = none;   // instance whose completion is rescheduled once, at the end
  bool many_instances_ = false;       // more than the caches hold: worth fetching ahead
  bool warm_ = false;                 // the warm-up is over
  std::int64_t next_sample_ = ArrivalStream::never;
  std::vector<Series> samples_;     // cumulative counts and gauges, see results.cpp
  WorkedSoFar worked_;              // of those, which instances they look at
  Foretold foretold_;               // what the next of them must not know; empty where a run is cut
  bool surging_ = false;            // some balancer has a surge queue
  std::vector<Kept> kept_;          // by visit, where its balancer keeps it
  std::vector<std::uint8_t> full_;  // by instance, where anybody wants to know
};

}  // namespace nephoscope
