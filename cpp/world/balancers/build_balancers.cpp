// Building balancers: their targets, in cells where there are any, and what they know of clients.

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/world.hpp"

namespace nephoscope {

namespace {

// Throws SpecError where the groups cannot be chosen by their weights.
void check_groups(const BalancerSpec& from, std::size_t index) {
  const std::string path = at("load_balancers", index, "groups");
  std::uint32_t total = 0;
  for (const TargetGroupSpec& group : from.groups) {
    require(group.weight <= TargetGroupSpec::weight_max, path, "need weights from 0 to 999");
    total += group.weight;
  }
  require(from.groups.size() <= 1'000, path, "are too many");
  require(from.groups.empty() || total != 0, path, "need a weight above 0");
  for (const TargetSpec& target : from.targets) {
    require(target.group < std::max<std::size_t>(from.groups.size(), 1), path, "are not all there");
  }
}

// The zones of the hosts that instances of the targets may be on.
std::vector<std::uint32_t> zones_behind(const WorldSpec& spec, const BalancerSpec& from,
                                        const std::string& path) {
  std::vector<std::uint32_t> zones;
  for (const TargetSpec& target : from.targets) {
    const std::uint32_t pool = spec.fleets[target.fleet].hosts;
    require(pool < spec.hosts.size(), path, "needs targets on hosts");
    const std::vector<std::uint32_t>& more = spec.hosts[pool].facts.zones;
    zones.insert(zones.end(), more.begin(), more.end());
  }
  std::sort(zones.begin(), zones.end());
  zones.erase(std::unique(zones.begin(), zones.end()), zones.end());
  require(zones.size() <= 64, path, "has too many zones");
  return zones;
}

}  // namespace

void World::build_balancers(const WorldSpec& spec) {
  for (std::size_t index = 0; index < spec.balancers.size(); ++index) {
    const BalancerSpec& from = spec.balancers[index];
    std::vector<double> weights;
    std::vector<std::uint32_t> fleets;
    for (const TargetSpec& target : from.targets) {
      require(is_weight(target.weight), at("load_balancers", index, "targets"),
              "need weights above 0 and of 1,000,000 at most");
      require(target.fleet < spec.fleets.size(), at("load_balancers", index, "targets"),
              "name a fleet that is not there");
      require(std::find(fleets.begin(), fleets.end(), target.fleet) == fleets.end(),
              at("load_balancers", index, "targets"), "name a fleet twice");
      weights.push_back(target.weight);
      fleets.push_back(target.fleet);
    }
    require(!fleets.empty(), at("load_balancers", index, "targets"), "must name a fleet");
    require(from.routing.choices >= 1, at("load_balancers", index, "routing"),
            "needs a choice or more");
    const std::string name = "load_balancers/" + from.name + "/routing";
    const StreamKey key = stream_key(seed_, replication_, name);
    Balancer& balancer = balancers_.emplace_back(Router(from.routing, weights, key), fleets);
    build_cells(spec, index, weights);
    build_health(from, index);
    build_slow_starts(from, index);
    require(from.idle_timeout_ns >= 0 && from.idle_timeout_ns <= duration_max,
            at("load_balancers", index, "idle_timeout"), "must be from 0 to 73 years");
    balancer.idle_ns = from.idle_timeout_ns;
    require(from.connect_timeout_ns >= 0 && from.connect_timeout_ns <= duration_max,
            at("load_balancers", index, "connect_timeout"), "must be from 0 to 73 years");
    balancer.connect_ns = from.connect_timeout_ns;
    build_capacity(spec, index);
    build_anomalies(from, index);
    balancer.note_routing();
    clients_matter_ = clients_matter_ || balancer.router.uses_client();
  }
}

// A router for each target group, or for the node of each zone.
void World::build_cells(const WorldSpec& spec, std::size_t index,
                        const std::vector<double>& weights) {
  const BalancerSpec& from = spec.balancers[index];
  Balancer& balancer = balancers_[index];
  const std::string stream = "load_balancers/" + from.name;
  check_groups(from, index);
  std::vector<std::string> cells;
  if (!from.cross_zone) {
    const std::string path = at("load_balancers", index, "cross_zone");
    require(from.groups.empty(), path, "cannot be off with groups");
    require(from.stickiness_ns == 0, path, "cannot be off with stickiness");
    balancer.zones = zones_behind(spec, from, path);
    for (const std::uint32_t zone : balancer.zones) cells.push_back("/zone" + std::to_string(zone));
  }
  require(from.nodes >= 1 && from.nodes <= 64, at("load_balancers", index, "nodes"),
          "must be from 1 to 64");
  require(from.nodes == 1 || (from.groups.empty() && from.cross_zone),
          at("load_balancers", index, "nodes"), "go with no groups, and with cross_zone");
  balancer.nodes = from.nodes;
  for (std::uint32_t node = 0; node < from.nodes && from.nodes != 1; ++node) {
    cells.push_back("/node" + std::to_string(node));
  }
  for (const TargetGroupSpec& group : from.groups) {
    balancer.group_weights.push_back(group.weight);
    balancer.group_names.push_back(group.name);
    cells.push_back('/' + group.name);
  }
  for (const TargetSpec& target : from.targets) {
    balancer.group_of_class.push_back(static_cast<std::uint16_t>(target.group));
  }
  balancer.draws = WordStream(stream_key(seed_, replication_, stream + "/cells"));
  for (std::size_t cell = 1; cell < cells.size(); ++cell) {
    const StreamKey key = stream_key(seed_, replication_, stream + "/routing" + cells[cell]);
    balancer.others.emplace_back(from.routing, weights, key);
  }
  balancer.group_sent.resize(from.groups.size());
  if (from.surge_queue != 0) {
    const std::string path = at("load_balancers", index, "surge_queue");
    const bool alone = cells.empty() && from.slow_start_ns == 0 && from.stickiness_ns == 0;
    require(alone, path, "goes with no groups, nodes, cross_zone, slow_start or stickiness");
    require(from.surge_queue <= SurgeQueue::size_max, path, "must be from 0 to 1,048,576");
    balancer.surge = SurgeQueue(from.surge_queue);
    surging_ = true;
  }
  const bool receives = !from.own_answers.empty() || from.connections.keep_alive_ns != 0;
  balancer.alone = from.surge_queue == 0 && cells.empty() && from.slow_start_ns == 0 &&
                   from.stickiness_ns == 0 && !receives && from.split.into == 1;
}

void World::build_anomalies(const BalancerSpec& from, std::size_t index) {
  if (from.routing.kind != RoutingKind::mitigated_random) return;
  try {
    balancers_[index].anomalies = Anomalies(from.routing.window_ns, balancers_[index].cells());
  } catch (const SpecError& error) {
    throw SpecError(at("load_balancers", index, "routing.") + error.path, error.what());
  }
  balancers_[index].alone = false;
}

// Its own, or that of the balancer it is a listener of.
void World::build_capacity(const WorldSpec& spec, std::size_t index) {
  const auto limited = [](const BalancerSpec& it) {
    return it.capacity.start != 0.0 || it.capacity.minimum != 0.0;
  };
  const BalancerSpec& from = spec.balancers[index];
  Balancer& balancer = balancers_[index];
  balancer.whole = static_cast<std::uint32_t>(index);
  if (from.listener_of != BalancerSpec::none) {
    const std::string path = at("load_balancers", index, "listener_of");
    require(from.listener_of < spec.balancers.size() && from.listener_of != index, path,
            "must be another balancer that is there");
    require(spec.balancers[from.listener_of].listener_of == BalancerSpec::none, path,
            "is a listener itself");
    require(!limited(from), at("load_balancers", index, "capacity"),
            "is that of the balancer, not of a listener");
    balancer.whole = from.listener_of;
  }
  const BalancerSpec& whole = spec.balancers[balancer.whole];
  if (!limited(whole)) return;
  balancer.awaits_capacity = whole.capacity.wait_ns != 0;
  balancer.alone = false;
  if (balancer.whole != index) return;
  try {
    balancer.capacity = Capacity(from.capacity);
  } catch (const SpecError& error) {
    throw SpecError(at("load_balancers", index, "capacity.") + error.path, error.what());
  }
}

void World::build_slow_starts(const BalancerSpec& from, std::size_t index) {
  const std::string path = at("load_balancers", index, "slow_start");
  require(from.slow_start_ns >= 0 && from.slow_start_ns <= duration_max, path,
          "must be from 0 to 73 years");
  if (from.slow_start_ns == 0) return;
  require(from.routing.kind == RoutingKind::round_robin, path, "goes with round_robin alone");
  balancers_[index].slow_starts.assign(balancers_[index].cells(), SlowStart(from.slow_start_ns));
}

// A cookie for each client of the sources that send to a sticky balancer, through others or not.
void World::build_cookies(const WorldSpec& spec) {
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) {
    const std::int64_t duration = spec.balancers[index].stickiness_ns;
    const std::string path = at("load_balancers", index, "stickiness");
    require(duration >= 0 && duration <= duration_max, path, "must be from 0 to 73 years");
    if (duration == 0) continue;
    const std::vector<std::uint64_t> clients = clients_of(spec, index, path);
    require(!spec.balancers[index].application_cookie || spec.balancers[index].groups.empty(), path,
            "by application cookies does not go with groups");
    balancers_[index].cookies = Stickiness(duration, clients, spec.balancers[index].cookie_renewed);
    clients_matter_ = sticky_ = true;
  }
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) {
    const std::int64_t duration = spec.balancers[index].group_stickiness_ns;
    const std::string path = at("load_balancers", index, "group_stickiness");
    require(duration >= 0 && duration <= duration_max, path, "must be from 0 to 73 years");
    if (duration == 0) continue;
    require(!spec.balancers[index].groups.empty(), path, "needs groups");
    balancers_[index].group_cookies = Stickiness(duration, clients_of(spec, index, path));
    clients_matter_ = sticky_ = true;
  }
}

// By source: its clients, if some of what it sends comes to the balancer.
std::vector<std::uint64_t> World::clients_of(const WorldSpec& spec, std::uint32_t balancer,
                                             const std::string& path) const {
  std::uint64_t total = 0;
  std::vector<std::uint64_t> clients(traffic_);
  for (std::uint32_t traffic = 0; traffic < traffic_; ++traffic) {
    const std::vector<bool> reached = services_reached(spec, spec.traffic[traffic].to);
    bool comes = callers_[traffic].to_balancer != 0 && callers_[traffic].to == balancer;
    for (std::uint32_t call = 0; call < programs_.calls().size(); ++call) {
      const Caller& caller = callers_[traffic_ + call];
      const bool leads_here = caller.to_balancer != 0 && caller.to == balancer;
      comes = comes || (leads_here && reached[programs_.calls()[call].service]);
    }
    if (!comes) continue;
    const Source& source = sources_[traffic];
    clients[traffic] = source.closed ? source.users : source.client_count;
    total += clients[traffic];
    require(clients[traffic] != 0 && total <= Stickiness::clients_max, path,
            "needs traffic of so many clients, 16,777,216 at most");
  }
  return clients;
}

// Answers of the DNS that clients keep, of balancers with several names to choose from.
void World::build_dns(const WorldSpec& spec) {
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) {
    const std::int64_t lives = spec.balancers[index].dns_ttl_ns;
    const std::string path = at("load_balancers", index, "dns_ttl");
    require(lives >= 0 && lives <= duration_max, path, "must be from 0 to 73 years");
    if (lives == 0) continue;
    Balancer& balancer = balancers_[index];
    require(balancer.nodes != 1 || !balancer.zones.empty(), path, "needs nodes or zones apart");
    balancer.dns = Stickiness(lives, clients_of(spec, index, path), false);
    clients_matter_ = true;
  }
}

// Where an instance belongs at a balancer that it is a target of.
std::uint32_t World::cell_of(const Balancer& balancer, std::uint32_t of_class,
                             std::uint32_t instance) const {
  if (balancer.zones.empty()) return balancer.group_of_class[of_class];
  const auto found =
      std::find(balancer.zones.begin(), balancer.zones.end(), hosts_.zone_of(instance));
  return static_cast<std::uint32_t>(found - balancer.zones.begin());
}

}  // namespace nephoscope
