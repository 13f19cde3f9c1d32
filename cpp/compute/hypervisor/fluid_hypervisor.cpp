#include "compute/hypervisor/fluid_hypervisor.hpp"

#include <algorithm>
#include <utility>

#include "kernel/errors.hpp"

namespace nephoscope {

std::uint32_t FluidHypervisor::add_host(const HostFacts& facts) {
  check(facts);
  Host& host = hosts_.emplace_back();
  host.facts = facts;
  host.speed = facts.speed;
  host.since = now_;
  host.columns = columns_.take(host.room_log2 + 2);
  host.placed = placed_.take(host.room_log2);
  const std::size_t room = std::size_t{1} << host.room_log2;
  std::fill_n(columns_.at(host.columns), 4 * room, 0.0);
  switched_.resize(std::max(switched_.size(), room));
  return static_cast<std::uint32_t>(hosts_.size() - 1);
}

std::uint32_t FluidHypervisor::add_tenant(std::uint32_t host, const TenantFacts& facts) {
  check(facts);
  const auto tenant = static_cast<std::uint32_t>(tenants_.size());
  terms_.push_back({to_amount(facts.reservation),
                    now_,
                    facts.quota_ns,
                    facts.period_ns,
                    facts.phase_ns,
                    static_cast<double>(facts.quota_ns),
                    0.0,
                    {}});
  listed_.push_back(0);
  Tenant& it = tenants_.emplace_back();
  it.vcpus = facts.vcpus;
  it.has_quota = facts.quota_ns != 0 ? 1 : 0;
  it.weight = to_weight(facts.weight);
  it.booked_to = now_;
  try {
    enter(tenant, host);
  } catch (...) {
    tenants_.pop_back();
    terms_.pop_back();
    listed_.pop_back();
    throw;
  }
  return tenant;
}

void FluidHypervisor::move_tenant(std::uint32_t tenant, std::uint32_t host) {
  const Tenant& it = present(tenant);
  require(host < hosts_.size(), "host", "is not there");
  if (host == it.host) return;
  require(hosts_[host].reserved + terms_[tenant].reservation <= hosts_[host].capacity(),
          "reservation", "does not fit on the host");
  leave(tenant);
  enter(tenant, host);
}

void FluidHypervisor::remove_tenant(std::uint32_t tenant) {
  Tenant& it = present(tenant);
  leave(tenant);
  if (it.event != EventQueue::none) calendar_.cancel(it.event);
  it.event = EventQueue::none;
}

FluidHypervisor::Tenant& FluidHypervisor::present(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  require(tenants_[tenant].host != none, "tenant", "has been removed");
  return tenants_[tenant];
}

FluidHypervisor::Claims FluidHypervisor::claims_of(const Host& host) {
  double* const columns = columns_.at(host.columns);
  const std::size_t room = std::size_t{1} << host.room_log2;
  return {columns, columns + room, columns + 2 * room, columns + 3 * room};
}

void FluidHypervisor::enter(std::uint32_t tenant, std::uint32_t at) {
  require(at < hosts_.size(), "host", "is not there");
  Tenant& it = tenants_[tenant];
  Host& host = hosts_[at];
  const Terms& terms = terms_[tenant];
  require(host.reserved + terms.reservation <= host.capacity(), "reservation",
          "does not fit on the host");
  if (host.size >> host.room_log2 != 0) grow(host);
  fold(host);
  it.host = at;
  it.place = host.size++;
  it.levels = host.levels;
  it.speeds = host.speeds;
  placed_.at(host.placed)[it.place] = tenant;
  it.constant = 0.0;
  claims_of(host).weight[it.place] = it.weight;
  host.reserved += terms.reservation;
  host.quotas += it.has_quota;
  set_ceiling(tenant, 0.0);
  mark(at);
}

void FluidHypervisor::leave(std::uint32_t tenant) {
  Tenant& it = tenants_[tenant];
  count(tenant);
  const std::uint32_t from = it.host;
  Host& host = hosts_[from];
  if (share_of(it) != 0.0) list(tenant);
  const double before = ceiling(tenant);
  const std::uint32_t want = std::exchange(it.want, 0);
  set_ceiling(tenant, before);
  it.want = want;
  host.reserved -= terms_[tenant].reservation;
  host.quotas -= it.has_quota;
  it.host = none;
  const std::uint32_t last = --host.size;
  std::uint32_t* const placed = placed_.at(host.placed);
  placed[it.place] = placed[last];
  tenants_[placed[last]].place = it.place;
  const Claims claims = claims_of(host);
  for (double* column : {claims.weight, claims.floor, claims.ceiling, claims.constant}) {
    column[it.place] = column[last];
    column[last] = 0.0;
  }
  mark(from);
}

// The columns move to a block of twice the room, filled up with zeros.
void FluidHypervisor::grow(Host& host) {
  const std::size_t room = std::size_t{1} << host.room_log2;
  const std::uint32_t columns = columns_.take(host.room_log2 + 3);
  const std::uint32_t placed = placed_.take(host.room_log2 + 1);
  std::fill_n(columns_.at(columns), 8 * room, 0.0);
  for (std::size_t column = 0; column < 4; ++column) {
    std::copy_n(columns_.at(host.columns) + column * room, room,
                columns_.at(columns) + column * 2 * room);
  }
  std::copy_n(placed_.at(host.placed), room, placed_.at(placed));
  columns_.release(host.columns, host.room_log2 + 2);
  placed_.release(host.placed, host.room_log2);
  host.columns = columns;
  host.placed = placed;
  host.room_log2 = static_cast<std::uint8_t>(host.room_log2 + 1);
  switched_.resize(std::max(switched_.size(), 2 * room));
}

void FluidHypervisor::set_ceiling(std::uint32_t tenant, double before) {
  const Tenant& it = tenants_[tenant];
  Host& host = hosts_[it.host];
  const Claims claims = claims_of(host);
  const double now = ceiling(tenant);
  host.wanted += now - before;
  host.wanting += (now > 0.0 ? it.weight : 0.0) - (before > 0.0 ? it.weight : 0.0);
  claims.ceiling[it.place] = now;
  if (host.reserved > 0.0) claims.floor[it.place] = std::min(terms_[tenant].reservation, now);
}

void FluidHypervisor::set_want(std::uint32_t tenant, std::uint32_t want) {
  Tenant& it = present(tenant);
  require(want <= it.vcpus, "want", "is more than the vCPUs");
  if (want == it.want) return;
  count(tenant);
  const double before = ceiling(tenant);
  it.want = want;
  renew(tenant, before);
}

void FluidHypervisor::set_limit(std::uint32_t tenant, double threads) {
  Tenant& it = present(tenant);
  require(threads >= 0.0, "limit", "must not be below 0");
  const double limit = to_amount(std::min<double>(threads, it.vcpus));
  Terms& terms = terms_[tenant];
  if (limit == (it.limited != 0 ? terms.limit : it.vcpus)) return;
  count(tenant);
  const double before = ceiling(tenant);
  terms.limit = limit;
  it.limited = limit < it.vcpus ? 1 : 0;
  renew(tenant, before);
}

// What a tenant can use has changed. As long as everybody has what is wanted, nobody else notices.
void FluidHypervisor::renew(std::uint32_t tenant, double before) {
  Tenant& it = tenants_[tenant];
  const Host& host = hosts_[it.host];
  const bool fitted = host.wanted <= host.capacity() && host.dirty == 0;
  set_ceiling(tenant, before);
  if (!fitted || host.wanted > host.capacity()) return mark(it.host);
  if (it.constant != ceiling(tenant)) list(tenant);
  it.constant = ceiling(tenant);
  claims_of(host).constant[it.place] = it.constant;
  expect(tenant);
  set_speed(it.host);
}

void FluidHypervisor::mark(std::uint32_t host) {
  if (hosts_[host].dirty != 0) return;
  hosts_[host].dirty = 1;
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
      count(tenant);
      const double before = ceiling(tenant);
      Terms& terms = terms_[tenant];
      it.event = EventQueue::none;
      it.exhausted = it.exhausted != 0 ? 0 : 1;
      terms.left_ns = it.exhausted != 0 ? 0.0 : static_cast<double>(terms.quota_ns);
      renew(tenant, before);
    }
    solve_all();
  }
  now_ = until;
}

std::int64_t FluidHypervisor::next_event() {
  solve_all();
  return calendar_.next_time();
}

// --- rates ------------------------------------------------------------------------------------

void FluidHypervisor::solve_all() {
  for (const std::uint32_t host : dirty_) solve(host);
  dirty_.clear();
}

void FluidHypervisor::solve(std::uint32_t at) {
  Host& host = hosts_[at];
  host.dirty = 0;
  ++solves_;
  fold(host);
  const std::uint32_t* const placed = placed_.at(host.placed);
  for (std::uint32_t place = 0; host.quotas != 0 && place < host.size; ++place) {
    if (tenants_[placed[place]].has_quota != 0) count(placed[place]);
  }
  const Claims claims = claims_of(host);
  const std::size_t size = (host.size + claim_lanes - 1) / claim_lanes * claim_lanes;
  const Found found = find_level({claims.weight, claims.floor, claims.ceiling, size},
                                 {host.capacity(), host.wanted, host.wanting, host.reserved > 0.0},
                                 claims.constant, switched_.data());
  switch_over(host, found.switched, found.level);
  set_level(at, found.level == plenty ? 0.0 : found.level);
  set_speed(at);
  for (std::uint32_t place = 0; host.quotas != 0 && place < host.size; ++place) {
    if (tenants_[placed[place]].has_quota != 0) expect(placed[place]);
  }
}

// From a bound to the level, back, or to another bound.
void FluidHypervisor::switch_over(const Host& host, std::size_t count_of, double level) {
  const Claims claims = claims_of(host);
  for (std::size_t at = 0; at < count_of; ++at) {
    const std::uint32_t place = switched_[at];
    const std::uint32_t tenant = placed_.at(host.placed)[place];
    count(tenant);
    Tenant& it = tenants_[tenant];
    // Whoever followed a level that has moved has had another rate since it was told.
    const bool moved = it.constant == follows_level && host.level_moved != 0;
    const double had = share_of(it);
    it.constant = constant_share(it.weight, claims.floor[place], claims.ceiling[place], level);
    claims.constant[place] = it.constant;
    const double has = it.constant == follows_level ? it.weight * level : it.constant;
    if (moved || has != had) list(tenant);
  }
}

void FluidHypervisor::fold(Host& host, std::int64_t time) const {
  const std::int64_t elapsed = time - host.since;
  if (elapsed == 0) return;
  host.levels.add(host.level * level_grain, elapsed);
  host.speeds.add(host.speed, elapsed);
  host.since = time;
}

void FluidHypervisor::set_level(std::uint32_t at, double level) {
  Host& host = hosts_[at];
  if (level == host.level) return;
  host.level = level;
  move_on(at);
  host.level_moved = 1;
}

void FluidHypervisor::set_speed(std::uint32_t at) {
  Host& host = hosts_[at];
  const double speed = host.facts.speed_with(std::min(host.wanted, host.capacity()));
  if (speed == host.speed) return;
  fold(host);
  host.speed = speed;
  move_on(at);
  host.speed_moved = 1;
}

// --- who has to be told -----------------------------------------------------------------------

void FluidHypervisor::list(std::uint32_t tenant) {
  if (listed_[tenant] != 0) return;
  listed_[tenant] = 1;
  changed_.push_back(tenant);
}

void FluidHypervisor::move_on(std::uint32_t host) {
  if (hosts_[host].level_moved == 0 && hosts_[host].speed_moved == 0) moved_.push_back(host);
}

// Those who follow the level all along, and, when the speed has changed, all who run.
void FluidHypervisor::list_moved(const Host& host) {
  const std::uint32_t* const placed = placed_.at(host.placed);
  const double* const constant = claims_of(host).constant;
  for (std::uint32_t place = 0; place < host.size; ++place) {
    const bool follows = constant[place] == follows_level;
    const bool runs = follows || constant[place] > 0.0;
    if (follows || (runs && host.speed_moved != 0)) list(placed[place]);
  }
}

void FluidHypervisor::settle_moved() {
  for (const std::uint32_t host : moved_) {
    hosts_[host].level_moved = 0;
    hosts_[host].speed_moved = 0;
  }
  moved_.clear();
}

const std::vector<std::uint32_t>& FluidHypervisor::changed() {
  solve_all();
  for (const std::uint32_t host : moved_) list_moved(hosts_[host]);
  settle_moved();
  return changed_;
}

void FluidHypervisor::clear_changed() {
  settle_moved();
  for (const std::uint32_t tenant : changed_) listed_[tenant] = 0;
  changed_.clear();
}

double FluidHypervisor::share(std::uint32_t tenant) {
  require(tenant < tenants_.size(), "tenant", "is not there");
  solve_all();
  const Tenant& it = tenants_[tenant];
  return it.host == none ? 0.0 : share_of(it);
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

}  // namespace nephoscope
