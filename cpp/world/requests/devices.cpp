// What requests ask of the devices of their instance: transfers, work on accelerators, memory.

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

// On an instance without accelerators the vCPUs do their work, so many times as long.
constexpr double cpu_for_accelerator = 20.0;

}  // namespace

void World::build_devices(const FleetSpec& from, Make& make) {
  make.devices = devices_.add_kind({from.network,
                                    from.disk_bytes,
                                    from.disk_ops,
                                    {from.accelerators, from.accelerator_speed},
                                    from.memory,
                                    from.flow_limit,
                                    {from.fresh.rate, from.fresh.rate, 0}});
}

// The instances of a host share its network.
void World::add_devices(std::uint32_t instance) {
  devices_.add(make_of(instance).devices);
  const std::uint32_t pool = hosts_.pool_of(instance);
  if (pool >= host_network_.size() || host_network_[pool] == 0) return;
  devices_.advance(now_);
  devices_.share_link(instance, Device::network, shared_link(instance, Device::network));
  if (receiving_)
    devices_.share_link(instance, Device::network_in, shared_link(instance, Device::network_in));
  follow_devices();
}

// The link of its host, one way. Each host has two.
InstanceDevices::SharedLink WorldView::shared_link(std::uint32_t instance, Device way) const {
  const std::uint32_t pool = hosts_.pool_of(instance);
  const std::uint32_t link = 2 * link_of(pool, hosts_.host_of(instance));
  return {way == Device::network ? link : link + 1, host_network_[pool],
          make_of(instance).guest.tenant.weight};
}

// The number of a host among those of all pools.
std::uint32_t WorldView::link_of(std::uint32_t pool, std::uint32_t host) const {
  for (std::uint32_t before = 0; before < pool; ++before) host += hosts_.facts(before).count;
  return host;
}

bool WorldView::uses_devices(std::uint32_t fleet) const {
  return fleet_uses_devices_[fleet];
}

// How much of what is asked of the volume of an instance is touched for the first time. Volumes of
// instances that were there at the start have been touched all over.
std::int64_t World::touch(std::uint32_t instance, std::int64_t bytes) {
  Fleet& fleet = fleets_[fleet_of_[instance]];
  const std::uint32_t place = index_in_fleet_[instance];
  const std::int64_t launched = machines_[machine_of(instance)].launched_ns;
  if (launched == 0 && place < fleet.initial) return 0;
  return fleet.fresh.touch(place, bytes, now_ - launched);
}

// Returns false when the visit can run on at once.
bool World::use_device(std::uint32_t visit, const Programs::Step& step) {
  Visit& it = visits_[visit];
  const bool measured = now_ >= warmup_;
  DeviceUse& used = fleets_[fleet_of_[it.instance]].devices;
  devices_.advance(now_);
  const auto transfer = [&](Device device, std::int64_t tokens, std::uint64_t& count) {
    if (tokens == 0) return;
    devices_.transfer(it.instance, device, tokens, visit);
    ++it.devices;
    count += measured ? static_cast<std::uint64_t>(tokens) : 0;
  };
  switch (step.kind) {
    case StepKind::network:
      transfer(step.inward ? Device::network_in : Device::network, step.bytes, used.network_bytes);
      used.network_ever += static_cast<std::uint64_t>(step.bytes);
      if (!step.inward) break;
      used.received_bytes += measured ? static_cast<std::uint64_t>(step.bytes) : 0;
      used.received_ever += static_cast<std::uint64_t>(step.bytes);
      break;
    case StepKind::disk:
      if (fleets_[fleet_of_[it.instance]].fresh.spec.bytes == 0) [[likely]] {
        transfer(Device::disk_bytes, step.bytes, used.disk_bytes);
      } else {
        const std::int64_t first = touch(it.instance, step.bytes);
        transfer(Device::fresh_bytes, first, used.disk_bytes);
        transfer(Device::disk_bytes, step.bytes - first, used.disk_bytes);
      }
      transfer(Device::disk_ops, step.ops, used.disk_ops);
      break;
    case StepKind::memory:
      if (devices_.take_memory(it.instance, step.bytes)) {
        it.memory = step.bytes + ((it.flags & Visit::holding) != 0 ? it.memory : 0);
        it.flags |= Visit::holding;
      } else {
        it.flags |= Visit::failing;
        used.out_of_memory += measured ? 1 : 0;
      }
      break;
    default:
      use_accelerator(visit, step);
      return true;
  }
  follow_devices();
  if (it.devices != 0 && traces_.active()) {
    const bool sends = step.kind == StepKind::network;
    Tracing(*this).enter(visit, sends ? Span::network : Span::disk);
  }
  return it.devices != 0;
}

void World::use_accelerator(std::uint32_t visit, const Programs::Step& step) {
  Visit& it = visits_[visit];
  const double work = draw(it, step);
  if (!devices_.has_accelerators(it.instance)) {
    compute(visit, duration_ns(work * cpu_for_accelerator));
    return;
  }
  Accelerators::Request request;
  request.work = duration_ns(work);
  request.marginal = step.marginal;
  request.owner = visit;
  request.program = static_cast<std::uint32_t>(&step - &programs_[0]);
  request.batch = step.batch;
  if (traces_.active()) Tracing(*this).enter(visit, Span::accelerator);
  ++it.devices;
  devices_.accelerate(it.instance, request);
  follow_devices();
}

// Brings the calendar's one entry for all devices in line with the next that is done.
void World::follow_devices() {
  for (const InstanceDevices::Begun& batch : devices_.begun()) {
    std::uint64_t& sum = fleets_[fleet_of_[batch.instance]].devices.gpu_ns;
    if (now_ >= warmup_) sum += static_cast<std::uint64_t>(batch.ns);
  }
  devices_.begun().clear();
  const std::int64_t next = devices_.next_event();
  if (devices_due_ != EventQueue::none) {
    if (calendar_.time_of(devices_due_) == next) return;
    calendar_.cancel(devices_due_);
  }
  const bool due = next != EventQueue::never;
  devices_due_ = due ? calendar_.push(next, payload(EventKind::part, 1)) : EventQueue::none;
}

// Something is done, or a rate has changed: who waits for nothing more runs on.
void World::finish_devices() {
  devices_due_ = EventQueue::none;
  devices_.advance(now_);
  follow_devices();
  for (;;) {
    const std::uint32_t visit = devices_.take_done();
    if (visit == InstanceDevices::none) break;
    if (--visits_[visit].devices == 0) run(visit);
  }
  follow_devices();
}

// What is under way is what visits wait for, and the memory of an instance is held by its visits.
void WorldView::check_devices() const {
  if (!with_devices_) return;
  std::uint64_t waited_for = 0;
  std::vector<std::int64_t> held(instances_.size(), 0);
  visits_.for_each([&](const Visit& it) {
    waited_for += it.devices;
    if ((it.flags & Visit::holding) != 0) held[it.instance] += it.memory;
  });
  try {
    devices_.check();
  } catch (const InvariantError& error) {
    throw InvariantError(error.what() + where());
  }
  bool same = waited_for == devices_.under_way();
  for (std::uint32_t at = 0; at < held.size(); ++at) same &= held[at] == devices_.memory_held(at);
  if (!same) throw InvariantError("devices and visits do not agree" + where());
}

}  // namespace nephoscope
