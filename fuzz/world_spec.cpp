#include "fuzz/world_spec.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace nephoscope::fuzz {
namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::uint32_t odd_once_in = 96;  // a field is absurd; most worlds then have one or none

constexpr double odd_numbers[] = {
    0.0,
    -0.0,
    -1.0,
    1.0,
    0.5,
    1e-300,
    1e-9,
    1e9,
    5e-324,
    -std::numeric_limits<double>::infinity(),
    std::numeric_limits<double>::infinity(),
    std::numeric_limits<double>::quiet_NaN(),
    std::numeric_limits<double>::max(),
};

constexpr std::int64_t odd_times[] = {
    0,
    1,
    -1,
    std::numeric_limits<std::int64_t>::min(),
    std::numeric_limits<std::int64_t>::max(),
    std::numeric_limits<std::int64_t>::max() / 2,
};

std::int64_t odd_time(Bytes& bytes, std::uint32_t low_ms, std::uint32_t high_ms) {
  if (bytes.one_in(odd_once_in)) return bytes.any_of(odd_times);
  return std::int64_t{bytes.between(low_ms, high_ms)} * millisecond;
}

// An index into a list of `size`; sometimes one past its end.
std::uint32_t odd_index(Bytes& bytes, std::size_t size) {
  if (size == 0 || bytes.one_in(odd_once_in)) return bytes.raw<std::uint32_t>();
  return bytes.between(0, static_cast<std::uint32_t>(size - 1));
}

std::vector<double> odd_list(Bytes& bytes, double low, double high) {
  std::vector<double> list(bytes.one_in(odd_once_in) ? 0 : bytes.between(1, 3));
  for (double& number : list) number = odd_number(bytes, low, high);
  return list;
}

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

std::vector<std::int64_t> times(Bytes& bytes, std::size_t size) {
  std::vector<std::int64_t> list(size);
  std::int64_t now = 0;
  for (auto& time : list) {
    time = now;
    now += odd_time(bytes, 1, 300) & (std::numeric_limits<std::int64_t>::max() / 1024);
    if (bytes.one_in(odd_once_in)) now = odd_time(bytes, 0, 100);
  }
  return list;
}

ArrivalSpec arrivals(Bytes& bytes) {
  ArrivalSpec made;
  made.kind = bytes.enumerator<ArrivalKind>(7);
  made.rate = odd_number(bytes, 1.0, 2000.0);
  made.rates = odd_list(bytes, 1.0, 2000.0);
  made.mean_stay_ns = odd_list(bytes, 1e7, 1e9);
  if (!bytes.one_in(odd_once_in)) made.mean_stay_ns.resize(made.rates.size(), 1e8);
  const bool counted = made.kind == ArrivalKind::counts;
  const std::size_t size = made.rates.size();
  made.times_ns = times(bytes, bytes.one_in(odd_once_in) ? 7 : size + (counted ? 1 : 0));
  for (std::size_t i = 0; i < size; ++i) {
    made.counts.push_back(bytes.one_in(odd_once_in) ? -1 : bytes.between(0, 200));
  }
  made.users = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 40);
  made.think = distribution(bytes, 20.0);
  return made;
}

Destination destination(Bytes& bytes, std::size_t balancers, std::size_t fleets) {
  Destination made;
  made.kind = bytes.enumerator<Destination::Kind>(2);
  made.index = odd_index(bytes, made.kind == Destination::Kind::fleet ? fleets : balancers);
  return made;
}

// Calls go to fleets and balancers of a later number, but for a stray one, so that most programs
// end.
StepSpec step(Bytes& bytes, std::size_t balancers, std::size_t fleets, unsigned depth) {
  StepSpec made;
  made.kind = bytes.enumerator<StepKind>(5);
  if (depth == 0 && made.kind == StepKind::choose) made.kind = StepKind::compute;
  if (made.kind == StepKind::call && !bytes.one_in(4)) made.kind = StepKind::sleep;
  made.demand = distribution(bytes, 3.0);
  made.to = destination(bytes, balancers, fleets);
  made.timeout_ns = bytes.one_in(3) ? odd_time(bytes, 1, 50) : 0;
  made.probability = odd_number(bytes, 0.0, 0.9);
  if (made.kind == StepKind::choose) {
    made.weights = odd_list(bytes, 0.0, 5.0);
    made.branches.resize(made.weights.size() + (bytes.one_in(odd_once_in) ? 1 : 0));
    for (auto& branch : made.branches) {
      branch.resize(bytes.between(0, 2));
      for (auto& inner : branch) inner = step(bytes, balancers, fleets, depth - 1);
    }
  }
  return made;
}

ServiceSpec service(Bytes& bytes, std::size_t number, std::size_t balancers, std::size_t fleets) {
  ServiceSpec made;
  made.name = "service" + std::to_string(number);
  made.processor_sharing = bytes.one_in(3);
  made.concurrency = bytes.between(0, 4);
  made.backlog = bytes.one_in(3) ? bytes.between(0, 8) : -1;
  if (bytes.one_in(odd_once_in)) made.backlog = bytes.any_of(odd_times);
  made.steps.resize(bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4));
  for (auto& inner : made.steps) inner = step(bytes, balancers, fleets, 2);
  return made;
}

TrafficSpec traffic(Bytes& bytes, std::size_t number, std::size_t balancers, std::size_t fleets) {
  TrafficSpec made;
  made.name = "traffic" + std::to_string(number);
  made.to = destination(bytes, balancers, fleets);
  made.arrivals = arrivals(bytes);
  made.clients.count = bytes.one_in(odd_once_in) ? bytes.raw<std::uint64_t>() : bytes.between(0, 9);
  made.clients.zipf = bytes.one_in(3) ? odd_number(bytes, 0.0, 3.0) : 0.0;
  made.timeout_ns = bytes.one_in(3) ? odd_time(bytes, 1, 60) : 0;
  made.on_timeout = bytes.enumerator<OnTimeout>(2);
  return made;
}

FleetSpec fleet(Bytes& bytes, std::size_t number, std::size_t services) {
  FleetSpec made;
  made.name = "fleet" + std::to_string(number);
  made.service = odd_index(bytes, services);
  made.count = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 6);
  made.vcpus = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4);
  made.speed = odd_number(bytes, 0.5, 4.0);
  return made;
}

BalancerSpec balancer(Bytes& bytes, std::size_t number, std::size_t fleets) {
  BalancerSpec made;
  made.name = "balancer" + std::to_string(number);
  made.routing = routing_spec(bytes);
  made.targets.resize(bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 3));
  for (std::size_t i = 0; i < made.targets.size(); ++i) {
    const auto first = static_cast<std::uint32_t>(i % fleets);  // mostly no fleet twice
    made.targets[i].fleet = bytes.one_in(odd_once_in) ? odd_index(bytes, fleets) : first;
    if (bytes.one_in(4)) made.targets[i].weight = odd_number(bytes, 0.0, 4.0);
  }
  if (made.targets.size() > fleets && !bytes.one_in(odd_once_in)) made.targets.resize(fleets);
  return made;
}

}  // namespace

double odd_number(Bytes& bytes, double low, double high) {
  if (bytes.one_in(odd_once_in)) return bytes.any_of(odd_numbers);
  return low + (high - low) * bytes.raw<std::uint16_t>() / 65535.0;
}

RoutingSpec routing_spec(Bytes& bytes) {
  RoutingSpec made;
  made.kind = bytes.enumerator<RoutingKind>(8);
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
  const std::size_t services = bytes.between(1, 3);
  const std::size_t fleets = bytes.between(1, 4);
  const std::size_t balancers = bytes.between(0, 3);
  const std::size_t sources = bytes.between(1, 3);
  for (std::size_t i = 0; i < services; ++i) {
    made.services.push_back(service(bytes, i, balancers, fleets));
  }
  for (std::size_t i = 0; i < fleets; ++i) made.fleets.push_back(fleet(bytes, i, services));
  for (std::size_t i = 0; i < balancers; ++i) made.balancers.push_back(balancer(bytes, i, fleets));
  for (std::size_t i = 0; i < sources; ++i) {
    made.traffic.push_back(traffic(bytes, i, balancers, fleets));
  }
  return made;
}

}  // namespace nephoscope::fuzz
