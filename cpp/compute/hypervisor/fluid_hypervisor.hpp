// The hypervisor as a fluid: the CPU of every host, shared among its tenants at every instant by
// weighted max-min fairness, with reservations, quotas and simultaneous multithreading.
//
// A tenant wants `want` of its vCPUs to run. It gets clamp(weight x level, reservation, want)
// hardware threads, by the one level of its host (water_level.hpp), so nobody takes another's share
// and nothing is left idle that somebody wants. Rates change only when a want, a parameter or the
// set of tenants changes or a quota runs out or is renewed; between such instants everything is a
// closed form, and a host where nothing happens costs nothing.
//
// A tenant is at a bound, then its share is constant, or it follows the level. So a host keeps two
// integrals, of its level and of its speed, and the account of a tenant is a multiple of one of
// them since it was booked last: when it went from one to the other, wanted something else, or, if
// it has a quota, whenever its share changed. To find a level touches nobody else's account.
//
// A quota is a bucket, not a rate: so much vCPU time in every period, as fast as the host gives it,
// then nothing until the period ends (as the bandwidth control of Linux's fair class has it).
//
// Beyond one thread a core, each further thread adds `smt_gain` of a core to what the core gets
// done, and all threads of the host run equally slower. This is speed, not steal: steal is time
// for which a vCPU wants to run and does not, told by cause: contention with the other tenants, and
// the own quota.
//
// Invariants, for each tenant and to the nanosecond:
//   run + steal by contention + steal by quota + idle = vcpus x (now - start);
//   run by a quota's tenant in a period <= quota + 1 ns a vCPU.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "compute/hypervisor/hypervisor_facts.hpp"
#include "compute/hypervisor/time_integral.hpp"
#include "compute/water_level.hpp"
#include "kernel/block_pool.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

class FluidHypervisor {
 public:
  // Throw SpecError with the field's name when a fact is not legal, or when the host cannot hold
  // the reservation.
  std::uint32_t add_host(const HostFacts& facts);
  std::uint32_t add_tenant(std::uint32_t host, const TenantFacts& facts);
  // Whether what a legal tenant reserves is left on the host.
  bool has_room(std::uint32_t host, const TenantFacts& facts) const {
    const Host& it = hosts_[host];
    return it.reserved + to_amount(facts.reservation) <= it.capacity();
  }
  // The tenant goes to another host with its account and what is left of its quota.
  void move_tenant(std::uint32_t tenant, std::uint32_t host);
  // It wants nothing any more and holds nothing; its account stays.
  void remove_tenant(std::uint32_t tenant);

  // From now on. Takes effect when time passes or rates are asked for, once for all changes of a
  // host at one instant. Throws SpecError unless want <= vcpus.
  void set_want(std::uint32_t tenant, std::uint32_t want);

  // From now on, at most so many threads: what is wanted beyond is steal by quota. As many as the
  // vCPUs are no limit.
  void set_limit(std::uint32_t tenant, double threads);

  // Lets time pass until `until`, not before now. What is due at that very instant has happened
  // then. How time is cut into calls changes nothing.
  void advance(std::int64_t until);

  // What set_want of this tenant will look at comes closer, for those who know early.
  void fetch(std::uint32_t tenant) const {
    if (tenant >= tenants_.size()) return;
    NEPHOSCOPE_PREFETCH(&tenants_[tenant]);
    NEPHOSCOPE_PREFETCH(&tenants_[tenant].levels);
  }

  // When a rate may change next if nobody changes a want, a parameter or the set of tenants;
  // EventQueue::never if none will.
  std::int64_t next_event();

  // The tenants whose `rate` has changed since the list was cleared, each once; those that had one
  // and were moved are among them.
  const std::vector<std::uint32_t>& changed();
  void clear_changed();

  std::int64_t now() const { return now_; }
  std::size_t hosts() const { return hosts_.size(); }
  std::size_t tenants() const { return tenants_.size(); }
  // Threads that a tenant has at this instant; 0 when it has been removed.
  double share(std::uint32_t tenant);
  // What all its vCPUs together get done, in reference vCPUs.
  double rate(std::uint32_t tenant);
  // The speed of each of those threads, in reference vCPUs.
  double speed(std::uint32_t host);
  // Asking changes nothing. At a `time` to come: as it will be then, if nobody changes a want, a
  // parameter or the set of tenants until then; no later than next_event().
  TenantAccount account(std::uint32_t tenant) const { return account(tenant, now_); }
  TenantAccount account(std::uint32_t tenant, std::int64_t time) const;
  // Times at which rates had to be found anew, for a sense of cost.
  std::uint64_t solves() const { return solves_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(hosts_, tenants_, terms_, dirty_, moved_, changed_, listed_, switched_, now_, solves_);
    columns_.serialize(archive);
    placed_.serialize(archive);
    calendar_.serialize(archive);
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  // Levels are integrated a grain of weight, so that weights are whole numbers and the integral of
  // the smallest weight's level stays within 64 bits as long as its account does.
  static constexpr double level_grain = 0x1p-16;
  static constexpr std::uint8_t smallest_room_log2 = 3;
  static_assert((std::size_t{1} << smallest_room_log2) % claim_lanes == 0);

  // Two cache lines, and so is a tenant: a want that changes touches little else.
  struct alignas(64) Host {
    static constexpr bool plain_doubles = true;

    HostFacts facts;
    double reserved = 0.0;
    double wanted = 0.0;   // sum of the ceilings
    double wanting = 0.0;  // weight of those whose ceiling is above 0
    double level = 0.0;    // 0 when everybody has what is wanted
    double speed = 0.0;    // of a busy thread
    TimeIntegral levels;   // until `since`, of the level a grain of weight
    TimeIntegral speeds;   // until `since`
    std::int64_t since = 0;
    std::uint32_t columns = 0;  // of its claims: weight, floor, ceiling, constant share
    std::uint32_t placed = 0;   // the tenants, in the order of the claims
    std::uint32_t size = 0;
    std::uint32_t quotas = 0;  // tenants that have one
    std::uint8_t room_log2 = smallest_room_log2;
    std::uint8_t dirty = 0;
    std::uint8_t level_moved = 0;  // since those who follow it were listed as changed
    std::uint8_t speed_moved = 0;
    std::uint32_t spare = 0;

    double capacity() const { return facts.threads(); }
  };
  static_assert(sizeof(Host) == 128);

  struct alignas(64) Tenant {
    static constexpr bool plain_doubles = true;

    std::uint32_t host = none;
    std::uint32_t place = 0;  // among the host's tenants
    std::uint32_t want = 0;
    EventQueue::Handle event = EventQueue::none;
    std::int64_t booked_to = 0;
    std::int64_t wanted_ns = 0;
    std::int64_t by_quota_ns = 0;
    TimeIntegral run;
    TimeIntegral work;
    TimeIntegral levels;  // the host's, at booked_to
    TimeIntegral speeds;
    double weight = 0.0;
    double constant = 0.0;  // share, or follows_level
    std::uint32_t vcpus = 0;
    std::uint8_t has_quota = 0;
    std::uint8_t exhausted = 0;  // of its quota, until the period ends
    std::uint8_t limited = 0;    // to fewer threads than vCPUs
    std::uint8_t spare = 0;
  };
  static_assert(sizeof(Tenant) == 128);

  // Of a tenant, what is seldom needed.
  struct Terms {
    static constexpr bool plain_doubles = true;

    double reservation = 0.0;
    std::int64_t started = 0;
    std::int64_t quota_ns = 0;
    std::int64_t period_ns = 0;
    std::int64_t phase_ns = 0;
    double left_ns = 0.0;  // of the quota, when it was booked last
    double limit = 0.0;    // threads, where limited
    TimeIntegral by_limit;

    std::int64_t period_end(std::int64_t time) const {
      return nephoscope::period_end({1, 1.0, reservation, quota_ns, period_ns, phase_ns}, time);
    }
  };

  struct Claims {
    double* weight;
    double* floor;
    double* ceiling;
    double* constant;  // as the tenants have it
  };

  double ceiling(std::uint32_t tenant) const {
    const Tenant& it = tenants_[tenant];
    if (it.exhausted != 0) return 0.0;
    return it.limited != 0 ? std::min<double>(it.want, terms_[tenant].limit) : it.want;
  }
  // Threads that its limit keeps from it.
  double beyond_limit(std::uint32_t tenant) const {
    const Tenant& it = tenants_[tenant];
    return it.exhausted != 0 || it.limited == 0 ? 0.0 : it.want - ceiling(tenant);
  }
  Claims claims_of(const Host& host);
  double share_of(const Tenant& it) const {
    return it.constant == follows_level ? it.weight * hosts_[it.host].level : it.constant;
  }
  Tenant& present(std::uint32_t tenant);
  void enter(std::uint32_t tenant, std::uint32_t host);
  void leave(std::uint32_t tenant);
  void grow(Host& host);
  void set_ceiling(std::uint32_t tenant, double before);
  void book(Tenant& it, std::int64_t time) const;
  void count(std::uint32_t tenant);
  double left_of_quota(const Terms& terms, const Tenant& it) const;
  void renew(std::uint32_t tenant, double before);
  void mark(std::uint32_t host);
  void solve_all();
  void solve(std::uint32_t host);
  void switch_over(const Host& host, std::size_t count, double level);
  void fold(Host& host) const { fold(host, now_); }
  void fold(Host& host, std::int64_t time) const;
  void set_level(std::uint32_t host, double level);
  void set_speed(std::uint32_t host);
  void expect(std::uint32_t tenant);
  void list(std::uint32_t tenant);
  void list_moved(const Host& host);
  void move_on(std::uint32_t host);
  void settle_moved();

  std::vector<Host> hosts_;
  std::vector<Tenant> tenants_;
  std::vector<Terms> terms_;  // of the tenants
  BlockPool<double> columns_;
  BlockPool<std::uint32_t> placed_;
  std::vector<std::uint32_t> dirty_;  // hosts whose rates have to be found anew
  std::vector<std::uint32_t> moved_;  // hosts with tenants to be listed as changed
  std::vector<std::uint32_t> changed_;
  std::vector<std::uint8_t> listed_;     // whether a tenant is in changed_
  std::vector<std::uint32_t> switched_;  // room for what find_level tells
  EventQueue calendar_;                  // quotas that run out or are renewed, one a tenant
  std::int64_t now_ = 0;
  std::uint64_t solves_ = 0;
};

}  // namespace nephoscope
