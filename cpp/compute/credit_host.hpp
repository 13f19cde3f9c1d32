// One host under the credit scheduler: Xen's credit1, by its published rules.
//
// Every pCPU has a queue of its own; priorities are BOOST, UNDER and OVER. A vCPU pays 10 credits a
// ms for running, to the nanosecond with what is below a credit carried. Every 30 ms accounting
// hands out 300 credits a pCPU by the weight of the ACTIVE vCPUs (so weight counts per vCPU), in
// one pass over the tenants, and judges each: below 0 it is OVER, else UNDER. Above 300 a vCPU
// leaves the active set with half. A capped tenant gets no more than its cap; its vCPUs are parked
// when they have overdrawn it and released when they are back at 0.
//
// A vCPU that wakes with UNDER is BOOSTed, until a tick finds it running. It goes to its last pCPU;
// an idle pCPU is kicked if there is one, else it preempts who has a lower priority there, but
// nobody within the rate limit. A pCPU whose queue has nothing better than OVER steals the first
// vCPU of strictly higher priority from a busy one.
//
// Left out: migration at ticks, NUMA, affinity, yields. Where the rules leave a choice: tenants
// that have become active since the last accounting go to the head of the list of the pass, in the
// order in which they came to the host; the search for work to
// steal starts after the pCPU stolen from last, that for an idle pCPU to kick after the one kicked
// last; a new vCPU's first pCPU is the next in turn; at one instant ticks come before accounting,
// accounting before decisions, these in the order of pCPUs, and changes from outside come last.
//
// Ticks are not events. All that one does is a function of when it was: who ran then has lost its
// BOOST, was debited and is active; a queue is sorted at its first tick after an accounting. So
// ticks are counted when somebody looks: at decisions, wake-ups and accountings. What is left is a
// timer for each busy pCPU and the accounting, and neither while the host is quiet: with no more
// runnable vCPUs than pCPUs and no cap at work everybody runs and nothing is decided. Accountings
// missed are made up for when something changes, whole cycles of them at once.
//
// Invariants between calls: no pCPU is idle while a vCPU is queued; a vCPU is in one queue, on one
// pCPU or neither; `high` counts and masks say what is in the queues.

#pragma once

#include <cstdint>
#include <vector>

#include "compute/cpu_mask.hpp"
#include "compute/credit_options.hpp"
#include "compute/hypervisor_facts.hpp"
#include "compute/timer_ring.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

class CreditHost {
 public:
  using Index = std::uint16_t;  // of a vCPU, a member or a pCPU of this host
  static constexpr Index none = 0xFFFF;
  static constexpr std::int64_t never = TimerRing::never;
  static constexpr std::uint32_t most_vcpus = 65'534;

  enum Priority : std::int8_t { nobody = -64, over = -2, under = -1, boosted = 0 };

  struct Vcpu {
    enum Flag : std::uint8_t { wanting = 1, active = 2, parked = 4, queued = 8, running = 16 };

    std::int32_t credit = 0;
    std::uint32_t residual_ns = 0;  // ran, and not yet a whole credit
    Index next = none;              // behind it in its queue
    Index member = 0;
    Index cpu = 0;  // where it runs, is queued or was last
    Priority priority = under;
    std::uint8_t flags = 0;

    bool is(unsigned flag) const { return (flags & flag) != 0; }
    void put(unsigned flag) { flags = static_cast<std::uint8_t>(flags | flag); }
    void drop(unsigned flag) { flags = static_cast<std::uint8_t>(flags & ~flag); }
  };

  // A tenant on this host: what every switch and every accounting needs.
  struct Member {
    std::int64_t run_ns = 0;  // of turns that have ended
    std::uint32_t tenant = 0;
    std::uint32_t weight = 0;       // of each vCPU
    std::uint32_t cap_percent = 0;  // of a pCPU; 0: none
    Index first = 0;                // its vCPUs are next to each other
    Index vcpus = 0;
    Index active = 0;  // vCPUs
    Index listed = 0;  // among `touched`
    std::uint32_t spare = 0;
  };

  // And the rest of its account.
  struct Ledger {
    static constexpr bool plain_doubles = true;

    std::int64_t quota_ns = 0;  // of parkings that have ended
    std::int64_t paced_ns = 0;  // run_ns, turns under way included, when work was counted last
    std::int64_t work_ns = 0;
    double work_part = 0.0;  // below one ns

    void work(double speed, std::int64_t ns);
  };

  // A tenant between hosts.
  struct Parcel {
    Member member;
    Ledger ledger;
    std::vector<Vcpu> vcpus;
    std::vector<std::int64_t> parked_since;
  };

  CreditHost() = default;
  CreditHost(const HostFacts& facts, const CreditOptions& options, StreamKey key, std::int64_t now);

  bool has_room(std::uint32_t vcpus) const { return vcpus_.size() + vcpus <= most_vcpus; }
  // The vCPUs of the parcel that want to run wake, without boost. Returns the member's number.
  std::uint32_t enter(const Parcel& parcel, std::int64_t now);
  // The numbers of the members after it go down by one.
  Parcel leave(std::uint32_t member, std::int64_t now);

  // Lets the accountings pass that a quiet host has left out; before any change.
  void catch_up(std::int64_t now);
  void wake(std::uint32_t vcpu, std::int64_t now);
  void block(std::uint32_t vcpu, std::int64_t now);
  // After changes; timers of a quiet host may be in the past.
  void settle_timers(std::int64_t now);

  // Brings what advance() will look at nearer; the second, what the first will look at.
  void fetch() const {
    fetch_lines(vcpus_.data(), vcpus_.size() * sizeof(Vcpu));
    fetch_lines(cpus_.data(), cpus_.size() * sizeof(Cpu));
    fetch_lines(members_.data(), members_.size() * sizeof(Member));
    fetch_lines(timers_.data(), cpus_.size() * sizeof(TimerRing::Timer));
    fetch_lines(order_.data(), order_.size() * sizeof(Index));
  }
  void fetch_head() const { fetch_lines(this, sizeof(*this)); }

  // Everything that is due by `until`.
  void advance(std::int64_t until);
  std::int64_t next_time() const;

  std::uint32_t members() const { return static_cast<std::uint32_t>(members_.size()); }
  const Member& member(std::uint32_t at) const { return members_[at]; }
  Vcpu vcpu(std::uint32_t at) const { return vcpus_[at]; }
  std::uint32_t share(std::uint32_t member) const;  // of its vCPUs that run
  // Up to now, turns and parkings under way included.
  std::int64_t run_ns(std::uint32_t member, std::int64_t now) const;
  std::int64_t quota_ns(std::uint32_t member, std::int64_t now) const;
  std::int64_t work_ns(std::uint32_t member, std::int64_t now) const;
  double speed() const { return speed_; }
  std::uint64_t decisions() const { return decisions_; }
  std::uint32_t cpus() const { return static_cast<std::uint32_t>(cpus_.size()); }
  // A tick of a pCPU is due at this + k x tick.
  std::int64_t tick_phase(std::uint32_t cpu) const;
  std::int64_t next_accounting() const { return next_accounting_; }

  // Tenants whose number of running vCPUs or whose speed may have changed, until they are unlisted.
  std::vector<std::uint32_t>& touched() { return touched_; }
  void unlist(std::uint32_t member) { members_[member].listed = 0; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(facts_.cores, facts_.threads_per_core, facts_.smt_gain, facts_.speed);
    archive(options_.slice_ns, options_.ratelimit_ns, options_.dither_ns, options_.seed);
    archive(options_.boost, options_.exact_debit, options_.activate_at_decision, options_.aligned);
    archive(key_.k0, key_.k1, vcpus_, cpus_, members_, ledgers_, parked_since_, joined_);
    archive(order_, touched_);
    timers_.serialize(archive);
    idle_.serialize(archive);
    waiting_.serialize(archive);
    high_.serialize(archive);
    unsorted_.serialize(archive);
    archive(accounted_, next_accounting_, balance_, active_weight_, draws_, words_, decisions_);
    archive(speed_, runnable_, capped_, busy_, stolen_from_, kicked_, placed_);
  }

 private:
  struct Cpu {
    std::int64_t since = 0;       // when `current` was switched in
    std::int64_t counted_to = 0;  // its credits
    std::int64_t timer = never;
    std::uint32_t lag =
        0;  // of an accounting behind the last tick until it: from 0 to below a tick
    Index current = none;
    Index head = none;  // of the queue
    Index size = 0;     // of the queue
    Index high = 0;     // of these above OVER
    std::uint32_t spare = 0;
  };

  // The schedule (credit_schedule.cpp).
  void decide(std::uint32_t at, std::int64_t now);
  void run(std::uint32_t at, std::uint32_t next, std::int64_t now);
  void arm(std::uint32_t at, std::int64_t time);
  std::int64_t slice();
  void insert(std::uint32_t at, std::uint32_t vcpu);
  void remove(std::uint32_t vcpu);
  void note_queue(std::uint32_t at);
  void sort_if_due(std::uint32_t at, std::int64_t now);
  std::uint32_t steal(std::uint32_t at, Priority above, std::int64_t now);
  void make_runnable(std::uint32_t vcpu, std::int64_t now);
  void stop(std::uint32_t vcpu, std::int64_t now);

  // Credits (credit_accounting.cpp).
  void debit(std::uint32_t at, std::int64_t to);
  void debit_ticks(std::uint32_t at, std::int64_t to);
  void see_ticks(std::uint32_t at, std::int64_t to);
  std::int64_t ticks_by(std::uint32_t at, std::int64_t time) const;
  std::int64_t last_tick(std::uint32_t at, std::int64_t time) const;
  void join(Vcpu& it);
  void account(std::int64_t now);
  void hand_out();
  void judge(Member& member, std::int32_t each, std::int32_t cap_credit);
  void find_turned(const Member& member, std::int32_t each, std::int32_t cap_credit);
  void count_queues();
  void park_and_release(std::int64_t now);
  std::uint64_t signature() const;

  static void fetch_lines(const void* from, std::size_t bytes) {
    const auto* const line = static_cast<const char*>(from);
    for (std::size_t at = 0; at < bytes; at += 64) NEPHOSCOPE_PREFETCH(line + at);
  }
  bool quiet() const { return runnable_ <= cpus_.size() && capped_ == 0; }
  void touch(std::uint32_t member);
  Ledger with_work(std::uint32_t member, std::int64_t now) const;
  void set_busy(std::uint32_t busy, std::int64_t now);

  HostFacts facts_;
  CreditOptions options_;
  StreamKey key_;
  std::vector<Vcpu> vcpus_;
  std::vector<Cpu> cpus_;
  std::vector<Member> members_;
  std::vector<Ledger> ledgers_;             // of the members
  std::vector<std::int64_t> parked_since_;  // of the vCPUs, while they are and want to run
  std::vector<Index> joined_;  // members without active vCPUs at the last accounting, with now
  std::vector<Index> order_;   // members with active vCPUs, as the pass visits them
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> turned_;  // scratch: vCPUs to be parked or released
  TimerRing timers_;
  CpuMask idle_;
  CpuMask waiting_;  // something is in the queue
  CpuMask high_;     // something above OVER is
  CpuMask unsorted_;
  std::int64_t accounted_ = -1;
  std::int64_t next_accounting_ = 0;
  std::int64_t balance_ = 0;  // sum of credits after the last accounting
  std::int64_t active_weight_ = 0;
  std::uint64_t draws_ = 0;
  Philox4x64::Block words_{};
  std::uint64_t decisions_ = 0;
  double speed_ = 1.0;
  std::uint32_t runnable_ = 0;  // vCPUs
  std::uint32_t capped_ = 0;    // vCPUs with a cap that want to run or are parked
  std::uint32_t busy_ = 0;      // pCPUs
  std::uint32_t stolen_from_ = 0;
  std::uint32_t kicked_ = 0;
  std::uint32_t placed_ = 0;
};

// Whoever runs there pays for the time until `to`.
inline void CreditHost::debit(std::uint32_t at, std::int64_t to) {
  Cpu& cpu = cpus_[at];
  if (to <= cpu.counted_to) return;
  if (!options_.exact_debit) return debit_ticks(at, to);
  Vcpu& it = vcpus_[cpu.current];
  const auto owed = it.residual_ns + static_cast<std::uint64_t>(to - cpu.counted_to);
  const std::uint64_t whole = owed / CreditOptions::credit_ns;
  it.residual_ns = static_cast<std::uint32_t>(owed - whole * CreditOptions::credit_ns);
  it.credit -= static_cast<std::int32_t>(whole);
  cpu.counted_to = to;
}

}  // namespace nephoscope
