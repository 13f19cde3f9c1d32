// What the world tells about itself: the series while it runs, and the results.

#include <algorithm>

#include "world/world.hpp"

namespace nephoscope {

namespace {

constexpr const char* count_names[] = {"completed", "rejected", "failed", "timed_out"};

HealthAccount health_account(const Balancer& balancer, std::int64_t now) {
  const Balancer::Tally tally = balancer.tally();
  return {balancer.health.counts(now), tally.healthy, tally.unhealthy, tally.initial};
}

bool leads_to(const Caller& caller, std::size_t balancer) {
  return caller.to_balancer != 0 && caller.to == balancer;
}

}  // namespace

// Requests sent and ended by each source and through each balancer since the start, and the
// instances.
// Where any are foretold, there is one who sends.
OutcomeCounts WorldView::without_foretold(OutcomeCounts ended) const {
  ended[static_cast<std::size_t>(Outcome::completed)] -= foretold_.ahead();
  return ended;
}

void World::sample_series() {
  worked_.of_fleet.resize(fleets_.size());
  for (; worked_.known < instances_.size(); ++worked_.known) {
    const std::uint32_t fleet = fleet_of_[worked_.known];
    if (fleets_[fleet].reached) worked_.of_fleet[fleet].push_back(worked_.known);
  }
  std::size_t column = 0;
  const auto push = [&](std::uint64_t value) {
    samples_[column++].push(static_cast<std::int64_t>(value));
  };
  const auto push_all = [&](std::uint64_t sent, const OutcomeCounts& ended) {
    push(sent);
    for (const std::uint64_t count : ended) push(count);
    push(sent - total(ended));
  };
  for (std::size_t at = 0; at < told_; ++at) {
    const Caller& caller = callers_[at];
    if (caller.resilience == none) {
      push_all(caller.sent, without_foretold(caller.ended));
    } else {
      push_all(errands_.of(caller).begun, errands_.of(caller).ended);
    }
  }
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    const Through all = through(at);
    push_all(all.sent, all.sent == 0 ? all.ended : without_foretold(all.ended));
  }
  for (const Fleet& fleet : fleets_) push(fleet.members.size());
  for (const std::int64_t busy : busy_ns()) push(static_cast<std::uint64_t>(busy));
  for (std::uint32_t at = 0; at < fleets_.size(); ++at) {
    if (is_on_hosts(fleets_[at])) push(static_cast<std::uint64_t>(stolen_ns(at)));
  }
  for (const Balancer& balancer : balancers_) {
    if (!balancer.health.active()) continue;
    push(balancer.tally().healthy);
    push(balancer.draining.count(now_));
  }
  for (const Balancer& balancer : balancers_) {
    if (balancer.anomalies.active()) push(balancer.anomalies.anomalous());
  }
  for (const ScaledFleet& scaled : scaled_) push(fleets_[scaled.fleet].desired);
  for (const WorldQueue& it : queues_.all) {
    push(it.messages());
    push(it.queue.visible());
    push(it.queue.in_flight());
    const std::int64_t oldest = it.queue.oldest();
    push(oldest == MessageQueue::never ? 0 : static_cast<std::uint64_t>(now_ - oldest));
  }
  for (const Topic& it : topics_.all) push(pending_of(it));
}

// By fleet: in which its vCPUs have had work, of all instances that there ever were. O(those).
std::vector<std::int64_t> WorldView::busy_ns() const {
  std::vector<std::int64_t> busy(fleets_.size());
  for (std::size_t fleet = 0; fleet < fleets_.size(); ++fleet) {
    for (const std::uint32_t instance : worked_.of_fleet[fleet])
      busy[fleet] += instances_.run_ns(instance, now_);
  }
  return busy;
}

std::vector<Column> WorldView::series() const {
  if (samples_.empty()) return {};
  std::vector<Column> columns;
  const auto take = [&](const std::string& name, bool cumulative) {
    const std::vector<std::int64_t>& values = samples_[columns.size()].values();
    columns.push_back({name, values});
    if (!cumulative) return;
    for (std::size_t at = 1; at < values.size(); ++at) columns.back().values[at] -= values[at - 1];
  };
  const auto take_all = [&](const std::string& name, const char* sent) {
    take(name + sent, true);
    for (const char* count : count_names) take(name + "." + count, true);
    take(name + ".in_flight", false);
  };
  for (std::size_t at = 0; at < told_; ++at) take_all("traffic." + traffic_names_[at], ".offered");
  for (std::size_t at = 0; at < balancers_.size(); ++at) {
    take_all("load_balancers." + balancer_names_[at], ".requests");
  }
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    take("fleets." + fleet_names_[at] + ".instances", false);
  }
  for (const std::string& name : fleet_names_) take("fleets." + name + ".busy_ns", true);
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    if (is_on_hosts(fleets_[at])) take("fleets." + fleet_names_[at] + ".steal_ns", true);
  }
  for (std::size_t at = 0; at < balancers_.size(); ++at) {
    if (!balancers_[at].health.active()) continue;
    take("load_balancers." + balancer_names_[at] + ".healthy", false);
    take("load_balancers." + balancer_names_[at] + ".draining", false);
  }
  for (std::size_t at = 0; at < balancers_.size(); ++at) {
    if (!balancers_[at].anomalies.active()) continue;
    take("load_balancers." + balancer_names_[at] + ".anomalous", false);
  }
  for (const ScaledFleet& scaled : scaled_) {
    take("fleets." + fleet_names_[scaled.fleet] + ".desired", false);
  }
  for (const WorldQueue& it : queues_.all) {
    for (const char* gauge : {".depth", ".visible", ".in_flight", ".oldest_ns"})
      take("queues." + it.name + gauge, false);
  }
  for (const Topic& it : topics_.all)
    take((it.bus ? "buses." : "topics.") + it.name + ".pending", false);
  return columns;
}

TrafficAccount WorldView::traffic_account(std::uint32_t at,
                                          const std::vector<InFlight>& in_flight) const {
  const auto own = [at](std::size_t caller) { return caller == at; };
  TrafficAccount account;
  if (callers_[at].resilience == none) {
    static_cast<Account&>(account) = account_of(own, in_flight);
  } else {
    tell_requests(account, at);
  }
  account.name = traffic_names_[at];
  const Source& source = sources_[at];
  account.may_leave = source.give_up != 0;
  account.traced = traces_.active();
  if (account.traced) {
    account.traces = traces_.traced()[at];
    account.traces.sort();
  }
  for (std::uint32_t user = 0; account.may_leave && user < source.users; ++user) {
    const bool left = users_[source.first_user + user].in_vain >= source.give_up;
    account.users_left += left ? 1U : 0U;
  }
  return account;
}

Results WorldView::results() const {
  check();
  Results results;
  results.now_ns = now_;
  results.measured_from_ns = warmup_;
  results.events = events_;
  const std::vector<InFlight> in_flight = count_in_flight();
  HostPools hosts = hosts_;  // whose accounts are brought up to date
  for (std::uint32_t at = 0; at < told_; ++at) {
    results.traffic.push_back(traffic_account(at, in_flight));
  }
  for (std::size_t at = 0; at < balancers_.size(); ++at) {
    const auto through = [&](std::size_t caller) { return leads_to(callers_[caller], at); };
    BalancerAccount& balancer = results.balancers.emplace_back();
    static_cast<Account&>(balancer) = account_of(through, in_flight);
    balancer.name = balancer_names_[at];
    balancer.targets = targets_of(at, hosts);
    for (const Caller& caller : callers_) {
      if (leads_to(caller, at)) balancer.untargeted += caller.without_target;
    }
    balancer.use = use_of(static_cast<std::uint32_t>(at));
    balancer.broken = balancers_[at].broken;
    balancer.checks = balancers_[at].health.active();
    balancer.health = health_account(balancers_[at], now_);
    balancer.draining = balancers_[at].draining.count(now_);
    tell_choice(balancer, at, in_flight);
  }
  results.tells_migrations = tells_migrations_;
  results.tells_makes = std::any_of(fleets_.begin(), fleets_.end(),
                                    [](const Fleet& fleet) { return fleet.makes.size() > 1; });
  for (const Fault& fault : faults_.all) {
    results.faults.push_back(fault.counts);
    results.maintains.push_back(fault.spec.kind == FaultKind::maintain);
    results.migrates.push_back(fault.spec.by == MoveBy::migrate);
  }
  for (std::size_t at = 0; at < fleets_.size(); ++at)
    results.fleets.push_back(fleet_account(at, in_flight, hosts));
  bill(results.fleets);
  results.hosts = host_accounts(hosts, results.fleets);
  for (const WorldQueue& it : queues_.all) results.queues.push_back(queue_account(it));
  for (const Topic& it : topics_.all)
    (it.bus ? results.buses : results.topics).push_back(topic_account(it));
  for (const Pipe& it : queues_.pipes) results.pipes.push_back(pipe_account(it));
  results.series_interval_ns = series_interval_;
  results.series = series();
  return results;
}

template <class Chosen>
Account WorldView::account_of(Chosen chosen, const std::vector<InFlight>& in_flight) const {
  Account account;
  for (std::size_t at = 0; at < callers_.size(); ++at) {
    if (!chosen(at)) continue;
    const Caller& caller = callers_[at];
    account.offered += offered(caller);
    account.ended[static_cast<std::size_t>(Outcome::rejected)] += caller.without_target;
    add(account.ended, caller.gave_up_queued);
    account.in_flight += caller.queued;
    for (std::uint32_t route = 0; route < caller.routes; ++route) {
      merge_route(account, routes_[caller.first_route + route]);
    }
  }
  account.ended[static_cast<std::size_t>(Outcome::completed)] += account.latency.count();
  for (const InFlight& some : in_flight) {
    if (chosen(routes_[some.route].caller)) account.in_flight += some.requests;
  }
  return account;
}

// What only a balancer has that is more than a router.
void WorldView::tell_choice(BalancerAccount& account, std::size_t at,
                            const std::vector<InFlight>& in_flight) const {
  const Balancer& balancer = balancers_[at];
  account.limits_time = balancer.idle_ns != 0 || balancer.connect_ns != 0;
  account.out_of_time = balancer.out_of_time;
  account.surges = balancer.surge.active();
  account.spilled = balancer.spilled;
  account.queued = balancer.surge.waiting();
  account.queued_most = balancer.surge.most();
  account.resets = balancer.health.active() && balancer.health.spec().resets;
  account.reset = balancer.reset;
  account.sticks = balancer.cookies.active();
  account.sticks_to_groups = balancer.group_cookies.active();
  account.cookies = balancer.cookie_counts;
  account.keeps_dns = balancer.dns.active();
  account.dns = balancer.dns_counts;
  account.starts_slowly = !balancer.slow_starts.empty();
  for (const SlowStart& slow_start : balancer.slow_starts) {
    account.slow_starts += slow_start.begun();
    account.ramping += slow_start.ramping(now_);
  }
  for (std::uint32_t node = 0; node < balancer.nodes; ++node) {
    const Health& health = balancer.health;
    if (balancer.nodes == 1 || !health.active()) break;
    account.nodes.push_back({health.healthy(node), health.registered(node), health.fail_open(node),
                             health.domains_in_dns() == 0 || health.in_dns(node)});
  }
  const Capacity& capacity = balancers_[balancer.whole].capacity;
  account.limits_rate = capacity.active();
  account.over_capacity = balancer.over_capacity;
  if (account.limits_rate) {
    account.capacity = capacity.rate();
    account.capacity_most = capacity.most();
  }
  for (std::size_t own = 0; own < balancer.own.codes().size(); ++own) {
    account.own.push_back({balancer.own.codes()[own], balancer.own.counts()[own]});
    account.untargeted -= balancer.own.counts()[own];
  }
  account.connects = balancer.connections.active();
  account.opened = balancer.connections.opened();
  account.open = balancer.connections.open(now_);
  account.mitigates = balancer.anomalies.active();
  account.anomalies = {balancer.anomalies.anomalous(), balancer.anomalies.mitigated(),
                       balancer.anomalies.detected()};
  account.groups.resize(balancer.group_weights.size());
  if (account.groups.empty()) return;
  for (std::uint32_t route = 0; route < routes_.size(); ++route) {
    const Caller& caller = callers_[routes_[route].caller];
    if (!leads_to(caller, at)) continue;
    Account& group = account.groups[balancer.group_of_class[route - caller.first_route]];
    merge_route(group, routes_[route]);
    group.in_flight += in_flight[route].requests;
  }
  for (std::size_t cell = 0; cell < account.groups.size(); ++cell) {
    Account& group = account.groups[cell];
    group.name = balancer.group_names[cell];
    group.ended[static_cast<std::size_t>(Outcome::completed)] += group.latency.count();
    group.offered = total(group.ended) + group.in_flight;
  }
}

// One that each of several nodes knows is told once.
std::vector<TargetAccount> WorldView::targets_of(std::size_t at, HostPools& hosts) const {
  const Balancer& balancer = balancers_[at];
  std::vector<TargetAccount> targets;
  targets.reserve(balancer.slots.size() / balancer.nodes);
  for (std::uint32_t slot = 0; slot < balancer.slots.size(); ++slot) {
    const std::uint32_t instance = balancer.slots[slot].instance;
    const std::uint32_t fleet = balancer.fleets[balancer.slots[slot].of_class];
    if (slot % balancer.nodes == 0) {
      targets.emplace_back();
      targets.back().fleet = fleet;
      targets.back().instance = index_in_fleet_[instance];
      targets.back().used = used_since_warmup(instance, hosts);
      targets.back().vcpus = vcpus_of(instance);
    }
    TargetAccount& target = targets.back();
    add(target.ended, balancer.unserved[slot]);
    target.ended[static_cast<std::size_t>(Outcome::completed)] +=
        fleets_[fleet].by_slot ? balancer.slots[slot].completed : instances_.counted(instance);
    if (!balancer.anomalies.active()) continue;
    target.anomalous = target.anomalous || balancer.anomalies.is_anomalous(slot);
    target.share += static_cast<double>(balancer.anomalies.share(slot)) /
                    (Anomalies::full_share * balancer.nodes);
  }
  for_each_request([&](const Sent& it) {
    if (it.arrival < warmup_ || it.target == none || !leads_to(caller_of(it), at)) return;
    ++targets[it.target / balancer.nodes].in_flight;
  });
  return targets;
}

// Measured requests at instances whose caller still waits, by route.
std::vector<InFlight> WorldView::count_in_flight() const {
  std::vector<InFlight> counts(routes_.size());
  for (std::uint32_t route = 0; route < routes_.size(); ++route) counts[route].route = route;
  for_each_request([&](const Sent& it) {
    const bool queued = it.target == none && caller_of(it).to_balancer != 0;
    if (it.arrival >= warmup_ && !queued) ++counts[it.route].requests;
  });
  return counts;
}

// Requests a balancer's targets have not answered yet, by slot.
std::vector<std::uint32_t> WorldView::outstanding(std::uint32_t balancer) const {
  std::vector<std::uint32_t> counts(balancers_[balancer].slots.size());
  for_each_request([&](const Sent& it) {
    if (it.target == none || !leads_to(caller_of(it), balancer)) return;
    counts[it.target] += balancers_[balancer].split.parts(it.arrival);
  });
  return counts;
}

std::vector<InstanceView> WorldView::instances() const {
  std::vector<InstanceView> views;
  views.reserve(instances_.size());
  for (std::uint32_t at = 0; at < instances_.size(); ++at) {
    views.push_back(
        {fleet_of_[at], instances_.workers_busy(at), instances_.waiting_jobs(at), false});
  }
  for (const Fleet& fleet : fleets_) {
    for (const std::uint32_t instance : fleet.members) views[instance].running = true;
  }
  return views;
}

std::vector<std::int64_t> WorldView::next_arrivals() const {
  std::vector<std::int64_t> times(traffic_, ArrivalStream::never);
  for (const Arrival& arrival : later_arrivals_) {
    if (arrival.source != none) times[arrival.source] = arrival.time;
  }
  if (next_arrival_.source != none) times[next_arrival_.source] = next_arrival_.time;
  times.resize(told_);
  return times;
}

std::uint64_t WorldView::in_flight(std::uint32_t traffic) const {
  const Caller& caller = callers_[traffic];
  if (caller.resilience == none) return caller.sent - total(caller.ended);
  return errands_.of(caller).begun - total(errands_.of(caller).ended);
}

}  // namespace nephoscope
