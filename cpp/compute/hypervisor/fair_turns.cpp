// Who runs on a host, of those who compete, and from when to when.

#include <algorithm>

#include "compute/hypervisor/fair_hypervisor.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

void FairHypervisor::hand_out(Host& host, bool woken, std::int64_t time) {
  const std::size_t places = host.places - host.aside;
  while (host.running.size() > places) preempt(host, worst_running(host), time);
  const auto resume_next = [&] {
    const std::size_t next = next_waiter(host);
    const std::uint32_t number = host.waiting[next].unit;
    host.waiting.erase(next);
    resume(host, number, time);
  };
  while (host.running.size() < places && !host.waiting.empty()) resume_next();
  if (!woken || !options_.wake_preemption) return;
  while (!host.waiting.empty() && !host.running.empty()) {
    const Waiter& next = host.waiting[next_waiter(host)];
    const std::size_t worst = worst_running(host);
    const bool later = next.deadline < units_[host.running[worst].unit].deadline;
    if (!later || !host.eligible(units_[next.unit].ran)) return;
    resume_next();
    preempt(host, worst_running(host), time);
  }
}

// What a decision will probably look at: memory is far away when there are many hosts.
void FairHypervisor::fetch(const Host& host, std::size_t ahead) const {
  if (host.running.size() > ahead) {
    NEPHOSCOPE_PREFETCH(units_.data() + host.running[ahead].unit);
    NEPHOSCOPE_PREFETCH(tenants_.data() + host.running[ahead].tenant);
  }
  if (host.waiting.size() > ahead) {
    NEPHOSCOPE_PREFETCH(units_.data() + host.waiting[ahead].unit);
    NEPHOSCOPE_PREFETCH(tenants_.data() + host.waiting[ahead].tenant);
  }
}

// The slice of the first in the line of those who run has ended.
void FairHypervisor::turn(Host& host, std::int64_t time) {
  const std::uint32_t number = host.running[0].unit;
  Unit& unit = units_[number];
  Tenant& it = tenants_[unit.tenant];
  ++decisions_;
  fetch(host, fetched_ahead);
  host.sync(time);
  unit.ran += static_cast<int128>(it.pace) * (time - unit.since);
  unit.since = time;
  ask(unit, number);
  if (!host.indebted.empty()) forget_paid_debts(host);
  host.running.erase(0);
  if (host.waiting.empty()) return host.running.insert({time + unit.left, number, unit.tenant});
  const std::size_t at = next_waiter(host);
  const std::uint32_t next = host.waiting[at].unit;
  const bool may = host.eligible(unit.ran);
  const bool next_may = host.eligible(units_[next].ran);
  const bool stays = may != next_may ? may : unit.deadline < host.waiting[at].deadline;
  if (stays) return host.running.insert({time + unit.left, number, unit.tenant});
  book_forced_idle(host, time);
  host.waiting.erase(at);
  host.pace -= static_cast<int128>(it.pace) * it.part;
  vacate(host, number, time);
  unit.place = Place::waiting;
  wait(host, number);
  resume(host, next, time);
  if (it.quota_ns != 0) expect(host, it, time);
  Tenant& other = tenants_[units_[next].tenant];
  if (other.quota_ns != 0) expect(host, other, time);
}

// Of those who wait, the eligible one with the earliest deadline, or if there is none, the first.
std::size_t FairHypervisor::next_waiter(const Host& host) const {
  for (std::size_t at = 0; at < host.waiting.size(); ++at) {
    if (host.eligible(units_[host.waiting[at].unit].ran)) return at;
  }
  return 0;
}

std::size_t FairHypervisor::worst_running(const Host& host) const {
  std::size_t worst = 0;
  for (std::size_t at = 1; at < host.running.size(); ++at) {
    const int128 deadline = units_[host.running[at].unit].deadline;
    const int128 latest = units_[host.running[worst].unit].deadline;
    const bool larger = host.running[at].unit > host.running[worst].unit;
    if (deadline > latest || (deadline == latest && larger)) worst = at;
  }
  return worst;
}

void FairHypervisor::occupy(Host& host, std::uint32_t number, bool pays, std::int64_t time) {
  const std::uint32_t tenant = units_[number].tenant;
  Tenant& it = tenants_[tenant];
  const std::uint32_t vcpus = vcpus_of(host, it, number);
  if (it.quota_ns != 0) count_quota(it, time);
  it.running += vcpus;
  it.run -= vcpus * static_cast<std::uint64_t>(time);
  host.busy += vcpus;
  ++host.busy_units;
  if (pays && options_.switch_cost_ns > 0) {
    host.switching.insert({time + options_.switch_cost_ns, number, tenant});
    return;
  }
  it.working += vcpus;
  ++it.working_units;
  it.work -= done_by(host, vcpus, time);
  list(tenant);
}

void FairHypervisor::vacate(Host& host, std::uint32_t number, std::int64_t time) {
  const std::uint32_t tenant = units_[number].tenant;
  Tenant& it = tenants_[tenant];
  const std::uint32_t vcpus = vcpus_of(host, it, number);
  if (it.quota_ns != 0) count_quota(it, time);
  it.running -= vcpus;
  it.run += vcpus * static_cast<std::uint64_t>(time);
  host.busy -= vcpus;
  host.busy_units -= vcpus != 0 ? 1U : 0U;
  for (std::size_t at = 0; at < host.switching.size(); ++at) {
    if (host.switching[at].unit == number) return host.switching.erase(at);
  }
  it.working -= vcpus;
  it.working_units -= vcpus != 0 ? 1U : 0U;
  it.work += done_by(host, vcpus, time);
  list(tenant);
}

// From waiting to running; no longer in the line of those who wait.
void FairHypervisor::resume(Host& host, std::uint32_t number, std::int64_t time) {
  Unit& unit = units_[number];
  const Tenant& it = tenants_[unit.tenant];
  unit.place = Place::running;
  unit.since = time;
  host.pace += static_cast<int128>(it.pace) * it.part;
  host.running.insert({time + unit.left, number, unit.tenant});
  occupy(host, number, true, time);
}

void FairHypervisor::preempt(Host& host, std::size_t running, std::int64_t time) {
  const std::uint32_t number = host.running[running].unit;
  Unit& unit = units_[number];
  const Tenant& it = tenants_[unit.tenant];
  host.running.erase(running);
  unit.ran += static_cast<int128>(it.pace) * (time - unit.since);
  unit.left -= time - unit.since;
  unit.since = time;
  host.pace -= static_cast<int128>(it.pace) * it.part;
  if (unit.left == 0) ask(unit, number);
  vacate(host, number, time);
  unit.place = Place::waiting;
  wait(host, number);
}

void FairHypervisor::wait(Host& host, std::uint32_t number) {
  host.waiting.insert({units_[number].deadline, number, units_[number].tenant, 0});
}

// The next request: a slice, or at first a part of one, at random.
void FairHypervisor::ask(Unit& unit, std::uint32_t number) {
  const Tenant& it = tenants_[unit.tenant];
  unit.left = options_.slice_ns;
  if (unit.fresh != 0) {
    unit.fresh = 0;
    const std::uint64_t word =
        Philox4x64::block({it.host, unit.tenant, number - it.first_unit, 0}, key_)[0];
    unit.left =
        1 + static_cast<std::int64_t>(
                (static_cast<uint128>(word) * static_cast<std::uint64_t>(unit.left - 1)) >> 64);
  }
  unit.deadline = unit.ran + static_cast<int128>(it.pace) * unit.left;
}

}  // namespace nephoscope
