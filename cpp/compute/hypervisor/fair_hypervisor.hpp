// The hypervisor as Linux's fair class runs KVM guests: earliest eligible virtual deadline first
// (Stoica and Abdel-Wahab, 1995; Linux 6.6 and later), one queue a host.
//
// A vCPU that runs gathers virtual runtime, at a pace that is the inverse of its weight. It is
// eligible while that is not above the weighted mean of all that compete, so while it is not ahead
// of its share; among the eligible, the one whose virtual deadline, a slice later, is earliest runs
// when a thread is free. If too few are eligible for the threads of a host, the earliest deadlines
// of the others run: no thread is idle while somebody waits.
//
// - Weights are per tenant, in equal parts for those of its vCPUs that are runnable, so that more
//   vCPUs get no more time (`weight_per_vcpu`: each has the full weight). They are readjusted: the
//   vCPUs of a tenant whose weighted max-min share is all it wants have threads of their own and do
//   not compete. So a host with a thread for everybody has no events.
// - A slice that ends, and whatever changes who is runnable, is a decision. Who wakes takes the
//   thread of the latest deadline, if that is later than its own (`wake_preemption`; without it
//   everybody finishes the slice). Whoever the queue gives a thread pays `switch_cost_ns`: it runs,
//   but nothing gets done meanwhile. With a thread for everybody there is no queue.
// - Lag, what a vCPU is owed of its share, goes with it into sleep and over a migration and back,
//   up to two slices. Who sleeps ahead of its share goes on counting among those who compete until
//   its share has caught up (delayed dequeue), so sleeping pays no debts; a host that gets room for
//   everybody leaves debts as they are.
// - A quota is one bucket a period, without silos. It is emptied to the last ns; vCPUs that run
//   side by side may overrun it by less than 1 ns each, which the next period pays.
// - `core_scheduling`: units of vCPUs, 0 and 1, 2 and 3, ... of a tenant with two threads a core,
//   get whole cores, so that hardware siblings belong to one tenant; all that was said of vCPUs and
//   threads holds for units and cores, a half-filled unit counting as a whole one. Threads that
//   stay idle though somebody waits are steal by forced idle of the first in the queue.
// - The first slice of a vCPU on a host is cut at random, so that hosts are not in step.
//
// Of a tenant that wants k vCPUs those with the numbers below k are runnable: when k falls, the
// highest block. Reservations are refused: this class of schedulers has none. Weights are multiples
// of 1/256 and at least 1/16.
//
// Invariants, all in whole numbers:
//   run + contention + quota + forced idle + idle = vcpus x (now - start), for each tenant;
//   threads that run = min(threads, runnable vCPUs), for each host (units and cores, likewise);
// And if the set does not change, on one thread nobody is ever a slice away from the weighted
// max-min share; on several threads two slices have never been seen, though nothing proves it.

#pragma once

#include <cstdint>
#include <vector>

#include "compute/hypervisor/hypervisor_facts.hpp"
#include "compute/hypervisor/sorted_line.hpp"
#include "compute/water_level.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/int128.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

struct FairOptions {
  std::int64_t slice_ns = 2'800'000;  // 0.7 ms x (1 + log2 8), as Linux has it from 8 CPUs on
  std::int64_t switch_cost_ns = 0;
  std::uint64_t seed = 0;
  bool wake_preemption = true;
  bool weight_per_vcpu = false;
  bool core_scheduling = false;
};

class FairHypervisor {
 public:
  // Throws SpecError with the field's name when an option is not legal.
  explicit FairHypervisor(const FairOptions& options = {});

  // Throw SpecError with the field's name when a fact is not legal.
  std::uint32_t add_host(const HostFacts& facts);
  std::uint32_t add_tenant(std::uint32_t host, const TenantFacts& facts);
  // The tenant goes to another host with its account, its lag and what is left of its quota.
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

  // The tenants whose `rate` has changed since the list was cleared, each once; among them may be
  // some whose rate is again what it was.
  const std::vector<std::uint32_t>& changed();
  void clear_changed();

  std::int64_t now() const { return now_; }
  std::size_t hosts() const { return hosts_.size(); }
  std::size_t tenants() const { return tenants_.size(); }
  // Of its vCPUs, those that run at this instant; 0 when it has been removed.
  double share(std::uint32_t tenant);
  // What all its vCPUs together get done, in reference vCPUs.
  double rate(std::uint32_t tenant);
  // The speed of each busy thread, in reference vCPUs; the mean with core scheduling.
  double speed(std::uint32_t host);
  // Asking changes nothing. At a `time` to come: as it will be then, if nobody changes a want, a
  // parameter or the set of tenants until then; no later than next_event().
  TenantAccount account(std::uint32_t tenant) const { return account(tenant, now_); }
  TenantAccount account(std::uint32_t tenant, std::int64_t time) const;
  // Times at which it was decided who runs.
  std::uint64_t decisions() const { return decisions_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(options_.slice_ns, options_.switch_cost_ns, options_.seed, options_.wake_preemption,
            options_.weight_per_vcpu, options_.core_scheduling, key_.k0, key_.k1);
    std::uint64_t hosts = hosts_.size();
    archive(hosts);
    hosts_.resize(static_cast<std::size_t>(hosts));
    for (Host& host : hosts_) host.serialize(archive);
    archive(tenants_, units_, dirty_, changed_, now_, decisions_);
    calendar_.serialize(archive);
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  static constexpr std::size_t fetched_ahead = 3;  // decisions
  static constexpr int128 rebase_above = static_cast<int128>(1) << 110;

  enum class Place : std::uint16_t {
    away,     // not runnable
    aside,    // runs, on a thread of its own
    running,  // competes, as the rest
    waiting,
    indebted,  // is not runnable, but ahead of its share
  };

  // What gets a thread: a vCPU, or with core scheduling what gets a core.
  struct alignas(64) Unit {
    int128 ran = 0;       // virtual, at `since`; of one that competes
    int128 deadline = 0;  // virtual
    std::int64_t since = 0;
    std::int64_t left = 0;  // of its request at `since`, ns
    std::int64_t lag = 0;   // of one that does not compete, 2^-16 ns
    std::uint32_t tenant = 0;
    Place place = Place::away;
    std::uint16_t fresh = 1;  // has not competed on this host
  };

  // Who runs, by the end of the slice; who does nothing yet, by the end of the switch.
  struct Turn {
    std::int64_t end = 0;
    std::uint32_t unit = 0;
    std::uint32_t tenant = 0;
    friend bool operator<(const Turn& a, const Turn& b) {
      return a.end < b.end || (a.end == b.end && a.unit < b.unit);
    }
  };

  // Who waits.
  struct Waiter {
    int128 deadline = 0;
    std::uint32_t unit = 0;
    std::uint32_t tenant = 0;
    std::uint64_t unused = 0;  // no padding
    friend bool operator<(const Waiter& a, const Waiter& b) {
      return a.deadline < b.deadline || (a.deadline == b.deadline && a.unit < b.unit);
    }
  };

  struct Host {
    HostFacts facts;
    std::vector<std::uint32_t> tenants;
    std::vector<Turn> capped;  // those of them with a quota, and when it runs out or is renewed
    SortedLine<Turn> running;  // of those who compete
    SortedLine<Waiter> waiting;
    std::vector<std::uint32_t> indebted;
    SortedLine<Turn> switching;
    // Of those who compete, with weights w and virtual runtimes v at `synced`:
    int128 sum = 0;   // of w (v - base)
    int128 base = 0;  // near the mean, so that products stay small
    int128 pace = 0;  // at which the sum grows, a ns
    std::int64_t weight = 0;
    std::int64_t synced = 0;
    int128 done_a_thread = 0;  // 2^-32 ns of a reference vCPU, until speed_since
    std::int64_t speed_since = 0;
    std::int64_t speed_fixed = 0;  // 2^-32
    double speed = 1.0;
    std::int64_t idle_booked = 0;               // forced idle has been booked until then
    std::int64_t quota_at = EventQueue::never;  // the first of capped, unless quota_stale
    std::uint32_t per_unit = 1;                 // vCPUs
    std::uint32_t places = 1;                   // for units
    std::uint32_t aside = 0;                    // units
    std::uint32_t busy = 0;                     // threads
    std::uint32_t busy_units = 0;
    std::uint32_t runnable = 0;  // units
    EventQueue::Handle event = EventQueue::none;
    std::uint32_t dirty = 0;
    std::uint32_t quota_stale = 0;

    // Lets virtual time pass. The base follows, so that products keep within 128 bits.
    void sync(std::int64_t time) {
      sum += pace * (time - synced);
      synced = time;
      if (sum > rebase_above || sum < -rebase_above) [[unlikely]] {
        const int128 by = sum / weight;
        base += by;
        sum -= by * weight;
      }
    }
    int128 mean() const { return weight == 0 ? base : base + sum / weight; }
    int128 done_by(std::int64_t time) const {
      return done_a_thread + static_cast<int128>(speed_fixed) * (time - speed_since);
    }
    bool eligible(int128 ran) const { return (ran - base) * weight <= sum; }

    template <class Archive>
    void serialize(Archive& archive) {
      archive(facts.cores, facts.threads_per_core, facts.smt_gain, facts.speed, tenants, capped,
              indebted, sum, base, pace, weight, synced, done_a_thread, speed_since, speed_fixed,
              speed, idle_booked, quota_at, per_unit, places, aside, busy, busy_units, runnable,
              event, dirty, quota_stale);
      running.serialize(archive);
      waiting.serialize(archive);
      switching.serialize(archive);
    }
  };

  // Integrals over time are kept as what they are without the present: a vCPU that begins to run
  // at t takes t from `run`, one that ends gives t, so that run + running x now is the time run,
  // and nothing has to be counted in between. Unsigned, because what is in between may wrap.
  struct alignas(64) Tenant {
    static constexpr bool plain_doubles = true;
    int128 work = 0;        // 2^-32 ns
    std::int64_t pace = 0;  // virtual runtime a ns, of a unit
    std::int64_t part = 0;  // the weight of a unit
    std::uint64_t run = 0;
    std::uint32_t want = 0;
    std::uint32_t running = 0;  // vCPUs
    std::uint32_t first_unit = 0;
    std::uint32_t host = none;
    std::uint16_t listed = 0;  // in changed_
    std::uint16_t exhausted = 0;
    std::uint32_t capped = none;  // place among the capped of the host

    std::uint64_t wanted = 0;
    std::uint64_t by_quota = 0;
    std::uint64_t forced_idle = 0;  // counted as time passes
    double weight = 1.0;
    std::int64_t started = 0;
    std::int64_t ended = EventQueue::never;
    std::uint32_t working = 0;  // vCPUs, without those still switching
    std::uint32_t working_units = 0;
    std::uint32_t vcpus = 1;
    std::uint32_t place = 0;  // among the host's tenants

    std::int64_t quota_ns = 0;
    std::int64_t period_ns = 0;
    std::int64_t phase_ns = 0;
    std::int64_t period_end = 0;  // of the period of counted_to
    std::int64_t left_ns = 0;     // of the quota, at counted_to
    std::int64_t counted_to = 0;
    std::uint32_t parts = 0;     // runnable units its weight is for
    std::uint32_t runnable = 0;  // units, as decided last
    std::uint32_t alone = 1;     // its units do not compete
    std::uint32_t unused = 0;    // no padding

    std::int64_t period_end_after(std::int64_t time) const {
      const std::int64_t since = (time - phase_ns) % period_ns;
      return time + period_ns - (since < 0 ? since + period_ns : since);
    }
  };
  static_assert(sizeof(Unit) == 64 && sizeof(Tenant) == 192);

  // Accounts, quotas and time: fair_hypervisor.cpp.
  Tenant& present(std::uint32_t tenant);
  void enter(std::uint32_t tenant, std::uint32_t host);
  void leave(std::uint32_t tenant);
  void mark(std::uint32_t host);
  void list(std::uint32_t tenant) {
    if (tenants_[tenant].listed != 0) return;
    tenants_[tenant].listed = 1;
    changed_.push_back(tenant);
  }
  double rate_of(const Tenant& it) const;
  int128 done_by(const Host& host, std::uint32_t vcpus, std::int64_t time) const;
  void count_quota(Tenant& it, std::int64_t time);
  void want_from(Tenant& it, std::uint32_t want, std::int64_t time);
  void set_speed(Host& host, std::int64_t time);
  void book_forced_idle(Host& host, std::int64_t time);
  template <class Book>
  void each_forced_idle(const Host& host, Book book) const;
  void expect(Host& host, Tenant& it, std::int64_t time);
  void renew_quotas(Host& host, std::int64_t time);
  std::int64_t next_of(Host& host);
  void run(Host& host, std::int64_t until);
  void schedule(std::uint32_t host);
  void settle_all();

  // Who competes and who runs: fair_decisions.cpp, fair_turns.cpp.
  static std::uint32_t vcpus_of(const Host& host, const Tenant& it, std::uint32_t unit);
  static bool on_thread(const Unit& unit) {
    return unit.place == Place::aside || unit.place == Place::running;
  }
  static bool competes(const Unit& unit) { return unit.place >= Place::running; }
  std::uint32_t runnable_units(const Host& host, const Tenant& it) const;
  void set_weight(Tenant& it, std::uint32_t parts);
  void resize(Host& host, Tenant& it, std::uint32_t want, std::int64_t time);
  bool renew(Host& host, std::uint32_t tenant, std::int64_t time);
  void settle(Host& host, std::int64_t time);
  void claim(const Host& host);
  bool regroup(Host& host, Tenant& it, std::uint32_t runnable, bool alone, std::int64_t time);
  bool become_runnable(Host& host, std::uint32_t number, bool alone, bool has_quit,
                       std::int64_t time);
  void block(Host& host, std::uint32_t number, bool alone, bool has_quit, std::int64_t time);
  void place_entering(Host& host, std::int64_t time);
  void hand_out(Host& host, bool woken, std::int64_t time);
  void turn(Host& host, std::int64_t time);
  void fetch(const Host& host, std::size_t ahead) const;
  void forget_paid_debts(Host& host);
  std::size_t next_waiter(const Host& host) const;
  std::size_t worst_running(const Host& host) const;
  void occupy(Host& host, std::uint32_t number, bool pays, std::int64_t time);
  void vacate(Host& host, std::uint32_t number, std::int64_t time);
  void resume(Host& host, std::uint32_t number, std::int64_t time);
  void preempt(Host& host, std::size_t running, std::int64_t time);
  void wait(Host& host, std::uint32_t number);
  void quit(Host& host, std::uint32_t number, std::int64_t time);
  void ask(Unit& unit, std::uint32_t number);

  FairOptions options_;
  StreamKey key_;
  std::vector<Host> hosts_;
  std::vector<Tenant> tenants_;
  std::vector<Unit> units_;           // of each tenant as many as vCPUs, in a row
  std::vector<std::uint32_t> dirty_;  // hosts where something has changed at this instant
  std::vector<std::uint32_t> changed_;
  EventQueue calendar_;  // one entry a host
  std::int64_t now_ = 0;
  std::uint64_t decisions_ = 0;
  // For the time of one call only.
  std::vector<Claim> claims_;
  std::vector<std::uint32_t> entering_;
  int128 mean_ = 0;
};

}  // namespace nephoscope
