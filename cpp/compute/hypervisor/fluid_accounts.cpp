// Accounts of the fluid hypervisor, and its quotas: what is left of a bucket, and when it will be
// empty or full.

#include <algorithm>
#include <cmath>

#include "compute/hypervisor/fluid_hypervisor.hpp"
#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

std::int64_t whole_up(double ns) {
  return static_cast<std::int64_t>(std::ceil(ns));
}

}  // namespace

// What a tenant had and missed since it was booked last. Since then its share was constant, or it
// followed a level that itself may have changed; the speed is constant while anybody follows one.
void FluidHypervisor::book(Tenant& it, std::int64_t time) const {
  const std::int64_t elapsed = time - it.booked_to;
  if (it.host == none || elapsed == 0) return;
  Host host = hosts_[it.host];
  fold(host, time);
  TimeIntegral had;
  if (it.constant == follows_level) {
    had.add(it.weight / level_grain, host.levels.since(it.levels));
    it.work.add(host.speed, had);
  } else {
    had.add(it.constant, elapsed);
    it.work.add(it.constant, host.speeds.since(it.speeds));
  }
  it.run.add(1.0, had);
  it.levels = host.levels;
  it.speeds = host.speeds;
  it.wanted_ns += it.want * elapsed;
  if (it.exhausted != 0) it.by_quota_ns += it.want * elapsed;
  it.booked_to = time;
}

void FluidHypervisor::count(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  if (it.has_quota != 0 && it.exhausted == 0) {
    terms_[tenant].left_ns = left_of_quota(terms_[tenant], it);
  }
  if (it.limited != 0 && it.host != none) {
    terms_[tenant].by_limit.add(beyond_limit(tenant), now_ - it.booked_to);
  }
  book(it, now_);
}

TenantAccount FluidHypervisor::account(std::uint32_t tenant, std::int64_t time) const {
  if (tenant >= tenants_.size()) throw SpecError("tenant", "is not there");
  Tenant it = tenants_[tenant];
  TimeIntegral by_limit = terms_[tenant].by_limit;
  if (it.host != none) by_limit.add(beyond_limit(tenant), time - it.booked_to);
  book(it, time);
  TenantAccount account;
  account.quota_ns = it.by_quota_ns + by_limit.whole;
  account.run_ns = std::min(it.run.whole, it.wanted_ns - account.quota_ns);
  account.contention_ns = it.wanted_ns - account.run_ns - account.quota_ns;
  account.idle_ns = it.vcpus * (it.booked_to - terms_[tenant].started) - it.wanted_ns;
  account.work_ns = it.work.whole;
  return account;
}

// Now, when its share was constant since it was booked last, and it was never exhausted.
double FluidHypervisor::left_of_quota(const Terms& terms, const Tenant& it) const {
  const double share = share_of(it);
  const std::int64_t begun = terms.period_end(now_) - terms.period_ns;
  const double left = begun > it.booked_to ? static_cast<double>(terms.quota_ns) : terms.left_ns;
  const auto since = static_cast<double>(now_ - std::max(begun, it.booked_to));
  return std::max(0.0, left - share * since);
}

// When a quota runs out, if the share stays as it is, or is renewed: this does not change.
void FluidHypervisor::expect(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  const bool exhausted = it.exhausted != 0;
  if (it.has_quota == 0 || (exhausted && it.event != EventQueue::none)) return;
  const Terms& terms = terms_[tenant];
  const double share = share_of(it);
  const auto quota = static_cast<double>(terms.quota_ns);
  const std::int64_t end = terms.period_end(now_);
  std::int64_t next = EventQueue::never;
  if (exhausted) {
    next = end;
  } else if (share > 0.0) {
    // A share that is next to nothing would run out at no instant that there is.
    const double lasts = terms.left_ns / share;
    const bool in_period = lasts < static_cast<double>(terms.period_ns);
    const std::int64_t out = in_period ? now_ + whole_up(lasts) : end;
    const bool every_time = share * static_cast<double>(terms.period_ns) > quota;
    if (out < end) {
      next = out;
    } else if (every_time) {
      next = end + whole_up(quota / share);
    }
  }
  if (it.event != EventQueue::none) calendar_.cancel(it.event);
  it.event = next == EventQueue::never ? EventQueue::none : calendar_.push(next, tenant);
}

}  // namespace nephoscope
