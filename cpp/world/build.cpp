// From a spec to a world. Every index and number is checked here, so that whatever the spec holds,
// a world that was built can be run.

#include <algorithm>
#include <cmath>

#include "world/build_checks.hpp"
#include "world/world.hpp"

namespace nephoscope {

namespace {

bool use_devices(const std::vector<StepSpec>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const StepSpec& step) {
    return step.kind >= StepKind::network ||
           std::any_of(step.branches.begin(), step.branches.end(), use_devices);
  });
}

}  // namespace

World::World(const WorldSpec& spec) : WorldView(spec) {
  check_window(spec);
  for (const TrafficSpec& traffic : spec.traffic) traffic_names_.push_back(traffic.name);
  for (const BalancerSpec& balancer : spec.balancers) balancer_names_.push_back(balancer.name);
  for (const FleetSpec& fleet : spec.fleets) fleet_names_.push_back(fleet.name);
  build_services(spec);
  build_balancers(spec);
  build_hosts(spec);
  build_accounts(spec);
  build_fleets(spec);
  build_callers(spec);
  build_errands(spec);
  refuse_endless_calls(spec);
  build_sources(spec);
  build_cookies(spec);
  build_samplers(spec);
  faults_.slow = std::any_of(spec.faults.begin(), spec.faults.end(),
                             [](const FaultSpec& fault) { return fault.kind == FaultKind::slow; });
  find_first_samplers();
  build_actions(spec);
  build_faults(spec);
  build_metering(spec);
  build_series();
  warm_ = warmup_ == 0;
}

void World::check_window(const WorldSpec& spec) const {
  require(duration_ > 0 && duration_ <= duration_max, "duration",
          "must be above 0 and below 73 years");
  require(warmup_ >= 0 && warmup_ < duration_, "warmup", "must lie before the end of the run");
  require(spec.series_ns >= 0, "series", "must not be below 0");
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
    require(from.vcpus >= 1 && from.vcpus <= 65'536, at("fleets", index, "vcpus"),
            "must be from 1 to 65,536");
    require(positive(from.speed) && from.speed >= 1e-6 && from.speed <= 1e6,
            at("fleets", index, "speed"), "must be from 1e-6 to 1e6");
    instances += from.count;
    require(instances <= instances_max, at("fleets", index, "count"), "makes more than 16,777,216");
    const ServiceSpec& service = spec.services[from.service];
    const std::uint32_t all = service.processor_sharing ? InstanceKind::unlimited : from.vcpus;
    const std::uint32_t workers = service.concurrency != 0 ? service.concurrency : all;
    const std::uint32_t backlog =
        service.backlog < 0 ? InstanceKind::unlimited : static_cast<std::uint32_t>(service.backlog);
    Fleet& fleet = fleets_.emplace_back();
    fleet.entry = programs_.entry(from.service);
    fleet.admission = service.admission;
    build_refresh(from.refresh, static_cast<std::uint32_t>(index));
    build_launches(spec, static_cast<std::uint32_t>(index));
    InstanceKind kind{from.vcpus, from.speed, workers, backlog, duration_, fleet.hosted};
    if (from.hosts != FleetSpec::dedicated) kind.speed = hosts_.facts(from.hosts).host.speed;
    fleet.kind = instances_.add_kind(kind);
    fleet_uses_devices_.push_back(use_devices(service.steps));
    with_devices_ = with_devices_ || fleet_uses_devices_.back();
    build_devices(spec, static_cast<std::uint32_t>(index));
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

void World::build_series() {
  if (series_interval_ == 0) return;
  std::size_t columns = 6 * (traffic_ + balancers_.size()) + fleets_.size();
  for (const Balancer& balancer : balancers_) columns += balancer.health.active() ? 1 : 0;
  columns += scaled_.size();
  const auto length = static_cast<std::uint64_t>(duration_ / series_interval_);
  require(length <= series_max / columns, "series", "asks for more than 16,777,216 values");
  samples_.assign(columns, Series(series_interval_));
  next_sample_ = series_interval_;
}

}  // namespace nephoscope
