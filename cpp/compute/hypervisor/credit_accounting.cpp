// The credits of a host: debits, ticks, accounting. Times are relative to the last accounting.

#include <algorithm>
#include <bit>
#include <cstring>

#include "compute/hypervisor/credit_host.hpp"
#include "compute/hypervisor/credit_passes.hpp"

namespace nephoscope {

namespace {

std::int64_t divide_up(std::int64_t amount, std::int64_t by) {
  // In 32 bits where they will do: half the time of a division in 64.
  if (((amount + by) | by) >> 32 == 0) {
    const auto narrow = static_cast<std::uint32_t>(by);
    return (static_cast<std::uint32_t>(amount) + (narrow - 1)) / narrow;
  }
  return (amount + by - 1) / by;
}

}  // namespace

std::int64_t CreditHost::tick_phase(std::uint32_t cpu) const {
  return (next_accounting() + tick_ - rows_.lag[cpu]) % tick_;
}

// Without exact debit: for every tick that has found it running.
void CreditHost::debit_ticks(std::uint32_t at, std::int64_t to) {
  if (to <= rows_.counted[at]) return;
  const std::int64_t ticks =
      (to + rows_.lag[at]) / tick_ - (rows_.counted[at] + rows_.lag[at]) / tick_;
  rows_.credit[rows_.cpu[at].current] -= static_cast<std::int32_t>(ticks) * options_.tick_credits();
}

// What ticks until `to` have done to who runs there, beside the debit. One at the instant of the
// switch was before it, and accountings have seen those until them.
void CreditHost::see_ticks(std::uint32_t at, std::int64_t to) {
  const std::uint32_t vcpu = rows_.cpu[at].current;
  if (is_settled(vcpu)) return;
  const std::int64_t tick = (to + rows_.lag[at]) / tick_ * tick_ - rows_.lag[at];
  if (tick <= rows_.since[at] || tick <= 0) return;
  if (rows_.priority[vcpu] == Vcpu::boosted) rows_.priority[vcpu] = Vcpu::under;
  if (rows_.tier[vcpu] == 0) join(vcpu);
}

// The active set takes it in, or lets it go.
void CreditHost::join(std::uint32_t vcpu) {
  const Index number = rows_.member[vcpu];
  Member& member = members_[number];
  rows_.tier[vcpu] = member.tier;
  tiers_.activate(member.tier);
  active_weight_ += member.weight;
  if (member.active++ == 0) joined_.push_back(number);
}

void CreditHost::quit(std::uint32_t vcpu) {
  Member& member = members_[rows_.member[vcpu]];
  rows_.tier[vcpu] = 0;
  tiers_.deactivate(member.tier);
  active_weight_ -= member.weight;
  --member.active;
}

void CreditHost::account() {
  close_turns();
  turned_.clear();
  if (!joined_.empty()) {
    std::sort(joined_.begin(), joined_.end());
    order_.insert(order_.begin(), joined_.begin(), joined_.end());
    joined_.clear();
  }
  if (capped_members_ != 0 || !hand_out_by_weight()) hand_out();
  judge();
  if (++accountings_ % accountings_told == 0) tell_members();
  if (!turned_.empty()) park_and_release();
  if (round_.on != 0) {
    go_on();
  } else {
    consider_round();
  }
}

// Whoever runs has seen all ticks and paid until the last, and each queue has been sorted at one;
// time goes on from here.
void CreditHost::close_turns() {
  if (!options_.exact_debit) {
    for (std::uint32_t at = 0; at < cpus(); ++at) {
      if (rows_.cpu[at].current != none) debit_ticks(at, period_ - rows_.lag[at]);
    }
  }
  see_all_ticks();
  sort_all();
  const credit_passes::Turns turns{rows_.cpus(), rows_.since, rows_.counted, rows_.lag, period_};
  run_on(VectorPath::automatic,
         [&]() NEPHOSCOPE_INLINE { credit_passes::close(turns, rows_.ran); });
  for (std::size_t at = 0; at < rows_.cpus(); ++at) {
    const std::uint32_t vcpu = rows_.cpu[at].current;
    if (vcpu != none) rows_.owed[vcpu] += static_cast<std::uint32_t>(rows_.ran[at]);
  }
  base_ += period_;
  if (round_.on == 0) move_epoch();
}

// Only who is not settled can have changed.
void CreditHost::see_all_ticks() {
  if (round_.on != 0) return see_round();
  for (std::size_t first = 0; first < rows_.size(); first += byte_lanes) {
    const ByteLanes inactive = zeros_of(load_lanes(&rows_.tier[first]));
    ByteLanes changes;
    std::memcpy(changes.data(), &rows_.priority[first], byte_lanes);
    for (std::size_t k = 0; k < byte_lanes; ++k) {
      const int boosted = changes[k] == Vcpu::boosted ? -1 : 0;
      changes[k] = static_cast<std::int8_t>(inactive[k] | boosted);
    }
    for (std::uint64_t left = bits_of(changes); left != 0; left &= left - 1) {
      const std::size_t vcpu = first + static_cast<std::size_t>(std::countr_zero(left));
      const std::uint32_t at = rows_.at[vcpu];
      if (rows_.cpu[at].current == vcpu) see_ticks(at, period_ - rows_.lag[at]);
    }
  }
}

// Where even the heaviest vCPU gets less than it may keep, nobody leaves anything to others: then
// the order of the pass does not matter, and ceil(ceil(pool n w / W) / n) = ceil(pool w / W).
bool CreditHost::hand_out_by_weight() {
  const std::int64_t pool = options_.credits() * static_cast<std::int64_t>(rows_.cpus()) -
                            std::min<std::int64_t>(balance_, 0);
  return tiers_.give(options_.credits(),
                     [&](std::int64_t weight) { return divide_up(pool * weight, active_weight_); });
}

// The one pass: what a tenant may not or need not take is offered to those after it.
void CreditHost::hand_out() {
  const std::int64_t credits = options_.credits();
  const std::int64_t weight = active_weight_;
  const std::int64_t debt = std::min<std::int64_t>(balance_, 0);
  std::int64_t pool = credits * static_cast<std::int64_t>(rows_.cpus()) - debt;
  std::int64_t weight_left = weight;
  bool more_wanted = false;
  each_.assign(rows_.rows(), CreditTiers::nothing);
  for (std::size_t at = 0; at < order_.size(); ++at) {
    const Member& member = members_[order_[at]];
    const std::int64_t count = member.active;
    const std::int64_t heavy = count * member.weight;
    weight_left -= heavy;
    std::int64_t most = credits * count;
    if (debt < 0) most += divide_up(-debt * heavy, weight);
    std::int64_t cap_credit = 0;
    if (member.cap_percent != 0) {
      const std::int64_t cap = divide_up(credits * member.cap_percent, 100);
      most = std::min(most, cap);
      cap_credit = divide_up(cap, count);
    }
    std::int64_t given = divide_up(pool * heavy, weight);
    if (given < most) {
      more_wanted = true;
    } else {
      if (weight_left > 0) pool += divide_up((given - most) * weight, weight_left);
      given = most;
      if (more_wanted) {
        const auto here = order_.begin() + static_cast<std::ptrdiff_t>(at);
        std::rotate(order_.begin(), here, here + 1);
      }
    }
    const std::int64_t each = given == credits * count ? credits : divide_up(given, count);
    give(member, static_cast<std::int32_t>(each), static_cast<std::int32_t>(cap_credit));
  }
}

// Every active vCPU of the tenant gets `each`; who has overdrawn the cap and who is to run again.
void CreditHost::give(const Member& member, std::int32_t each, std::int32_t cap_credit) {
  const std::uint32_t end = std::uint32_t{member.first} + member.vcpus;
  for (std::uint32_t at = member.first; at < end; ++at) {
    if (rows_.tier[at] == 0) continue;
    each_[at] = each;
    if (cap_credit == 0) continue;
    const std::int32_t credit = vcpu(at).credit + each;
    const bool turns = rows_.is(at, Vcpu::parked) ? credit >= 0 : credit < -cap_credit;
    if (turns) turned_.push_back(at);
  }
}

// Row by row, 64 at a time.
void CreditHost::judge() {
  balance_ = 0;
  for (CpuSets::Word& word : sets_.words()) word.high = word.unsorted = 0;
  bool dismissed = false;
  for (std::size_t first = 0; first < rows_.size(); first += credit_passes::rows_together) {
    const credit_passes::Rows rows{std::min(credit_passes::rows_together, rows_.rows() - first),
                                   &rows_.credit[first],
                                   &rows_.owed[first],
                                   &rows_.paid[first],
                                   &rows_.priority[first],
                                   &rows_.flags[first],
                                   &rows_.tier[first],
                                   tiers_.each(),
                                   each_.empty() ? nullptr : &each_[first],
                                   options_.credits(),
                                   options_.exact_debit ? 0xFFFFFFFFU : 0};
    credit_passes::Verdict verdict;
    run_on(VectorPath::automatic,
           [&]() NEPHOSCOPE_INLINE { verdict = credit_passes::judge_rows(rows); });
    balance_ += verdict.sum;
    if (round_.on == 0) {
      // Priorities in the queues have changed: those with both kinds are sorted at the next tick.
      sets_.add(&CpuSets::Word::high, verdict.high, &rows_.at[first]);
      sets_.add(&CpuSets::Word::unsorted, verdict.low, &rows_.at[first]);
    }
    if (verdict.rich == 0) continue;
    dismiss(first, verdict.rich);
    dismissed = true;
  }
  for (CpuSets::Word& word : sets_.words()) word.unsorted &= word.high;
  each_.clear();
  if (dismissed) std::erase_if(order_, [&](Index it) { return members_[it].active == 0; });
}

// Whoever has more than it may keep leaves the active set with half.
void CreditHost::dismiss(std::size_t first, std::uint64_t rich) {
  for (; rich != 0; rich &= rich - 1) {
    const std::size_t at = first + static_cast<std::size_t>(std::countr_zero(rich));
    std::int32_t& credit = rows_.credit[at];
    balance_ -= credit - credit / 2;
    credit /= 2;
    quit(static_cast<std::uint32_t>(at));
  }
}

// Overdrawn caps and caps paid back.
void CreditHost::park_and_release() {
  for (std::size_t at = 0; at < turned_.size(); ++at) {
    const std::uint32_t vcpu = turned_[at];
    const bool wanting = rows_.is(vcpu, Vcpu::wanting);
    if (rows_.is(vcpu, Vcpu::parked)) {
      rows_.drop(vcpu, Vcpu::parked);
      if (wanting) {
        ledgers_[rows_.member[vcpu]].quota_ns += base_ - rows_.parked_since[vcpu];
        make_runnable(vcpu, 0);
      } else {
        --capped_;
      }
    } else {
      rows_.put(vcpu, Vcpu::parked);
      rows_.parked_since[vcpu] = base_;
      if (wanting) {
        stop(vcpu, 0);
      } else {
        ++capped_;
      }
    }
  }
}

// Before what has been paid is more than 32 bits.
void CreditHost::tell_members() {
  for (std::size_t vcpu = 0; vcpu < rows_.size(); ++vcpu) {
    members_[rows_.member[vcpu]].run_ns += rows_.paid[vcpu] * CreditOptions::credit_ns;
    rows_.paid[vcpu] = 0;
  }
}

// Everything that decides how the accountings of a quiet host go on, as a hash of 64 bits.
std::uint64_t CreditHost::signature() const {
  std::uint64_t sum = 0xCBF29CE484222325U;
  const auto add = [&](std::uint64_t word) {
    sum = (sum ^ word) * 0x100000001B3U;
    sum ^= sum >> 29;
  };
  for (std::size_t at = 0; at < rows_.size(); ++at) {
    const auto credit = static_cast<std::uint32_t>(rows_.credit[at]);
    const auto priority = static_cast<std::uint8_t>(rows_.priority[at]);
    add(credit | std::uint64_t{priority} << 32 | std::uint64_t{rows_.flags_of(at)} << 40);
    add(rows_.owed[at] | std::uint64_t{rows_.tier[at]} << 32);
  }
  for (std::uint32_t at = 0; at < cpus(); ++at) {
    if (rows_.cpu[at].current != none) add(static_cast<std::uint32_t>(rows_.counted[at]));
  }
  for (const Index member : order_) add(member);
  add(static_cast<std::uint64_t>(balance_));
  return sum;
}

// Nobody is moved or parked on a quiet host, so its accountings are a map of a few numbers onto
// themselves, and come round. Brent's search ("An improved Monte Carlo factorization algorithm",
// 1980) finds the cycle; then whole cycles are left out.
void CreditHost::catch_up(std::int64_t now) {
  if (round_.on != 0) leave_round();
  round_.calm = 0;
  if (next_accounting() > now || !quiet()) return;
  std::int64_t left = (now - base_) / period_;
  std::int64_t length = 0;
  std::int64_t power = 1;
  bool seeking = left > 4;
  std::uint64_t mark = seeking ? signature() : 0;
  for (; left > 0; --left) {
    account();
    if (!seeking) continue;
    ++length;
    const std::uint64_t found = signature();
    if (found == mark) {
      const std::int64_t skipped = (left - 1) / length * length;
      skip(skipped * period_);
      left -= skipped;
      seeking = false;
    } else if (length == power) {
      mark = found;
      power *= 2;
      length = 0;
    }
  }
}

// Time passes without a trace but that those who run have run.
void CreditHost::skip(std::int64_t ns) {
  base_ += ns;
  move_epoch();
  for (std::size_t at = 0; at < rows_.cpus(); ++at) {
    const Index vcpu = rows_.cpu[at].current;
    if (vcpu != none) members_[rows_.member[vcpu]].run_ns += ns;
  }
}

}  // namespace nephoscope
