// From a spec to a world. Every index and number is checked here, so that whatever the spec holds,
// a world that was built can be run.

#include <algorithm>
#include <cmath>

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"
#include "world/world.hpp"

namespace nephoscope {

namespace {

bool receive(const std::vector<StepSpec>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const StepSpec& step) {
    return (step.kind == StepKind::network && step.inward) ||
           std::any_of(step.branches.begin(), step.branches.end(), receive);
  });
}

bool use_devices(const std::vector<StepSpec>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const StepSpec& step) {
    return step.kind >= StepKind::network ||
           std::any_of(step.branches.begin(), step.branches.end(), use_devices);
  });
}

ServingRules serving_of(const ServiceSpec& service) {
  const bool bounded = service.backlog >= 0;
  return {service.processor_sharing, service.concurrency,
          bounded ? static_cast<std::uint32_t>(service.backlog) : InstanceKind::unlimited};
}

}  // namespace

World::World(const WorldSpec& spec) : WorldView(spec) {
  check_window(spec);
  for (const TrafficSpec& traffic : spec.traffic) traffic_names_.push_back(traffic.name);
  for (const BalancerSpec& balancer : spec.balancers) balancer_names_.push_back(balancer.name);
  for (const FleetSpec& fleet : spec.fleets) fleet_names_.push_back(fleet.name);
  build_services(spec);
  Messaging(*this).build(spec);
  build_balancers(spec);
  build_hosts(spec);
  build_accounts(spec);
  build_fleets(spec);
  build_callers(spec);
  build_errands(spec);
  refuse_endless_calls(spec);
  build_sources(spec);
  build_cookies(spec);
  build_dns(spec);
  build_reception(spec);
  build_samplers(spec);
  Messaging(*this).build_sayings(spec);
  traces_.build(spec.traces, static_cast<std::uint32_t>(fleets_.size()), traffic_);
  faults_.slow = std::any_of(spec.faults.begin(), spec.faults.end(),
                             [](const FaultSpec& fault) { return fault.kind == FaultKind::slow; });
  faults_.hangs = std::any_of(spec.faults.begin(), spec.faults.end(),
                              [](const FaultSpec& fault) { return fault.kind == FaultKind::hang; });
  const auto patient = [](const Balancer& balancer) { return balancer.connect_ns != 0; };
  faults_.connects =
      !spec.faults.empty() && std::any_of(balancers_.begin(), balancers_.end(), patient);
  find_first_samplers();
  build_actions(spec);
  build_faults(spec);
  build_metering(spec);
  build_series();
  warm_ = warmup_ == 0;
  Messaging(*this).start();
}

void WorldView::check_window(const WorldSpec& spec) const {
  require(duration_ > 0 && duration_ <= duration_max, "duration",
          "must be above 0 and below 73 years");
  require(warmup_ >= 0 && warmup_ < duration_, "warmup", "must lie before the end of the run");
  require(spec.series_ns >= 0, "series", "must not be below 0");
  require(spec.traces <= Traces::keep_max, "traces", "must not be above 1,000,000");
  require(spec.traffic.size() < 65'535, "traffic", "has too many entries");
  require(spec.balancers.size() < 65'535, "load_balancers", "has too many entries");
  require(spec.fleets.size() < 65'535, "fleets", "has too many entries");
}

void World::build_services(const WorldSpec& spec) {
  for (std::size_t index = 0; index < spec.services.size(); ++index) {
    try {
      programs_.add(spec.services[index].steps);
    } catch (const SpecError& error) {
      throw SpecError(at("services", index, error.path.c_str()), error.what());
    }
    const std::int64_t backlog = spec.services[index].backlog;
    require(backlog >= -1 && backlog < InstanceKind::unlimited, at("services", index, "backlog"),
            "must be -1 (no limit) or from 0 to 4,294,967,294");
    try {
      nephoscope::check(spec.services[index].admission);
    } catch (const SpecError& error) {
      throw SpecError(at("services", index, ("admission." + error.path).c_str()), error.what());
    }
  }
}

void World::build_fleets(const WorldSpec& spec) {
  launched_.assign(spec.fleets.size(), 0);
  std::size_t instances = 0;
  for (std::size_t index = 0; index < spec.fleets.size(); ++index) {
    const FleetSpec& from = spec.fleets[index];
    require(from.service < spec.services.size(), at("fleets", index, "service"), "is not there");
    instances += from.count;
    require(instances <= instances_max, at("fleets", index, "count"), "makes more than 16,777,216");
    const ServiceSpec& service = spec.services[from.service];
    Fleet& fleet = fleets_.emplace_back();
    fleet.entry = programs_.entry(from.service);
    fleet.admission = service.admission;
    fleet.serving = serving_of(service);
    const auto number = static_cast<std::uint32_t>(index);
    build_make(from, number, at("fleets", index, ""));
    fleet.fresh.spec = from.fresh;
    require(from.fresh.bytes >= 0 && from.fresh.loaded >= 0, at("fleets", index, "fresh"),
            "must not be below 0");
    build_life(from, number);
    for (std::size_t make = 0; make < from.makes.size(); ++make) {
      build_make(from.makes[make], number,
                 at("fleets", index, ("makes." + std::to_string(make) + ".").c_str()));
    }
    build_allocation(from, fleet, number);
    build_refresh(from, number);
    fleet_uses_devices_.push_back(use_devices(service.steps));
    with_devices_ = with_devices_ || fleet_uses_devices_.back();
    fleet_receives_.push_back(receive(service.steps));
    receiving_ = receiving_ || fleet_receives_.back();
  }
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) {
    const std::vector<std::uint32_t>& fleets = balancers_[index].fleets;
    for (std::uint32_t of_class = 0; of_class < fleets.size(); ++of_class) {
      fleets_[fleets[of_class]].attachments.push_back({index, of_class, {}});
    }
  }
  for (std::uint32_t index = 0; index < fleets_.size(); ++index) {
    fleets_[index].desired = spec.fleets[index].count;
    fleets_[index].initial = spec.fleets[index].initially ? spec.fleets[index].count : 0;
    build_scaling(spec, index);
    build_membership(spec, index);
    scale(index);
    fleets_[index].least = fleets_[index].members.size();
  }
}

// What the instances of a fleet are, at first or after a refresh: numbered as they are built.
void World::build_make(const FleetSpec& from, std::uint32_t index, const std::string& path) {
  require(from.vcpus >= 1 && from.vcpus <= 65'536, path + "vcpus", "must be from 1 to 65,536");
  require(positive(from.speed) && from.speed >= 1e-6 && from.speed <= 1e6, path + "speed",
          "must be from 1e-6 to 1e6");
  Fleet& fleet = fleets_[index];
  Make make;
  try {
    build_launches(from, index, make);
    build_devices(from, make);
  } catch (const SpecError& error) {
    throw SpecError(path + error.path, error.what());
  }
  const ServingRules& rules = fleet.serving;
  const std::uint32_t all = rules.processor_sharing ? InstanceKind::unlimited : from.vcpus;
  const std::uint32_t workers = rules.concurrency != 0 ? rules.concurrency : all;
  InstanceKind kind{from.vcpus, from.speed, workers, rules.backlog, duration_, make.hosted};
  if (from.hosts != FleetSpec::dedicated) kind.speed = hosts_.facts(from.hosts).host.speed;
  make.kind = instances_.add_kind(kind);
  require(make.kind <= 0xFFFF, path + "instance_type", "is one too many in all fleets");
  if (!fleet.makes.empty()) require_alike(make, fleet.makes.front(), path);
  fleet.makes.push_back(make);
}

// What the rest of a fleet goes by is the same for all its makes.
void World::require_alike(const Make& make, const Make& first, const std::string& path) const {
  const auto named = [&](const Make& of) {
    return of.request.pool < host_names_.size() ? of.request.pool : nowhere;
  };
  require(named(make) == named(first), path + "hosts", "must be those of the fleet");
  const bool bought = make.facts.purchase == first.facts.purchase &&
                      make.facts.interruption == first.facts.interruption &&
                      make.facts.hibernation == first.facts.hibernation;
  require(bought, path + "life", "must be bought as the fleet's, and hibernate if they do");
}

void World::build_series() {
  if (series_interval_ == 0) return;
  std::size_t columns = 6 * (told_ + balancers_.size()) + 2 * fleets_.size();
  for (const Balancer& balancer : balancers_) {
    columns += balancer.health.active() ? 2 : 0;
    columns += balancer.anomalies.active() ? 1 : 0;
  }
  for (const Fleet& fleet : fleets_) columns += is_on_hosts(fleet) ? 1 : 0;
  columns += scaled_.size() + 4 * queues_.all.size() + topics_.all.size();
  const auto length = static_cast<std::uint64_t>(duration_ / series_interval_);
  require(length <= series_max / columns, "series", "asks for more than 16,777,216 values");
  samples_.assign(columns, Series(series_interval_));
  next_sample_ = series_interval_;
  foretold_ = Foretold(length, series_interval_);
}

}  // namespace nephoscope
