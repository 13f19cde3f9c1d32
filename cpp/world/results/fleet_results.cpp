// What a fleet has been and done.

#include <algorithm>

#include "world/world.hpp"

namespace nephoscope {

namespace {

void tell_devices(FleetAccount& account, const Fleet& fleet, bool uses, bool receives) {
  account.uses_devices = uses;
  account.receives = receives;
  account.devices = fleet.devices;
  account.counts_lives = fleet.counts_lives;
}

void tell_membership(FleetAccount& account, const Membership& membership) {
  account.keeps = membership.present();
  account.kept = membership.counts;
  account.guarded = membership.guarded;
  account.warm = static_cast<std::uint32_t>(membership.pool.size());
  account.standby = static_cast<std::uint32_t>(membership.standby.size());
}

// What its instances have been, and how many of each.
void tell_makes(FleetAccount& account, const Fleet& fleet,
                const std::vector<std::uint32_t>& index_of) {
  account.mixed = fleet.on_demand.any();
  account.billed_by_price.resize(fleet.prices.all.size());
  account.rebalances = fleet.rebalances;
  account.makes.resize(fleet.makes.size());
  account.make = fleet.launched_as.back().make;
  for (const Make& make : fleet.makes) {
    account.burstable = account.burstable || make.guest.burst.burstable;
    account.interferes = account.interferes || make.guest.interference.matters();
  }
  for (std::uint32_t index = 0; index < account.launches && fleet.makes.size() > 1; ++index) {
    ++account.makes[fleet.make_number(index)].launches;
  }
  for (const std::uint32_t instance : fleet.members) {
    ++account.makes[fleet.make_number(index_of[instance])].instances;
  }
}

}  // namespace

FleetAccount WorldView::fleet_account(std::size_t at, const std::vector<InFlight>& in_flight,
                                      HostPools& hosts) const {
  FleetAccount account;
  account.name = fleet_names_[at];
  for (const Route& route : routes_) {
    if (route.fleet != at || route.check) continue;
    merge_route(account, route);
    account.wasted += route.wasted;
  }
  account.ended[static_cast<std::size_t>(Outcome::completed)] += account.latency.count();
  for (const InFlight& some : in_flight) {
    const Route& route = routes_[some.route];
    if (route.fleet == at && !route.check) account.in_flight += some.requests;
  }
  account.offered = total(account.ended) + account.in_flight;

  Fleet fleet = fleets_[at];
  count_instances(fleet);
  account.instance_ns = fleet.instance_ns;
  account.vcpu_ns = fleet.vcpu_ns;
  account.instances_min = fleet.least;
  account.instances_max = fleet.most;
  account.instances_final = fleet.members.size();
  account.failures = fleet.failures;
  for (const std::uint32_t instance : fleet.members) {
    account.used += used_since_warmup(instance, hosts);
    if (phase_[instance] != Phase::down) continue;
    ++account.down;
    account.failures.down_ns += static_cast<std::uint64_t>(now_);
  }
  // An instance that has left and still finishes what it holds counts as there while it does.
  for (const Departed& departed : fleet.departed) {
    account.used += used_since_warmup(departed.instance, hosts);
    account.vcpu_ns += used(departed.instance, hosts).run_ns -
                       std::max(departed.run_ns, run_at_warmup(departed.instance));
  }
  account.launches = launched_[at];
  account.terminations = fleet.terminations;
  tell_makes(account, fleet, index_in_fleet_);
  const bool short_of = fleet.retries && fleet.alive() < fleet.wanted();
  account.missing = short_of ? fleet.wanted() - fleet.alive() : 0;
  account.refusals = fleet.refusals;
  account.admits_all = !fleet.admission.any();
  account.refresh = fleet.refresh;
  account.refresh.replaced = replaced(static_cast<std::uint32_t>(at));
  tell_membership(account, fleet.membership);
  account.refusal = account.missing != 0 ? fleet.refusal : 0;
  account.eventful = fleet.eventful;
  account.counts = fleet.counts;
  if (account.mixed) account.on_demand = count_on_demand(fleet);
  account.parks = fleet.parks;
  for (const std::uint32_t machine : fleet.aside) {
    const InstanceState state = lives_.state(machine);
    account.stopped += state == InstanceState::stopping || state == InstanceState::stopped ? 1 : 0;
  }
  if (fleet.scaled != none) account.scaling = scaling_account(scaled_[fleet.scaled]);
  tell_devices(account, fleet, fleet_uses_devices_[at], fleet_receives_[at]);
  return account;
}

ScalingAccount WorldView::scaling_account(const ScaledFleet& it) const {
  ScalingAccount account;
  account.active = true;
  account.desired = fleets_[it.fleet].desired;
  account.min = it.group.min();
  account.max = it.group.max();
  const std::vector<ScalingPolicySpec>& policies = it.group.spec().policies;
  for (std::uint32_t at = 0; at < policies.size(); ++at) {
    const PolicyCounts& counts = it.group.counts()[at];
    if (policies[at].kind != PolicyKind::alarm) {
      account.policies.push_back(counts);
    } else {
      account.alarms.push_back({policies[at].name, counts.outward, it.group.is_on(at)});
    }
  }
  const std::uint32_t failed_by = fleets_[it.fleet].refresh.failed_by;
  if (failed_by != Refresh::no_alarm) account.failed_by = policies[failed_by].name;
  account.scheduled = it.group.scheduled();
  account.looks_ahead = !it.predictive.empty();
  for (const PredictivePolicy& policy : it.predictive) account.predicted += policy.decisions();
  return account;
}

}  // namespace nephoscope
