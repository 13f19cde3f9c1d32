// Changing a world while it runs, and saving and restoring one.

#include <algorithm>
#include <cmath>

#include "world/archive.hpp"
#include "world/build_checks.hpp"
#include "world/world.hpp"

namespace nephoscope {

namespace {

constexpr std::uint64_t state_format = 0x6E6570686F000016;  // "nepho" and the version of the layout

}  // namespace

void World::set_rate(std::uint32_t traffic, double per_second) {
  require(traffic < told_, "traffic", "is not there");
  require(sources_[traffic].arrivals.has_rate(), "traffic.rate",
          "belongs to poisson and constant arrivals");
  std::vector<Arrival> arrivals = later_arrivals_;
  arrivals.push_back(next_arrival_);
  later_arrivals_.clear();
  next_arrival_ = no_arrival;
  for (Arrival& arrival : arrivals) {
    if (arrival.source == none) continue;
    if (arrival.source == traffic) {
      arrival.time = sources_[traffic].arrivals.set_rate(per_second, arrival.time, now_);
      arrival.sequence = calendar_.next_sequence();
    }
    add_arrival(arrival);
  }
}

// The last of the heap is always one that never comes, so that there is always a next one to
// compare with.
void World::add_arrival(const Arrival& arrival) {
  later_arrivals_.push_back(next_arrival_);
  next_arrival_ = arrival;
  std::push_heap(later_arrivals_.begin(), later_arrivals_.end(),
                 [](const Arrival& a, const Arrival& b) { return comes_before(b, a); });
  if (later_arrivals_.front().time <= next_arrival_.time) swap_arrival();
}

void World::set_count(std::uint32_t fleet, std::uint32_t count) {
  require(fleet < fleets_.size(), "fleets", "is not there");
  require(count <= (1U << 24), "fleets.count", "must be 16,777,216 at most");
  if (fleets_[fleet].scaled != none) {
    const ScalingGroup& group = scaled_[fleets_[fleet].scaled].group;
    require(group.bounded(count) == count, "fleets.count", "must be within min and max");
  }
  fleets_[fleet].desired = count;
  scale(fleet);
}

void World::set_routing(std::uint32_t balancer, const RoutingSpec& routing) {
  require(balancer < balancers_.size(), "load_balancers", "is not there");
  require(routing.choices >= 1, "load_balancers.routing", "needs a choice or more");
  check_policies();
  Balancer& it = balancers_[balancer];
  require(it.slow_starts.empty() || routing.kind == RoutingKind::round_robin,
          "load_balancers.routing", "of a balancer with slow_start is round_robin");
  const bool mitigates = routing.kind == RoutingKind::mitigated_random;
  require(mitigates == it.anomalies.active(), "load_balancers.routing",
          "has anomaly_mitigation in the whole run or not at all");
  const std::vector<std::uint32_t> counts = outstanding(balancer);
  for (std::uint32_t cell = 0; cell < it.cells(); ++cell) {
    it.router_in(cell).set_routing(routing, it.of_cell(cell, counts));
  }
  it.note_routing();
  it.tell_zones(0, [this](std::uint32_t instance) { return zone_of(instance); });
  it.renew_shares();
  clients_matter_ = clients_matter_ || it.router.uses_client();
  for (const std::uint32_t fleet : it.fleets) {
    if (fleets_[fleet].unwatched && !may_be_unwatched(fleet)) watch(fleet);
  }
}

void World::set_weight(std::uint32_t balancer, std::uint32_t fleet, double weight) {
  require(balancer < balancers_.size(), "load_balancers", "is not there");
  require(is_weight(weight), "load_balancers.targets.weight",
          "must be above 0 and 1,000,000 at most");
  check_policies();
  Balancer& it = balancers_[balancer];
  const std::vector<std::uint32_t>& fleets = it.fleets;
  const auto found = std::find(fleets.begin(), fleets.end(), fleet);
  require(found != fleets.end(), "load_balancers.targets", "do not hold this fleet");
  const auto of_class = static_cast<std::uint32_t>(found - fleets.begin());
  const std::vector<std::uint32_t> counts = outstanding(balancer);
  for (std::uint32_t cell = 0; cell < it.cells(); ++cell) {
    it.router_in(cell).set_weight(of_class, weight, it.of_cell(cell, counts));
  }
  it.tell_zones(0, [this](std::uint32_t instance) { return zone_of(instance); });
  it.renew_shares();
}

void World::set_group_weight(std::uint32_t balancer, std::uint32_t group, std::uint32_t weight) {
  require(balancer < balancers_.size(), "load_balancers", "is not there");
  std::vector<std::uint32_t>& weights = balancers_[balancer].group_weights;
  require(group < weights.size(), "load_balancers.groups", "is not there");
  require(weight <= TargetGroupSpec::weight_max, "load_balancers.groups.weight",
          "must be from 0 to 999");
  weights[group] = weight;
}

// Everything that changes while a world runs. What is immutable comes from the spec.
template <class Archive>
void World::serialize(Archive& archive) {
  archive(now_, events_, warm_, many_instances_, next_sample_, clients_matter_, next_arrival_,
          later_arrivals_, users_, ready_, fleet_of_, index_in_fleet_, launched_, run_at_warmup_,
          completion_of_, callers_, machine_of_, phase_, full_, machines_, leaving_, hosts_due_,
          devices_due_, refused_launches_, account_at_warmup_, quotas_, migrations_, migrated_,
          tells_migrations_);
  calendar_.serialize(archive);
  controls_.serialize(archive);
  lives_.serialize(archive);
  for (LaunchInterface& api : apis_) api.serialize(archive);
  instances_.serialize(archive);
  admissions_.serialize(archive);
  archive(metering_.next);
  for (Meter& meter : metering_.all) {
    archive(meter.requests_before, meter.opened_before, meter.hours);
  }
  hosts_.serialize(archive);
  devices_.serialize(archive);
  visits_.serialize(archive);
  errands_.serialize(archive);
  queues_.serialize(archive);
  topics_.serialize(archive);
  traces_.serialize(archive);
  for (Source& source : sources_) {
    source.arrivals.serialize(archive);
    source.clients.serialize(archive);
    source.think.serialize(archive);
  }
  for (Sampler& sampler : samplers_) sampler.serialize(archive);
  for (Route& route : routes_) {
    route.latency.serialize(archive);
    archive(route.ended, route.wasted);
  }
  for (Balancer& balancer : balancers_) balancer.serialize(archive);
  for (Fault& fault : faults_.all) {
    fault.which.serialize(archive);
    archive(fault.counts, fault.noticed);
  }
  archive(faults_.hung, faults_.parked, faults_.connecting, kept_);
  archive(faults_.strikes, faults_.struck, faults_.down, faults_.unanswered, faults_.announced);
  for (std::vector<std::uint16_t>& lost : faults_.unanswered_at) archive(lost);
  for (std::vector<std::uint16_t>& hosts : faults_.down_hosts) archive(hosts);
  for (ScaledFleet& scaled : scaled_) scaled.serialize(archive);
  for (std::vector<std::uint16_t>& hosts : faults_.noticed_hosts) archive(hosts);
  for (Fleet& fleet : fleets_) {
    fleet.members.serialize(archive);
    fleet.aside.serialize(archive);
    archive(fleet.departed, fleet.instance_ns, fleet.counted_to, fleet.least, fleet.most,
            fleet.plain, fleet.unwatched, fleet.desired, fleet.retries, fleet.refusal,
            fleet.booting, fleet.launching, fleet.terminations, fleet.successions, fleet.counts,
            fleet.eventful, fleet.parks, fleet.devices, fleet.failures, fleet.refusals);
    fleet.refresh.serialize(archive);
    fleet.membership.serialize(archive);
    archive(fleet.launched_as, fleet.vcpu_ns, fleet.vcpus, fleet.fresh.touched);
    archive(fleet.prices.now, fleet.prices.billed, fleet.prices.changes);
    for (Attachment& attachment : fleet.attachments) archive(attachment.slots);
  }
  for (Series& series : samples_) series.serialize(archive);
}

std::string World::save() const {
  check_policies();
  StateWriter writer;
  std::uint64_t format = state_format;
  std::uint64_t seed = seed_;
  std::uint64_t parts = routes_.size() * 1'000'003 + samplers_.size() * 1'009 + samples_.size();
  std::int64_t duration = duration_;
  writer(format, seed, parts, duration);
  World copy = *this;
  copy.instances_.lay_out_backlogs();
  copy.traces_.lay_out();
  copy.serialize(writer);
  return writer.take();
}

void World::restore(std::string_view bytes) {
  // Of another replication, it goes on with the random numbers of its own.
  StateReader reader(bytes, true);
  std::uint64_t format = 0;
  std::uint64_t seed = 0;
  std::uint64_t parts = 0;
  std::int64_t duration = 0;
  reader(format, seed, parts, duration);
  if (format != state_format) throw StateError("not the saved state of a world of this version");
  if (seed != seed_ || duration != duration_ ||
      parts != routes_.size() * 1'000'003 + samplers_.size() * 1'009 + samples_.size()) {
    throw StateError("saved state of another scenario");
  }
  World resumed = *this;
  resumed.serialize(reader);
  reader.finish();
  resumed.tell_routes();
  resumed.tell_held();
  resumed.check();
  *this = std::move(resumed);
}

}  // namespace nephoscope
