// Fleets that follow their load: what is measured of their instances at the end of every period,
// and what their policies make of it, as late as metrics are.
//
// An instance is warm for a policy once it has served for the policy's warm-up; a period counts
// those that were warm when it began and are still there, and the capacity that a policy reckons
// with are those that could have been counted so. (Amazon EC2 Auto Scaling, "Set the default
// instance warmup".)

#include <algorithm>
#include <string>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

enum class Due : std::uint32_t { measure, evaluate, change, look_ahead };

constexpr std::uint32_t due_kinds = 4;

std::uint32_t numbered(std::size_t scaled, Due due) {
  return static_cast<std::uint32_t>(scaled) * due_kinds + static_cast<std::uint32_t>(due);
}

bool is_of_network(Metric metric) {
  return metric == Metric::network || metric == Metric::network_in || metric == Metric::network_out;
}

}  // namespace

void World::build_scaling(const WorldSpec& spec, std::uint32_t index) {
  const ScalingSpec& from = spec.fleets[index].scaling;
  if (!from.active) return;
  Fleet& fleet = fleets_[index];
  try {
    scaled_.push_back({index, ScalingGroup(from)});
  } catch (const SpecError& error) {
    throw SpecError(at("fleets", index, error.path.c_str()), error.what());
  }
  require(from.min <= fleet.desired && fleet.desired <= from.max, at("fleets", index, "count"),
          "needs min <= desired <= max");
  const std::size_t scaled = scaled_.size() - 1;
  fleet.scaled = static_cast<std::uint32_t>(scaled);
  ScaledFleet& it = scaled_[scaled];
  it.sent.assign(fleet.attachments.size(), 0);
  it.seen.resize(from.policies.size());
  std::vector<Metric> metrics;
  for (const ScalingPolicySpec& policy : from.policies) {
    metrics.push_back(policy.metric);
    require(policy.metric != Metric::backlog_per_instance || policy.queue < queues_.all.size(),
            at("fleets", index, "scaling"), "looks at a queue that is not there");
  }
  for (const PredictiveSpec& policy : from.predictive) {
    metrics.push_back(policy.metric);
    require(policy.metric != Metric::backlog_per_instance, at("fleets", index, "scaling"),
            "cannot look ahead by a backlog");
    add_predictive(it, policy);
  }
  for (const Metric metric : metrics) {
    const bool counts = metric == Metric::requests_per_target;
    require(!counts || !fleet.attachments.empty(), at("fleets", index, "scaling"),
            "counts requests of a balancer, and there is none");
    require(!is_of_network(metric) || fleet_uses_devices_[index], at("fleets", index, "scaling"),
            "looks at a network that its service does not use");
  }
  if (!metrics.empty()) expect(scaled, numbered(scaled, Due::measure), from.period_ns);
  expect(scaled, numbered(scaled, Due::change), it.group.next_change());
}

// Each acts on its own: before every hour, the first of which may begin with the run.
void World::add_predictive(ScaledFleet& it, const PredictiveSpec& spec) {
  const auto number = static_cast<std::uint32_t>(it.predictive.size());
  const std::string path = "fleets." + fleet_names_[it.fleet] + ".scaling.predictive.";
  require(hour_ns % it.group.spec().period_ns == 0, path + "metric",
          "needs periods that an hour is a multiple of");
  require(number == 0, path + "metric", "has one policy already");
  try {
    it.predictive.emplace_back(spec);
  } catch (const SpecError& error) {
    throw SpecError(path + error.path, error.what());
  }
  expect(fleets_[it.fleet].scaled, numbered(fleets_[it.fleet].scaled, Due::look_ahead), 0);
}

void World::expect(std::size_t scaled, std::uint32_t due, std::int64_t time) {
  require(scaled < (1U << 24), "fleets", "scale too many");
  if (time < duration_) controls_.push(time, payload(ControlKind::scale, due));
}

void World::follow_scaling(std::uint32_t due) {
  const std::uint32_t scaled = due / due_kinds;
  ScaledFleet& it = scaled_[scaled];
  const ScalingSpec& spec = it.group.spec();
  switch (static_cast<Due>(due % due_kinds)) {
    case Due::measure:
      measure(it);
      expect(scaled, due, now_ + spec.period_ns);
      if (spec.policies.empty()) return;
      // What comes at the end of a later period comes after that one has been measured.
      if (spec.delay_ns % spec.period_ns != 0)
        return expect(scaled, numbered(scaled, Due::evaluate), now_ + spec.delay_ns);
      if (now_ > spec.delay_ns) evaluate(it);
      return;
    case Due::evaluate:
      return evaluate(it);
    case Due::change: {
      while (it.group.next_change() == now_) {
        fleets_[it.fleet].desired = it.group.change(fleets_[it.fleet].desired);
      }
      scale(it.fleet);
      return expect(scaled, due, it.group.next_change());
    }
    case Due::look_ahead: {
      const std::int64_t buffer = it.predictive.front().spec().buffer_ns;
      const std::int64_t hour = (now_ + buffer) / hour_ns;
      look_ahead(it, hour);
      return expect(scaled, due, (hour + 1) * hour_ns - buffer);
    }
  }
}

// Asks for what an hour will need, if that is more than there is. A forecast that is not acted on
// counts what it would have asked for, and lifts no bound.
void World::look_ahead(ScaledFleet& it, std::int64_t hour) {
  PredictivePolicy& policy = it.predictive.front();
  const std::uint32_t wanted = policy.capacity(hour);
  const std::uint32_t most = policy.bound(it.group.max(), wanted);
  const bool acts = policy.spec().acts;
  const std::uint32_t desired =
      acts ? it.group.foresee(wanted, most) : std::clamp(wanted, it.group.min(), most);
  if (desired <= fleets_[it.fleet].desired) return;
  policy.count();
  if (!acts) return;
  fleets_[it.fleet].desired = desired;
  scale(it.fleet);
}

// An instance has entered service.
void World::begin_warmup(std::uint32_t instance) {
  ScaledFleet& it = scaled_[fleets_[fleet_of_[instance]].scaled];
  const std::uint32_t index = index_in_fleet_[instance];
  if (index >= it.since.size()) {
    it.since.resize(index + std::size_t{1});
    it.ran_ns.resize(index + std::size_t{1});
  }
  it.since[index] = now_ == 0 ? ScaledFleet::always : now_;
  it.ran_ns[index] = used(instance, hosts_).run_ns;
  it.settled = now_;
}

bool WorldView::has_served_since(const ScaledFleet& it, std::uint32_t instance,
                                 std::int64_t time) const {
  return it.since[index_in_fleet_[instance]] <= time;
}

// A period has ended.
void World::measure(ScaledFleet& it) {
  const Fleet& fleet = fleets_[it.fleet];
  if (fleet.unwatched) {
    for (const std::uint32_t instance : fleet.members) bring_up_to_date<AnyShape>(instance, now_);
  }
  const ScalingSpec& spec = it.group.spec();
  for (const ScalingPolicySpec& policy : spec.policies) {
    it.on_their_way.push_back(policy.metric == Metric::backlog_per_instance
                                  ? backlog_per_instance(it, policy.queue)
                                  : datapoint(it, policy.metric, policy.warmup_ns));
  }
  for (PredictivePolicy& policy : it.predictive) {
    const Datapoint mean = datapoint(it, policy.spec().metric, 0);
    if (mean.known != 0) policy.add(mean.value * fleet.members.size());
    if (now_ % hour_ns != 0) continue;
    const bool first = policy.capacity(now_ / hour_ns) == 0;
    policy.end_hour(now_ / hour_ns);
    if (first) look_ahead(it, now_ / hour_ns);
  }
  for (const std::uint32_t instance : fleet.members) {
    it.ran_ns[index_in_fleet_[instance]] = used(instance, hosts_).run_ns;
  }
  for (std::size_t at = 0; at < it.sent.size(); ++at) {
    it.sent[at] = sent_to(fleet.attachments[at]);
  }
  it.network_bytes = fleet.devices.network_ever;
  it.received_bytes = fleet.devices.received_ever;
}

Datapoint World::datapoint(const ScaledFleet& it, Metric metric, std::int64_t warmup) {
  const Fleet& fleet = fleets_[it.fleet];
  const std::int64_t period = it.group.spec().period_ns;
  std::int64_t ran = 0;
  std::uint32_t warm = 0;
  std::uint64_t vcpus = 0;
  for (const std::uint32_t instance : fleet.members) {
    const bool counts = has_served_since(it, instance, now_ - period - warmup);
    if (!counts || phase_[instance] == Phase::down) continue;
    ran += used(instance, hosts_).run_ns - it.ran_ns[index_in_fleet_[instance]];
    ++warm;
    vcpus += vcpus_of(instance);
  }
  if (warm == 0) return {};
  const auto seconds = static_cast<double>(period) / 1e9;
  switch (metric) {
    case Metric::cpu: {
      const double there = static_cast<double>(period) * static_cast<double>(vcpus);
      return {static_cast<double>(ran) / there, 1};
    }
    case Metric::requests_per_target:
      return {requests_per_target(it) * 60.0 / seconds, 1};
    case Metric::network:
    case Metric::network_in:
    case Metric::network_out: {
      const std::uint64_t all = fleet.devices.network_ever - it.network_bytes;
      const std::uint64_t in = fleet.devices.received_ever - it.received_bytes;
      const std::uint64_t bytes = metric == Metric::network      ? all
                                  : metric == Metric::network_in ? in
                                                                 : all - in;
      return {static_cast<double>(bytes) / seconds / warm, 1};
    }
    case Metric::backlog_per_instance:
      break;  // of no predictive policy
  }
  return {};
}

// Those that have been there only for a while count too: they share what waits. Where nobody runs
// it is as if one did, so that a step policy can bring a fleet back from none.
Datapoint WorldView::backlog_per_instance(const ScaledFleet& it, std::uint32_t queue) const {
  std::uint32_t running = 0;
  for (const std::uint32_t instance : fleets_[it.fleet].members)
    running += phase_[instance] != Phase::down ? 1 : 0;
  const auto visible = static_cast<double>(queues_.all[queue].queue.visible());
  return {visible / std::max(running, 1U), 1};
}

// Requests since the start to a balancer or, where it has groups, to that of the fleet.
std::uint64_t WorldView::sent_to(const Attachment& attachment) const {
  const Balancer& balancer = balancers_[attachment.balancer];
  if (balancer.group_sent.empty()) return through(attachment.balancer).sent;
  return balancer.group_sent[balancer.group_of_class[attachment.of_class]];
}

// Of a period. Others of a balancer's targets, or of a group's, may be of another fleet.
double WorldView::requests_per_target(const ScaledFleet& it) const {
  double requests = 0.0;
  for (std::size_t at = 0; at < it.sent.size(); ++at) {
    const Attachment& attachment = fleets_[it.fleet].attachments[at];
    const Balancer& balancer = balancers_[attachment.balancer];
    const bool grouped = !balancer.group_sent.empty();
    const std::uint32_t own = balancer.group_of_class[attachment.of_class];
    std::uint32_t targets = 0;  // of all nodes
    for (std::uint32_t cell = 0; cell < balancer.cells(); ++cell) {
      if (!grouped || cell == own) targets += balancer.router_in(cell).size();
    }
    const std::uint64_t sent = sent_to(attachment) - it.sent[at];
    if (targets != 0) requests += static_cast<double>(sent) * balancer.nodes / targets;
  }
  return requests;
}

// The policies see the oldest datapoints that are on their way.
void World::evaluate(ScaledFleet& it) {
  Fleet& fleet = fleets_[it.fleet];
  const auto policies = static_cast<std::uint32_t>(it.seen.size());
  std::vector<GroupView> views;
  for (std::uint32_t policy = 0; policy < policies; ++policy) {
    it.seen[policy] = it.on_their_way[policy];
    const bool known = it.seen[policy].known != 0;
    it.group.observe(policy, known ? std::optional(it.seen[policy].value) : std::nullopt);
    views.push_back(group_view(it, policy));
  }
  it.on_their_way.erase(it.on_their_way.begin(), it.on_their_way.begin() + policies);
  const std::uint32_t desired = it.group.decide(views, now_);
  if (desired == fleet.desired) return;
  fleet.desired = desired;
  scale(it.fleet);
}

GroupView WorldView::group_view(const ScaledFleet& it, std::uint32_t policy) const {
  const Fleet& fleet = fleets_[it.fleet];
  GroupView view;
  view.desired = fleet.desired;
  view.warming = fleet.booting;
  const ScalingSpec& spec = it.group.spec();
  const std::int64_t began = now_ - spec.period_ns - spec.policies[policy].warmup_ns;
  for (const std::uint32_t instance : fleet.members) {
    ++(has_served_since(it, instance, began) ? view.warm : view.warming);
  }
  view.settled = it.settled;
  view.changing = fleet.booting != 0;
  if (leaving_ == 0) return view;
  for (const Departed& departed : fleet.departed) {
    view.changing = view.changing || drains(phase_[departed.instance]);
  }
  return view;
}

// Sizes within their bounds, and a place for whatever is measured.
void WorldView::check_scaling() const {
  for (const ScaledFleet& it : scaled_) {
    const Fleet& fleet = fleets_[it.fleet];
    bool agree = it.group.bounded(fleet.desired) == fleet.desired;
    for (const std::uint32_t instance : fleet.members) {
      const std::uint32_t index = index_in_fleet_[instance];
      agree = agree && index < it.since.size() && it.since[index] <= now_;
    }
    if (!agree) {
      throw InvariantError("fleet " + fleet_names_[it.fleet] + " is not of the size it should be" +
                           where());
    }
  }
}

}  // namespace nephoscope
