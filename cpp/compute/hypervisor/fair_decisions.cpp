// Who competes on a host, with what weight and with what lag. Who runs is in fair_turns.cpp.

#include <algorithm>
#include <cmath>

#include "compute/hypervisor/fair_hypervisor.hpp"

namespace nephoscope {

namespace {

constexpr int128 most_shift = static_cast<int128>(1) << 84;

constexpr int lag_bits = 16;  // below a ns

}  // namespace

std::uint32_t FairHypervisor::vcpus_of(const Host& host, const Tenant& it, std::uint32_t unit) {
  const auto before = (unit - it.first_unit) * host.per_unit;
  return before >= it.want ? 0 : std::min(host.per_unit, it.want - before);
}

std::uint32_t FairHypervisor::runnable_units(const Host& host, const Tenant& it) const {
  return it.exhausted != 0 ? 0 : (it.want + host.per_unit - 1) / host.per_unit;
}

// The weight of a unit is a whole number of 1/4096; its pace is not rounded by much, whatever it
// is: 2^48 for a weight of 1/256.
void FairHypervisor::set_weight(Tenant& it, std::uint32_t parts) {
  it.parts = parts;
  const double weight = it.weight * 256.0;
  it.part = std::max<std::int64_t>(1, std::llround(weight * 16.0 / parts));
  it.pace = std::llround(parts * 0x1p48 / weight);
}

// What runs counts at once as what it is now; who gets a thread is decided later.
void FairHypervisor::resize(Host& host, Tenant& it, std::uint32_t want, std::int64_t time) {
  const std::uint32_t from = std::min(it.want, want) / host.per_unit;
  const std::uint32_t to = (std::max(it.want, want) + host.per_unit - 1) / host.per_unit;
  const std::uint32_t before = it.want;
  if (it.quota_ns != 0) count_quota(it, time);
  want_from(it, want, time);
  for (std::uint32_t number = it.first_unit + from; number < it.first_unit + to; ++number) {
    if (!on_thread(units_[number])) continue;
    it.want = before;
    const std::uint32_t had = vcpus_of(host, it, number);
    it.want = want;
    const std::uint32_t has = vcpus_of(host, it, number);
    it.running += has - had;
    it.run += (std::uint64_t{had} - has) * static_cast<std::uint64_t>(time);
    host.busy += has - had;
    host.busy_units += (has != 0 ? 1U : 0U) - (had != 0 ? 1U : 0U);
    list(units_[number].tenant);
    bool switching = false;
    for (std::size_t at = 0; at < host.switching.size(); ++at) {
      switching |= host.switching[at].unit == number;
    }
    if (switching) continue;
    it.working += has - had;
    it.working_units += (has != 0 ? 1U : 0U) - (had != 0 ? 1U : 0U);
    it.work += done_by(host, had, time) - done_by(host, has, time);
  }
}

// What a tenant can use has changed. On a host with room for everybody nobody else notices, and it
// is done at once; otherwise false, and the host has to be settled.
bool FairHypervisor::renew(Host& host, std::uint32_t tenant, std::int64_t time) {
  Tenant& it = tenants_[tenant];
  const std::uint32_t runnable = runnable_units(host, it);
  const bool fits = host.runnable - it.runnable + runnable <= host.places;
  if (host.dirty != 0 || host.weight != 0 || !fits) return false;
  regroup(host, it, runnable, true, time);
  set_speed(host, time);
  if (it.quota_ns != 0) expect(host, it, time);
  return true;
}

void FairHypervisor::settle(Host& host, std::int64_t time) {
  host.dirty = 0;
  ++decisions_;
  host.sync(time);
  book_forced_idle(host, time);
  forget_paid_debts(host);
  mean_ = host.mean();
  entering_.clear();
  claim(host);
  bool woken = false;
  for (std::size_t at = 0; at < host.tenants.size(); ++at) {
    Tenant& it = tenants_[host.tenants[at]];
    woken |= regroup(host, it, runnable_units(host, it), claims_[at].share > 0.0, time);
  }
  place_entering(host, time);
  hand_out(host, woken, time);
  set_speed(host, time);
  for (const Turn& capped : host.capped) {
    Tenant& it = tenants_[capped.tenant];
    count_quota(it, time);
    expect(host, it, time);
  }
}

// For each tenant of the host, a share above 0 if its units need not compete: its weighted max-min
// share is what it wants. Mostly nobody's is, and one pass says so.
void FairHypervisor::claim(const Host& host) {
  claims_.clear();
  double wanted = 0.0;
  double weights = 0.0;
  double most = 0.0;  // weight a unit
  for (const std::uint32_t tenant : host.tenants) {
    const Tenant& it = tenants_[tenant];
    const double units = runnable_units(host, it);
    const double weight = options_.weight_per_vcpu ? it.weight * std::max(units, 1.0) : it.weight;
    claims_.push_back({weight, 0.0, units, 0.0});
    wanted += units;
    if (units == 0.0) continue;
    weights += weight;
    most = std::max(most, weight / units);
  }
  const bool room = wanted <= host.places;
  if (!room && most * host.places < weights * (1.0 - 1e-9)) return;
  if (!room) share_out(claims_.data(), claims_.size(), host.places);
  for (Claim& it : claims_) {
    const bool has_all = it.ceiling > 0.0 && it.share >= it.ceiling;
    it.share = room || has_all ? 1.0 : 0.0;
  }
}

// Units leave the competition with their lag, and those that go on competing enter again if their
// weight has changed. True when one that did not run wants to.
bool FairHypervisor::regroup(Host& host, Tenant& it, std::uint32_t runnable, bool alone,
                             std::int64_t time) {
  const std::uint32_t parts = options_.weight_per_vcpu ? 1 : runnable == 0 ? it.parts : runnable;
  const bool reweigh = !alone && parts != it.parts;
  if (runnable == it.runnable && alone == (it.alone != 0) && !reweigh) return false;
  const bool all = it.alone == 0;  // some may be indebted
  const std::uint32_t first = alone && !all ? std::min(runnable, it.runnable) : 0;
  const std::uint32_t last = all ? it.vcpus : std::max(runnable, it.runnable);
  const auto quits = [&](std::uint32_t at) {
    const Unit& unit = units_[it.first_unit + at];
    const bool blocks = at >= runnable && unit.place != Place::indebted;
    return competes(unit) && (alone || reweigh || blocks);
  };
  for (std::uint32_t at = first; at < last; ++at) {
    if (quits(at)) quit(host, it.first_unit + at, time);
  }
  if (!alone && parts != it.parts) set_weight(it, parts);
  bool woken = false;
  for (std::uint32_t at = first; at < last; ++at) {
    const std::uint32_t number = it.first_unit + at;
    if (at < runnable) {
      woken |= become_runnable(host, number, alone, quits(at), time);
    } else {
      block(host, number, alone, quits(at), time);
    }
  }
  host.runnable += runnable - it.runnable;
  it.runnable = runnable;
  it.alone = alone ? 1 : 0;
  return woken;
}

bool FairHypervisor::become_runnable(Host& host, std::uint32_t number, bool alone, bool has_quit,
                                     std::int64_t time) {
  Unit& unit = units_[number];
  const Place was = unit.place;
  if (alone) {
    if (was == Place::aside) return false;
    if (was != Place::running) occupy(host, number, false, time);
    unit.place = Place::aside;
    ++host.aside;
    return false;
  }
  if (was == Place::running || was == Place::waiting) {
    if (has_quit) entering_.push_back(number);
    return false;
  }
  ask(unit, number);
  if (was == Place::aside) {
    unit.place = Place::running;
    --host.aside;
    entering_.push_back(number);
    return false;
  }
  unit.place = Place::waiting;
  if (was == Place::away || has_quit) {
    entering_.push_back(number);
  } else {
    std::erase(host.indebted, number);
    wait(host, number);
  }
  return true;
}

void FairHypervisor::block(Host& host, std::uint32_t number, bool alone, bool has_quit,
                           std::int64_t time) {
  Unit& unit = units_[number];
  if (on_thread(unit)) vacate(host, number, time);
  if (unit.place == Place::aside) {
    --host.aside;
    unit.place = Place::away;
  } else if (has_quit) {
    const bool ahead = unit.lag < 0 && !alone;
    unit.place = ahead ? Place::indebted : Place::away;
    if (ahead) entering_.push_back(number);
  }
}

// Out of the competition, with what it is owed.
void FairHypervisor::quit(Host& host, std::uint32_t number, std::int64_t time) {
  Unit& unit = units_[number];
  const Tenant& it = tenants_[unit.tenant];
  if (unit.place == Place::running) {
    std::size_t at = 0;
    while (host.running[at].unit != number) ++at;
    host.running.erase(at);
    unit.ran += static_cast<int128>(it.pace) * (time - unit.since);
    unit.left -= time - unit.since;
    host.pace -= static_cast<int128>(it.pace) * it.part;
  } else if (unit.place == Place::waiting) {
    std::size_t at = 0;
    while (host.waiting[at].unit != number) ++at;
    host.waiting.erase(at);
  } else {
    std::erase(host.indebted, number);
  }
  unit.since = time;
  host.sum -= (unit.ran - host.base) * it.part;
  host.weight -= it.part;
  const auto most = static_cast<int128>(2 * options_.slice_ns) << lag_bits;
  const int128 lag = ((mean_ - unit.ran) << lag_bits) / it.pace;
  unit.lag = static_cast<std::int64_t>(std::clamp(lag, -most, most));
}

// All at once, so that each is owed what it was owed before: those who have competed all along
// give way by as much as comes in, for a lone newcomer V - lag (W + w) / W.
void FairHypervisor::place_entering(Host& host, std::int64_t time) {
  if (entering_.empty()) return;
  const int128 mean = host.mean();
  int128 owed = 0;
  for (const std::uint32_t number : entering_) {
    const Tenant& it = tenants_[units_[number].tenant];
    owed += ((static_cast<int128>(units_[number].lag) * it.pace) >> lag_bits) * it.part;
  }
  const int128 shift =
      host.weight == 0 ? 0 : std::clamp(owed / host.weight, -most_shift, most_shift);
  for (const std::uint32_t number : entering_) {
    Unit& unit = units_[number];
    const Tenant& it = tenants_[unit.tenant];
    if (unit.left == 0) ask(unit, number);
    unit.ran = mean - shift - ((static_cast<int128>(unit.lag) * it.pace) >> lag_bits);
    unit.deadline = unit.ran + static_cast<int128>(it.pace) * unit.left;
    unit.since = time;
    host.sum += (unit.ran - host.base) * it.part;
    host.weight += it.part;
    if (unit.place == Place::running) {
      host.pace += static_cast<int128>(it.pace) * it.part;
      host.running.insert({time + unit.left, number, unit.tenant});
    } else if (unit.place == Place::waiting) {
      wait(host, number);
    } else {
      host.indebted.push_back(number);
    }
  }
}

// Who has slept ahead of its share owes nothing once its share has caught up.
void FairHypervisor::forget_paid_debts(Host& host) {
  for (std::size_t at = host.indebted.size(); at-- > 0;) {
    const std::uint32_t number = host.indebted[at];
    Unit& unit = units_[number];
    if (!host.eligible(unit.ran)) continue;
    const Tenant& it = tenants_[unit.tenant];
    host.sum -= (unit.ran - host.base) * it.part;
    host.weight -= it.part;
    host.indebted.erase(host.indebted.begin() + static_cast<std::ptrdiff_t>(at));
    unit.place = Place::away;
    unit.lag = 0;
  }
}

}  // namespace nephoscope
