#include "compute/devices/shared_device.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t micro = TokenBucket::per_second;

void require_rate(std::int64_t rate, const char* field) {
  require(rate >= 0 && rate <= rate_max, field, "must be 0 to 2^40 tokens a second");
}

}  // namespace

SharedDevice::SharedDevice(const DeviceFacts& facts)
    : capacity_(facts.capacity), flow_limit_(facts.flow_limit) {
  require_rate(facts.capacity, "capacity");
  require_rate(facts.flow_limit, "flow_limit");
  require(facts.capacity > 0, "capacity", "must be above 0");
}

std::uint32_t SharedDevice::add_tenant(const DeviceTenantFacts& facts) {
  require_rate(facts.baseline, "baseline");
  require_rate(facts.peak, "peak");
  require(facts.baseline > 0, "baseline", "must be above 0");
  require(facts.peak >= facts.baseline, "peak", "is below the baseline");
  require(facts.burst >= 0, "burst", "must not be below 0");
  require_rate(facts.flow_limit, "flow_limit");
  require(facts.weight > 0.0 && facts.weight <= 1e6, "weight", "must be above 0, up to 10^6");
  Tenant& it = tenants_.emplace_back();
  require(facts.spent >= 0 && facts.spent <= facts.burst, "spent", "must be of the bucket");
  it.bucket =
      TokenBucket({facts.burst, facts.baseline * micro, facts.burst - facts.spent, 0}, now_);
  it.baseline = facts.baseline;
  it.peak = facts.peak;
  it.flow_limit = facts.flow_limit == 0 ? flow_limit_ : facts.flow_limit;
  claims_.push_back({to_weight(facts.weight), 0.0, 0.0, 0.0});
  return static_cast<std::uint32_t>(tenants_.size() - 1);
}

SharedDevice::Tenant& SharedDevice::present(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  return tenants_[tenant];
}

// With rates as they are now and what has been done until now.
SharedDevice::Tenant& SharedDevice::counted(std::uint32_t tenant) {
  solve();
  Tenant& it = present(tenant);
  count(it);
  return it;
}

bool SharedDevice::later(const Transfer& a, const Transfer& b) {
  return a.mark > b.mark;
}

std::uint64_t SharedDevice::send(std::uint32_t tenant, std::int64_t tokens) {
  Tenant& it = present(tenant);
  require(it.stopped == 0, "tenant", "is stopped");
  require(tokens >= 0, "tokens", "must not be below 0");
  count(it);
  it.transfers.push_back({it.service + tokens * TokenBucket::femto, next_transfer_, tokens});
  std::push_heap(it.transfers.begin(), it.transfers.end(), later);
  renew(tenant);
  return next_transfer_++;
}

void SharedDevice::set_demand(std::uint32_t tenant, std::int64_t rate) {
  Tenant& it = present(tenant);
  require(it.stopped == 0, "tenant", "is stopped");
  require_rate(rate, "demand");
  it.demand = rate;
  renew(tenant);
}

void SharedDevice::stop(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  require(it.stopped == 0, "tenant", "is stopped");
  count(it);
  it.stopped = 1;
  it.bucket.set_refill(0);
  drop(tenant);
}

void SharedDevice::drop(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  count(it);
  it.demand = 0;
  it.transfers.clear();
  it.service = 0;
  renew(tenant);
}

std::vector<SharedDevice::Left> SharedDevice::take_away(std::uint32_t tenant,
                                                        std::int64_t& bucket) {
  Tenant& it = counted(tenant);
  std::vector<Left> left;
  for (const Transfer& transfer : it.transfers) {
    const int128 owed = std::max<int128>(transfer.mark - it.service, 0);
    const int128 whole = (owed + TokenBucket::femto - 1) / TokenBucket::femto;
    left.push_back({transfer.number, static_cast<std::int64_t>(whole)});
  }
  std::sort(left.begin(), left.end(),
            [](const Left& a, const Left& b) { return a.number < b.number; });
  bucket = it.bucket.tokens();
  stop(tenant);
  return left;
}

void SharedDevice::start(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  require(it.stopped != 0, "tenant", "is not stopped");
  count(it);
  it.stopped = 0;
  it.bucket.set_refill(it.baseline * micro);
  it.bucket.fill();
}

// What the tenant could use if the device were its own, in tokens a second.
std::int64_t SharedDevice::ceiling(const Tenant& it) const {
  const std::int64_t allowed = it.bucket.level() > 0 ? it.peak : it.baseline;
  const auto flows = static_cast<std::int64_t>(it.transfers.size());
  if (flows == 0) return std::min(allowed, it.demand);
  if (it.flow_limit == 0 || flows > allowed / it.flow_limit) return allowed;
  return std::min(allowed, it.demand + flows * it.flow_limit);
}

void SharedDevice::count(Tenant& it) {
  const std::int64_t elapsed = now_ - it.bucket.now();
  const int128 service = int128{it.transfer_rate} * elapsed;
  it.service += service;
  it.transferred += service * static_cast<std::int64_t>(it.transfers.size());
  it.streamed += int128{it.stream_rate} * elapsed;
  it.bucket.advance(now_);
}

// Lists the transfers that are done. What they would have got in what is left of the nanosecond is
// nobody's.
void SharedDevice::complete(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  while (!it.transfers.empty() && it.transfers.front().mark <= it.service) {
    const Transfer& done = it.transfers.front();
    it.transferred -= it.service - done.mark;
    completed_.push_back({now_, done.number, tenant});
    std::pop_heap(it.transfers.begin(), it.transfers.end(), later);
    it.transfers.pop_back();
  }
  if (it.transfers.empty()) it.service = 0;
}

// What a tenant can use has changed, or the number of its flows. As long as everybody has what is
// wanted, nobody else notices.
void SharedDevice::renew(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  count(it);
  it.stale = 1;
  const std::int64_t wants = ceiling(it);
  Claim& claim = claims_[tenant];
  const auto thousandths = static_cast<double>(wants * 1000);
  if (dirty_ == 0 && thousandths == claim.ceiling) return grant(tenant);
  const bool fitted = wanted_ <= capacity_ && dirty_ == 0;
  wanted_ += wants - static_cast<std::int64_t>(claim.ceiling) / 1000;
  claim.ceiling = thousandths;
  if (fitted && wanted_ <= capacity_) {
    claim.share = claim.ceiling;
    return grant(tenant);
  }
  dirty_ = 1;
}

// Divides the tenant's share among its flows: the stream and each transfer get the same, or the
// stream what it wants and the transfers the rest.
void SharedDevice::grant(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  count(it);
  it.stale = 0;
  const std::int64_t share = static_cast<std::int64_t>(std::floor(claims_[tenant].share)) * 1000;
  const auto flows = static_cast<std::int64_t>(it.transfers.size());
  const std::int64_t wanted = it.demand * micro;
  it.transfer_rate = 0;
  if (flows > 0) {
    it.transfer_rate =
        wanted == 0 ? share / flows : std::max(share / (flows + 1), (share - wanted) / flows);
    if (it.flow_limit != 0) it.transfer_rate = std::min(it.transfer_rate, it.flow_limit * micro);
  }
  it.stream_rate = std::min(wanted, share - it.transfer_rate * flows);
  it.bucket.set_spend(share);
  expect(tenant);
}

void SharedDevice::expect(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  std::int64_t next = EventQueue::never;
  if (it.bucket.level() > 0) next = it.bucket.empty_at();
  if (!it.transfers.empty()) {
    const int128 left = it.transfers.front().mark - it.service;
    if (left == 0) {
      next = now_;
    } else if (it.transfer_rate > 0) {
      next = std::min(next, instant_after(now_, ceil_div(left, it.transfer_rate)));
    }
  }
  if (next == EventQueue::never) {
    if (it.event != EventQueue::none) calendar_.cancel(it.event);
    it.event = EventQueue::none;
  } else {
    it.event = it.event == EventQueue::none ? calendar_.push(next, tenant)
                                            : calendar_.move(it.event, next);
  }
}

// A tenant that was held to its baseline may have earned tokens while others left it less.
void SharedDevice::refresh_ceilings() {
  for (std::size_t tenant = 0; tenant < tenants_.size(); ++tenant) {
    Tenant& it = tenants_[tenant];
    if (it.bucket.spend() >= it.bucket.refill()) continue;
    count(it);
    const std::int64_t wants = ceiling(it);
    Claim& claim = claims_[tenant];
    wanted_ += wants - static_cast<std::int64_t>(claim.ceiling) / 1000;
    claim.ceiling = static_cast<double>(wants * 1000);
  }
}

void SharedDevice::solve() {
  if (dirty_ == 0) return;
  dirty_ = 0;
  ++solves_;
  refresh_ceilings();
  share_out(claims_.data(), claims_.size(), static_cast<double>(capacity_ * 1000));
  for (std::uint32_t tenant = 0; tenant < tenants_.size(); ++tenant) {
    const auto share = static_cast<std::int64_t>(std::floor(claims_[tenant].share)) * 1000;
    if (tenants_[tenant].stale != 0 || tenants_[tenant].bucket.spend() != share) grant(tenant);
  }
}

void SharedDevice::advance(std::int64_t until) {
  require(until >= now_, "until", "is in the past");
  solve();
  while (calendar_.next_time() <= until) {
    now_ = calendar_.next_time();
    const auto before = static_cast<std::ptrdiff_t>(completed_.size());
    while (calendar_.next_time() == now_) {
      const std::uint32_t tenant = calendar_.pop().payload;
      tenants_[tenant].event = EventQueue::none;
      count(tenants_[tenant]);
      complete(tenant);
      renew(tenant);
    }
    std::sort(completed_.begin() + before, completed_.end(),
              [](const Completion& a, const Completion& b) { return a.transfer < b.transfer; });
    solve();
  }
  now_ = until;
}

std::int64_t SharedDevice::next_event() {
  solve();
  return calendar_.next_time();
}

std::int64_t SharedDevice::granted(std::uint32_t tenant) {
  return counted(tenant).bucket.spend();
}

int128 SharedDevice::transferred(std::uint32_t tenant) {
  return counted(tenant).transferred;
}

int128 SharedDevice::streamed(std::uint32_t tenant) {
  return counted(tenant).streamed;
}

const TokenBucket& SharedDevice::bucket(std::uint32_t tenant) {
  return counted(tenant).bucket;
}

}  // namespace nephoscope
