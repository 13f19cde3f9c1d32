// From a spec to a world. Every index and number is checked here, so that whatever the spec holds, a world
// that was built can be run.

#include <algorithm>
#include <cmath>

#include "world/world.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t duration_max = std::int64_t{1} << 61;  // 73 years
constexpr std::size_t instances_max = std::size_t{1} << 24;
constexpr std::size_t series_max = std::size_t{1} << 24;      // values in all

std::string at(const char* list, std::size_t index, const char* field) {
  return std::string(list) + "." + std::to_string(index) + "." + field;
}

void require(bool condition, const std::string& path, const char* message) {
  if (!condition) throw SpecError(path, message);
}

bool positive(double value) { return std::isfinite(value) && value > 0.0; }

}  // namespace

World::World(const WorldSpec& spec)
    : seed_(spec.seed),
      replication_(spec.replication),
      duration_(spec.duration_ns),
      warmup_(spec.warmup_ns),
      series_interval_(spec.series_ns),
      traffic_(static_cast<std::uint32_t>(spec.traffic.size())) {
  check_window(spec);
  for (const TrafficSpec& traffic : spec.traffic) traffic_names_.push_back(traffic.name);
  for (const BalancerSpec& balancer : spec.balancers) balancer_names_.push_back(balancer.name);
  for (const FleetSpec& fleet : spec.fleets) fleet_names_.push_back(fleet.name);
  build_services(spec);
  build_balancers(spec);
  build_fleets(spec);
  build_callers(spec);
  refuse_endless_calls(spec);
  build_sources(spec);
  build_samplers(spec);
  find_first_samplers();
  build_series();
  warm_ = warmup_ == 0;
}

void World::check_window(const WorldSpec& spec) const {
  require(duration_ > 0 && duration_ <= duration_max, "duration", "must be above 0 and below 73 years");
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
    require(backlog >= -1 && backlog < Instances::unlimited, at("services", index, "backlog"),
            "must be -1 (no limit) or from 0 to 4,294,967,294");
  }
}

void World::build_balancers(const WorldSpec& spec) {
  for (std::size_t index = 0; index < spec.balancers.size(); ++index) {
    const BalancerSpec& from = spec.balancers[index];
    std::vector<double> weights;
    std::vector<std::uint32_t> fleets;
    for (const TargetSpec& target : from.targets) {
      require(positive(target.weight), at("load_balancers", index, "targets"), "need weights above 0");
      require(target.fleet < spec.fleets.size(), at("load_balancers", index, "targets"),
              "name a fleet that is not there");
      require(std::find(fleets.begin(), fleets.end(), target.fleet) == fleets.end(),
              at("load_balancers", index, "targets"), "name a fleet twice");
      weights.push_back(target.weight);
      fleets.push_back(target.fleet);
    }
    require(!fleets.empty(), at("load_balancers", index, "targets"), "must name a fleet");
    require(from.routing.choices >= 1, at("load_balancers", index, "routing"), "needs a choice or more");
    const StreamKey key = stream_key(seed_, replication_, "load_balancers/" + from.name + "/routing");
    Balancer& balancer =
        balancers_.emplace_back(Balancer{Router(from.routing, weights, key), fleets, {}, {}});
    for (std::uint32_t of_class = 0; of_class < fleets.size(); ++of_class) {
      balancer.router.reserve(of_class, spec.fleets[fleets[of_class]].count);
    }
    clients_matter_ = clients_matter_ || balancer.router.uses_client();
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
    const std::uint32_t all = service.processor_sharing ? Instances::unlimited : from.vcpus;
    const std::uint32_t workers = service.concurrency != 0 ? service.concurrency : all;
    const std::uint32_t backlog =
        service.backlog < 0 ? Instances::unlimited : static_cast<std::uint32_t>(service.backlog);
    Fleet& fleet = fleets_.emplace_back();
    fleet.kind = instances_.add_kind({from.vcpus, from.speed, workers, backlog});
    fleet.entry = programs_.entry(from.service);
  }
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) {
    const std::vector<std::uint32_t>& fleets = balancers_[index].fleets;
    for (std::uint32_t of_class = 0; of_class < fleets.size(); ++of_class) {
      fleets_[fleets[of_class]].attachments.push_back({index, of_class, {}});
    }
  }
  for (std::uint32_t index = 0; index < fleets_.size(); ++index) {
    for (std::uint32_t left = spec.fleets[index].count; left > 0; --left) add_instance(index);
    fleets_[index].least = fleets_[index].most = spec.fleets[index].count;
  }
}

void World::build_callers(const WorldSpec& spec) {
  for (std::size_t index = 0; index < spec.traffic.size(); ++index) {
    const TrafficSpec& from = spec.traffic[index];
    add_caller(from.to, from.timeout_ns, from.on_timeout == OnTimeout::abandon,
               at("traffic", index, "to"));
  }
  for (const Programs::Call& call : programs_.calls()) {
    add_caller(call.to, call.timeout_ns, false,
               at("services", call.service, ("steps." + call.path + ".call").c_str()));
  }
}

void World::add_caller(const Destination& to, std::int64_t timeout_ns, bool abandons,
                       const std::string& path) {
  require(timeout_ns >= 0 && timeout_ns <= duration_max, path, "has an impossible timeout");
  const bool to_balancer = to.kind == Destination::Kind::balancer;
  require(to.index < (to_balancer ? balancers_.size() : fleets_.size()), path, "is not there");
  Caller& caller = callers_.emplace_back();
  caller.to = to.index;
  caller.to_balancer = to_balancer ? 1 : 0;
  caller.timeout_ns = timeout_ns;
  caller.abandons = abandons ? 1 : 0;
  caller.first_route = static_cast<std::uint32_t>(routes_.size());
  const auto index = static_cast<std::uint32_t>(callers_.size() - 1);
  if (to_balancer) {
    for (const std::uint32_t fleet : balancers_[to.index].fleets) add_route(index, fleet);
  } else {
    add_route(index, to.index);
  }
  caller.routes = static_cast<std::uint32_t>(routes_.size()) - caller.first_route;
}

void World::add_route(std::uint32_t caller, std::uint32_t fleet) {
  Route& route = routes_.emplace_back();
  route.caller = caller;
  route.fleet = fleet;
  route.entry = fleets_[fleet].entry;
}

std::vector<std::uint32_t> World::services_behind(const WorldSpec& spec, const Destination& to) const {
  if (to.kind == Destination::Kind::fleet) return {spec.fleets[to.index].service};
  std::vector<std::uint32_t> services;
  for (const std::uint32_t fleet : balancers_[to.index].fleets) {
    services.push_back(spec.fleets[fleet].service);
  }
  return services;
}

// Calls may lead back to their own service, as long as a request ends. The expected number of visits that
// one visit of each service leads to, directly, through one more, ... must die out: the matrix of expected
// calls has a spectral radius below 1. A call to a balancer counts in full for each of its fleets.
void World::refuse_endless_calls(const WorldSpec& spec) const {
  constexpr int generations = 1000;
  std::vector<double> visits(spec.services.size(), 1.0);
  for (int generation = 0; generation < generations; ++generation) {
    std::vector<double> next(visits.size(), 0.0);
    for (const Programs::Call& call : programs_.calls()) {
      for (const std::uint32_t to : services_behind(spec, call.to)) {
        next[call.service] += call.probability * visits[to];
      }
    }
    visits = std::move(next);
  }
  for (std::size_t service = 0; service < visits.size(); ++service) {
    if (visits[service] < 1.0) continue;
    throw SpecError(at("services", service, "steps"), "call back to their own service without end");
  }
}

void World::build_sources(const WorldSpec& spec) {
  std::uint64_t users = 0;
  for (std::uint32_t index = 0; index < spec.traffic.size(); ++index) {
    const TrafficSpec& from = spec.traffic[index];
    const std::string name = "traffic/" + from.name;
    const auto key = [&](const char* purpose) { return stream_key(seed_, replication_, name + purpose); };
    require(from.clients.count < (std::uint64_t{1} << 32), at("traffic", index, "clients"), "are too many");
    require(std::isfinite(from.clients.zipf) && from.clients.zipf >= 0.0,
            at("traffic", index, "clients"), "need a zipf exponent not below 0");
    Source& source = sources_.emplace_back(Source{
        ArrivalStream(from.arrivals, key("/arrivals"), key("/arrivals/states")),
        client_sampler(from.clients, key("/clients")),
        Sampler(from.arrivals.think, key("/think")), from.clients.count,
        from.arrivals.kind == ArrivalKind::closed, static_cast<std::uint32_t>(users), 0});
    if (source.closed) {
      require(from.arrivals.users >= 1, at("traffic", index, "arrivals.closed.users"), "must be 1 or more");
      source.users = from.arrivals.users;
      users += source.users;
      require(users < (std::uint64_t{1} << index_bits), at("traffic", index, "arrivals.closed.users"),
              "are too many");
      users_.resize(users, User{0, index, 0});
      for (std::uint32_t user = source.first_user; user < users; ++user) think_again(user, 0);
    } else {
      const std::int64_t first = source.arrivals.next();
      add_arrival({first, calendar_.next_sequence(), index});
    }
  }
}

// Client i of n is drawn as the whole part of a uniform number on (0, n), or by the popularity law.
Sampler World::client_sampler(const ClientSpec& clients, StreamKey key) {
  Distribution law{DistributionKind::uniform, 0.0, 0.0, {0.0, static_cast<double>(clients.count)}, {}};
  if (clients.count == 0) law = Distribution{};
  if (clients.count != 0 && clients.zipf > 0.0) {
    require(clients.count <= (1U << 24), "clients", "with a zipf law may be 16,777,216 at most");
    law = Distribution{DistributionKind::empirical, 0.0, 0.0, {}, {}};
    for (std::uint64_t client = 0; client < clients.count; ++client) {
      law.values.push_back(static_cast<double>(client));
      law.weights.push_back(pow_(static_cast<double>(client + 1), -clients.zipf));
    }
  }
  return Sampler(law, key);
}

// A sampler for each pair of a source and a step that its requests can reach.
void World::build_samplers(const WorldSpec& spec) {
  const std::vector<Programs::Draw>& draws = programs_.draws();
  sampler_of_.assign(traffic_ * draws.size(), none);
  for (std::uint32_t traffic = 0; traffic < traffic_; ++traffic) {
    const std::vector<bool> reached = services_reached(spec, spec.traffic[traffic].to);
    for (std::size_t draw = 0; draw < draws.size(); ++draw) {
      if (!reached[draws[draw].service]) continue;
      const std::string& service = spec.services[draws[draw].service].name;
      const std::string name =
          "traffic/" + spec.traffic[traffic].name + "/work/" + service + "/" + draws[draw].path;
      sampler_of_[traffic * draws.size() + draw] = static_cast<std::uint32_t>(samplers_.size());
      try {
        samplers_.emplace_back(draws[draw].law, stream_key(seed_, replication_, name));
      } catch (const SpecError& error) {
        throw SpecError(at("services", draws[draw].service, ("steps." + draws[draw].path).c_str()), error.what());
      }
    }
  }
}

// The work of a request's first step is drawn when it arrives, in the order of the requests.
void World::find_first_samplers() {
  for (Route& route : routes_) {
    if (route.caller >= traffic_ || route.entry == Programs::end) continue;
    const Programs::Step& first = programs_[route.entry];
    if (first.kind != StepKind::compute) continue;
    route.first_sampler = sampler_of_[route.caller * programs_.draws().size() + first.draw];
    route.entry = first.next;
    route.detailed = first.next != Programs::end || callers_[route.caller].timeout_ns != 0 ||
                     sources_[route.caller].closed;
  }
}

std::vector<bool> World::services_reached(const WorldSpec& spec, const Destination& from) const {
  std::vector<bool> reached(spec.services.size(), false);
  std::vector<std::uint32_t> open = services_behind(spec, from);
  while (!open.empty()) {
    const std::uint32_t service = open.back();
    open.pop_back();
    if (reached[service]) continue;
    reached[service] = true;
    for (const Programs::Call& call : programs_.calls()) {
      if (call.service != service) continue;
      const std::vector<std::uint32_t> behind = services_behind(spec, call.to);
      open.insert(open.end(), behind.begin(), behind.end());
    }
  }
  return reached;
}

void World::build_series() {
  if (series_interval_ == 0) return;
  const std::size_t columns = 6 * (traffic_ + balancers_.size()) + fleets_.size();
  const auto length = static_cast<std::uint64_t>(duration_ / series_interval_);
  require(length <= series_max / columns, "series", "asks for more than 16,777,216 values");
  samples_.assign(columns, Series(series_interval_));
  next_sample_ = series_interval_;
}

}  // namespace nephoscope
