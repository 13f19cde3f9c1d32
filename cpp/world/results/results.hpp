// What a world has to tell, as plain data. Counts and latencies are of the measured requests: those
// that arrived at or after the warm-up.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "balancing/health.hpp"
#include "compute/hypervisor/hypervisor_facts.hpp"
#include "compute/placement/placement_facts.hpp"
#include "kernel/histogram.hpp"
#include "scaling/scaling_group.hpp"
#include "world/balancers/balancer.hpp"
#include "world/balancers/metering.hpp"
#include "world/failures/faults.hpp"
#include "world/fleets/fleet.hpp"
#include "world/fleets/life.hpp"
#include "world/messages/queues.hpp"
#include "world/messages/topics.hpp"
#include "world/requests/callers.hpp"
#include "world/requests/errand.hpp"
#include "world/tracing/traces.hpp"

namespace nephoscope {

// offered = completed + rejected + failed + timed_out + in_flight, checked at the end of every run.
struct Account {
  std::string name;
  std::uint64_t offered = 0;
  OutcomeCounts ended{};
  std::uint64_t in_flight = 0;
  Histogram latency;  // ns, of the completed
};

struct TrafficAccount : Account {
  bool resilient = false;  // whether the rest is to be told
  ResilienceCounts counts;
  bool breaks = false;       // it has a circuit breaker
  std::uint64_t opened = 0;  // that one, in the whole run
  bool may_leave = false;    // its users may give up
  std::uint64_t users_left = 0;
  bool traced = false;  // some of its requests were followed
  Traced traces;
};

struct TargetAccount {
  std::uint32_t fleet = 0;
  std::uint32_t instance = 0;  // index within the fleet, in the order of launch
  std::uint64_t in_flight = 0;
  OutcomeCounts ended{};
  TenantAccount used;  // vCPU time of the instance since the warm-up
  std::uint32_t vcpus = 0;
  bool anomalous = false;  // now
  double share = 0.0;      // of its weight, now, in the mean of nodes
};

// What the health checks of a balancer have found, in the whole run, and the targets now.
struct HealthAccount {
  HealthCounts counts;
  std::uint32_t healthy = 0;
  std::uint32_t unhealthy = 0;
  std::uint32_t initial = 0;
};

// What a node of a balancer knows of the targets now.
struct NodeAccount {
  std::uint32_t healthy = 0;
  std::uint32_t registered = 0;
  bool fail_open = false;
  bool in_dns = true;  // clients are sent to it
};

// Targets that fail more often than their peers, now, and how often one was found.
struct AnomalyAccount {
  std::uint32_t anomalous = 0;
  std::uint32_t mitigated = 0;
  std::uint64_t detected = 0;
};

// Measured requests that a balancer answered by itself with a code.
struct OwnAnswerAccount {
  std::uint32_t code = 0;
  std::uint64_t count = 0;
};

struct BalancerAccount : Account {
  std::vector<TargetAccount> targets;
  std::uint64_t broken = 0;      // of the failed: their target was down, or went down
  std::uint64_t untargeted = 0;  // of the rejected: there was no target
  std::vector<HourOfUse> use;    // of every hour from the start, if it is metered
  bool limits_time = false;
  std::uint64_t out_of_time = 0;  // of the failed: their target took too long
  std::vector<Account> groups;    // of targets, if there are any; who found no target is in none
  bool surges = false;
  std::uint64_t spilled = 0;      // of the rejected: the surge queue was full
  std::uint32_t queued = 0;       // now
  std::uint32_t queued_most = 0;  // in the whole run
  bool resets = false;
  std::uint64_t reset = 0;  // of the failed: their target turned unhealthy
  bool sticks = false;
  bool sticks_to_groups = false;
  CookieCounts cookies;
  bool keeps_dns = false;
  DnsCounts dns;
  bool starts_slowly = false;
  std::uint64_t slow_starts = 0;  // in the whole run
  std::uint32_t ramping = 0;      // now
  bool checks = false;
  HealthAccount health;
  std::uint32_t draining = 0;      // targets that are told so, now
  std::vector<NodeAccount> nodes;  // if there are more than one, and they check
  bool limits_rate = false;
  double capacity = 0.0;            // requests a second, now
  double capacity_most = 0.0;       // in the whole run
  std::uint64_t over_capacity = 0;  // of the rejected
  std::vector<OwnAnswerAccount> own;
  bool connects = false;
  std::uint64_t opened = 0;  // connections, in the whole run
  std::uint64_t open = 0;    // now
  bool mitigates = false;
  AnomalyAccount anomalies;
};

// CPU credits of the instances of a fleet, from the start of the run.
struct CreditTotals {
  double earned = 0.0;
  double launch = 0.0;
  double spent = 0.0;
  double balance = 0.0;  // now
  double charged = 0.0;  // of surplus, as if the run ended now
};

// How often an alarm went on in the whole run, and whether it is now.
struct AlarmAccount {
  std::string name;
  std::uint64_t went_on = 0;
  bool is_on = false;
};

// What the policies of a fleet have decided, in the whole run, and its size now.
struct ScalingAccount {
  bool active = false;
  std::uint32_t desired = 0;
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  std::vector<PolicyCounts> policies;
  std::vector<AlarmAccount> alarms;
  std::string failed_by;        // the alarm that failed the refresh
  std::uint64_t scheduled = 0;  // changes by the clock
  bool looks_ahead = false;
  std::uint64_t predicted = 0;  // decisions to scale out by forecast, made or not acted on
};

// Of the instances of one make.
struct MakeAccount {
  std::uint64_t launches = 0;   // of the whole run
  std::uint32_t instances = 0;  // that serve now
  std::uint64_t billed_s = 0;
  double charged = 0.0;                  // credits of surplus
  std::uint64_t on_demand_billed_s = 0;  // where a fleet buys both ways
};

// Of an instance on hosts that the scenario names, through all its stops, starts and reboots: the
// host it is on or was on at last, whether it is still there, and its vCPU time since the warm-up.
struct InstancePlace {
  std::uint32_t host = 0;
  bool present = false;
  TenantAccount used;
};

struct FleetAccount : Account {
  std::uint64_t wasted = 0;      // served to the end after their client had gone
  TenantAccount used;            // vCPU time since the warm-up
  std::int64_t vcpu_ns = 0;      // vCPU time there was
  std::int64_t instance_ns = 0;  // instances x time
  std::uint32_t instances_min = 0;
  std::uint32_t instances_max = 0;
  std::uint32_t instances_final = 0;
  std::uint64_t launches = 0;  // of the whole run, as what follows
  std::uint64_t terminations = 0;
  std::uint64_t billed_s = 0;
  bool mixed = false;                    // spot, and some on demand
  std::uint64_t on_demand_billed_s = 0;  // of those
  std::uint32_t on_demand = 0;           // now, serving or not
  // Where spot has several prices: what was billed at each, s.
  std::vector<std::uint64_t> billed_by_price;
  std::vector<MakeAccount> makes;  // all that its instances may have
  std::uint32_t make = 0;          // that launches are of now
  bool interferes = false;
  bool burstable = false;
  CreditTotals credits;
  std::uint32_t missing = 0;  // instances that are desired and found no room
  std::uint32_t refusal = 0;  // why, at the last try: a Refusal, or refused_by_quota or _by_api
  bool eventful = false;      // whether the rest is to be told
  LifeCounts counts;
  bool rebalances = false;    // whether recommendations are to be told
  bool parks = false;         // whether those on standby and detached are to be told
  std::uint32_t standby = 0;  // now
  std::uint32_t stopped = 0;  // now; those that stop included
  bool uses_devices = false;  // its service has steps that do
  bool receives = false;      // over the network
  bool counts_lives = false;
  std::uint64_t lived_ns = 0;         // of all instances, from launch to end
  DeviceUse devices;                  // since the warm-up
  std::vector<InstancePlace> places;  // on hosts: by place in the order of launch
  std::uint32_t pool = 0;             // that those are of
  bool admits_all = true;
  AdmissionCounts refusals;
  Refresh refresh;
  bool keeps = false;  // whether its membership is to be told
  MembershipCounts kept;
  std::uint32_t guarded = 0;  // now
  std::uint32_t warm = 0;     // now, in its pool
  FailureCounts failures;
  std::uint32_t down = 0;  // now
  ScalingAccount scaling;
};

// In the whole run; messages that are there now; and since the warm-up the rest.
struct QueueAccount {
  std::string name;
  bool fifo = false;
  QueueCounts counts;
  std::uint64_t visible = 0;
  std::uint64_t delayed = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t in_vain = 0;  // worked, and not deleted by that: in the whole run
  std::uint64_t refused_redrives = 0;
  std::uint64_t depth_min = 0;
  std::uint64_t depth_max = 0;
  double depth_mean = 0.0;
  Histogram age;                // ns from the sending to the deletion, of those sent since
  std::int64_t oldest_ns = -1;  // the age of the oldest there is, or -1
};

// Of one subscription of a topic, in the whole run; and those that are under way now.
struct SubscriptionAccount {
  DeliveryCounts counts;
  std::uint64_t pending = 0;
  std::uint32_t rule = 0;  // of a bus
  bool scheduled = false;  // that rule is
};

struct PipeAccount {
  std::string name;
  PipeCounts counts;
  std::uint64_t under_way = 0;
};

struct TopicAccount {
  std::string name;
  std::vector<std::string> rules;  // of a bus
  bool fifo = false;
  std::uint64_t published = 0;
  std::uint64_t deduplicated = 0;
  std::uint64_t throttled = 0;
  std::array<std::uint64_t, Programs::batch_max> calls{};  // by how many were taken, - 1
  bool limits_invocations = false;                         // or receives
  bool duplicates = false;
  bool errs = false;
  bool confirms = false;  // some subscription is not there from the start
  bool archives = false;  // of a bus, as all that follow
  std::uint64_t archived = 0;
  std::uint64_t replayed = 0;
  std::uint64_t replaying = 0;  // of replays that have begun
  std::uint64_t refused_replays = 0;
  double held_s = 0.0;   // what the archive has held: bytes where sizes are known, else events, x s
  bool sizes = false;    // they are
  bool refuses = false;  // what is no entry
  EntryCounts entries;
  std::vector<SubscriptionAccount> subscriptions;
};

// One entry a host, since the warm-up.
struct HostPoolAccount {
  std::string name;
  std::uint32_t threads = 0;     // of a host
  std::uint64_t placements = 0;  // of the whole run, as the next
  std::uint64_t rejected_launches = 0;
  std::uint64_t migrations = 0;
  bool interferes = false;
  std::vector<TenantAccount> used;       // by all that were ever there
  std::vector<std::uint32_t> instances;  // there now
};

// What an observer sees of an instance now.
struct InstanceView {
  std::uint32_t fleet;
  std::uint32_t busy_workers;
  std::uint32_t waiting;
  bool running;
};

// And of a queue: its messages.
struct QueueView {
  std::uint64_t visible;
  std::uint64_t delayed;
  std::uint64_t in_flight;
};

struct Column {
  std::string name;  // "traffic.customers.completed"
  std::vector<std::int64_t> values;
};

struct Results {
  std::int64_t now_ns = 0;
  std::int64_t measured_from_ns = 0;
  std::uint64_t events = 0;
  std::vector<TrafficAccount> traffic;
  std::vector<BalancerAccount> balancers;
  std::vector<FleetAccount> fleets;
  std::vector<HostPoolAccount> hosts;
  std::vector<QueueAccount> queues;
  std::vector<TopicAccount> topics;
  std::vector<TopicAccount> buses;
  std::vector<PipeAccount> pipes;
  std::vector<FaultCounts> faults;
  std::vector<bool> maintains;  // by fault
  std::vector<bool> migrates;   // by fault
  bool tells_migrations = false;
  bool tells_makes = false;  // some fleet may have several
  std::int64_t series_interval_ns = 0;
  std::vector<Column>
      series;  // one value an interval: counts are of the interval, gauges at its end
};

}  // namespace nephoscope
