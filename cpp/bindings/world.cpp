// nephoscope._core.World: plain data in (WorldSpec), plain data out (dicts of numbers and arrays).

#include "world/world.hpp"

#include "bindings/pybind11.hpp"

#include "bindings/accounts.hpp"
#include "bindings/queue_accounts.hpp"
#include "bindings/topic_accounts.hpp"
#include "bindings/trace_accounts.hpp"
#include "bindings/upkeep.hpp"

namespace nephoscope {

namespace {

py::dict traffic_dict(const TrafficAccount& account) {
  py::dict out = account_dict(account, "offered");
  if (account.may_leave) out["users_left"] = account.users_left;
  if (account.traced) out["traces"] = trace_dict(account.traces);
  if (!account.resilient) return out;
  out["retries"] = account.counts.retries;
  out["hedges"] = account.counts.hedges;
  out["out_of_budget"] = account.counts.out_of_budget;
  if (!account.breaks) return out;
  out["held_back"] = account.counts.held_back;
  out["opened"] = account.opened;
  return out;
}

void add_life(py::dict& out, const FleetAccount& fleet) {
  constexpr const char* requests[] = {
      "stops",    "starts",  "reboots", "hibernations", "terminations_asked",
      "standbys", "returns", "detached"};
  const std::size_t kinds = fleet.parks ? std::size(requests) : 5;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    out[requests[kind]] = fleet.counts.actions[kind];
  }
  const auto attached = fleet.counts.actions[static_cast<std::size_t>(ActionKind::attach)];
  if (attached != 0) out["attached"] = attached;
  out["unmet_actions"] = fleet.counts.unmet;
  out["interruptions"] = fleet.counts.interruptions;
  if (fleet.rebalances) out["recommendations"] = fleet.counts.recommendations;
  out["refused_starts"] = fleet.counts.refused_starts;
  out["vcpu_limit_exceeded"] = fleet.counts.vcpu_refusals;
  out["throttled"] = fleet.counts.throttled;
  out["stopped"] = fleet.stopped;
  if (fleet.parks) out["standby"] = fleet.standby;
  if (!fleet.billed_by_price.empty()) {
    out["price_too_high"] = fleet.counts.price_refusals;
    out["billed_by_price_s"] = fleet.billed_by_price;
  }
  if (!fleet.mixed) return;
  out["on_demand"] = fleet.on_demand;
  out["on_demand_billed_s"] = fleet.on_demand_billed_s;
}

py::dict scaling_dict(const ScalingAccount& scaling) {
  py::dict out;
  out["desired"] = scaling.desired;
  out["min"] = scaling.min;
  out["max"] = scaling.max;
  out["scheduled"] = scaling.scheduled;
  if (scaling.looks_ahead) out["predicted"] = scaling.predicted;
  using Row = PolicyCounts;
  out["outward"] =
      column<std::int64_t>(scaling.policies, [](const Row& row) { return row.outward; });
  out["inward"] = column<std::int64_t>(scaling.policies, [](const Row& row) { return row.inward; });
  if (scaling.alarms.empty()) return out;
  py::dict alarms;
  for (const AlarmAccount& alarm : scaling.alarms) {
    py::dict told;
    told["went_on"] = alarm.went_on;
    told["on"] = alarm.is_on;
    alarms[alarm.name.c_str()] = told;
  }
  out["alarms"] = alarms;
  return out;
}

// Instants that have not come yet are below 0.
py::dict refresh_dict(const Refresh& refresh, const std::string& failed_by) {
  py::dict out;
  out["started_ns"] = refresh.started_ns;
  out["finished_ns"] = refresh.finished_ns;
  const bool back = refresh.rolls_back();
  out["instances"] = back ? refresh.total_when_failed : refresh.total;
  out["replaced"] = back ? refresh.replaced_when_failed : refresh.replaced;
  if (refresh.failures != 0) out["failed"] = true;
  if (!failed_by.empty()) out["alarm"] = failed_by;
  if (!back) return out;
  py::dict rollback;
  rollback["started_ns"] = refresh.rolled_back_ns;
  rollback["instances"] = refresh.total;
  rollback["replaced"] = refresh.replaced;
  if (refresh.failures > 1) rollback["failed"] = true;
  out["rollback"] = rollback;
  return out;
}

// Of the whole run; and those that are protected now.
py::dict membership_dict(const FleetAccount& fleet) {
  py::dict out;
  out["unhealthy"] = fleet.kept.unhealthy;
  out["stopped"] = fleet.kept.stopped;
  out["expired"] = fleet.kept.expired;
  out["rebalanced"] = fleet.kept.rebalanced;
  out["protected"] = fleet.guarded;
  out["warm_starts"] = fleet.kept.warm_starts;
  out["returned"] = fleet.kept.returned;
  out["warm"] = fleet.warm;
  out["overdue"] = fleet.kept.overdue;
  return out;
}

// What instances of each type and system there were; of fleets that may change theirs.
py::dict makes_dict(const std::vector<MakeAccount>& makes, bool mixed) {
  using Row = MakeAccount;
  py::dict out;
  out["launches"] = column<std::int64_t>(makes, [](const Row& row) { return row.launches; });
  out["instances"] = column<std::int64_t>(makes, [](const Row& row) { return row.instances; });
  out["billed_s"] = column<std::int64_t>(makes, [](const Row& row) { return row.billed_s; });
  out["credits_charged"] = column<double>(makes, [](const Row& row) { return row.charged; });
  if (mixed) {
    out["on_demand_billed_s"] =
        column<std::int64_t>(makes, [](const Row& row) { return row.on_demand_billed_s; });
  }
  return out;
}

py::dict fleet_dict(const FleetAccount& fleet, std::int64_t window_ns, bool migrates) {
  py::dict out = account_dict(fleet, "requests");
  out["wasted"] = fleet.wasted;
  out["run_ns"] = fleet.used.run_ns;
  out["steal_contention_ns"] = fleet.used.contention_ns;
  out["steal_cap_ns"] = fleet.used.quota_ns;
  out["steal_smt_ns"] = fleet.used.forced_idle_ns;
  if (migrates) out["steal_migration_ns"] = fleet.used.paused_ns;
  if (fleet.makes.size() > 1) {
    out["makes"] = makes_dict(fleet.makes, fleet.mixed);
    out["make"] = fleet.make;
  }
  if (fleet.interferes) out["slowed_ns"] = fleet.used.slowed_ns;
  out["vcpu_ns"] = fleet.vcpu_ns;
  out["instances_mean"] =
      window_ns > 0 ? static_cast<double>(fleet.instance_ns) / static_cast<double>(window_ns)
                    : static_cast<double>(fleet.instances_final);
  out["instances_min"] = fleet.instances_min;
  out["instances_max"] = fleet.instances_max;
  out["instances_final"] = fleet.instances_final;
  out["launches"] = fleet.launches;
  out["terminations"] = fleet.terminations;
  out["billed_s"] = fleet.billed_s;
  if (fleet.counts_lives) out["lived_ns"] = fleet.lived_ns;
  if (fleet.burstable) {
    out["credits_earned"] = fleet.credits.earned;
    out["credits_launch"] = fleet.credits.launch;
    out["credits_spent"] = fleet.credits.spent;
    out["credits_balance"] = fleet.credits.balance;
    out["credits_charged"] = fleet.credits.charged;
  }
  out["missing"] = fleet.missing;
  out["refusal"] = fleet.refusal;
  if (fleet.uses_devices) {
    out["network_bytes"] = fleet.devices.network_bytes;
    if (fleet.receives) out["received_bytes"] = fleet.devices.received_bytes;
    out["disk_bytes"] = fleet.devices.disk_bytes;
    out["disk_ops"] = fleet.devices.disk_ops;
    out["gpu_ns"] = fleet.devices.gpu_ns;
    out["out_of_memory"] = fleet.devices.out_of_memory;
  }
  if (fleet.eventful) add_life(out, fleet);
  if (fleet.scaling.active) out["scaling"] = scaling_dict(fleet.scaling);
  if (!fleet.admits_all) {
    out["requests_throttled"] = fleet.refusals.throttled;
    out["requests_shed"] = fleet.refusals.shed;
  }
  if (fleet.keeps) out["membership"] = membership_dict(fleet);
  if (fleet.refresh.present())
    out["refresh"] = refresh_dict(fleet.refresh, fleet.scaling.failed_by);
  return out;
}

// What only a world has in which something may fail.
void add_failures(py::dict& out, const FleetAccount& fleet) {
  out["failures"] = fleet.failures.falls;
  out["down_ns"] = fleet.failures.down_ns;
  out["down"] = fleet.down;
}

py::dict fault_dict(const FaultCounts& fault, bool maintains, bool migrates) {
  py::dict out;
  out["strikes"] = fault.strikes;
  out["instances"] = fault.instances;
  out["missed"] = fault.missed;
  if (maintains) out["moved"] = fault.moved;
  if (migrates) out["migrated"] = fault.migrated;
  if (migrates) out["unplaced"] = fault.unplaced;
  return out;
}

py::dict hosts_dict(const HostPoolAccount& pool, bool migrates) {
  py::dict out;
  out["name"] = pool.name;
  out["threads"] = pool.threads;
  out["placements"] = pool.placements;
  out["rejected_launches"] = pool.rejected_launches;
  out["instances"] =
      column<std::int64_t>(pool.instances, [](std::uint32_t count) { return count; });
  const auto itself = [](const TenantAccount& used) { return used; };
  out["run_ns"] =
      column<std::int64_t>(pool.used, [](const TenantAccount& used) { return used.run_ns; });
  add_steal(out, pool.used, migrates, itself);
  if (migrates) out["migrations"] = pool.migrations;
  if (pool.interferes) {
    out["slowed_ns"] =
        column<std::int64_t>(pool.used, [](const TenantAccount& used) { return used.slowed_ns; });
  }
  return out;
}

// Of fleets on hosts: on which one each instance is, or was at last.
py::list places_list(const Results& results) {
  using Row = InstancePlace;
  py::list out;
  for (const FleetAccount& fleet : results.fleets) {
    const auto& rows = fleet.places;
    if (rows.empty()) continue;
    py::dict part;
    part["name"] = fleet.name;
    part["pool"] = results.hosts[fleet.pool].name;
    part["host"] = column<std::int64_t>(rows, [](const Row& row) { return row.host; });
    part["present"] = column<bool>(rows, [](const Row& row) { return row.present; });
    part["run_ns"] = column<std::int64_t>(rows, [](const Row& row) { return row.used.run_ns; });
    add_steal(part, rows, results.tells_migrations, [](const Row& row) { return row.used; });
    out.append(part);
  }
  return out;
}

// Of what the world has.
void add_messaging(py::dict& out, const Results& results) {
  py::list queues;
  for (const QueueAccount& account : results.queues) queues.append(queue_dict(account));
  if (!results.queues.empty()) out["queues"] = queues;
  py::list topics;
  for (const TopicAccount& account : results.topics) topics.append(topic_dict(account));
  if (!results.topics.empty()) out["topics"] = topics;
  py::list buses;
  for (const TopicAccount& account : results.buses) buses.append(topic_dict(account));
  if (!results.buses.empty()) out["buses"] = buses;
  py::list pipes;
  for (const PipeAccount& account : results.pipes) pipes.append(pipe_dict(account));
  if (!results.pipes.empty()) out["pipes"] = pipes;
}

py::dict results_dict(const World& world) {
  Results results;
  {
    py::gil_scoped_release release;
    results = world.results();
  }
  py::dict out;
  out["now_ns"] = results.now_ns;
  out["warmup_ns"] = results.measured_from_ns;
  out["events"] = results.events;
  py::list traffic;
  for (const TrafficAccount& account : results.traffic) traffic.append(traffic_dict(account));
  out["traffic"] = traffic;
  py::list balancers;
  py::list use;
  for (const BalancerAccount& account : results.balancers) {
    balancers.append(balancer_dict(account, results));
    if (!account.use.empty()) use.append(use_dict(account));
  }
  out["load_balancers"] = balancers;
  out["load_balancer_use"] = use;
  py::list fleets;
  for (const FleetAccount& account : results.fleets) {
    fleets.append(
        fleet_dict(account, results.now_ns - results.measured_from_ns, results.tells_migrations));
    if (results.faults.empty()) continue;
    py::dict fleet = fleets[fleets.size() - 1];
    add_failures(fleet, account);
  }
  out["fleets"] = fleets;
  py::list hosts;
  for (const HostPoolAccount& account : results.hosts) {
    hosts.append(hosts_dict(account, results.tells_migrations));
  }
  out["hosts"] = hosts;
  out["places"] = places_list(results);
  add_messaging(out, results);
  py::list faults;
  for (std::size_t at = 0; at < results.faults.size(); ++at) {
    faults.append(fault_dict(results.faults[at], results.maintains[at], results.migrates[at]));
  }
  out["faults"] = faults;
  py::dict series;
  series["interval_ns"] = results.series_interval_ns;
  for (const Column& values : results.series) {
    series[values.name.c_str()] =
        column<std::int64_t>(values.values, [](std::int64_t value) { return value; });
  }
  out["series"] = series;
  return out;
}

py::dict state_dict(const World& world) {
  const auto instances = world.instances();
  using View = InstanceView;
  py::dict out;
  out["now_ns"] = world.now();
  out["fleet"] = column<std::int32_t>(instances, [](const View& view) { return view.fleet; });
  out["busy_workers"] =
      column<std::int64_t>(instances, [](const View& view) { return view.busy_workers; });
  out["waiting"] = column<std::int64_t>(instances, [](const View& view) { return view.waiting; });
  out["running"] = column<bool>(instances, [](const View& view) { return view.running; });
  const auto queues = world.queues();
  using Queue = QueueView;
  out["visible"] = column<std::int64_t>(queues, [](const Queue& view) { return view.visible; });
  out["delayed"] = column<std::int64_t>(queues, [](const Queue& view) { return view.delayed; });
  out["received"] = column<std::int64_t>(queues, [](const Queue& view) { return view.in_flight; });
  const auto arrivals = world.next_arrivals();
  out["next_arrival_ns"] = column<std::int64_t>(arrivals, [](std::int64_t time) { return time; });
  std::vector<std::uint64_t> in_flight;
  for (std::uint32_t at = 0; at < arrivals.size(); ++at) in_flight.push_back(world.in_flight(at));
  out["in_flight"] = column<std::int64_t>(in_flight, [](std::uint64_t count) { return count; });
  return out;
}

}  // namespace

void bind_world(py::module_& m) {
  m.def(
      "span_names", &span_list,
      "What the time of followed requests is put down to, by number: at a fleet, then elsewhere.");
  py::class_<World> type(m, "World", R"(A running simulation of one WorldSpec.

Times are integer nanoseconds since the start. A world is a value: copies share nothing, and threads
may run different worlds at once. Methods that take long release the GIL.)");
  bind_upkeep(type);
  type.def(py::init<const WorldSpec&>(), py::arg("spec"), py::call_guard<py::gil_scoped_release>(),
           "Raises SpecError when the spec cannot be simulated.")
      .def("advance", &World::advance, py::arg("until_ns"),
           py::call_guard<py::gil_scoped_release>(),
           "Run every event before until_ns, at most to the end of the run.")
      .def("advance_checked", &World::advance_checked, py::arg("until_ns"),
           py::call_guard<py::gil_scoped_release>(),
           "advance, with check() after every event: slow, for tests.")
      .def("check", &World::check, py::call_guard<py::gil_scoped_release>(),
           "Raise InvariantError when a conservation law does not hold at this instant.")
      .def_property_readonly("now_ns", &World::now)
      .def_property_readonly("duration_ns", &World::duration)
      .def_property_readonly("events", &World::events, "Events handled so far.")
      .def("results", &results_dict,
           "Check the conservation laws, then everything known at this instant, as a dict.")
      .def("state", &state_dict,
           "Arrays of what an observer may look at: fleet, busy_workers, waiting and running by\n"
           "instance in the order of launch; visible, delayed and received (not deleted yet) "
           "messages\n"
           "by queue; next_arrival_ns and in_flight by source of traffic.")
      .def(
          "copy", [](const World& world) { return World(world); },
          py::call_guard<py::gil_scoped_release>(), "An independent world in the same state.")
      .def(
          "save", [](const World& world) { return py::bytes(world.save()); },
          "The state as bytes, for restore of a world of the same spec.")
      .def("set_rate", &World::set_rate, py::arg("traffic"), py::arg("per_second"),
           "From now on, the rate of a source with poisson or constant arrivals.")
      .def("set_count", &World::set_count, py::arg("fleet"), py::arg("count"),
           "From now on, the instances of a fleet. Those that go finish what they hold.")
      .def("act", &World::act, py::arg("kind"), py::arg("fleet"), py::arg("count"),
           py::arg("replaced") = false,
           "Do something to so many instances of a fleet, now. Returns how many there were to do\n"
           "it to. Those that stand by or are detached may have others in their place.")
      .def("set_routing", &World::set_routing, py::arg("balancer"), py::arg("routing"))
      .def("set_weight", &World::set_weight, py::arg("balancer"), py::arg("fleet"),
           py::arg("weight"))
      .def("set_group_weight", &World::set_group_weight, py::arg("balancer"), py::arg("group"),
           py::arg("weight"));
}

}  // namespace nephoscope
