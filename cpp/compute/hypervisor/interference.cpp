#include "compute/hypervisor/interference.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

void check(const InterferenceFacts& facts) {
  if (!(facts.pressure >= 0.0 && facts.pressure <= 1000.0)) {
    throw SpecError("pressure", "must be from 0 to 1000");
  }
  if (!(facts.sensitivity >= 0.0 && facts.sensitivity <= 1000.0)) {
    throw SpecError("sensitivity", "must be from 0 to 1000");
  }
}

double interference_excess(double x) {
  return std::max(x - Interference::knee, 0.0) / (1.0 - Interference::knee);
}

void Interference::join(std::uint32_t tenant, std::uint32_t host, const InterferenceFacts& facts) {
  if (host >= hosts_.size()) hosts_.resize(host + 1U);
  if (tenant >= tenants_.size()) tenants_.resize(tenant + 1U);
  Tenant& it = tenants_[tenant];
  it.facts = facts;
  it.host = host;
  it.next = hosts_[host].first;
  if (it.next != none) tenants_[it.next].previous = tenant;
  hosts_[host].first = tenant;
  touch(host);  // the others may be beyond the knee
}

void Interference::leave(std::uint32_t tenant, std::int64_t now) {
  Tenant& it = tenants_[tenant];
  set_running(tenant, 0.0, 0.0, now);
  if (it.next != none) tenants_[it.next].previous = it.previous;
  (it.previous != none ? tenants_[it.previous].next : hosts_[it.host].first) = it.next;
  it.host = it.next = it.previous = none;
  it.pace = 1.0;
}

void Interference::set_running(std::uint32_t tenant, double running, double rate,
                               std::int64_t now) {
  Tenant& it = tenants_[tenant];
  book(it, now);
  it.running = running;
  it.rate = rate;
  const double part = it.facts.pressure * running / sockets_;
  const auto taken = static_cast<std::int64_t>(std::llround(part * whole_host));
  hosts_[it.host].taken += taken - it.taken;
  it.taken = taken;
  touch(it.host);
  move(tenant);
}

Interference::Lost Interference::lost(std::uint32_t tenant, std::int64_t now) const {
  Tenant it = tenants_[tenant];
  book(it, now);
  return {it.lost_run.whole, it.lost_work.whole};
}

void Interference::touch(std::uint32_t host) {
  if (hosts_[host].dirty != 0) return;
  hosts_[host].dirty = 1;
  dirty_.push_back(host);
}

void Interference::move(std::uint32_t tenant) {
  if (tenants_[tenant].moved != 0) return;
  tenants_[tenant].moved = 1;
  moved_.push_back(tenant);
}

// As long as all together stay below the knee, nobody feels anything.
void Interference::settle_host(std::uint32_t host, std::int64_t now) {
  Host& it = hosts_[host];
  it.dirty = 0;
  const bool beyond = static_cast<double>(it.taken) > knee * whole_host;
  if (!beyond && it.beyond == 0) return;
  it.beyond = beyond ? 1 : 0;
  for (std::uint32_t at = it.first; at != none; at = tenants_[at].next) {
    Tenant& member = tenants_[at];
    const double others = static_cast<double>(it.taken - member.taken) / whole_host;
    const double pace = 1.0 / (1.0 + member.facts.sensitivity * interference_excess(others));
    if (pace == member.pace) continue;
    book(member, now);
    member.pace = pace;
    move(at);
  }
}

void Interference::book(Tenant& it, std::int64_t now) {
  it.lost_run.add(it.running * (1.0 - it.pace), now - it.since);
  it.lost_work.add(it.rate * (1.0 - it.pace), now - it.since);
  it.since = now;
}

}  // namespace nephoscope
