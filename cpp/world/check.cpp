// The conservation laws, counted anew from the requests that are alive.

#include "world/world.hpp"

namespace nephoscope {

// Sent = ended + alive for every caller, over the whole run and over the measured requests; what a
// policy counts as outstanding are the requests sent there; every instance keeps its own
// invariants.
void WorldView::check() const {
  check_policies();
  std::vector<std::uint64_t> alive(callers_.size());
  std::vector<std::uint64_t> measured(callers_.size());
  for_each_request([&](const Sent& it) {
    const std::uint32_t caller = routes_[it.route].caller;
    ++alive[caller];
    measured[caller] += it.arrival >= warmup_ ? 1U : 0U;
  });
  for (std::size_t at = 0; at < callers_.size(); ++at) {
    const Caller& caller = callers_[at];
    std::uint64_t accounted = caller.without_target + measured[at] + total(caller.gave_up_queued);
    for (std::uint32_t route = 0; route < caller.routes; ++route) {
      const Route& it = routes_[caller.first_route + route];
      accounted += total(it.ended) + it.latency.count();
    }
    if (caller.sent != total(caller.ended) + alive[at] || offered(caller) != accounted) {
      throw InvariantError("requests of caller " + std::to_string(at) + " were lost or doubled" +
                           where());
    }
  }
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    const std::vector<std::uint32_t> counts = outstanding(at);
    bool agree = true;
    for (std::uint32_t cell = 0; cell < balancers_[at].cells(); ++cell) {
      agree &= balancers_[at].router_in(cell).agrees_with(balancers_[at].of_cell(cell, counts));
    }
    if (!agree) {
      throw InvariantError("balancer " + balancer_names_[at] + " lost count of its requests" +
                           where());
    }
  }
  check_errands();
  check_hosts();
  check_migrations();
  check_devices();
  check_lives();
  check_health();
  check_surges();
  check_kept();
  check_faults();
  check_hanging();
  check_connecting();
  check_scaling();
  check_admission();
  check_refresh();
  check_membership();
  check_pools();
  check_standby();
  check_queues();
  check_topics();
  check_traces();
  check_held();
  try {
    instances_.check(now_);
  } catch (const InvariantError& error) {
    throw InvariantError(error.what() + where());
  }
}

// A policy of the user's own that has failed has left a request in the middle of nowhere: the world
// stands still from there on. Throws PolicyError.
void WorldView::check_policies() const {
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    const Balancer& balancer = balancers_[at];
    try {
      for (std::uint32_t cell = 0; cell < balancer.cells(); ++cell) {
        balancer.router_in(cell).check_policy();
      }
    } catch (const PolicyError& error) {
      throw PolicyError("load_balancers." + balancer_names_[at] + ": " + error.what() + where());
    }
  }
}

// Nobody is kept out who was not rejected, and tokens are where they may be.
void WorldView::check_admission() const {
  std::vector<std::uint64_t> rejected(fleets_.size());
  for (const Route& route : routes_) {
    if (route.check) continue;
    rejected[route.fleet] += route.ended[static_cast<std::size_t>(Outcome::rejected)];
  }
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    const AdmissionCounts& counts = fleets_[at].refusals;
    if (counts.throttled + counts.shed <= rejected[at]) continue;
    throw InvariantError("fleet " + fleet_names_[at] + " kept out more than it rejected" + where());
  }
  for (std::uint32_t instance = 0; instance < instances_.size(); ++instance) {
    admissions_.check(instance, fleets_[fleet_of_[instance]].admission, now_);
  }
}

// What an instance wanted of its vCPUs, as it counts itself, is what became of it on its host, and
// nobody had less than nothing.
void WorldView::check_hosts() const {
  if (!hosted_) return;
  for (std::uint32_t instance = 0; instance < instances_.size(); ++instance) {
    if (!hosts_.is_hosted(instance)) continue;
    // Since the hypervisor was told last, nobody has wanted anything else.
    std::int64_t told = 0;
    const TenantAccount used = hosts_.last_account(instance, told);
    const bool adds_up = used.run_ns + used.steal_ns() == instances_.run_ns(instance, told);
    const bool legal = used.run_ns >= 0 && used.contention_ns >= 0 && used.quota_ns >= 0 &&
                       used.forced_idle_ns >= 0 && used.paused_ns >= 0 && used.idle_ns >= 0 &&
                       used.work_ns >= 0 && used.slowed_ns >= 0;
    if (adds_up && legal) continue;
    throw InvariantError("vCPU time of instance " + std::to_string(instance) +
                         " does not add up: run and steal are not what it wanted" + where());
  }
}

std::string WorldView::where() const {
  return " (seed " + std::to_string(seed_) + ", replication " + std::to_string(replication_) +
         ", " + std::to_string(now_) + " ns, event " + std::to_string(events_) + ")";
}

}  // namespace nephoscope
