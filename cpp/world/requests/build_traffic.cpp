// The second half of building a world: who sends, who calls whom, and what is drawn for them.

#include <algorithm>
#include <cmath>

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"
#include "world/world.hpp"

namespace nephoscope {

namespace {

// If none but the last one is answered, and each is doubled.
double attempts_at_most(const WorldSpec& spec, const Programs::Call& call) {
  if (call.resilience == StepSpec::plain) return 1.0;
  const ResilienceSpec& rules = spec.resilience[call.resilience];
  return static_cast<double>(rules.attempts) * (rules.hedge_ns != 0 ? 2.0 : 1.0);
}

// Whether it gets any of what is sent there at any time: the target of a rule without a pattern
// does not.
bool takes_any(const SubscriptionSpec& it) {
  const auto any = [](const std::vector<std::uint8_t>& takes) {
    return takes.empty() ||
           std::any_of(takes.begin(), takes.end(), [](auto of) { return of != 0; });
  };
  return any(it.takes) ||
         std::any_of(it.changes.begin(), it.changes.end(),
                     [&](const FilterChange& change) { return any(change.takes); });
}

// The visits that a message leads to at most, whatever its subscriptions let through: `visits` are
// those that one visit of each service does, and `behind` tells whose services are behind whom.
template <class Behind>
double visits_of_message(const WorldSpec& spec, const Destination& to,
                         const std::vector<double>& visits, const Behind& behind) {
  double sum = 0.0;
  if (to.kind >= Destination::Kind::topic) {
    for (const SubscriptionSpec& each : subscriptions_of(spec, to)) {
      if (!takes_any(each)) continue;
      const double copies = 1.0 + each.duplicates;
      const double attempts = each.asks() ? 1.0 + each.retry.retries() : 1.0;
      if (!each.outside)
        sum += copies * attempts * visits_of_message(spec, each.to, visits, behind);
      const Destination letters{Destination::Kind::queue, each.dead_letter};
      if (each.dead_letter != SubscriptionSpec::none)
        sum += copies * visits_of_message(spec, letters, visits, behind);
    }
    return sum;
  }
  for (const std::uint32_t service : behind(to)) sum += visits[service];
  return sum;
}

// Whether a balancer looks at what it has sent: it sets cookies, or resets what is under way; or it
// keeps requests before.
bool knows_visits(const Balancer& balancer) {
  return balancer.cookies.active() || balancer.group_cookies.active() || balancer.keeps() ||
         (balancer.health.active() && balancer.health.spec().resets);
}

}  // namespace

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
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) add_checker(index);
  Messaging(*this).build_endpoints();
  Messaging(*this).build_consumers(spec);
}

// Who may send a request more than once. Under a deadline, calls have to know it.
void World::build_errands(const WorldSpec& spec) {
  bool deadlines = false;
  for (std::size_t index = 0; index < spec.resilience.size(); ++index) {
    try {
      nephoscope::check(spec.resilience[index]);
    } catch (const SpecError& error) {
      throw SpecError(at("resilience", index, error.path.c_str()), error.what());
    }
    deadlines = deadlines || spec.resilience[index].deadline_ns != 0;
  }
  const auto add = [&](std::uint32_t caller, std::uint32_t which, const std::string& path) {
    if (which == StepSpec::plain && (caller < traffic_ || !deadlines)) return;
    require(which == StepSpec::plain || which < spec.resilience.size(), path, "is not there");
    callers_[caller].resilience = static_cast<std::uint32_t>(errands_.rules.size());
    errands_.rules.emplace_back(which == StepSpec::plain ? ResilienceSpec{}
                                                         : spec.resilience[which]);
  };
  for (std::uint32_t index = 0; index < traffic_; ++index) {
    const TrafficSpec& from = spec.traffic[index];
    add(index, from.resilience, at("traffic", index, "resilience"));
    if (from.resilience != StepSpec::plain) add_backoff(index, "traffic/" + from.name + "/backoff");
  }
  for (std::uint32_t index = 0; index < programs_.calls().size(); ++index) {
    const Programs::Call& call = programs_.calls()[index];
    const std::string& service = spec.services[call.service].name;
    add(traffic_ + index, call.resilience, at("services", call.service, "steps.call.resilience"));
    for (const TrafficSpec& from : spec.traffic) {
      if (call.resilience == StepSpec::plain) break;
      add_backoff(traffic_ + index,
                  "traffic/" + from.name + "/backoff/" + service + '/' + call.path);
    }
  }
}

// The waits of a caller, from the next source of traffic.
void World::add_backoff(std::uint32_t caller, const std::string& name) {
  Resilience& rules = errands_.of(callers_[caller]);
  try {
    rules.backoffs.emplace_back(rules.spec.backoff, stream_key(seed_, replication_, name),
                                stream_key(seed_, replication_, name + "/jitter"));
  } catch (const SpecError& error) {
    throw SpecError("resilience.backoff.law", error.what());
  }
}

void World::add_caller(const Destination& to, std::int64_t timeout_ns, bool abandons,
                       const std::string& path) {
  require(timeout_ns >= 0 && timeout_ns <= duration_max, path, "has an impossible timeout");
  const bool to_balancer = to.kind == Destination::Kind::balancer;
  const bool to_queue = to.kind == Destination::Kind::queue;
  const bool to_topic = to.kind >= Destination::Kind::topic;
  const std::size_t there = to_topic      ? topics_.size(to)
                            : to_queue    ? queues_.all.size()
                            : to_balancer ? balancers_.size()
                                          : fleets_.size();
  require(to.index < there, path, "is not there");
  Caller& caller = callers_.emplace_back();
  caller.to = to_topic ? topics_.number(to) : to.index;
  caller.to_balancer = to_balancer ? 1 : 0;
  caller.sends = to_topic ? 2 : to_queue ? 1 : 0;
  caller.timeout_ns = timeout_ns;
  const std::int64_t idle = to_balancer ? balancers_[to.index].idle_ns : 0;
  if (idle != 0 && (timeout_ns == 0 || idle < timeout_ns)) {
    caller.timeout_ns = idle;
    caller.out_of_time = 1;
  }
  caller.abandons = abandons ? 1 : 0;
  caller.first_route = static_cast<std::uint32_t>(routes_.size());
  const auto index = static_cast<std::uint32_t>(callers_.size() - 1);
  if (caller.sends != 0) {
    Route& route = routes_.emplace_back();
    route.caller = index;
    route.fleet = none;
    route.entry = Programs::end;
    route.check = true;
  } else if (to_balancer) {
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
  route.guarded = fleets_[fleet].admission.any();
  fleets_[fleet].reached = true;
}

std::vector<std::uint32_t> World::services_behind(const WorldSpec& spec,
                                                  const Destination& to) const {
  if (to.kind == Destination::Kind::fleet) return {spec.fleets[to.index].service};
  std::vector<std::uint32_t> services;
  if (to.kind >= Destination::Kind::topic) {
    for (const SubscriptionSpec& each : subscriptions_of(spec, to)) {
      std::vector<std::uint32_t> behind;
      if (!each.outside) behind = services_behind(spec, each.to);
      services.insert(services.end(), behind.begin(), behind.end());
      if (each.dead_letter == none) continue;
      behind = services_behind(spec, {Destination::Kind::queue, each.dead_letter});
      services.insert(services.end(), behind.begin(), behind.end());
    }
    return services;
  }
  if (to.kind == Destination::Kind::queue) {
    // And those of the queues that its dead letters go to. Each once: only one gets a message.
    std::vector<bool> seen(spec.queues.size(), false);
    for (std::uint32_t queue = to.index; queue != none && !seen[queue];
         queue = spec.queues[queue].dead_letter) {
      seen[queue] = true;
      for (const FleetSpec& fleet : spec.fleets) {
        const bool consumes = spec.services[fleet.service].consumes.queue == queue;
        const bool known =
            std::find(services.begin(), services.end(), fleet.service) != services.end();
        if (consumes && !known) services.push_back(fleet.service);
      }
      for (const PipeSpec& pipe : spec.pipes) {
        if (pipe.from.queue != queue) continue;
        const std::vector<std::uint32_t> behind = services_behind(spec, pipe.to);
        services.insert(services.end(), behind.begin(), behind.end());
      }
    }
    return services;
  }
  for (const std::uint32_t fleet : balancers_[to.index].fleets) {
    services.push_back(spec.fleets[fleet].service);
  }
  return services;
}

// Calls may lead back to their own service, as long as a request ends. The expected number of
// visits that one visit of each service leads to, directly, through one more, ... must die out: the
// matrix of expected calls has a spectral radius below 1. A call to a balancer counts in full for
// each of its fleets.
void World::refuse_endless_calls(const WorldSpec& spec) const {
  constexpr int generations = 1000;
  std::vector<double> visits(spec.services.size(), 1.0);
  const auto behind = [&](const Destination& to) { return services_behind(spec, to); };
  for (int generation = 0; generation < generations; ++generation) {
    std::vector<double> next(visits.size(), 0.0);
    for (const Programs::Call& call : programs_.calls()) {
      for (const std::uint32_t to : services_behind(spec, call.to)) {
        next[call.service] += call.probability * attempts_at_most(spec, call) * visits[to];
      }
    }
    for (const Programs::Send& send : programs_.sends()) {
      const double each = visits_of_message(spec, send.to, visits, behind);
      next[send.service] += send.probability * send.batch * each;
    }
    visits = std::move(next);
  }
  for (std::size_t service = 0; service < visits.size(); ++service) {
    if (visits[service] < 1.0) continue;
    throw SpecError(at("services", service, "steps"),
                    "call or send back to their own service without end");
  }
}

void World::build_sources(const WorldSpec& spec) {
  std::uint64_t users = 0;
  for (std::uint32_t index = 0; index < spec.traffic.size(); ++index) {
    const TrafficSpec& from = spec.traffic[index];
    const std::string name = "traffic/" + from.name;
    const auto key = [&](const char* purpose) {
      return stream_key(seed_, replication_, name + purpose);
    };
    require(from.clients.count < (std::uint64_t{1} << 32), at("traffic", index, "clients"),
            "are too many");
    require(std::isfinite(from.clients.zipf) && from.clients.zipf >= 0.0,
            at("traffic", index, "clients"), "need a zipf exponent not below 0");
    Source& source = sources_.emplace_back(
        Source{ArrivalStream(from.arrivals, key("/arrivals"), key("/arrivals/states"), duration_),
               client_sampler(from.clients, key("/clients")),
               Sampler(from.arrivals.think, key("/think")), from.clients.count,
               from.arrivals.kind == ArrivalKind::closed, static_cast<std::uint32_t>(users), 0});
    source.group = from.group;
    source.rule = from.rule;
    if (from.rule == StepSpec::plain) {
      require(told_++ == index, at("traffic", index, "rule"), "is missing: sources come first");
    } else {
      const bool there = from.to.kind == Destination::Kind::bus &&
                         from.rule < spec.buses[from.to.index].rules.size();
      require(there, at("traffic", index, "rule"), "is not there");
    }
    if (source.closed) {
      require(from.arrivals.users >= 1, at("traffic", index, "arrivals.closed.users"),
              "must be 1 or more");
      source.users = from.arrivals.users;
      source.give_up = from.arrivals.give_up;
      users += source.users;
      require(users < (std::uint64_t{1} << index_bits),
              at("traffic", index, "arrivals.closed.users"), "are too many");
      users_.resize(users, User{0, index, 0, 0, 0});
      for (std::uint32_t user = source.first_user; user < users; ++user) think_again(user, 0);
    } else {
      const std::int64_t first = source.arrivals.next();
      add_arrival({first, calendar_.next_sequence(), index});
    }
  }
}

// Client i of n is drawn as the whole part of a uniform number on (0, n), or by the popularity law.
Sampler World::client_sampler(const ClientSpec& clients, StreamKey key) {
  Distribution law{
      DistributionKind::uniform, 0.0, 0.0, {0.0, static_cast<double>(clients.count)}, {}};
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
      const std::string source = "traffic/" + spec.traffic[traffic].name + '/';
      const std::string name = source + "work/" + service + '/' + draws[draw].path;
      sampler_of_[traffic * draws.size() + draw] = static_cast<std::uint32_t>(samplers_.size());
      try {
        samplers_.emplace_back(draws[draw].law, stream_key(seed_, replication_, name));
      } catch (const SpecError& error) {
        throw SpecError(at("services", draws[draw].service, ("steps." + draws[draw].path).c_str()),
                        error.what());
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
    const Caller& caller = callers_[route.caller];
    const bool awaited = sources_[route.caller].closed || caller.resilience != none;
    const bool known = caller.to_balancer != 0 && knows_visits(balancers_[caller.to]);
    // Who may be full for a surge queue is told by visits.
    const bool connects =
        faults_.connects && caller.to_balancer != 0 && balancers_[caller.to].connect_ns != 0;
    const bool apart = known || surging_ || route.guarded || faults_.hangs || connects;
    const bool single = first.next == Programs::end && !awaited && !apart;
    route.plain = single && caller.timeout_ns == 0;
    // What slows an instance may make a request late that would have been in time.
    route.timed = single && !route.plain && !faults_.slow;
  }
  for (const Route& route : routes_) {
    if (route.check || route.plain) continue;
    fleets_[route.fleet].timed |= route.timed;
    fleets_[route.fleet].plain &= route.timed;
  }
  for (const Route& route : routes_) {
    if (!route.check && route.plain) fleets_[route.fleet].mixed |= fleets_[route.fleet].timed;
  }
  for (std::uint32_t fleet = 0; fleet < fleets_.size(); ++fleet) {
    fleets_[fleet].unwatched = may_be_unwatched(fleet);
    const std::vector<Attachment>& attachments = fleets_[fleet].attachments;
    fleets_[fleet].by_slot =
        attachments.size() != 1 || balancers_[attachments.front().balancer].nodes != 1;
  }
  for (const Route& route : routes_) {
    if (callers_[route.caller].to_balancer == 0 && !route.check)
      fleets_[route.fleet].by_slot = true;
  }
  tell_routes();
  count_reached();
}

std::vector<bool> World::services_reached(const WorldSpec& spec, const Destination& from) const {
  std::vector<bool> reached(spec.services.size(), false);
  std::vector<std::uint32_t> open = services_behind(spec, from);
  // What a redrive moves may have come from anywhere.
  const auto open_queue = [&](std::uint32_t queue) {
    const auto behind = services_behind(spec, {Destination::Kind::queue, queue});
    open.insert(open.end(), behind.begin(), behind.end());
  };
  for (const QueueActionSpec& action : spec.queue_actions) {
    if (action.redrives() && action.to != QueueActionSpec::home) open_queue(action.to);
    for (std::uint32_t queue = 0; queue < spec.queues.size(); ++queue) {
      const bool home = action.to == QueueActionSpec::home;
      if (home && spec.queues[queue].dead_letter == action.queue) open_queue(queue);
    }
  }
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
    for (const Programs::Send& send : programs_.sends()) {
      if (send.service != service) continue;
      const std::vector<std::uint32_t> behind = services_behind(spec, send.to);
      open.insert(open.end(), behind.begin(), behind.end());
    }
  }
  return reached;
}

}  // namespace nephoscope
