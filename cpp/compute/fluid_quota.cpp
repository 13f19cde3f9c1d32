// Quotas of the fluid hypervisor: what is left of a bucket, and when it will be empty or full.

#include <algorithm>
#include <cmath>

#include "compute/fluid_hypervisor.hpp"

namespace nephoscope {

namespace {

std::int64_t whole_up(double ns) {
  return static_cast<std::int64_t>(std::ceil(ns));
}

}  // namespace

// Now, when its share was constant since it was booked last, and it was never exhausted.
double FluidHypervisor::left_of_quota(const Terms& terms, const Tenant& it) const {
  const double share = share_of(hosts_[it.host], it.place);
  const std::int64_t begun = terms.period_end(now_) - terms.period_ns;
  const double left = begun > it.booked_to ? static_cast<double>(terms.quota_ns) : it.left_ns;
  const auto since = static_cast<double>(now_ - std::max(begun, it.booked_to));
  return std::max(0.0, left - share * since);
}

// When a quota runs out, if the share stays as it is, or is renewed: this does not change.
void FluidHypervisor::expect(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  const bool exhausted = it.exhausted != 0;
  if (it.has_quota == 0 || (exhausted && it.event != EventQueue::none)) return;
  const Terms& terms = terms_[tenant];
  const double share = share_of(hosts_[it.host], it.place);
  const auto quota = static_cast<double>(terms.quota_ns);
  const std::int64_t end = terms.period_end(now_);
  std::int64_t next = EventQueue::never;
  if (exhausted) {
    next = end;
  } else if (share > 0.0) {
    const std::int64_t out = now_ + whole_up(it.left_ns / share);
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
