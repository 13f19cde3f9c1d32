#include "compute/hypervisor/credit_hypervisor.hpp"

#include <algorithm>
#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

// What credit1 makes of a tenant's facts.
CreditHost::Parcel parcel_of(const TenantFacts& facts) {
  check(facts);
  const auto weight = static_cast<std::uint32_t>(facts.weight);
  require(weight == facts.weight && weight >= 1 && weight <= 65'535, "weight",
          "must be a whole number from 1 to 65,535 under the credit scheduler");
  require(facts.reservation == 0.0, "reservation",
          "must be 0: the credit scheduler has no reservations");
  const bool capped = facts.quota_ns != 0;
  require(!capped || facts.phase_ns == 0, "phase",
          "must be 0: the credit scheduler has no periods of a tenant's own");
  // No cap is the same as one of all the vCPUs.
  const std::int64_t quota = std::min(facts.quota_ns, facts.vcpus * facts.period_ns);
  require(100 * quota % facts.period_ns == 0, "quota",
          "must be a whole percentage of a pCPU under the credit scheduler");
  CreditHost::Parcel parcel;
  parcel.member.vcpus = static_cast<CreditHost::Index>(facts.vcpus);
  parcel.member.weight = weight;
  parcel.member.cap_percent = static_cast<std::uint32_t>(100 * quota / facts.period_ns);
  parcel.vcpus.resize(facts.vcpus);
  parcel.parked_since.resize(facts.vcpus);
  return parcel;
}

}  // namespace

CreditHypervisor::CreditHypervisor(const CreditOptions& options) : options_(options) {
  check(options);
}

std::uint32_t CreditHypervisor::add_host(const HostFacts& facts) {
  check(facts);
  const auto host = static_cast<std::uint32_t>(hosts_.size());
  const StreamKey key =
      stream_key(options_.seed, 0, "hypervisor/credit/hosts/" + std::to_string(host));
  hosts_.emplace_back(facts, options_, key, now_);
  due_.resize(hosts_.size());
  return host;
}

std::uint32_t CreditHypervisor::add_tenant(std::uint32_t host, const TenantFacts& facts) {
  require(host < hosts_.size(), "host", "is not there");
  CreditHost::Parcel parcel = parcel_of(facts);
  require(hosts_[host].has_room(facts.vcpus), "vcpus", "make more than 65,534 on the host");
  const auto tenant = static_cast<std::uint32_t>(tenants_.size());
  parcel.member.tenant = tenant;
  Tenant& it = tenants_.emplace_back();
  it.vcpus = facts.vcpus;
  it.started = it.counted_to = now_;
  enter(tenant, host, parcel);
  return tenant;
}

void CreditHypervisor::move_tenant(std::uint32_t tenant, std::uint32_t host) {
  const Tenant& it = present(tenant);
  require(host < hosts_.size(), "host", "is not there");
  if (host == it.host) return;
  require(hosts_[host].has_room(it.vcpus), "vcpus", "make more than 65,534 on the host");
  enter(tenant, host, leave(tenant));
}

void CreditHypervisor::remove_tenant(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  count(it, now_);
  const TenantAccount last = account(tenant);
  leave(tenant);
  it.run_ns = last.run_ns;
  it.quota_ns = last.quota_ns;
  it.work_ns = last.work_ns;
  touched_.push_back(tenant);
}

CreditHypervisor::Tenant& CreditHypervisor::present(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  require(tenants_[tenant].host != none, "tenant", "has been removed");
  return tenants_[tenant];
}

void CreditHypervisor::enter(std::uint32_t tenant, std::uint32_t at,
                             const CreditHost::Parcel& parcel) {
  CreditHost& host = hosts_[at];
  host.catch_up(now_);
  tenants_[tenant].host = at;
  tenants_[tenant].member = host.enter(parcel, now_);
  done(at);
}

CreditHost::Parcel CreditHypervisor::leave(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  CreditHost& host = hosts_[it.host];
  host.catch_up(now_);
  const CreditHost::Parcel parcel = host.leave(it.member, now_, touched_);
  for (std::uint32_t at = it.member; at < host.members(); ++at) {
    tenants_[host.member(at).tenant].member = at;
  }
  done(it.host);
  it.host = none;
  return parcel;
}

// After changes of a host.
void CreditHypervisor::done(std::uint32_t at) {
  CreditHost& host = hosts_[at];
  host.settle_timers(now_);
  due_.set(at, host.next_time());
  if (host.is_newly_touched()) touched_hosts_.push_back(at);
}

void CreditHypervisor::set_want(std::uint32_t tenant, std::uint32_t want) {
  Tenant& it = present(tenant);
  require(want <= it.vcpus, "want", "is more than the vCPUs");
  if (want == it.want) return;
  count(it, now_);
  CreditHost& host = hosts_[it.host];
  host.catch_up(now_);
  const std::uint32_t first = host.member(it.member).first;
  while (it.want > want) host.block(first + --it.want, now_);
  while (it.want < want) host.wake(first + it.want++, now_);
  done(it.host);
}

void CreditHypervisor::advance(std::int64_t until) {
  require(until >= now_, "until", "is in the past");
  due_.serve_due(until, [&](std::size_t at) {
    CreditHost& host = hosts_[at];
    if (at + 4 < hosts_.size()) hosts_[at + 4].fetch_head();
    if (at + 2 < hosts_.size()) hosts_[at + 2].fetch(until);
    host.advance(until);
    if (host.is_newly_touched()) touched_hosts_.push_back(static_cast<std::uint32_t>(at));
    return host.next_time();
  });
  now_ = until;
}

const std::vector<std::uint32_t>& CreditHypervisor::changed() {
  for (const std::uint32_t host : touched_hosts_) {
    hosts_[host].take_touched([&](std::uint32_t tenant) { touched_.push_back(tenant); });
  }
  touched_hosts_.clear();
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  const std::size_t before = changed_.size();
  for (const std::uint32_t tenant : touched_) {
    Tenant& it = tenants_[tenant];
    const double rate = this->rate(tenant);
    if (rate == it.told) continue;
    it.told = rate;
    if (it.listed != 0) continue;
    it.listed = 1;
    changed_.push_back(tenant);
  }
  touched_.clear();
  std::inplace_merge(changed_.begin(), changed_.begin() + static_cast<std::ptrdiff_t>(before),
                     changed_.end());
  return changed_;
}

void CreditHypervisor::clear_changed() {
  for (const std::uint32_t tenant : changed()) tenants_[tenant].listed = 0;
  changed_.clear();
}

std::uint32_t CreditHypervisor::share(std::uint32_t tenant) const {
  require(tenant < tenants_.size(), "tenant", "is not there");
  const Tenant& it = tenants_[tenant];
  return it.host == none ? 0 : hosts_[it.host].share(it.member);
}

double CreditHypervisor::rate(std::uint32_t tenant) const {
  const std::uint32_t running = share(tenant);
  return running == 0 ? 0.0 : running * hosts_[tenants_[tenant].host].speed();
}

double CreditHypervisor::speed(std::uint32_t at) const {
  return host(at).speed();
}

const CreditHost& CreditHypervisor::host(std::uint32_t at) const {
  require(at < hosts_.size(), "host", "is not there");
  return hosts_[at];
}

void CreditHypervisor::count(Tenant& it, std::int64_t time) {
  it.wanted_ns += it.want * (time - it.counted_to);
  it.counted_to = time;
}

TenantAccount CreditHypervisor::account(std::uint32_t tenant, std::int64_t time) const {
  require(tenant < tenants_.size(), "tenant", "is not there");
  Tenant it = tenants_[tenant];
  if (it.host != none) {
    const CreditHost& host = hosts_[it.host];
    count(it, time);
    it.run_ns = host.run_ns(it.member, time);
    it.quota_ns = host.quota_ns(it.member, time);
    it.work_ns = host.work_ns(it.member, time);
  }
  TenantAccount account;
  account.run_ns = it.run_ns;
  account.quota_ns = it.quota_ns;
  account.contention_ns = it.wanted_ns - it.run_ns - it.quota_ns;
  account.idle_ns = it.vcpus * (it.counted_to - it.started) - it.wanted_ns;
  account.work_ns = it.work_ns;
  return account;
}

std::uint64_t CreditHypervisor::decisions() const {
  std::uint64_t sum = 0;
  for (const CreditHost& host : hosts_) sum += host.decisions();
  return sum;
}

std::vector<CreditHost::Vcpu> CreditHypervisor::vcpus(std::uint32_t tenant) const {
  require(tenant < tenants_.size(), "tenant", "is not there");
  const Tenant& it = tenants_[tenant];
  std::vector<CreditHost::Vcpu> vcpus;
  if (it.host == none) return vcpus;
  CreditHost host = hosts_[it.host];  // of which a quiet one is behind
  host.catch_up(now_);
  const CreditHost::Member& member = host.member(it.member);
  for (std::uint32_t at = 0; at < member.vcpus; ++at) vcpus.push_back(host.vcpu(member.first + at));
  return vcpus;
}

}  // namespace nephoscope
