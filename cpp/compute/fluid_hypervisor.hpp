// The hypervisor as a fluid: the CPU of every host, shared among its tenants at every instant by
// weighted max-min fairness, with reservations, quotas and simultaneous multithreading.
//
// A tenant wants `want` of its vCPUs to run. It gets clamp(weight x level, reservation, want)
// hardware threads, by the one level of its host (water_level.hpp), so nobody takes another's share
// and nothing is left idle that somebody wants. Rates change only when a want, a parameter or the
// set of tenants changes or a quota runs out or is renewed; between such instants everything is a
// closed form, and a host where nothing happens costs nothing.
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

#include <cstdint>
#include <vector>

#include "compute/hypervisor_facts.hpp"
#include "compute/water_level.hpp"
#include "kernel/event_queue.hpp"

namespace nephoscope {

class FluidHypervisor {
 public:
  // Throw SpecError with the field's name when a fact is not legal, or when the host cannot hold
  // the reservation.
  std::uint32_t add_host(const HostFacts& facts);
  std::uint32_t add_tenant(std::uint32_t host, const TenantFacts& facts);
  // The tenant goes to another host with its account and what is left of its quota.
  void move_tenant(std::uint32_t tenant, std::uint32_t host);
  // It wants nothing any more and holds nothing; its account stays.
  void remove_tenant(std::uint32_t tenant);

  // From now on. Takes effect when time passes or rates are asked for, once for all changes of a
  // host at one instant. Throws SpecError unless want <= vcpus.
  void set_want(std::uint32_t tenant, std::uint32_t want);

  // Lets time pass until `until`, not before now. What is due at that very instant has happened
  // then. How time is cut into calls changes nothing.
  void advance(std::int64_t until);

  // When a rate may change next if nobody changes a want, a parameter or the set of tenants;
  // EventQueue::never if none will.
  std::int64_t next_event();

  // The tenants whose `rate` has changed since the list was cleared, each once.
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
  TenantAccount account(std::uint32_t tenant);
  // Times at which rates had to be found anew, for a sense of cost.
  std::uint64_t solves() const { return solves_; }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  // A time integral: whole ns, and what is below one.
  struct Integral {
    std::int64_t whole = 0;
    double part = 0.0;
    void add(double rate, std::int64_t elapsed);
  };

  struct Host {
    HostFacts facts;
    std::vector<std::uint32_t> tenants;
    std::vector<Claim> claims;  // of the tenants, in their order
    double capacity = 0.0;      // threads
    double reserved = 0.0;
    double wanted = 0.0;     // sum of the ceilings
    double speed = 0.0;      // of a busy thread
    Integral done_a_thread;  // of the speed, until speed_since
    std::int64_t speed_since = 0;
    bool dirty = false;
  };

  struct Tenant {
    TenantFacts facts;
    std::uint32_t host = none;
    std::uint32_t place = 0;  // among the host's tenants
    std::uint32_t want = 0;
    bool exhausted = false;  // of its quota, until the period ends
    bool listed = false;     // in changed_
    double told = 0.0;       // the rate when it was listed last
    EventQueue::Handle event = EventQueue::none;
    std::int64_t counted_to = 0;
    std::int64_t wanted_ns = 0;
    std::int64_t started = 0;
    double left_ns = 0.0;    // of the quota, at counted_to
    Integral done_a_thread;  // the host's, at counted_to
    Integral run;
    Integral by_quota;
    Integral work;
  };

  static double ceiling(const Tenant& it) { return it.exhausted ? 0.0 : it.want; }
  Claim& claim_of(const Tenant& it) { return hosts_[it.host].claims[it.place]; }
  Tenant& present(std::uint32_t tenant);
  void enter(std::uint32_t tenant, std::uint32_t host);
  void leave(std::uint32_t tenant);
  void count(Tenant& it);
  void renew(std::uint32_t tenant);
  void mark(std::uint32_t host);
  void solve_all();
  void solve(Host& host);
  bool set_speed(Host& host);
  Integral done_a_thread(const Host& host) const;
  void expect(std::uint32_t tenant);
  void tell(std::uint32_t tenant);

  std::vector<Host> hosts_;
  std::vector<Tenant> tenants_;
  std::vector<std::uint32_t> dirty_;  // hosts whose rates have to be found anew
  std::vector<std::uint32_t> changed_;
  EventQueue calendar_;  // quotas that run out or are renewed, one a tenant
  std::int64_t now_ = 0;
  std::uint64_t solves_ = 0;
};

}  // namespace nephoscope
