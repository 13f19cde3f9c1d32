// What balancers have to tell, as dicts (bindings/world.cpp).

#include "bindings/accounts.hpp"

namespace nephoscope {

py::dict account_dict(const Account& account, const char* offered) {
  py::dict out;
  out["name"] = account.name;
  out[offered] = account.offered;
  for (std::size_t kind = 0; kind < account.ended.size(); ++kind) {
    out[outcome_names[kind]] = account.ended[kind];
  }
  out["in_flight"] = account.in_flight;
  out["latency"] = account.latency;
  return out;
}

namespace {

py::dict targets_dict(const BalancerAccount& account, const Results& results) {
  const std::vector<TargetAccount>& targets = account.targets;
  using Row = TargetAccount;
  py::dict out;
  out["fleet"] = column<std::int32_t>(targets, [](const Row& row) { return row.fleet; });
  out["instance"] = column<std::int32_t>(targets, [](const Row& row) { return row.instance; });
  out["requests"] = column<std::int64_t>(
      targets, [](const Row& row) { return total(row.ended) + row.in_flight; });
  for (std::size_t kind = 0; kind < 4; ++kind) {
    out[outcome_names[kind]] =
        column<std::int64_t>(targets, [kind](const Row& row) { return row.ended[kind]; });
  }
  out["in_flight"] = column<std::int64_t>(targets, [](const Row& row) { return row.in_flight; });
  out["run_ns"] = column<std::int64_t>(targets, [](const Row& row) { return row.used.run_ns; });
  add_steal(out, targets, results.tells_migrations, [](const Row& row) { return row.used; });
  if (results.tells_makes) {
    out["vcpus"] = column<std::int64_t>(targets, [](const Row& row) { return row.vcpus; });
  }
  if (!account.mitigates) return out;
  out["anomalous"] = column<std::int64_t>(targets, [](const Row& row) { return row.anomalous; });
  out["share"] = column<double>(targets, [](const Row& row) { return row.share; });
  return out;
}

py::dict health_dict(const HealthAccount& health) {
  py::dict out;
  out["checks"] = health.counts.checks;
  out["failed_checks"] = health.counts.failed_checks;
  out["turned_unhealthy"] = health.counts.turned_unhealthy;
  out["recovered"] = health.counts.recovered;
  out["fail_open_ns"] = health.counts.fail_open_ns;
  out["healthy"] = health.healthy;
  out["unhealthy"] = health.unhealthy;
  out["initial"] = health.initial;
  return out;
}

py::dict nodes_dict(const std::vector<NodeAccount>& nodes) {
  using Row = NodeAccount;
  py::dict out;
  out["healthy"] = column<std::int64_t>(nodes, [](const Row& row) { return row.healthy; });
  out["registered"] = column<std::int64_t>(nodes, [](const Row& row) { return row.registered; });
  out["fail_open"] = column<std::int64_t>(nodes, [](const Row& row) { return row.fail_open; });
  out["in_dns"] = column<std::int64_t>(nodes, [](const Row& row) { return row.in_dns; });
  return out;
}

// What only a balancer has that is more than a router.
void add_choice(py::dict& out, const BalancerAccount& account) {
  if (account.limits_time) out["gateway_timeout"] = account.out_of_time;
  if (account.surges) {
    out["spilled"] = account.spilled;
    out["queued"] = account.queued;
    out["queued_most"] = account.queued_most;
  }
  if (account.sticks) {
    out["cookies_followed"] = account.cookies.followed;
    out["cookies_moved"] = account.cookies.moved;
  }
  if (account.sticks_to_groups) out["group_cookies_followed"] = account.cookies.grouped;
  if (account.resets) out["reset"] = account.reset;
  if (account.keeps_dns) {
    out["dns_answers"] = account.dns.answers;
    out["dns_stale"] = account.dns.stale;
  }
  if (account.starts_slowly) {
    out["slow_starts"] = account.slow_starts;
    out["in_slow_start"] = account.ramping;
  }
  if (!account.nodes.empty()) out["nodes"] = nodes_dict(account.nodes);
  if (account.limits_rate) {
    out["capacity"] = account.capacity;
    out["capacity_most"] = account.capacity_most;
    out["over_capacity"] = account.over_capacity;
  }
  if (!account.own.empty()) {
    py::dict own;
    for (const OwnAnswerAccount& each : account.own)
      own[std::to_string(each.code).c_str()] = each.count;
    out["own_answers"] = own;
  }
  if (account.connects) {
    out["connections_opened"] = account.opened;
    out["connections_open"] = account.open;
  }
  if (account.mitigates) {
    out["anomalous"] = account.anomalies.anomalous;
    out["mitigated"] = account.anomalies.mitigated;
    out["anomalies_detected"] = account.anomalies.detected;
  }
  if (account.groups.empty()) return;
  py::dict groups;
  for (const Account& group : account.groups) {
    groups[group.name.c_str()] = account_dict(group, "requests");
  }
  out["groups"] = groups;
}

}  // namespace

py::dict use_dict(const BalancerAccount& account) {
  py::dict out;
  out["name"] = account.name;
  out["requests"] =
      column<std::int64_t>(account.use, [](const HourOfUse& hour) { return hour.requests; });
  out["active"] =
      column<std::int64_t>(account.use, [](const HourOfUse& hour) { return hour.active; });
  if (account.connects)
    out["connections"] =
        column<std::int64_t>(account.use, [](const HourOfUse& hour) { return hour.connections; });
  return out;
}

py::dict balancer_dict(const BalancerAccount& account, const Results& results) {
  const bool errors = account.checks || account.limits_time || account.surges ||
                      account.limits_rate || !account.own.empty() || !results.faults.empty();
  py::dict out = account_dict(account, "requests");
  out["targets"] = targets_dict(account, results);
  if (account.checks) {
    out["health"] = health_dict(account.health);
    out["draining"] = account.draining;
  }
  if (errors) {
    out["bad_gateway"] = account.broken;
    out["unavailable"] = account.untargeted;
  }
  add_choice(out, account);
  return out;
}

}  // namespace nephoscope
