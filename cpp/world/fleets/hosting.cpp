// Instances on shared hosts: what they want goes to the hypervisor, what it gives comes back.

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

void World::build_hosts(const WorldSpec& spec) {
  require(spec.hosts.size() < 65'535, "hosts", "has too many entries");
  for (std::size_t index = 0; index < spec.hosts.size(); ++index) {
    HostPoolFacts facts = spec.hosts[index].facts;
    facts.migrates = is_migrated(spec, static_cast<std::uint32_t>(index));
    tells_migrations_ = tells_migrations_ || facts.migrates;
    const std::int64_t network = spec.hosts[index].network;
    require(network >= 0 && network <= (std::int64_t{1} << 40), at("hosts", index, "network"),
            "must be 0 to 2^40 bytes a second");
    host_network_.push_back(network);
    const std::string name = "hosts/" + spec.hosts[index].name;
    facts.scheduler.seed = stream_key(seed_, replication_, name + "/scheduler").k0;
    facts.draws = stream_key(seed_, replication_, name + "/placement");
    try {
      hosts_.add_pool(facts);
    } catch (const SpecError& error) {
      throw SpecError(at("hosts", index, error.path.c_str()), error.what());
    }
    host_names_.push_back(spec.hosts[index].name);
  }
  migrated_.assign(host_names_.size(), 0);
  groups_ = static_cast<std::uint32_t>(spec.groups.size());
  for (std::size_t index = 0; index < spec.groups.size(); ++index) {
    try {
      hosts_.add_group(spec.groups[index].strategy, spec.groups[index].partitions);
    } catch (const SpecError& error) {
      throw SpecError(at("groups", index, error.path.c_str()), error.what());
    }
  }
}

// Where the instances of a make go, what they may take of it, and how long that takes.
void World::build_launches(const FleetSpec& from, std::uint32_t index, Make& make) {
  if (from.hosts != FleetSpec::dedicated && from.hosts >= host_names_.size()) {
    throw SpecError("hosts", "is not there");
  }
  if (from.group != nowhere && from.group >= groups_) throw SpecError("group", "is not there");
  make.guest.tenant = {from.vcpus, from.weight, from.reservation, from.quota_ns, from.period_ns, 0};
  make.guest.burst = from.burst;
  make.guest.interference = from.interference;
  make.request = {from.hosts,   from.vcpus, from.memory,  from.accelerators,
                  from.disks,   from.zones, from.account, index,
                  from.tenancy, nowhere,    nowhere,      nowhere,
                  from.group,   nowhere,    false,        0};
  nephoscope::check(make.guest.tenant);
  nephoscope::check(from.interference);
  make.request.reserved = reserved_millionths(from.reservation);
  build_lives(from, index, make);
  make.placed = from.hosts != FleetSpec::dedicated;
  if (make.placed) {
    nephoscope::check(make.request);
    hosts_.check_tenant(from.hosts, make.guest.tenant);
    make.request.vcpus = hosts_.vcpus_taken(from.hosts, from.vcpus, from.vcpus_are_cores);
  }
  make.request.burstable = from.burst.burstable;
  const bool needs_host = from.quota_ns != 0 || from.burst.burstable;
  if (!make.placed && needs_host) own_hosts(from, make);
  if (from.burst.burstable) check_burst(from, make.request.pool);
  if (from.hosts == FleetSpec::dedicated && from.interference.matters()) {
    throw SpecError("interference", "needs hosts");
  }
  make.hosted = make.placed && hosts_.shares(make.request.pool, make.guest);
  hosted_ = hosted_ || make.hosted;
  refused_launches_.resize(hosts_.pools(), 0);
}

// Throws SpecError where CPU credits cannot be kept.
void World::check_burst(const FleetSpec& from, std::uint32_t pool) const {
  CpuCredits(from.burst.credits, from.burst.mode);
  if (from.burst.credits.vcpus != from.vcpus) {
    throw SpecError("burst.credits.vcpus", "must be those of the instances");
  }
  if (hosts_.facts(pool).scheduler.kind != SchedulerKind::fluid) {
    throw SpecError("burst", "needs hosts of the scheduler fluid");
  }
}

// A pool with a host for each instance: capacity is dedicated, and yet somebody has to see to caps.
void World::own_hosts(const FleetSpec& from, Make& make) {
  HostPoolFacts facts;
  facts.on_demand = true;
  facts.host = {from.vcpus, 1, 1.0, from.speed};
  make.request.pool = hosts_.add_pool(facts);
  make.placed = true;
}

// How many vCPUs an instance wants may have changed.
void World::follow(std::uint32_t instance) {
  hosts_.set_want(instance, instances_.wanted_vcpus(instance), now_);
  follow_hosts();
}

// Whose rate has changed computes at another pace from now on.
void World::follow_hosts() {
  if (!hosted_) return;
  hosts_.take_changed([this](std::uint32_t instance, double rate) {
    instances_.set_rate(instance, rate, now_);
    if (instance != completing_) retime(instance);
  });
  const std::int64_t next = hosts_.next_event();
  if (hosts_due_ != EventQueue::none) {
    if (calendar_.time_of(hosts_due_) == next) return;
    calendar_.cancel(hosts_due_);
  }
  const bool due = next != EventQueue::never;
  hosts_due_ = due ? calendar_.push(next, payload(EventKind::part, 0)) : EventQueue::none;
}

}  // namespace nephoscope
