#include "fuzz/world_spec.hpp"

#include <algorithm>
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
    2e4,
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

// Between the bounds.
double number(Bytes& bytes, double low, double high) {
  return low + (high - low) * bytes.raw<std::uint16_t>() / 65535.0;
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
  made.kind = bytes.enumerator<StepKind>(9);
  if (depth == 0 && made.kind == StepKind::choose) made.kind = StepKind::compute;
  made.demand = distribution(bytes, 3.0);
  made.timeout_ns = bytes.one_in(3) ? odd_time(bytes, 1, 50) : 0;
  made.probability = odd_number(bytes, 0.0, 0.9);
  made.bytes = odd_time(bytes, 0, 50);
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

FleetSpec fleet(Bytes& bytes, std::uint32_t number, const Layout& all) {
  FleetSpec made;
  made.name = "fleet" + std::to_string(number);
  made.service = all.service_of(number);
  if (bytes.one_in(odd_once_in)) made.service = all.services + bytes.raw<std::uint32_t>() / 2;
  made.count = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 6);
  made.vcpus = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 4);
  made.speed = odd_number(bytes, 0.5, 4.0);
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

double odd_number(Bytes& bytes, double low, double high) {
  if (bytes.one_in(odd_once_in)) return bytes.any_of(odd_numbers);
  return number(bytes, low, high);
}

double rate(Bytes& bytes) {
  constexpr double most = 2e4;
  const double any = odd_number(bytes, 1.0, 2000.0);
  return any > most && any <= std::numeric_limits<double>::max() ? most : any;
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
  const Layout all = {bytes.between(1, 3), bytes.between(1, 4), bytes.between(0, 3)};
  const std::uint32_t sources = bytes.between(1, 3);
  for (std::uint32_t i = 0; i < all.services; ++i) made.services.push_back(service(bytes, i, all));
  for (std::uint32_t i = 0; i < all.fleets; ++i) made.fleets.push_back(fleet(bytes, i, all));
  for (std::uint32_t i = 0; i < all.balancers; ++i)
    made.balancers.push_back(balancer(bytes, i, all));
  for (std::uint32_t i = 0; i < sources; ++i) made.traffic.push_back(traffic(bytes, i, all));
  return made;
}

}  // namespace nephoscope::fuzz
