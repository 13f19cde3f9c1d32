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
// missed are made up for when something changes, whole cycles of them at once; the debits of
// decisions that a quiet host has left out come with the ticks after them.
//
// On a saturated host that nobody wakes on or blocks for a while the queues, timers and sets give
// way to rounds, in which decisions cost less (credit_round.cpp); a change brings them back. What
// happens is the same to the bit.
//
// Nor is a debit more than a sum of ns: credits are looked at by accountings alone, which make
// whole credits of what is owed, row by row. Inside, times are relative to the last accounting.
//
// Invariants between calls, rounds apart: no pCPU is idle while a vCPU is queued; a busy pCPU has a
// timer, an idle one none; a vCPU is in one queue, on one pCPU or neither, and runs where it was
// last if it is there; the masks say what is in the queues, and one that is not `unsorted` is
// sorted.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/hypervisor/cpu_sets.hpp"
#include "compute/hypervisor/credit_options.hpp"
#include "compute/hypervisor/credit_round.hpp"
#include "compute/hypervisor/credit_rows.hpp"
#include "compute/hypervisor/credit_tiers.hpp"
#include "compute/hypervisor/hypervisor_facts.hpp"
#include "compute/hypervisor/timer_ring.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

class CreditHost {
 public:
  using Index = CreditRows::Index;  // of a vCPU, a member or a pCPU of this host
  using Priority = CreditRows::Priority;
  using Vcpu = CreditVcpu;
  static constexpr Index none = CreditRows::none;
  static constexpr std::int64_t never = TimerRing::never;
  static constexpr std::uint32_t most_vcpus = 65'534;

  // A tenant on this host.
  struct Member {
    std::int64_t run_ns = 0;  // but for what its vCPUs have owed and paid since
    std::uint32_t tenant = 0;
    std::uint32_t weight = 0;       // of each vCPU
    std::uint32_t cap_percent = 0;  // of a pCPU; 0: none
    Index first = 0;                // its vCPUs are next to each other
    Index vcpus = 0;
    Index active = 0;  // vCPUs
    Index tier = 0;    // of its weight
    std::uint32_t spare = 0;
  };

  // And the rest of its account.
  struct Ledger {
    static constexpr bool plain_doubles = true;

    std::int64_t quota_ns = 0;  // of parkings that have ended
    std::int64_t paced_ns = 0;  // what it had run when work was counted last
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

  bool has_room(std::uint32_t vcpus) const { return rows_.size() + vcpus <= most_vcpus; }
  // The vCPUs of the parcel that want to run wake, without boost. Returns the member's number.
  std::uint32_t enter(const Parcel& parcel, std::int64_t now);
  // The numbers of the members after it go down by one; who was touched until then is added to
  // `touched`.
  Parcel leave(std::uint32_t member, std::int64_t now, std::vector<std::uint32_t>& touched);

  // Lets the accountings pass that a quiet host has left out; before any change.
  void catch_up(std::int64_t now);
  void wake(std::uint32_t vcpu, std::int64_t now);
  void block(std::uint32_t vcpu, std::int64_t now);
  // After changes; timers of a quiet host may be in the past.
  void settle_timers(std::int64_t now);

  // Brings what advance(until) will look at nearer; the second, what the first will look at.
  void fetch(std::int64_t until) const {
    rows_.fetch(round_.on != 0, until >= next_accounting());
    if (round_.on == 0) {
      timers_.fetch();
      NEPHOSCOPE_PREFETCH(sets_.data());
    }
    NEPHOSCOPE_PREFETCH(tiers_.each());
  }
  void fetch_head() const {
    const auto* const line = reinterpret_cast<const char*>(this);
    for (std::size_t at = 0; at < sizeof(*this); at += 64) NEPHOSCOPE_PREFETCH(line + at);
  }

  // Everything that is due by `until`.
  void advance(std::int64_t until);
  std::int64_t next_time() const;

  std::uint32_t members() const { return static_cast<std::uint32_t>(members_.size()); }
  const Member& member(std::uint32_t at) const { return members_[at]; }
  Vcpu vcpu(std::uint32_t at) const;
  std::uint32_t share(std::uint32_t member) const;  // of its vCPUs that run
  // Up to now, turns and parkings under way included.
  std::int64_t run_ns(std::uint32_t member, std::int64_t now) const;
  std::int64_t quota_ns(std::uint32_t member, std::int64_t now) const;
  std::int64_t work_ns(std::uint32_t member, std::int64_t now) const;
  double speed() const { return speed_; }
  std::uint64_t decisions() const { return decisions_; }
  std::uint32_t cpus() const { return static_cast<std::uint32_t>(rows_.cpus()); }
  // A tick of a pCPU is due at this + k x tick.
  std::int64_t tick_phase(std::uint32_t cpu) const;
  std::int64_t next_accounting() const { return base_ + period_; }

  // Whether the number of running vCPUs of a tenant, or its speed, may have changed since the
  // tenants were visited; true once.
  bool is_newly_touched();
  // Visits those tenants, some more than once.
  template <class Visit>
  void take_touched(Visit visit);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(facts_.cores, facts_.threads_per_core, facts_.smt_gain, facts_.speed);
    archive(options_.slice_ns, options_.ratelimit_ns, options_.dither_ns, options_.seed);
    archive(options_.boost, options_.exact_debit, options_.activate_at_decision, options_.aligned);
    archive(key_.k0, key_.k1, tick_, period_, base_, epoch_, members_, ledgers_, joined_);
    archive(order_, touched_, listed_);
    rows_.serialize(archive);
    tiers_.serialize(archive);
    timers_.serialize(archive);
    sets_.serialize(archive);
    archive(balance_, active_weight_, draws_, dithers_, decisions_, speed_, accountings_, threads_);
    archive(round_, runnable_, capped_, capped_members_, busy_, stolen_from_, kicked_, placed_);
  }

 private:
  using Cpu = CreditRows::Cpu;

  // The schedule (credit_schedule.cpp).
  void decide_until(std::int64_t until);
  void join_if_seen(std::uint32_t at, std::int64_t now);
  void turn(std::uint32_t at, std::int64_t now, bool stays);
  void arm(std::uint32_t at, std::int64_t time);
  void move_epoch();
  void choose(std::uint32_t at, Priority mine, std::int64_t now);
  void decide(std::uint32_t at, std::int64_t now, bool stays = true);
  void run(std::uint32_t at, std::uint32_t next, std::int64_t now);
  std::int64_t slice();
  void draw_dithers();
  void insert(std::uint32_t at, std::uint32_t vcpu);
  std::uint32_t unlink(std::uint32_t at, Index* link);
  void remove(std::uint32_t vcpu);
  void sort_if_due(std::uint32_t at, std::int64_t now);
  void sort_all();
  void sort(std::uint32_t at);
  void sort_round();
  std::uint32_t steal(std::uint32_t at, Priority above, std::int64_t now);
  void make_runnable(std::uint32_t vcpu, std::int64_t now);
  void stop(std::uint32_t vcpu, std::int64_t now);

  // The same where nobody wakes or blocks (credit_round.cpp).
  bool may_play() const;
  void consider_round();
  void go_on();
  void begin_round();
  std::array<std::uint64_t, 2> inactive_set() const;
  void mark_queues();
  void order_timers(const CreditRound::Ranks& ranks);
  void draw_ahead(const CreditRound::Ranks& ranks);
  CreditRound::Columns columns();
  void play(std::int64_t until);
  template <class Visit>
  void visit_inactive(Visit visit);
  void join_seen_by(std::int32_t last);
  void see_round();
  void play_to(std::int32_t last);
  std::uint32_t pay_until(std::int32_t last, std::int32_t* ran);
  void decide_each(const std::uint8_t* cpus, std::size_t count);
  void touch_switched();
  void leave_round();

  // Credits (credit_accounting.cpp).
  void debit(std::uint32_t at, std::int64_t to);
  void debit_ticks(std::uint32_t at, std::int64_t to);
  void see_ticks(std::uint32_t at, std::int64_t to);
  void join(std::uint32_t vcpu);
  void quit(std::uint32_t vcpu);
  void account();
  void close_turns();
  void see_all_ticks();
  bool hand_out_by_weight();
  void hand_out();
  void give(const Member& member, std::int32_t each, std::int32_t cap_credit);
  void judge();
  void dismiss(std::size_t first, std::uint64_t rich);
  void park_and_release();
  void tell_members();
  void skip(std::int64_t ns);
  std::uint64_t signature() const;

  // Between two times that members are told.
  static constexpr std::uint32_t accountings_told = 65'536;

  bool quiet() const { return runnable_ <= threads_ && capped_ == 0; }
  void forget(std::uint32_t member);
  bool is_running(std::uint32_t vcpu) const { return rows_.cpu[rows_.at[vcpu]].current == vcpu; }
  // Without a branch, for who is there cannot be foretold.
  Priority priority_of(std::uint32_t vcpu_or_none) const {
    const int there = vcpu_or_none != none ? -1 : 0;
    const int priority = rows_.priority[vcpu_or_none & static_cast<unsigned>(there)];
    return Priority((priority & there) | (Vcpu::nobody & ~there));
  }
  // Whether ticks change nothing about who runs but its credits.
  bool is_settled(std::uint32_t vcpu) const {
    return rows_.tier[vcpu] != 0 && rows_.priority[vcpu] != Vcpu::boosted;
  }
  Ledger with_work(std::uint32_t member, std::int64_t now) const;
  void set_busy(std::uint32_t busy, std::int64_t now);

  HostFacts facts_;
  CreditOptions options_;
  StreamKey key_;
  std::int32_t tick_ = 0;
  std::int32_t period_ = 0;  // of accounting
  std::int64_t base_ = 0;    // the last accounting, or where it would have been
  std::int64_t epoch_ = 0;   // of timers
  CreditRows rows_;
  TimerRing timers_;
  CpuSets sets_;
  CreditRound round_;
  CreditTiers tiers_;
  std::vector<Member> members_;
  std::vector<Ledger> ledgers_;     // of the members
  std::vector<Index> joined_;       // members without active vCPUs at the last accounting, with now
  std::vector<Index> order_;        // members with active vCPUs, as the pass visits them
  std::vector<std::int32_t> each_;  // scratch: what vCPUs get
  std::vector<std::uint32_t> turned_;  // scratch: vCPUs to be parked or released
  std::int64_t balance_ = 0;           // sum of credits after the last accounting
  std::int64_t active_weight_ = 0;
  std::uint64_t draws_ = 0;
  std::array<std::uint32_t, 16> dithers_{};  // of this draw and its neighbours
  std::uint64_t decisions_ = 0;
  double speed_ = 1.0;
  std::uint32_t accountings_ = 0;
  std::uint32_t threads_ = 0;
  std::uint32_t runnable_ = 0;  // vCPUs
  std::uint32_t capped_ = 0;    // vCPUs with a cap that want to run or are parked
  std::uint32_t capped_members_ = 0;
  std::uint32_t busy_ = 0;  // pCPUs
  std::uint32_t stolen_from_ = 0;
  std::uint32_t kicked_ = 0;
  std::uint32_t placed_ = 0;
  std::uint8_t touched_ = 0;
  std::uint8_t listed_ = 0;
};

// Whoever runs there pays for the time until `to`.
inline void CreditHost::debit(std::uint32_t at, std::int64_t to) {
  if (!options_.exact_debit) debit_ticks(at, to);
  const std::int64_t ran = to - rows_.counted[at];
  if (ran <= 0) return;
  rows_.owed[rows_.cpu[at].current] += static_cast<std::uint32_t>(ran);
  rows_.counted[at] = static_cast<std::int32_t>(to);
}

NEPHOSCOPE_HOT std::int64_t CreditHost::slice() {
  if (draws_ % dithers_.size() == 0) [[unlikely]]
    draw_dithers();
  return options_.slice_ns + dithers_[draws_++ % dithers_.size()];
}

inline bool CreditHost::is_newly_touched() {
  const bool newly = touched_ != 0 && listed_ == 0;
  listed_ = touched_;
  return newly;
}

template <class Visit>
void CreditHost::take_touched(Visit visit) {
  if (round_.switched != 0) touch_switched();
  for (std::size_t word = 0; word < rows_.touched_words(); ++word) {
    for (std::uint64_t left = rows_.touched[word]; left != 0; left &= left - 1) {
      const std::size_t vcpu = 64 * word + static_cast<std::size_t>(std::countr_zero(left));
      visit(members_[rows_.member[vcpu]].tenant);
    }
    rows_.touched[word] = 0;
  }
  touched_ = listed_ = 0;
}

}  // namespace nephoscope
