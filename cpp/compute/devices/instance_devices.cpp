#include "compute/devices/instance_devices.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t burst_max = std::int64_t{1} << 60;

void check(const BurstRate& rate, const char* field) {
  const bool legal = rate.baseline > 0 && rate.peak >= rate.baseline && rate.peak <= rate_max &&
                     rate.burst >= 0 && rate.burst <= burst_max;
  if (!legal) throw SpecError(field, "needs 0 < baseline <= peak <= 2^40 a second, and a bucket");
}

}  // namespace

void check(const InstanceDeviceFacts& facts) {
  check(facts.network, "network");
  check(facts.disk_bytes, "disk.bandwidth");
  check(facts.disk_ops, "disk.iops");
  check(facts.fresh_bytes, "fresh.bandwidth");
  const double speed = facts.accelerators.speed;
  if (!(std::isfinite(speed) && speed >= 1e-6 && speed <= 1e6)) {
    throw SpecError("gpu.speed", "must be from 1e-6 to 1e6");
  }
  if (facts.flow_limit < 0 || facts.flow_limit > rate_max) {
    throw SpecError("flow_limit", "must be from 0 to 2^40 a second");
  }
  if (facts.memory < 0) throw SpecError("memory", "must not be below 0");
}

std::uint32_t InstanceDevices::add_kind(const InstanceDeviceFacts& facts) {
  nephoscope::check(facts);
  kinds_.push_back(facts);
  return static_cast<std::uint32_t>(kinds_.size() - 1);
}

void InstanceDevices::add(std::uint32_t kind) {
  Place& place = places_.emplace_back();
  place.kind = kind;
  accelerators_.add(kinds_[kind].accelerators);
}

void InstanceDevices::succeed(std::uint32_t before) {
  add(places_[before].kind);
  std::swap(places_.back().tenant, places_[before].tenant);
}

void InstanceDevices::leave(std::uint32_t instance) {
  for (Tenant& it : places_[instance].tenant) {
    if (it.link == none) continue;
    bring(it.link);
    links_[it.link].device.stop(it.number);
    expect(it.link);
    it = Tenant{};
  }
}

const BurstRate& InstanceDevices::rate(const InstanceDeviceFacts& facts, Device device) {
  if (device == Device::network || device == Device::network_in) return facts.network;
  if (device == Device::fresh_bytes) return facts.fresh_bytes;
  return device == Device::disk_bytes ? facts.disk_bytes : facts.disk_ops;
}

std::uint32_t InstanceDevices::add_link(std::int64_t capacity) {
  links_.push_back({SharedDevice({capacity, 0}), {}});
  links_.back().device.advance(now_);
  return static_cast<std::uint32_t>(links_.size() - 1);
}

// Alone on a link, with a full bucket.
DeviceTenantFacts InstanceDevices::tenant_facts(std::uint32_t instance, Device device) const {
  const InstanceDeviceFacts& kind = kinds_[places_[instance].kind];
  const BurstRate& own = rate(kind, device);
  DeviceTenantFacts facts{own.baseline, own.peak, own.burst, 1.0};
  const bool carries_flows = device == Device::network || device == Device::network_in;
  if (carries_flows) facts.flow_limit = kind.flow_limit;
  return facts;
}

void InstanceDevices::share_link(std::uint32_t instance, Device way, const SharedLink& link) {
  join_link(instance, way, link, 0);
}

void InstanceDevices::join_link(std::uint32_t instance, Device way, const SharedLink& to,
                                std::int64_t spent) {
  if (to.link >= shared_links_.size()) shared_links_.resize(to.link + std::size_t{1}, none);
  if (shared_links_[to.link] == none) shared_links_[to.link] = add_link(to.capacity);
  Tenant& it = places_[instance].tenant[static_cast<std::size_t>(way)];
  it.link = shared_links_[to.link];
  bring(it.link);
  DeviceTenantFacts facts = tenant_facts(instance, way);
  facts.weight = to.weight;
  facts.spent = spent;
  it.number = links_[it.link].device.add_tenant(facts);
  expect(it.link);
}

void InstanceDevices::move_link(std::uint32_t instance, Device way, const SharedLink& to) {
  const Place& place = places_[instance];
  const Tenant before = place.tenant[static_cast<std::size_t>(way)];
  bring(before.link);
  Link& from = links_[before.link];
  std::vector<Open> open;
  std::erase_if(from.open, [&](const Open& it) {
    if (it.tenant == before.number) open.push_back(it);
    return it.tenant == before.number;
  });
  std::int64_t level = 0;
  const std::vector<SharedDevice::Left> left = from.device.take_away(before.number, level);
  expect(before.link);
  join_link(instance, way, to, kinds_[place.kind].network.burst - level);
  const Tenant after = place.tenant[static_cast<std::size_t>(way)];
  Link& link = links_[after.link];
  for (std::size_t at = 0; at < left.size(); ++at) {
    const std::uint64_t number = link.device.send(after.number, left[at].tokens);
    link.open.push_back({number, open[at].owner, after.number});
  }
  expect(after.link);
}

// Whose link is made when it is used first.
InstanceDevices::Tenant& InstanceDevices::tenant(std::uint32_t instance, Device device) {
  Place& place = places_[instance];
  Tenant& it = place.tenant[static_cast<std::size_t>(device)];
  if (it.link != none) return it;
  const BurstRate& own = rate(kinds_[place.kind], device);
  it.link = add_link(own.peak);
  it.number = links_[it.link].device.add_tenant(tenant_facts(instance, device));
  return it;
}

void InstanceDevices::transfer(std::uint32_t instance, Device device, std::int64_t tokens,
                               std::uint32_t owner) {
  const Tenant it = tenant(instance, device);
  bring(it.link);
  Link& link = links_[it.link];
  link.open.push_back({link.device.send(it.number, tokens), owner, it.number});
  ++started_;
  expect(it.link);
}

void InstanceDevices::accelerate(std::uint32_t instance, const Accelerators::Request& request) {
  accelerators_.enqueue(instance, request);
  ++started_;
  begin(instance);
}

void InstanceDevices::begin(std::uint32_t instance) {
  const Accelerators::Batch batch = accelerators_.begin(instance);
  if (batch.first == Accelerators::none) return;
  begun_.push_back({instance, 0, batch.takes_ns});
  calendar_.push(now_ + batch.takes_ns, batch.first | batch_bit);
}

bool InstanceDevices::take_memory(std::uint32_t instance, std::int64_t bytes) {
  Place& place = places_[instance];
  if (bytes > kinds_[place.kind].memory - place.held) return false;
  place.held += bytes;
  return true;
}

// Brings a link up to now, and notes who is done.
void InstanceDevices::bring(std::uint32_t at) {
  Link& link = links_[at];
  link.device.advance(now_);
  for (const SharedDevice::Completion& it : link.device.completed()) {
    const auto found =
        std::lower_bound(link.open.begin(), link.open.end(), it.transfer,
                         [](const Open& a, std::uint64_t number) { return a.number < number; });
    done_.push_back(found->owner);
    link.open.erase(found);
  }
  link.device.clear_completed();
}

void InstanceDevices::expect(std::uint32_t at) {
  Link& link = links_[at];
  const std::int64_t next = link.device.next_event();
  if (link.entry != EventQueue::none) {
    if (calendar_.time_of(link.entry) == next) return;
    calendar_.cancel(link.entry);
  }
  link.entry = next == EventQueue::never ? EventQueue::none : calendar_.push(next, at);
}

void InstanceDevices::advance(std::int64_t now) {
  while (calendar_.next_time() <= now) {
    const EventQueue::Event event = calendar_.pop();
    now_ = event.time;
    if ((event.payload & batch_bit) != 0) {
      const std::uint32_t first = event.payload & ~batch_bit;
      const std::uint32_t instance = accelerators_.instance_of(first);
      accelerators_.finish(first, [this](std::uint32_t owner) { done_.push_back(owner); });
      begin(instance);
    } else {
      links_[event.payload].entry = EventQueue::none;
      bring(event.payload);
      expect(event.payload);
    }
  }
  now_ = now;
}

std::uint32_t InstanceDevices::take_done() {
  if (done_from_ == done_.size()) {
    done_.clear();
    done_from_ = 0;
    return none;
  }
  ++ended_;
  return done_[done_from_++];
}

std::int64_t InstanceDevices::next_event() const {
  return done_from_ < done_.size() ? now_ : calendar_.next_time();
}

std::uint64_t InstanceDevices::under_way() const {
  std::uint64_t sum = accelerators_.held() + done_.size() - done_from_;
  for (const Link& link : links_) sum += link.open.size();
  return sum;
}

void InstanceDevices::check() const {
  if (started_ != ended_ + under_way()) throw InvariantError("transfers were lost or doubled");
  for (std::size_t at = 0; at < places_.size(); ++at) {
    const Place& place = places_[at];
    if (place.held >= 0 && place.held <= kinds_[place.kind].memory) continue;
    throw InvariantError("instance " + std::to_string(at) + " holds memory that it does not have");
  }
}

}  // namespace nephoscope
