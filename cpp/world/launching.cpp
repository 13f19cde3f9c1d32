// The life of instances: launched where there is room, serving when they have booted, leaving when
// their fleet shrinks, gone when they have finished what they held.

#include <algorithm>

#include "world/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::size_t cached_instances = 8192;
constexpr std::int64_t launch_retry_ns = 60'000'000'000;

// Beyond the end of every run, and so that the sum of an instant and two of them does not overflow.
constexpr std::int64_t as_good_as_never = std::int64_t{1} << 61;

std::int64_t drawn(const Sampler& law, std::uint32_t place) {
  return std::min(duration_ns(law.at(place, 0)), as_good_as_never);
}

}  // namespace

// Brings a fleet to the number of instances that is desired. What has not booted yet goes first.
void World::scale(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  count_instances(fleet);
  const auto alive = [&fleet] { return fleet.booting + fleet.members.size(); };
  while (alive() > fleet.desired) fleet.booting == 0 ? remove_instance(at) : drop_booting(at);
  while (alive() < fleet.desired) {
    if (launch(at)) continue;
    // The others would find no room either: they are alike.
    refused_launches_[fleet.request.pool] += fleet.desired - alive();
    if (!fleet.retries) controls_.push(now_ + launch_retry_ns, payload(ControlKind::retry, at));
    fleet.retries = true;
    break;
  }
  const auto size = static_cast<std::uint32_t>(fleet.members.size());
  fleet.least = std::min(fleet.least, size);
  fleet.most = std::max(fleet.most, size);
  count_reached();
}

// Whether the caches hold the instances that requests are sent to.
void World::count_reached() {
  std::size_t reached = 0;
  for (const Fleet& fleet : fleets_) reached += fleet.reached ? fleet.members.size() : 0;
  many_instances_ = reached > cached_instances;
}

// Returns false when there is no room for an instance (InsufficientInstanceCapacity).
bool World::launch(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  const auto instance = static_cast<std::uint32_t>(instances_.size());
  if (fleet.placed) {
    fleet.refusal = hosts_.place(instance, fleet.request, fleet.guest, now_);
    if (fleet.refusal != Refusal::none) return false;
  }
  instances_.add(fleet.kind, now_);
  if (with_devices_) add_devices(instance, at);
  const std::uint32_t place = launched_[at]++;
  fleet_of_.push_back(at);
  index_in_fleet_.push_back(place);
  run_at_warmup_.push_back(0);
  completion_of_.push_back(EventQueue::none);
  const bool at_once = now_ == 0 && place < fleet.initial;
  const std::int64_t pending = at_once ? 0 : drawn(fleet.pending, place);
  const std::int64_t boot = at_once ? 0 : drawn(fleet.boot, place);
  lives_.push_back({now_ + pending, ArrivalStream::never});
  phase_.push_back(Phase::booting);
  if (fleet.booting++ == 0) fleet.launching.clear();
  fleet.launching.push_back(instance);
  if (pending + boot == 0) {
    enter_service(instance);
  } else {
    controls_.push(now_ + pending + boot, payload(ControlKind::ready, instance));
  }
  return true;
}

// An instance has booted: from now on its balancers send to it.
void World::enter_service(std::uint32_t instance) {
  if (phase_[instance] != Phase::booting) return;
  Fleet& fleet = fleets_[fleet_of_[instance]];
  count_instances(fleet);
  phase_[instance] = Phase::serving;
  --fleet.booting;
  fleet.members.push_back(instance);
  fleet.most = std::max(fleet.most, static_cast<std::uint32_t>(fleet.members.size()));
  for (Attachment& attachment : fleet.attachments) {
    Balancer& balancer = balancers_[attachment.balancer];
    const std::uint32_t slot = balancer.router.add(attachment.of_class);
    attachment.slots.push_back(slot);
    balancer.slots.push_back({0, instance, attachment.of_class});
    if (slot == 0) balancer.first_instance = instance;
    if (attachment.of_class != 0 || instance != balancer.first_instance + slot) {
      balancer.first_instance = none;
    }
    balancer.unserved.push_back({});
  }
  count_reached();
}

// The youngest goes. It gets no more requests from its balancers and finishes those it has.
void World::remove_instance(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  const std::uint32_t instance = fleet.members.back();
  fleet.members.pop_back();
  if (fleet.unwatched) watch_instance(instance);
  fleet.departed.push_back({used(instance, hosts_).run_ns, instance});
  for (Attachment& attachment : fleet.attachments) {
    balancers_[attachment.balancer].router.remove(attachment.slots.back());
    attachment.slots.pop_back();
  }
  phase_[instance] = Phase::leaving;
  ++leaving_;
  end_if_drained(instance);
  follow_hosts();
}

// The youngest that has not booted goes at once.
void World::drop_booting(std::uint32_t at) {
  std::vector<std::uint32_t>& launching = fleets_[at].launching;
  while (phase_[launching.back()] != Phase::booting) launching.pop_back();
  --fleets_[at].booting;
  end(launching.back());
}

void World::end_if_drained(std::uint32_t instance) {
  if (phase_[instance] != Phase::leaving || instances_.workers_busy(instance) != 0) return;
  --leaving_;
  end(instance);
}

void World::end(std::uint32_t instance) {
  phase_[instance] = Phase::gone;
  lives_[instance].ended = now_;
  Fleet& fleet = fleets_[fleet_of_[instance]];
  ++fleet.terminations;
  if (!fleet.placed) return;
  hosts_.release(instance, now_);
  follow_hosts();
}

void World::count_instances(Fleet& fleet) const {
  if (warm_)
    fleet.instance_ns +=
        (now_ - fleet.counted_to) * static_cast<std::int64_t>(fleet.members.size());
  fleet.counted_to = now_;
}

// At the end of the warm-up.
void World::restart_count(Fleet& fleet) const {
  fleet.counted_to = now_;
  fleet.least = fleet.most = static_cast<std::uint32_t>(fleet.members.size());
}

}  // namespace nephoscope
