#include "compute/hypervisor/fair_hypervisor.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

std::int64_t fixed(double speed) {
  return static_cast<std::int64_t>(std::nearbyint(speed * 0x1p32));
}

std::int64_t ceil_divide(std::int64_t amount, std::int64_t by) {
  return amount <= 0 ? 0 : (amount - 1) / by + 1;
}

}  // namespace

FairHypervisor::FairHypervisor(const FairOptions& options)
    : options_(options), key_(stream_key(options.seed, 0, "hypervisor.fair")) {
  require(options.slice_ns >= 10'000 && options.slice_ns <= 100'000'000, "slice",
          "must be from 10 us to 100 ms");
  require(options.switch_cost_ns >= 0 && options.switch_cost_ns < options.slice_ns, "switch_cost",
          "must be from 0 to below a slice");
}

std::uint32_t FairHypervisor::add_host(const HostFacts& facts) {
  check(facts);
  Host& host = hosts_.emplace_back();
  host.facts = facts;
  host.per_unit = options_.core_scheduling ? facts.threads_per_core : 1;
  host.places = facts.threads() / host.per_unit;
  host.speed = facts.speed;
  host.speed_fixed = fixed(facts.speed);
  host.synced = host.speed_since = host.idle_booked = now_;
  return static_cast<std::uint32_t>(hosts_.size() - 1);
}

std::uint32_t FairHypervisor::add_tenant(std::uint32_t host, const TenantFacts& facts) {
  check(facts);
  require(facts.reservation == 0.0, "reservation",
          "is not kept by the fair scheduler, which shares by weight alone");
  require(facts.weight >= 0.0625, "weight", "must be at least 1/16 under the fair scheduler");
  require(host < hosts_.size(), "host", "is not there");
  const auto tenant = static_cast<std::uint32_t>(tenants_.size());
  Tenant& it = tenants_.emplace_back();
  it.weight = std::nearbyint(facts.weight * 256.0) / 256.0;
  it.vcpus = facts.vcpus;
  it.quota_ns = it.left_ns = facts.quota_ns;
  it.period_ns = facts.period_ns;
  it.phase_ns = facts.phase_ns;
  it.started = it.counted_to = now_;
  it.period_end = it.period_end_after(now_);
  it.first_unit = static_cast<std::uint32_t>(units_.size());
  set_weight(it, 1);
  units_.resize(units_.size() + facts.vcpus);
  for (std::uint32_t at = it.first_unit; at < units_.size(); ++at) units_[at].tenant = tenant;
  enter(tenant, host);
  return tenant;
}

void FairHypervisor::move_tenant(std::uint32_t tenant, std::uint32_t host) {
  Tenant& it = present(tenant);
  require(host < hosts_.size(), "host", "is not there");
  if (host == it.host) return;
  leave(tenant);
  enter(tenant, host);
}

void FairHypervisor::remove_tenant(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  leave(tenant);
  want_from(it, 0, now_);
  it.ended = now_;
}

FairHypervisor::Tenant& FairHypervisor::present(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  require(tenants_[tenant].host != none, "tenant", "has been removed");
  return tenants_[tenant];
}

void FairHypervisor::enter(std::uint32_t tenant, std::uint32_t at) {
  Tenant& it = tenants_[tenant];
  Host& host = hosts_[at];
  it.host = at;
  it.place = static_cast<std::uint32_t>(host.tenants.size());
  host.tenants.push_back(tenant);
  if (it.quota_ns != 0) {
    it.capped = static_cast<std::uint32_t>(host.capped.size());
    host.capped.push_back({EventQueue::never, tenant, tenant});
  }
  mark(at);
}

void FairHypervisor::leave(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  Host& host = hosts_[it.host];
  host.sync(now_);
  book_forced_idle(host, now_);
  mean_ = host.mean();
  for (std::uint32_t number = it.first_unit; number < it.first_unit + it.vcpus; ++number) {
    Unit& unit = units_[number];
    if (competes(unit)) quit(host, number, now_);
    if (on_thread(unit)) vacate(host, number, now_);
    if (unit.place == Place::aside) --host.aside;
    unit.place = Place::away;
    unit.fresh = 1;
  }
  host.runnable -= it.runnable;
  it.runnable = 0;
  it.alone = 1;
  const std::uint32_t last = host.tenants.back();
  host.tenants[it.place] = last;
  tenants_[last].place = it.place;
  host.tenants.pop_back();
  if (it.quota_ns != 0) {
    host.capped[it.capped] = host.capped.back();
    tenants_[host.capped.back().tenant].capped = it.capped;
    host.capped.pop_back();
    host.quota_stale = 1;
  }
  mark(it.host);
  it.host = none;
}

void FairHypervisor::set_want(std::uint32_t tenant, std::uint32_t want) {
  Tenant& it = present(tenant);
  require(want <= it.vcpus, "want", "is more than the vCPUs");
  if (want == it.want) return;
  Host& host = hosts_[it.host];
  book_forced_idle(host, now_);
  resize(host, it, want, now_);
  if (!renew(host, tenant, now_)) return mark(it.host);
  if (host.dirty == 0) schedule(it.host);
}

void FairHypervisor::mark(std::uint32_t host) {
  if (hosts_[host].dirty != 0) return;
  hosts_[host].dirty = 1;
  dirty_.push_back(host);
}

void FairHypervisor::settle_all() {
  for (const std::uint32_t host : dirty_) {
    settle(hosts_[host], now_);
    schedule(host);
  }
  dirty_.clear();
}

void FairHypervisor::advance(std::int64_t until) {
  require(until >= now_, "until", "is in the past");
  settle_all();
  while (calendar_.next_time() <= until) {
    const std::uint32_t host = calendar_.pop().payload;
    hosts_[host].event = EventQueue::none;
    run(hosts_[host], until);
    schedule(host);
  }
  now_ = until;
}

std::int64_t FairHypervisor::next_event() {
  settle_all();
  return calendar_.next_time();
}

std::int64_t FairHypervisor::next_of(Host& host) {
  if (host.quota_stale != 0) {
    host.quota_stale = 0;
    host.quota_at = EventQueue::never;
    for (const Turn& it : host.capped) host.quota_at = std::min(host.quota_at, it.end);
  }
  std::int64_t next = host.quota_at;
  if (!host.running.empty()) next = std::min(next, host.running[0].end);
  if (!host.switching.empty()) next = std::min(next, host.switching[0].end);
  return next;
}

void FairHypervisor::schedule(std::uint32_t at) {
  Host& host = hosts_[at];
  const std::int64_t next = next_of(host);
  if (host.event != EventQueue::none) {
    if (calendar_.time_of(host.event) == next) return;
    calendar_.cancel(host.event);
  }
  host.event = next == EventQueue::never ? EventQueue::none : calendar_.push(next, at);
}

// A host by itself: nothing that happens on it concerns another.
void FairHypervisor::run(Host& host, std::int64_t until) {
  for (std::size_t ahead = 0; ahead < fetched_ahead; ++ahead) fetch(host, ahead);
  for (std::int64_t time = next_of(host); time <= until; time = next_of(host)) {
    if (host.quota_at == time) renew_quotas(host, time);
    while (!host.switching.empty() && host.switching[0].end == time) {
      const std::uint32_t number = host.switching[0].unit;
      Tenant& it = tenants_[units_[number].tenant];
      const std::uint32_t vcpus = vcpus_of(host, it, number);
      host.switching.erase(0);
      it.working += vcpus;
      ++it.working_units;
      it.work -= done_by(host, vcpus, time);
      list(units_[number].tenant);
    }
    if (host.dirty != 0) settle(host, time);
    while (!host.running.empty() && host.running[0].end == time) turn(host, time);
  }
}

const std::vector<std::uint32_t>& FairHypervisor::changed() {
  settle_all();
  return changed_;
}

void FairHypervisor::clear_changed() {
  for (const std::uint32_t tenant : changed_) tenants_[tenant].listed = 0;
  changed_.clear();
}

double FairHypervisor::rate_of(const Tenant& it) const {
  if (it.host == none) return 0.0;
  const Host& host = hosts_[it.host];
  if (!options_.core_scheduling) return it.working * host.speed;
  const double more = it.working - it.working_units;
  return host.facts.speed * (it.working_units + host.facts.smt_gain * more);
}

void FairHypervisor::set_speed(Host& host, std::int64_t time) {
  const double speed = host.facts.speed_with(host.busy);
  if (speed == host.speed) return;
  host.done_a_thread = host.done_by(time);
  host.speed_since = time;
  host.speed = speed;
  host.speed_fixed = fixed(speed);
  for (const std::uint32_t tenant : host.tenants) {
    if (tenants_[tenant].working > 0) list(tenant);
  }
}

// What a unit of so many vCPUs would have done on the host by `time`, in 2^-32 ns.
int128 FairHypervisor::done_by(const Host& host, std::uint32_t vcpus, std::int64_t time) const {
  if (!options_.core_scheduling) return host.done_by(time) * vcpus;
  if (vcpus == 0) return 0;
  const int128 more = static_cast<int128>(fixed(host.facts.speed * host.facts.smt_gain));
  return (fixed(host.facts.speed) + more * (vcpus - 1)) * time;
}

// Before the number of vCPUs that run changes, or whether the quota is exhausted.
void FairHypervisor::count_quota(Tenant& it, std::int64_t time) {
  std::int64_t since = it.counted_to;
  if (time >= it.period_end) {
    it.period_end = it.period_end_after(time);
    since = it.period_end - it.period_ns;
    if (it.exhausted == 0) it.left_ns = it.quota_ns;
  }
  it.left_ns -= it.running * (time - since);
  it.counted_to = time;
}

void FairHypervisor::want_from(Tenant& it, std::uint32_t want, std::int64_t time) {
  const auto change = (std::uint64_t{it.want} - want) * static_cast<std::uint64_t>(time);
  it.wanted += change;
  if (it.exhausted != 0) it.by_quota += change;
  it.want = want;
}

// With core scheduling: the threads that are idle while somebody waits, on account of the first in
// the queue.
template <class Book>
void FairHypervisor::each_forced_idle(const Host& host, Book book) const {
  if (!options_.core_scheduling) return;
  std::uint32_t idle = host.facts.threads() - host.busy;
  for (std::size_t at = 0; at < host.waiting.size() && idle > 0; ++at) {
    const std::uint32_t number = host.waiting[at].unit;
    const std::uint32_t tenant = units_[number].tenant;
    const std::uint32_t more = std::min(idle, vcpus_of(host, tenants_[tenant], number));
    book(tenant, more);
    idle -= more;
  }
}

void FairHypervisor::book_forced_idle(Host& host, std::int64_t time) {
  if (time == host.idle_booked) return;
  const auto elapsed = static_cast<std::uint64_t>(time - host.idle_booked);
  host.idle_booked = time;
  each_forced_idle(host, [&](std::uint32_t tenant, std::uint32_t vcpus) {
    tenants_[tenant].forced_idle += vcpus * elapsed;
  });
}

// When a quota runs out, if nothing changes, or is renewed. Precondition: counted to `time`.
void FairHypervisor::expect(Host& host, Tenant& it, std::int64_t time) {
  const std::int64_t end = it.period_end;
  std::int64_t next = EventQueue::never;
  if (it.exhausted != 0) {
    next = end;
  } else if (it.running > 0) {
    const std::int64_t out = time + ceil_divide(it.left_ns, it.running);
    if (out < end) {
      next = out;
    } else if (it.running * it.period_ns > it.quota_ns) {
      next = end + ceil_divide(it.quota_ns, it.running);
    }
  }
  std::int64_t& expected = host.capped[it.capped].end;
  if (next <= host.quota_at) {
    host.quota_at = next;
  } else if (expected == host.quota_at) {
    host.quota_stale = 1;
  }
  expected = next;
}

void FairHypervisor::renew_quotas(Host& host, std::int64_t time) {
  host.quota_stale = 1;
  for (Turn& due : host.capped) {
    if (due.end != time) continue;
    due.end = EventQueue::never;
    const std::uint32_t tenant = due.tenant;
    Tenant& it = tenants_[tenant];
    count_quota(it, time);
    const auto wanted = std::uint64_t{it.want} * static_cast<std::uint64_t>(time);
    it.by_quota += it.exhausted == 0 ? 0 - wanted : wanted;
    it.exhausted ^= 1;
    if (it.exhausted == 0) it.left_ns = it.quota_ns + std::min<std::int64_t>(it.left_ns, 0);
    if (!renew(host, tenant, time)) host.dirty = 1;
  }
}

double FairHypervisor::share(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  settle_all();
  return tenants_[tenant].host == none ? 0.0 : tenants_[tenant].running;
}

double FairHypervisor::rate(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  settle_all();
  return rate_of(tenants_[tenant]);
}

double FairHypervisor::speed(std::uint32_t at) {
  require(at < hosts_.size(), "host", "is not there");
  settle_all();
  const Host& host = hosts_[at];
  if (!options_.core_scheduling || host.busy == 0) return host.speed;
  const double more = host.busy - host.busy_units;
  return host.facts.speed * (host.busy_units + host.facts.smt_gain * more) / host.busy;
}

TenantAccount FairHypervisor::account(std::uint32_t tenant, std::int64_t time) const {
  require(tenant < tenants_.size(), "tenant", "is not there");
  const Tenant& it = tenants_[tenant];
  const std::int64_t until = std::min(time, it.ended);
  const auto now = static_cast<std::uint64_t>(until);
  std::uint64_t forced_idle = it.forced_idle;
  int128 work = it.work;
  if (it.host != none) {
    const Host& host = hosts_[it.host];
    const auto elapsed = static_cast<std::uint64_t>(until - host.idle_booked);
    each_forced_idle(host, [&](std::uint32_t other, std::uint32_t vcpus) {
      if (other == tenant) forced_idle += vcpus * elapsed;
    });
    work += done_by(host, 1, until) * it.working_units;
    const std::uint32_t more = it.working - it.working_units;
    if (more > 0) work += (done_by(host, 2, until) - done_by(host, 1, until)) * more;
  }
  const std::uint64_t wanted = it.wanted + it.want * now;
  TenantAccount account;
  account.run_ns = static_cast<std::int64_t>(it.run + it.running * now);
  account.quota_ns =
      static_cast<std::int64_t>(it.by_quota + (it.exhausted != 0 ? it.want * now : 0));
  account.forced_idle_ns = static_cast<std::int64_t>(forced_idle);
  account.contention_ns = static_cast<std::int64_t>(wanted) - account.run_ns - account.quota_ns -
                          account.forced_idle_ns;
  account.idle_ns = it.vcpus * (until - it.started) - static_cast<std::int64_t>(wanted);
  account.work_ns = static_cast<std::int64_t>(work >> 32);
  return account;
}

}  // namespace nephoscope
