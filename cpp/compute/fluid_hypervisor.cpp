#include "compute/fluid_hypervisor.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

void require(bool condition, const char* field, const char* message) {
  if (!condition) throw SpecError(field, message);
}

std::int64_t whole_up(double ns) {
  return static_cast<std::int64_t>(std::ceil(ns));
}

}  // namespace

void FluidHypervisor::Integral::add(double rate, std::int64_t elapsed) {
  const double even = std::floor(rate);
  const double exact = part + (rate - even) * static_cast<double>(elapsed);
  const double more = std::floor(exact);
  whole += static_cast<std::int64_t>(even) * elapsed + static_cast<std::int64_t>(more);
  part = exact - more;
}

std::uint32_t FluidHypervisor::add_host(const HostFacts& facts) {
  check(facts);
  Host& host = hosts_.emplace_back();
  host.facts = facts;
  host.capacity = facts.threads();
  host.speed = facts.speed;
  host.speed_since = now_;
  return static_cast<std::uint32_t>(hosts_.size() - 1);
}

std::uint32_t FluidHypervisor::add_tenant(std::uint32_t host, const TenantFacts& facts) {
  check(facts);
  const auto tenant = static_cast<std::uint32_t>(tenants_.size());
  Tenant& it = tenants_.emplace_back();
  it.facts = facts;
  it.facts.weight = to_weight(facts.weight);
  it.facts.reservation = to_amount(facts.reservation);
  it.started = it.counted_to = now_;
  it.left_ns = static_cast<double>(facts.quota_ns);
  try {
    enter(tenant, host);
  } catch (...) {
    tenants_.pop_back();
    throw;
  }
  return tenant;
}

void FluidHypervisor::move_tenant(std::uint32_t tenant, std::uint32_t host) {
  Tenant& it = present(tenant);
  require(host < hosts_.size(), "host", "is not there");
  if (host == it.host) return;
  require(hosts_[host].reserved + it.facts.reservation <= hosts_[host].capacity, "reservation",
          "does not fit on the host");
  leave(tenant);
  enter(tenant, host);
}

void FluidHypervisor::remove_tenant(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  leave(tenant);
  if (it.event != EventQueue::none) calendar_.cancel(it.event);
  it.event = EventQueue::none;
  tell(tenant);
}

FluidHypervisor::Tenant& FluidHypervisor::present(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  require(tenants_[tenant].host != none, "tenant", "has been removed");
  return tenants_[tenant];
}

void FluidHypervisor::enter(std::uint32_t tenant, std::uint32_t at) {
  require(at < hosts_.size(), "host", "is not there");
  Tenant& it = tenants_[tenant];
  Host& host = hosts_[at];
  require(host.reserved + it.facts.reservation <= host.capacity, "reservation",
          "does not fit on the host");
  it.host = at;
  it.place = static_cast<std::uint32_t>(host.tenants.size());
  it.done_a_thread = done_a_thread(host);
  host.tenants.push_back(tenant);
  host.reserved += it.facts.reservation;
  host.wanted += ceiling(it);
  host.claims.push_back(
      {it.facts.weight, std::min(it.facts.reservation, ceiling(it)), ceiling(it), 0.0});
  mark(at);
}

void FluidHypervisor::leave(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  count(it);
  Host& host = hosts_[it.host];
  const std::uint32_t last = host.tenants.back();
  host.tenants[it.place] = last;
  host.claims[it.place] = host.claims.back();
  tenants_[last].place = it.place;
  host.tenants.pop_back();
  host.claims.pop_back();
  host.reserved -= it.facts.reservation;
  host.wanted -= ceiling(it);
  mark(it.host);
  it.host = none;
}

void FluidHypervisor::set_want(std::uint32_t tenant, std::uint32_t want) {
  Tenant& it = present(tenant);
  require(want <= it.facts.vcpus, "want", "is more than the vCPUs");
  if (want == it.want) return;
  count(it);
  it.want = want;
  renew(tenant);
}

// What a tenant can use has changed. As long as everybody has what is wanted, nobody else notices.
void FluidHypervisor::renew(std::uint32_t tenant) {
  const Tenant& it = tenants_[tenant];
  Host& host = hosts_[it.host];
  Claim& claim = host.claims[it.place];
  const bool fitted = host.wanted <= host.capacity && !host.dirty;
  host.wanted += ceiling(it) - claim.ceiling;
  claim.ceiling = ceiling(it);
  claim.floor = std::min(it.facts.reservation, claim.ceiling);
  if (!fitted || host.wanted > host.capacity) return mark(it.host);
  claim.share = claim.ceiling;
  expect(tenant);
  if (set_speed(host)) {
    for (const std::uint32_t other : host.tenants) tell(other);
  } else {
    tell(tenant);
  }
}

void FluidHypervisor::mark(std::uint32_t host) {
  if (hosts_[host].dirty) return;
  hosts_[host].dirty = true;
  dirty_.push_back(host);
}

void FluidHypervisor::advance(std::int64_t until) {
  require(until >= now_, "until", "is in the past");
  solve_all();
  while (calendar_.next_time() <= until) {
    now_ = calendar_.next_time();
    while (calendar_.next_time() == now_) {
      const std::uint32_t tenant = calendar_.pop().payload;
      Tenant& it = tenants_[tenant];
      count(it);
      it.event = EventQueue::none;
      it.exhausted = !it.exhausted;
      it.left_ns = it.exhausted ? 0.0 : static_cast<double>(it.facts.quota_ns);
      renew(tenant);
    }
    solve_all();
  }
  now_ = until;
}

std::int64_t FluidHypervisor::next_event() {
  solve_all();
  return calendar_.next_time();
}

const std::vector<std::uint32_t>& FluidHypervisor::changed() {
  solve_all();
  return changed_;
}

void FluidHypervisor::clear_changed() {
  for (const std::uint32_t tenant : changed_) tenants_[tenant].listed = false;
  changed_.clear();
}

void FluidHypervisor::tell(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  const double rate = it.host == none ? 0.0 : claim_of(it).share * hosts_[it.host].speed;
  if (rate == it.told) return;
  it.told = rate;
  if (it.listed) return;
  it.listed = true;
  changed_.push_back(tenant);
}

void FluidHypervisor::solve_all() {
  for (const std::uint32_t host : dirty_) solve(hosts_[host]);
  dirty_.clear();
}

void FluidHypervisor::solve(Host& host) {
  for (const std::uint32_t tenant : host.tenants) count(tenants_[tenant]);
  share_out(host.claims.data(), host.claims.size(), host.capacity);
  host.dirty = false;
  ++solves_;
  set_speed(host);
  for (const std::uint32_t tenant : host.tenants) {
    expect(tenant);
    tell(tenant);
  }
}

// Returns whether it has changed.
bool FluidHypervisor::set_speed(Host& host) {
  const double speed = host.facts.speed_with(std::min(host.wanted, host.capacity));
  if (speed == host.speed) return false;
  host.done_a_thread = done_a_thread(host);
  host.speed_since = now_;
  host.speed = speed;
  return true;
}

FluidHypervisor::Integral FluidHypervisor::done_a_thread(const Host& host) const {
  Integral done = host.done_a_thread;
  done.add(host.speed, now_ - host.speed_since);
  return done;
}

// Books what a tenant had and missed since it was last counted; its rates were constant.
void FluidHypervisor::count(Tenant& it) {
  if (it.host == none) return;
  const std::int64_t elapsed = now_ - it.counted_to;
  const double share = claim_of(it).share;
  const Integral done = done_a_thread(hosts_[it.host]);
  const double more = static_cast<double>(done.whole - it.done_a_thread.whole) +
                      (done.part - it.done_a_thread.part);
  it.done_a_thread = done;
  it.work.add(share * more, 1);
  it.run.add(share, elapsed);
  it.by_quota.add(it.exhausted ? it.want : 0.0, elapsed);
  it.wanted_ns += it.want * elapsed;
  if (it.facts.quota_ns != 0 && !it.exhausted && elapsed > 0) {
    const std::int64_t begun = period_end(it.facts, now_) - it.facts.period_ns;
    const auto quota = static_cast<double>(it.facts.quota_ns);
    const bool renewed = begun > it.counted_to;
    const auto since = static_cast<double>(now_ - std::max(begun, it.counted_to));
    it.left_ns = std::max(0.0, (renewed ? quota : it.left_ns) - share * since);
  }
  it.counted_to = now_;
}

// When a quota runs out, if the share stays as it is, or is renewed: this does not change.
void FluidHypervisor::expect(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  if (it.facts.quota_ns == 0 || (it.exhausted && it.event != EventQueue::none)) return;
  const double share = claim_of(it).share;
  const auto quota = static_cast<double>(it.facts.quota_ns);
  const std::int64_t end = period_end(it.facts, now_);
  std::int64_t next = EventQueue::never;
  if (it.exhausted) {
    next = end;
  } else if (share > 0.0) {
    const std::int64_t out = now_ + whole_up(it.left_ns / share);
    const bool every_time = share * static_cast<double>(it.facts.period_ns) > quota;
    if (out < end) {
      next = out;
    } else if (every_time) {
      next = end + whole_up(quota / share);
    }
  }
  if (it.event != EventQueue::none) calendar_.cancel(it.event);
  it.event = next == EventQueue::never ? EventQueue::none : calendar_.push(next, tenant);
}

double FluidHypervisor::share(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  solve_all();
  return tenants_[tenant].host == none ? 0.0 : claim_of(tenants_[tenant]).share;
}

double FluidHypervisor::rate(std::uint32_t tenant) {
  const double threads = share(tenant);
  return tenants_[tenant].host == none ? 0.0 : threads * hosts_[tenants_[tenant].host].speed;
}

double FluidHypervisor::speed(std::uint32_t host) {
  require(host < hosts_.size(), "host", "is not there");
  solve_all();
  return hosts_[host].speed;
}

TenantAccount FluidHypervisor::account(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  Tenant& it = tenants_[tenant];
  count(it);
  TenantAccount account;
  account.run_ns = it.run.whole;
  account.quota_ns = it.by_quota.whole;
  account.contention_ns = it.wanted_ns - it.run.whole - it.by_quota.whole;
  account.idle_ns = it.facts.vcpus * (it.counted_to - it.started) - it.wanted_ns;
  account.work_ns = it.work.whole;
  return account;
}

}  // namespace nephoscope
