// A scenario as the engine takes it: plain structs, every name resolved to an index, every unit to
// nanoseconds, requests per second or a plain number. Written by the Python package, read by
// world/build; checked there once more, so that no spec can crash a world.

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "balancing/capacity.hpp"
#include "balancing/connections.hpp"
#include "balancing/health_spec.hpp"
#include "balancing/own_answers.hpp"
#include "balancing/routing_spec.hpp"
#include "balancing/split.hpp"
#include "compute/admission.hpp"
#include "compute/devices/instance_devices.hpp"
#include "compute/host_pools.hpp"
#include "compute/lifecycle/billing.hpp"
#include "kernel/distributions.hpp"
#include "scaling/scaling_spec.hpp"
#include "service/step_spec.hpp"
#include "workload/arrival_spec.hpp"
#include "workload/resilience_spec.hpp"
#include "world/spec/fault_spec.hpp"
#include "world/spec/life_spec.hpp"
#include "world/spec/membership_spec.hpp"
#include "world/spec/pipe_specs.hpp"
#include "world/spec/queue_specs.hpp"
#include "world/spec/refresh_spec.hpp"
#include "world/spec/topic_specs.hpp"

namespace nephoscope {

// What becomes of a request whose client has left.
enum class OnTimeout : std::uint8_t {
  finish,   // the work goes on, wasted
  abandon,  // it leaves the backlog if it still waits there; what a worker has taken up goes on
};

struct TrafficSpec {
  std::string name;
  Destination to;
  ArrivalSpec arrivals;
  ClientSpec clients;
  std::int64_t timeout_ns = 0;  // 0: the client waits for ever
  OnTimeout on_timeout = OnTimeout::finish;
  std::uint32_t resilience = StepSpec::plain;  // index into that of the world
  std::uint32_t group = StepSpec::plain;       // of its messages, if it sends any
  EventChoice says;                            // its requests, or nothing
  // Of the bus that it sends to: it is the schedule of this rule, whose targets alone get what it
  // says, whatever the pattern. Such sources are behind all others and no figure of traffic.
  std::uint32_t rule = StepSpec::plain;
};

struct ServiceSpec {
  std::string name;
  bool processor_sharing = false;
  std::uint32_t concurrency = 0;  // workers an instance; 0: its vCPUs (fifo) or no limit (ps)
  std::int64_t backlog = -1;      // requests that may wait for a worker; -1: no limit
  AdmissionRules admission;       // whom an instance lets in
  ConsumeSpec consumes;
  std::vector<StepSpec> steps;
};

struct HostPoolSpec {
  std::string name;
  HostPoolFacts facts;
  std::int64_t network = 0;  // bytes a second of a host, which its instances share; 0: no limit
};

// A placement group, which several fleets may share.
struct GroupSpec {
  std::string name;
  GroupStrategy strategy = GroupStrategy::cluster;
  std::uint32_t partitions = 0;
};

// A volume that was made from a snapshot: so many bytes are slow at the first touch, and the
// provider loads them by and by.
struct FreshSpec {
  std::int64_t bytes = 0;
  std::int64_t rate = 125'000'000;  // bytes a second, of what is touched for the first time
  std::int64_t loaded = 0;          // bytes a second, from the launch on, whoever touches what
};

// Of a fleet whose instances are of several makes at a time: in which order launches try them. The
// first so many of those on spot are the pools that it spreads over.
struct AllocationSpec {
  std::vector<std::uint32_t> on_demand;  // numbers of makes; empty: it is of one make at a time
  std::vector<std::uint32_t> spot;
  std::uint32_t pools = 2;

  bool any() const { return !on_demand.empty(); }
};

struct FleetSpec {
  static constexpr std::uint32_t dedicated = 0xFFFFFFFF;

  std::string name;
  std::uint32_t service = 0;
  std::uint32_t count = 1;
  std::uint32_t vcpus = 1;
  bool vcpus_are_cores = false;     // on hosts: each takes all threads of one
  double speed = 1.0;               // of one vCPU, reference = 1; on hosts theirs counts
  std::uint32_t hosts = dedicated;  // the pool that its instances are placed on
  std::int64_t memory = 0;          // bytes of an instance
  std::uint32_t accelerators = 0;
  std::uint32_t disks = 0;
  bool counts_lives = false;  // for how long its instances were there is to be told
  BurstRate network{1'250'000'000, 1'250'000'000, 0};  // bytes, each way
  std::int64_t flow_limit = 0;  // bytes a second of one transfer over it; 0: none
  BurstRate disk_bytes{125'000'000, 125'000'000, 0};
  BurstRate disk_ops{3'000, 3'000, 0};
  FreshSpec fresh;
  double accelerator_speed = 1.0;
  std::uint64_t zones = any_zone;  // bit z: zone z will do
  std::uint32_t account = 0;       // of the cloud, whose instances they are
  Tenancy tenancy = Tenancy::shared;
  std::uint32_t group = nowhere;  // of placement
  double weight = 256.0;
  double reservation = 0.0;   // vCPUs
  std::int64_t quota_ns = 0;  // of vCPU time a period; 0: no cap
  std::int64_t period_ns = 100'000'000;
  BurstFacts burst;
  InterferenceFacts interference;
  Distribution pending;   // from the launch until the instance is running and billed, ns
  Distribution boot;      // from then until it serves, ns
  bool initially = true;  // the first instances serve when the clock starts
  BillingRule billing;
  LifeSpec life;
  ScalingSpec scaling;  // how `count` changes; inactive: it does not by itself
  RefreshSpec refresh;
  MembershipSpec membership;
  // What its instances may be as well, or a refresh may change them to, from number 1 on: as this,
  // with another type or system. Counts, services, policies, refreshes and limits of accounts but
  // vCPUs are not read.
  std::vector<FleetSpec> makes;
  AllocationSpec allocation;
};

struct TargetSpec {
  std::uint32_t fleet = 0;
  double weight = 1.0;      // of each instance of the fleet
  std::uint32_t group = 0;  // index into the target groups of the balancer, if it has any
};

// Targets that get the requests of a balancer together, as often as the weight says.
struct TargetGroupSpec {
  static constexpr std::uint32_t weight_max = 999;

  std::string name;
  std::uint32_t weight = 1;
};

struct BalancerSpec {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::string name;
  std::vector<TargetSpec> targets;
  RoutingSpec routing;
  HealthSpec health;
  std::int64_t drain_ns = 300'000'000'000;  // a target that leaves has that long for what it holds
  bool metered = false;                     // what it does in each hour is to be told
  std::vector<TargetGroupSpec> groups;      // empty: all targets are one
  bool cross_zone = true;                   // false: a node in each zone, which sends to that alone
  std::uint32_t nodes = 1;                  // that check and choose each by itself
  std::int64_t slow_start_ns = 0;           // until a target that turns healthy has its full share
  std::int64_t stickiness_ns = 0;           // that a client's cookie lives; 0: there are none
  std::uint32_t surge_queue = 0;            // requests that may wait for a target with room
  std::int64_t idle_timeout_ns = 0;         // that a target has for its answer; 0: any time
  std::int64_t connect_timeout_ns = 0;      // and to take a connection; 0: it does, or refuses it
  std::int64_t dns_ttl_ns = 0;              // that a client keeps to a node; 0: it asks every time
  CapacitySpec capacity;                    // of the balancer itself
  std::vector<OwnAnswerSpec> own_answers;   // to some of what comes
  ConnectionsSpec connections;              // that clients keep
  SplitSpec split;                          // requests that count as several
  bool application_cookie = false;          // the targets set it, not the balancer
  bool cookie_renewed = true;               // by every answer
  std::int64_t group_stickiness_ns = 0;     // that a cookie of a group lives; 0: there are none
  std::uint32_t listener_of = none;         // the balancer whose capacity it shares; none: its own
};

struct WorldSpec {
  std::uint64_t seed = 0;
  std::uint64_t replication = 0;
  std::int64_t duration_ns = 0;
  std::int64_t warmup_ns = 0;
  std::int64_t series_ns = 0;  // interval of the series; 0: none are kept
  std::uint32_t traces = 0;    // answered requests of each source to be followed, at most
  std::vector<TrafficSpec> traffic;
  std::vector<ResilienceSpec> resilience;  // rules that traffic and calls name
  std::vector<ServiceSpec> services;
  std::vector<HostPoolSpec> hosts;
  std::vector<GroupSpec> groups;
  std::vector<FleetSpec> fleets;
  std::vector<BalancerSpec> balancers;
  std::vector<WorldQueueSpec> queues;
  std::vector<TopicSpec> topics;
  std::vector<BusSpec> buses;
  std::vector<ReplaySpec> replays;
  std::vector<PipeSpec> pipes;
  std::vector<QueueActionSpec> queue_actions;
  MessageQuotas message_quotas;
  std::vector<QuotaSpec> quotas;
  std::vector<LaunchLimits> apis;
  std::vector<ActionSpec> actions;
  std::vector<FaultSpec> faults;
};

// Who gets what is sent to a topic or a bus.
inline const std::vector<SubscriptionSpec>& subscriptions_of(const WorldSpec& spec,
                                                             const Destination& to) {
  const bool to_topic = to.kind == Destination::Kind::topic;
  return to_topic ? spec.topics[to.index].subscriptions : spec.buses[to.index].targets;
}

}  // namespace nephoscope
