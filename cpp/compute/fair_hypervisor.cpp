#include "compute/fair_hypervisor.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

void require(bool condition, const char* field, const char* message) {
  if (!condition) throw SpecError(field, message);
}

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
  present(tenant);
  leave(tenant);
  tell(tenant);
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
  it.done_a_thread = host.done_by(now_);
  host.tenants.push_back(tenant);
  if (it.quota_ns != 0) host.capped.push_back(tenant);
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
  count(it, now_);
  host.runnable -= it.runnable;
  it.runnable = 0;
  it.alone = 1;
  it.quota_at = EventQueue::never;
  const std::uint32_t last = host.tenants.back();
  host.tenants[it.place] = last;
  tenants_[last].place = it.place;
  host.tenants.pop_back();
  std::erase(host.capped, tenant);
  host.quota_stale = 1;
  mark(it.host);
  it.host = none;
}

void FairHypervisor::set_want(std::uint32_t tenant, std::uint32_t want) {
  Tenant& it = present(tenant);
  require(want <= it.vcpus, "want", "is more than the vCPUs");
  if (want == it.want) return;
  Host& host = hosts_[it.host];
  book_forced_idle(host, now_);
  count(it, now_);
  resize(host, it, want);
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
    for (const std::uint32_t tenant : host.capped) {
      host.quota_at = std::min(host.quota_at, tenants_[tenant].quota_at);
    }
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
  for (std::int64_t time = next_of(host); time <= until; time = next_of(host)) {
    if (host.quota_at == time) renew_quotas(host, time);
    while (!host.switching.empty() && host.switching[0].end == time) {
      const std::uint64_t number = host.switching[0].unit;
      Tenant& it = tenants_[units_[number].tenant];
      count(it, time);
      host.switching.erase(0);
      it.working += vcpus_of(host, it, number);
      ++it.working_units;
      tell(units_[number].tenant);
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

void FairHypervisor::tell(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  const double rate = rate_of(it);
  if (rate == it.told) return;
  it.told = rate;
  if (it.listed != 0) return;
  it.listed = 1;
  changed_.push_back(tenant);
}

void FairHypervisor::set_speed(Host& host, std::int64_t time) {
  const double speed = host.facts.speed_with(host.busy);
  if (speed == host.speed) return;
  host.done_a_thread = host.done_by(time);
  host.speed_since = time;
  host.speed = speed;
  host.speed_fixed = fixed(speed);
  for (const std::uint32_t tenant : host.tenants) tell(tenant);
}

// Books what became of a tenant's time since it was last counted, while nothing changed for it.
void FairHypervisor::count(Tenant& it, std::int64_t time) {
  const std::int64_t elapsed = time - it.counted_to;
  if (elapsed == 0 || it.host == none) return;
  const Host& host = hosts_[it.host];
  it.run_ns += it.running * elapsed;
  it.wanted_ns += it.want * elapsed;
  if (options_.core_scheduling) {
    const std::int64_t first = fixed(host.facts.speed);
    const std::int64_t more = fixed(host.facts.speed * host.facts.smt_gain);
    const int128 pace = static_cast<int128>(first) * it.working_units +
                        static_cast<int128>(more) * (it.working - it.working_units);
    it.work += pace * elapsed;
  } else {
    const int128 done = host.done_by(time);
    it.work += it.working * (done - it.done_a_thread);
    it.done_a_thread = done;
  }
  if (it.exhausted != 0) {
    it.by_quota_ns += it.want * elapsed;
  } else if (it.quota_ns != 0) {
    const std::int64_t begun = it.period_end(time) - it.period_ns;
    const bool renewed = begun > it.counted_to;
    it.left_ns =
        (renewed ? it.quota_ns : it.left_ns) - it.running * (time - std::max(begun, it.counted_to));
  }
  it.counted_to = time;
}

// With core scheduling: the threads that are idle while somebody waits, on account of the first in
// the queue.
void FairHypervisor::book_forced_idle(Host& host, std::int64_t time) {
  if (!options_.core_scheduling || time == host.idle_booked) return;
  const std::int64_t elapsed = time - host.idle_booked;
  host.idle_booked = time;
  std::uint32_t idle = host.facts.threads() - host.busy;
  for (std::size_t at = 0; at < host.waiting.size() && idle > 0; ++at) {
    const std::uint64_t number = host.waiting[at].unit;
    Tenant& it = tenants_[units_[number].tenant];
    const std::uint32_t more = std::min(idle, vcpus_of(host, it, number));
    it.forced_idle_ns += more * elapsed;
    idle -= more;
  }
}

// When a quota runs out, if nothing changes, or is renewed.
void FairHypervisor::expect(Host& host, Tenant& it, std::int64_t time) {
  if (it.quota_ns == 0) return;
  count(it, time);
  const std::int64_t end = it.period_end(time);
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
  it.quota_at = next;
  host.quota_stale = 1;
}

void FairHypervisor::renew_quotas(Host& host, std::int64_t time) {
  host.quota_stale = 1;
  for (const std::uint32_t tenant : host.capped) {
    Tenant& it = tenants_[tenant];
    if (it.quota_at != time) continue;
    count(it, time);
    it.quota_at = EventQueue::never;
    it.exhausted = it.exhausted == 0 ? 1 : 0;
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

TenantAccount FairHypervisor::account(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  Tenant& it = tenants_[tenant];
  if (it.host != none) book_forced_idle(hosts_[it.host], now_);
  count(it, now_);
  TenantAccount account;
  account.run_ns = it.run_ns;
  account.quota_ns = it.by_quota_ns;
  account.forced_idle_ns = it.forced_idle_ns;
  account.contention_ns = it.wanted_ns - it.run_ns - it.by_quota_ns - it.forced_idle_ns;
  account.idle_ns = it.vcpus * (it.counted_to - it.started) - it.wanted_ns;
  account.work_ns = static_cast<std::int64_t>(it.work >> 32);
  return account;
}

}  // namespace nephoscope
