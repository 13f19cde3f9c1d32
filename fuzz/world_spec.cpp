#include "fuzz/world_spec.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "fuzz/fault_spec.hpp"
#include "fuzz/front_spec.hpp"
#include "fuzz/life_spec.hpp"
#include "fuzz/membership_spec.hpp"
#include "fuzz/odd.hpp"
#include "fuzz/pipe_spec.hpp"
#include "fuzz/policy_spec.hpp"
#include "fuzz/queue_spec.hpp"
#include "fuzz/resilience_spec.hpp"
#include "fuzz/scaling_spec.hpp"
#include "fuzz/service_spec.hpp"
#include "fuzz/topic_spec.hpp"

namespace nephoscope::fuzz {
namespace {

// What a user thinks is never absurd: users who think for no time stop the clock, and that is
// legal.
Distribution pause(Bytes& bytes) {
  constexpr DistributionKind kinds[] = {DistributionKind::constant, DistributionKind::exponential,
                                        DistributionKind::weibull};
  Distribution made;
  made.kind = bytes.any_of(kinds);
  made.mean = number(bytes, 1e6, 4e7);
  made.shape = 1.5;
  return made;
}

std::vector<std::int64_t> times(Bytes& bytes, std::size_t size) {
  std::vector<std::int64_t> list(size);
  std::int64_t now = 0;
  for (auto& time : list) {
    time = bytes.one_in(odd_once_in) ? bytes.any_of(odd_times) : now;
    now += std::int64_t{bytes.between(1, 300)} * millisecond;
  }
  return list;
}

ArrivalSpec arrivals(Bytes& bytes) {
  ArrivalSpec made;
  made.kind = bytes.enumerator<ArrivalKind>(7);
  made.rate = rate(bytes);
  made.rates.resize(bytes.one_in(odd_once_in) ? 0 : bytes.between(1, 3));
  for (double& each : made.rates) each = rate(bytes);
  if (made.kind == ArrivalKind::mmpp) {
    for (double& each : made.rates) each = each > 0.0 && each < 0.1 ? 0.1 : each;  // or it is slow
  }
  made.mean_stay_ns = odd_list(bytes, 1e7, 1e9);
  for (double& stay : made.mean_stay_ns) {
    if (stay > 0.0 && stay < 1e5) stay = 1e5;  // a chain that changes every nanosecond is only slow
  }
  if (!bytes.one_in(odd_once_in)) made.mean_stay_ns.resize(made.rates.size(), 1e8);
  const bool counted = made.kind == ArrivalKind::counts;
  const std::size_t size = made.rates.size();
  made.times_ns = times(bytes, bytes.one_in(odd_once_in) ? 7 : size + (counted ? 1 : 0));
  for (std::size_t i = 0; i < size; ++i) {
    made.counts.push_back(bytes.one_in(odd_once_in) ? std::int64_t{-1} : bytes.between(0, 200));
  }
  made.users = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 40);
  made.think = distribution(bytes, 20.0);
  if (made.kind == ArrivalKind::closed) made.think = pause(bytes);
  return made;
}

// How many there are of each, and who may call whom so that programs end: a service calls only
// fleets whose service has a later number, and balancers in front of those.
struct Layout {
  std::uint32_t services;
  std::uint32_t fleets;
  std::uint32_t balancers;
  std::uint32_t pools;
  std::uint32_t groups;

  std::uint32_t service_of(std::uint32_t fleet) const { return fleet * services / fleets; }
  std::uint32_t first_callee(std::uint32_t service) const {
    std::uint32_t fleet = 0;
    while (fleet < fleets && service_of(fleet) <= service) ++fleet;
    return fleet;
  }
};

Destination destination(Bytes& bytes, const Layout& all) {
  Destination made;
  made.kind = bytes.enumerator<Destination::Kind>(2);
  made.index = odd_index(bytes, made.kind == Destination::Kind::fleet ? all.fleets : all.balancers);
  return made;
}

Destination callee(Bytes& bytes, const Layout& all, std::uint32_t first) {
  const std::uint32_t balancers = std::min(all.balancers, all.fleets);
  Destination made;
  made.kind =
      first < balancers && bytes.one_in(2) ? Destination::Kind::balancer : Destination::Kind::fleet;
  const bool fleet = made.kind == Destination::Kind::fleet;
  made.index = bytes.between(first, (fleet ? all.fleets : balancers) - 1);
  return made;
}

StepSpec step(Bytes& bytes, const Layout& all, std::uint32_t service, unsigned depth) {
  constexpr unsigned outermost = 2;
  StepSpec made;
  made.kind = bytes.enumerator<StepKind>(10);
  if (made.kind == StepKind::send) made.kind = StepKind::sleep;  // see add_queues
  if (depth == 0 && made.kind == StepKind::choose) made.kind = StepKind::compute;
  made.demand = distribution(bytes, 3.0);
  made.timeout_ns = bytes.one_in(3) ? odd_time(bytes, 1, 50) : 0;
  made.probability = odd_number(bytes, 0.0, 0.9);
  made.bytes = odd_time(bytes, 0, 50);
  made.inward = bytes.one_in(2);
  made.ops = odd_time(bytes, 0, 1);
  made.batch = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4);
  made.marginal = odd_number(bytes, 0.0, 1.0);
  if (made.kind == StepKind::call) {
    const std::uint32_t first = all.first_callee(service);
    if (depth == outermost && bytes.one_in(odd_once_in)) {
      made.to = destination(bytes, all);  // a circle, perhaps, and without a way out
    } else if (first < all.fleets) {
      made.to = callee(bytes, all, first);
    } else {
      made.kind = StepKind::sleep;
    }
  }
  if (made.kind == StepKind::choose) {
    made.weights = odd_list(bytes, 0.0, 5.0);
    made.branches.resize(made.weights.size() + (bytes.one_in(odd_once_in) ? 1 : 0));
    for (auto& branch : made.branches) {
      branch.resize(bytes.between(0, 2));
      for (auto& inner : branch) inner = step(bytes, all, service, depth - 1);
    }
  }
  return made;
}

ServiceSpec service(Bytes& bytes, std::uint32_t number, const Layout& all) {
  ServiceSpec made;
  made.name = "service" + std::to_string(number);
  made.processor_sharing = bytes.one_in(3);
  made.concurrency = bytes.between(0, 4);
  made.backlog = bytes.one_in(3) ? bytes.between(0, 8) : std::int64_t{-1};
  if (bytes.one_in(odd_once_in)) made.backlog = bytes.any_of(odd_times);
  made.steps.resize(bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4));
  for (auto& inner : made.steps) inner = step(bytes, all, number, 2);
  return made;
}

TrafficSpec traffic(Bytes& bytes, std::uint32_t number, const Layout& all) {
  TrafficSpec made;
  made.name = "traffic" + std::to_string(number);
  made.to = destination(bytes, all);
  made.arrivals = arrivals(bytes);
  made.clients.count = bytes.one_in(odd_once_in) ? bytes.raw<std::uint64_t>() : bytes.between(0, 9);
  made.clients.zipf = bytes.one_in(3) ? odd_number(bytes, 0.0, 3.0) : 0.0;
  made.timeout_ns = bytes.one_in(3) ? odd_time(bytes, 1, 60) : 0;
  made.on_timeout = bytes.enumerator<OnTimeout>(2);
  return made;
}

HostPoolSpec hosts(Bytes& bytes, std::uint32_t number) {
  constexpr double overcommits[] = {1.0, 0.5, 1.16, 2.0, 4.0, 16.0};
  HostPoolSpec made;
  made.name = "pool" + std::to_string(number);
  HostPoolFacts& facts = made.facts;
  facts.scheduler.kind = bytes.enumerator<SchedulerKind>(4);
  facts.host.cores = odd_count(bytes, 1, 6);
  facts.host.threads_per_core = odd_count(bytes, 1, 2);
  facts.host.smt_gain = odd_number(bytes, 0.0, 1.0);
  facts.host.speed = odd_number(bytes, 0.5, 4.0);
  if (facts.scheduler.kind == SchedulerKind::fair || bytes.one_in(odd_once_in)) {
    facts.scheduler.core_scheduling = bytes.one_in(2);
  }
  facts.count = bytes.one_in(odd_once_in) ? bytes.one_in(2) * 300U : bytes.between(1, 6);
  facts.memory = odd_time(bytes, 4, 64);  // bytes as well as any
  facts.accelerators = odd_count(bytes, 0, 4);
  facts.disks = odd_count(bytes, 0, 4);
  facts.cpu_overcommit =
      bytes.one_in(odd_once_in) ? bytes.any_of(odd_numbers) : bytes.any_of(overcommits);
  const bool pinned = facts.scheduler.kind == SchedulerKind::pinned;
  if (pinned && !bytes.one_in(odd_once_in)) facts.cpu_overcommit = 1.0;
  facts.place = bytes.enumerator<PlacePolicy>(5);
  facts.zones.resize(bytes.one_in(odd_once_in) ? 0 : bytes.between(1, 3));
  for (std::uint32_t& zone : facts.zones) zone = odd_count(bytes, 0, 3);
  facts.racks = odd_count(bytes, 1, 3);
  if (bytes.one_in(2)) made.network = odd_time(bytes, 1, 200);
  if (bytes.one_in(6)) facts.account = odd_count(bytes, 0, 2);
  return made;
}

GroupSpec group(Bytes& bytes, std::uint32_t number) {
  GroupSpec made;
  made.name = "group" + std::to_string(number);
  made.strategy = bytes.enumerator<GroupStrategy>(3);
  const bool partitioned = made.strategy == GroupStrategy::partition;
  made.partitions = partitioned ? bytes.between(1, 7) : 0;
  if (bytes.one_in(odd_once_in)) made.partitions = bytes.any_of(odd_counts);
  return made;
}

// Bytes or operations a second, such that a step takes milliseconds.
BurstRate device_rate(Bytes& bytes, std::uint32_t least) {
  BurstRate made;
  made.baseline = odd_time(bytes, least, 2000);
  made.peak = made.baseline;
  if (bytes.one_in(2)) {
    made.peak = odd_time(bytes, 2000, 3000);
    made.burst = odd_time(bytes, 0, 200);
  }
  return made;
}

// What steps of the fleet's service may use.
void equip_fleet(Bytes& bytes, FleetSpec& made) {
  made.network = device_rate(bytes, 20);
  if (bytes.one_in(4)) made.flow_limit = odd_time(bytes, 0, 20);
  made.disk_bytes = device_rate(bytes, 20);
  made.disk_ops = device_rate(bytes, 20);
  if (bytes.one_in(4)) {
    made.fresh = {odd_time(bytes, 0, 2000), odd_time(bytes, 20, 2000), odd_time(bytes, 0, 2000)};
  }
  made.accelerator_speed = odd_number(bytes, 0.5, 4.0);
}

// Where the instances go and what they ask of a host.
void place_fleet(Bytes& bytes, FleetSpec& made, const Layout& all) {
  if (all.pools != 0 || bytes.one_in(odd_once_in)) made.hosts = odd_index(bytes, all.pools);
  made.memory = bytes.one_in(2) ? odd_time(bytes, 0, 32) : 0;
  made.accelerators = bytes.one_in(4) ? odd_count(bytes, 0, 2) : 0;
  made.disks = bytes.one_in(4) ? odd_count(bytes, 0, 2) : 0;
  if (bytes.one_in(3)) made.zones = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 15);
  made.vcpus_are_cores = bytes.one_in(4);
  made.account = odd_count(bytes, 0, 2);
  made.tenancy = bytes.one_in(3) ? bytes.enumerator<Tenancy>(3) : Tenancy::shared;
  if (all.groups != 0 && bytes.one_in(2)) made.group = odd_index(bytes, all.groups);
}

// What the hypervisor is told of an instance. Every scheduler takes whole weights and percentages.
void share_fleet(Bytes& bytes, FleetSpec& made) {
  constexpr double weights[] = {256.0, 1.0, 64.0, 512.0, 0.5, 100.25, 65'535.0, 65'536.0, 1e-5};
  made.weight = bytes.one_in(odd_once_in) ? bytes.any_of(odd_numbers) : bytes.any_of(weights);
  if (bytes.one_in(2)) made.weight = 256.0;
  if (bytes.one_in(6)) made.reservation = odd_number(bytes, 0.0, made.vcpus);
  const std::int64_t period = std::int64_t{bytes.between(1, 1000)} * millisecond;
  if (bytes.one_in(2)) made.period_ns = bytes.one_in(odd_once_in) ? odd_time(bytes, 0, 0) : period;
  if (bytes.one_in(3)) {
    made.quota_ns = period / 100 * bytes.between(1, 250);
    if (bytes.one_in(odd_once_in)) made.quota_ns = bytes.any_of(odd_times);
    if (bytes.one_in(8)) made.quota_ns = bytes.between(1, 60'000) * 1001;  // of no round share
  }
  if (made.hosts != FleetSpec::dedicated && bytes.one_in(4)) {
    made.interference = {odd_number(bytes, 0.0, 2.0), odd_number(bytes, 0.0, 4.0)};
  }
}

BurstFacts burst(Bytes& bytes, std::uint32_t vcpus) {
  const auto count = [&](std::uint32_t most) {
    return bytes.one_in(odd_once_in) ? bytes.any_of(odd_times)
                                     : std::int64_t{bytes.between(0, most)};
  };
  BurstFacts made;
  made.burstable = true;
  made.mode = bytes.one_in(2) ? CreditMode::standard : CreditMode::unlimited;
  made.credits.vcpus = bytes.one_in(odd_once_in) ? bytes.between(0, 100) : vcpus;
  made.credits.millicredits_per_hour = count(100'000);
  made.credits.launch_credits = count(60);
  made.credits.kept_ns = odd_time(bytes, 0, 60'000);
  if (bytes.one_in(2)) made.credits.lowered_over_ns = odd_time(bytes, 0, 60'000);
  return made;
}

FleetSpec fleet(Bytes& bytes, std::uint32_t number, const Layout& all) {
  FleetSpec made;
  made.name = "fleet" + std::to_string(number);
  made.service = all.service_of(number);
  if (bytes.one_in(odd_once_in)) made.service = all.services + bytes.raw<std::uint32_t>() / 2;
  made.count = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 6);
  made.vcpus = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4);
  made.speed = odd_number(bytes, 0.5, 4.0);
  if (all.pools == 0 || !bytes.one_in(4)) place_fleet(bytes, made, all);
  share_fleet(bytes, made);
  if (bytes.one_in(2)) equip_fleet(bytes, made);
  if (bytes.one_in(2)) made.pending = distribution(bytes, 10.0);
  if (bytes.one_in(2)) made.boot = distribution(bytes, 30.0);
  made.initially = !bytes.one_in(4);
  if (bytes.one_in(6)) made.burst = burst(bytes, made.vcpus);
  if (bytes.one_in(2)) {
    made.billing.unit_ns = odd_time(bytes, 1, 4, 1000);
    made.billing.minimum_ns = odd_time(bytes, 0, 60, 1000);
    made.billing.free_if_interrupted_ns = odd_time(bytes, 0, 60'000);
  }
  return made;
}

// Balancer k stands in front of fleets k, k + 1, ..., so that a call through it goes to later
// services.
BalancerSpec balancer(Bytes& bytes, std::uint32_t number, const Layout& all) {
  BalancerSpec made;
  made.name = "balancer" + std::to_string(number);
  made.routing = routing_spec(bytes);
  const std::uint32_t first = number < all.fleets ? number : 0;
  made.targets.resize(bytes.one_in(odd_once_in) ? 0 : bytes.between(1, all.fleets - first));
  for (std::uint32_t i = 0; i < made.targets.size(); ++i) {
    made.targets[i].fleet = first + i;
    if (bytes.one_in(odd_once_in)) made.targets[i].fleet = odd_index(bytes, all.fleets);
    if (bytes.one_in(4)) made.targets[i].weight = odd_number(bytes, 0.0, 4.0);
  }
  return made;
}

}  // namespace

// Times in ns of about `mean_ms`.
Distribution distribution(Bytes& bytes, double mean_ms) {
  constexpr double shapes[] = {1.0, 0.5, 1.5, 2.0, 3.0, 8.0};
  Distribution made;
  made.kind = bytes.enumerator<DistributionKind>(12);
  made.mean = odd_number(bytes, mean_ms * 1e5, mean_ms * 2e6);
  made.shape = bytes.one_in(odd_once_in) ? bytes.any_of(odd_numbers) : bytes.any_of(shapes);
  made.values = odd_list(bytes, mean_ms * 1e5, mean_ms * 2e6);
  if (made.kind == DistributionKind::uniform && !bytes.one_in(odd_once_in)) {
    made.values = {mean_ms * 1e5, mean_ms * 2e6};
  }
  if (made.kind == DistributionKind::hyperexponential || bytes.one_in(2)) {
    made.weights = odd_list(bytes, 0.1, 1.0);
    if (!bytes.one_in(odd_once_in)) made.weights.resize(made.values.size(), 1.0);
  }
  return made;
}

double rate(Bytes& bytes) {
  constexpr double most = 2e4;
  const double any = odd_number(bytes, 1.0, 2000.0);
  return any > most && any <= std::numeric_limits<double>::max() ? most : any;
}

RoutingSpec routing_spec(Bytes& bytes) {
  RoutingSpec made;
  made.kind = bytes.enumerator<RoutingKind>(10);
  if (made.kind == RoutingKind::compiled) made.compiled = compiled_routing(bytes);
  if (made.kind == RoutingKind::mitigated_random) made.window_ns = odd_time(bytes, 1, 300);
  made.choices = bytes.one_in(odd_once_in) ? bytes.raw<std::uint32_t>() : bytes.between(1, 4);
  return made;
}

WorldSpec world_spec(Bytes& bytes) {
  WorldSpec made;
  made.seed = bytes.raw<std::uint64_t>();
  made.replication = bytes.raw<std::uint8_t>();
  made.duration_ns = odd_time(bytes, 1, 1000);
  made.warmup_ns = bytes.one_in(2) ? odd_time(bytes, 0, 400) : 0;
  made.series_ns = bytes.one_in(2) ? odd_time(bytes, 1, 300) : 0;
  made.traces = bytes.one_in(3) ? odd_count(bytes, 0, 50) : 0;
  const Layout all = {bytes.between(1, 3), bytes.between(1, 4), bytes.between(0, 3),
                      bytes.between(0, 2), bytes.between(0, 2)};
  const std::uint32_t sources = bytes.between(1, 3);
  for (std::uint32_t i = 0; i < all.pools; ++i) made.hosts.push_back(hosts(bytes, i));
  for (std::uint32_t i = 0; i < all.groups; ++i) made.groups.push_back(group(bytes, i));
  for (std::uint32_t i = 0; i < all.services; ++i) made.services.push_back(service(bytes, i, all));
  for (std::uint32_t i = 0; i < all.fleets; ++i) made.fleets.push_back(fleet(bytes, i, all));
  for (std::uint32_t i = 0; i < all.balancers; ++i)
    made.balancers.push_back(balancer(bytes, i, all));
  for (std::uint32_t i = 0; i < sources; ++i) made.traffic.push_back(traffic(bytes, i, all));
  add_lives(bytes, made);
  add_faults(bytes, made);
  add_scaling(bytes, made);
  add_resilience(bytes, made);
  add_services(bytes, made);
  add_membership(bytes, made);
  add_fronts(bytes, made);
  add_queues(bytes, made);
  add_topics(bytes, made);
  add_pipes(bytes, made);
  return made;
}

}  // namespace nephoscope::fuzz
