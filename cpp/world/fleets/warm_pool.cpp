// Warm pools: machines that have booted once and wait, stopped, hibernated or running, to serve
// sooner than a launch would. They count for no size, and no balancer knows them. (Amazon EC2 Auto
// Scaling, "Decrease latency for applications with long boot times using warm pools".)

#include <algorithm>

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

void check_warm_pool(const FleetSpec& from, const char* path) {
  const WarmPoolSpec& pool = from.membership.pool;
  if (!pool.active) return;
  require(from.scaling.active, path, "needs a fleet with bounds");
  require(static_cast<unsigned>(pool.state) <= 2, path, "is of an unknown state");
  require(pool.min <= instances_max && pool.prepared <= instances_max, path,
          "must be 16,777,216 at most");
  require(!from.life.spot, path, "is not for spot instances");
  require(pool.state != WarmState::hibernated || from.life.hibernation, path,
          "needs instances that hibernate");
}

// What is prepared beyond the size that is desired, and a least number in any case.
std::uint32_t WorldView::pool_size(const Fleet& fleet) const {
  const WarmPoolSpec& pool = fleet.membership.spec.pool;
  const ScalingGroup& group = scaled_[fleet.scaled].group;
  const std::uint32_t prepared = pool.prepared == 0 ? group.max() : pool.prepared;
  return std::max(pool.min, prepared - std::min(prepared, fleet.desired));
}

// Once a second: who has drained settles in, and the pool gets its size.
void World::keep_warm(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  Membership& it = fleet.membership;
  if (!it.spec.pool.active) return;
  const std::vector<std::uint32_t> machines = it.pool;
  for (const std::uint32_t machine : machines) {
    const std::uint32_t instance = machines_[machine].instance;
    const bool drained =
        phase_[instance] == Phase::leaving && instances_.workers_busy(instance) == 0;
    if (machines_[machine].standing == Standing::warm && drained) settle_in(machine);
  }
  const std::uint32_t size = pool_size(fleet);
  while (it.pool.size() > size) give_up_warm(it.pool.back());
  while (it.pool.size() < size && now_ >= it.pool_rests_until) {
    if (!launch_warm(at)) it.pool_rests_until = now_ + launch_retry_ns;
  }
}

// False where there is no room, or the interface lets no request in.
bool World::launch_warm(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  const bool free = fleet.api == LifeSpec::unlimited;
  if (!free && apis_[fleet.api].room(now_) < 1) {
    ++fleet.counts.throttled;
    return false;
  }
  const std::uint32_t refusal = find_room(fleet.make(), fleet.make().request.zones, none);
  if (!free) apis_[fleet.api].run_instances(1, 1, now_, refusal == 0 ? 1 : 0);
  if (refusal != 0) return false;
  const auto machine = static_cast<std::uint32_t>(machines_.size());
  const std::uint32_t place = launched_[at]++;
  machines_.emplace_back().launched_ns = now_;
  add_instance(machine, at, place);
  LaunchFacts facts = fleet.make().facts;
  facts.serial = place;
  lives_.advance(now_);
  keep_from_service(machine, Phase::preparing);
  fleet.membership.pool.push_back(machine);
  lives_.launch(facts);
  follow_lives();
  return true;
}

// One that add_instance() took for an instance on its way into service.
void World::keep_from_service(std::uint32_t machine, Phase phase) {
  const std::uint32_t instance = machines_[machine].instance;
  Fleet& fleet = fleets_[fleet_of_[instance]];
  --fleet.booting;
  fleet.launching.pop_back();
  phase_[instance] = phase;
  machines_[machine].standing = Standing::warm;
}

// Its guest serves, and it shall wait.
void World::put_by(std::uint32_t machine) {
  const std::uint32_t instance = machines_[machine].instance;
  phase_[instance] = Phase::prepared;
  const WarmState state = fleets_[fleet_of_[instance]].membership.spec.pool.state;
  if (state == WarmState::running) return;
  lives_.advance(now_);
  state == WarmState::stopped ? lives_.stop(machine) : lives_.hibernate(machine);
  follow_lives();
}

// One that served and has drained. Where it goes on running it is another instance to the engine
// when it serves again.
void World::settle_in(std::uint32_t machine) {
  const std::uint32_t before = machines_[machine].instance;
  const std::uint32_t at = fleet_of_[before];
  Fleet& fleet = fleets_[at];
  --leaving_;
  if (fleet.membership.spec.pool.state == WarmState::running) {
    phase_[before] = Phase::gone;
    if (make_of(before).placed) {
      ++fleet.successions;
      hosts_.succeed(before, static_cast<std::uint32_t>(instances_.size()), make_of(before).guest,
                     now_);
    }
    add_instance(machine, at, index_in_fleet_[before], before);
    keep_from_service(machine, Phase::prepared);
    follow_hosts();
  }
  put_by(machine);
}

// One that serves leaves for the pool, when it has finished what it holds.
void World::send_back(std::uint32_t instance) {
  Membership& it = fleets_[fleet_of_[instance]].membership;
  const std::uint32_t machine = machine_of(instance);
  const std::uint32_t index = index_in_fleet_[instance];
  it.pool.push_back(machine);
  if (index < it.since.size()) it.since[index] = Membership::not_yet;
  ++it.counts.returned;
  leave_service(instance, Standing::warm);
}

// One that is ready begins to serve, or starts. False where none is, or there is no room for it.
bool World::take_warm(std::uint32_t at) {
  Fleet& fleet = fleets_[at];
  std::vector<std::uint32_t>& pool = fleet.membership.pool;
  const auto found = std::find_if(pool.begin(), pool.end(), [this](std::uint32_t machine) {
    const bool waits = phase_[machines_[machine].instance] == Phase::prepared;
    const InstanceState state = lives_.state(machine);
    return state == InstanceState::stopped || (waits && state == InstanceState::running);
  });
  if (found == pool.end()) return false;
  const std::uint32_t machine = *found;
  const std::uint32_t instance = machines_[machine].instance;
  if (lives_.state(machine) == InstanceState::running) {
    pool.erase(found);
    machines_[machine].standing = Standing::active;
    phase_[instance] = Phase::booting;
    if (fleet.booting++ == 0) fleet.launching.clear();
    fleet.launching.push_back(instance);
    ++fleet.membership.counts.warm_starts;
    begin_service(instance);
    return true;
  }
  if (find_room(make_of(instance), make_of(instance).request.zones, instance) != 0) {
    ++fleet.counts.refused_starts;
    return false;
  }
  pool.erase(found);
  ++fleet.membership.counts.warm_starts;
  add_instance(machine, at, index_in_fleet_[instance]);
  lives_.advance(now_);
  lives_.start(machine);
  follow_lives();
  return true;
}

void World::leave_pool(std::uint32_t machine) {
  Membership& it = fleets_[fleet_of_[machines_[machine].instance]].membership;
  it.pool.erase(std::find(it.pool.begin(), it.pool.end(), machine));
  machines_[machine].standing = Standing::away;
}

void World::give_up_warm(std::uint32_t machine) {
  const std::uint32_t instance = machines_[machine].instance;
  leave_pool(machine);
  phase_[instance] == Phase::leaving ? end_if_drained(instance) : terminate(machine);
}

// Who is in a pool is warm, and the reverse; nobody there boots for service or serves.
void WorldView::check_pools() const {
  std::vector<std::uint32_t> warm(fleets_.size());
  for (const Machine& machine : machines_) {
    warm[fleet_of_[machine.instance]] += machine.standing == Standing::warm ? 1U : 0U;
  }
  for (std::size_t at = 0; at < fleets_.size(); ++at) {
    const std::vector<std::uint32_t>& pool = fleets_[at].membership.pool;
    bool agree = warm[at] == pool.size();
    for (const std::uint32_t machine : pool) {
      const Phase phase = phase_[machines_[machine].instance];
      agree = agree && machines_[machine].standing == Standing::warm &&
              !is_member(machines_[machine].instance) && phase != Phase::booting &&
              (phase != Phase::gone || lives_.state(machine) == InstanceState::stopped);
    }
    if (agree) continue;
    throw InvariantError("the warm pool of fleet " + fleet_names_[at] + " does not add up" +
                         where());
  }
}

}  // namespace nephoscope
