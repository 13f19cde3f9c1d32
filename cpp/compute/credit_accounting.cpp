// The credits of a host: debits, ticks, accounting.

#include <algorithm>

#include "compute/credit_host.hpp"

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
  const std::int64_t tick = options_.tick_ns();
  return (next_accounting_ + tick - cpus_[cpu].lag) % tick;
}

// Ticks of the pCPU that are not after `time`, but for a constant.
std::int64_t CreditHost::ticks_by(std::uint32_t at, std::int64_t time) const {
  const std::int64_t tick = options_.tick_ns();
  return (time + tick - tick_phase(at)) / tick;
}

std::int64_t CreditHost::last_tick(std::uint32_t at, std::int64_t time) const {
  const std::int64_t tick = options_.tick_ns();
  return (ticks_by(at, time) - 1) * tick + tick_phase(at);
}

// Without exact debit: for every tick that has found it running.
void CreditHost::debit_ticks(std::uint32_t at, std::int64_t to) {
  Cpu& cpu = cpus_[at];
  const std::int64_t ticks = ticks_by(at, to) - ticks_by(at, cpu.counted_to);
  vcpus_[cpu.current].credit -= static_cast<std::int32_t>(ticks) * options_.tick_credits();
  cpu.counted_to = to;
}

// What ticks until `to` have done to who runs there, beside the debit. One at the instant of the
// switch was before it, and accountings have seen those until them.
void CreditHost::see_ticks(std::uint32_t at, std::int64_t to) {
  const Cpu& cpu = cpus_[at];
  Vcpu& it = vcpus_[cpu.current];
  if (it.priority != boosted && it.is(Vcpu::active)) return;
  const std::int64_t tick = last_tick(at, to);
  if (tick <= cpu.since || tick <= accounted_) return;
  if (it.priority == boosted) it.priority = under;
  if (!it.is(Vcpu::active)) join(it);
}

void CreditHost::join(Vcpu& it) {
  it.put(Vcpu::active);
  Member& member = members_[it.member];
  active_weight_ += member.weight;
  if (member.active++ == 0) joined_.push_back(it.member);
}

void CreditHost::account(std::int64_t now) {
  for (std::uint32_t at = 0; at < cpus_.size(); ++at) {
    const Cpu& cpu = cpus_[at];
    if (cpu.current == none) continue;
    debit(at, now - cpu.lag);
    const Vcpu& it = vcpus_[cpu.current];
    if (!it.is(Vcpu::active) || it.priority == boosted) [[unlikely]]
      see_ticks(at, now - cpu.lag);
  }
  accounted_ = now;
  next_accounting_ = now + options_.accounting_ns();
  turned_.clear();
  if (!joined_.empty()) {
    std::sort(joined_.begin(), joined_.end());
    order_.insert(order_.begin(), joined_.begin(), joined_.end());
    joined_.clear();
  }
  hand_out();
  count_queues();
  if (!turned_.empty()) park_and_release(now);
}

// The one pass: what a tenant may not or need not take is offered to those after it.
void CreditHost::hand_out() {
  const std::int64_t credits = options_.credits();
  const std::int64_t weight = active_weight_;
  const std::int64_t debt = std::min<std::int64_t>(balance_, 0);
  std::int64_t pool = credits * static_cast<std::int64_t>(cpus_.size()) - debt;
  std::int64_t weight_left = weight;
  bool more_wanted = false;
  balance_ = 0;
  for (std::size_t at = 0; at < order_.size(); ++at) {
    Member& member = members_[order_[at]];
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
    judge(member, static_cast<std::int32_t>(each), static_cast<std::int32_t>(cap_credit));
  }
  std::erase_if(order_, [&](Index member) { return members_[member].active == 0; });
}

// Every active vCPU of the tenant gets `each`, and its priority by what it has then. Without
// branches on who has run and who is below 0, which nobody could foretell.
void CreditHost::judge(Member& member, std::int32_t each, std::int32_t cap_credit) {
  if (cap_credit != 0) find_turned(member, each, cap_credit);
  const std::int32_t most = options_.credits();
  Cpu* const cpus = cpus_.data();
  Vcpu* const first = vcpus_.data() + member.first;
  Vcpu* const end = first + member.vcpus;
  std::int64_t sum = 0;
  for (Vcpu* it = first; it != end; ++it) {
    if (!it->is(Vcpu::active)) continue;
    std::int32_t credit = it->credit + each;
    const std::int32_t bad = credit >> 31;  // -1 below 0, else 0
    const std::int32_t better = 1 + bad - (it->priority != over ? 1 : 0);
    const std::int32_t waits = -((it->flags / Vcpu::queued) & 1);
    Cpu& cpu = cpus[it->cpu];
    cpu.high = static_cast<Index>(cpu.high + (better & waits));
    it->priority = static_cast<Priority>(under + bad);
    credit = std::max(credit, -most);
    if (credit > most) [[unlikely]] {
      it->drop(Vcpu::active);
      --member.active;
      active_weight_ -= member.weight;
      credit /= 2;
    }
    it->credit = credit;
    sum += credit;
  }
  balance_ += sum;
}

// Who has overdrawn the cap and who is to run again.
void CreditHost::find_turned(const Member& member, std::int32_t each, std::int32_t cap_credit) {
  for (std::uint32_t at = member.first; at < std::uint32_t{member.first} + member.vcpus; ++at) {
    const Vcpu& it = vcpus_[at];
    const std::int32_t credit = it.credit + each;
    const bool turns = it.is(Vcpu::parked) ? credit >= 0 : credit < -cap_credit;
    if (it.is(Vcpu::active) && turns) turned_.push_back(at);
  }
}

// Priorities in the queues have changed: those with both kinds are sorted at the next tick.
void CreditHost::count_queues() {
  for (std::uint32_t first = 0; first < cpus_.size(); first += 64) {
    std::uint64_t high = 0;
    std::uint64_t mixed = 0;
    const std::uint32_t end = std::min<std::uint32_t>(cpus() - first, 64);
    for (std::uint32_t at = 0; at < end; ++at) {
      const Cpu& cpu = cpus_[first + at];
      high |= std::uint64_t{cpu.high != 0} << at;
      mixed |= std::uint64_t{cpu.high != cpu.size} << at;
    }
    high_.assign_word(first / 64, high);
    unsorted_.assign_word(first / 64, high & mixed);
  }
}

void CreditHost::park_and_release(std::int64_t now) {
  for (std::size_t at = 0; at < turned_.size(); ++at) {
    const std::uint32_t vcpu = turned_[at];
    Vcpu& it = vcpus_[vcpu];
    const bool wanting = it.is(Vcpu::wanting);
    if (it.is(Vcpu::parked)) {
      it.drop(Vcpu::parked);
      if (wanting) {
        ledgers_[it.member].quota_ns += now - parked_since_[vcpu];
        make_runnable(vcpu, now);
      } else {
        --capped_;
      }
    } else {
      it.put(Vcpu::parked);
      parked_since_[vcpu] = now;
      if (wanting) {
        stop(vcpu, now);
      } else {
        ++capped_;
      }
    }
  }
}

// Everything that decides how the accountings of a quiet host go on, as a hash of 64 bits.
std::uint64_t CreditHost::signature() const {
  std::uint64_t sum = 0xCBF29CE484222325U;
  const auto add = [&](std::uint64_t word) {
    sum = (sum ^ word) * 0x100000001B3U;
    sum ^= sum >> 29;
  };
  for (const Vcpu& it : vcpus_) {
    const auto credit = static_cast<std::uint32_t>(it.credit);
    const auto priority = static_cast<std::uint8_t>(it.priority);
    add(credit | std::uint64_t{priority} << 32 | std::uint64_t{it.flags} << 40);
    add(it.residual_ns);
  }
  for (const Cpu& cpu : cpus_) {
    if (cpu.current != none) add(static_cast<std::uint64_t>(accounted_ - cpu.counted_to));
  }
  for (const Index member : order_) add(member);
  add(static_cast<std::uint64_t>(balance_));
  return sum;
}

// Nobody is moved or parked on a quiet host, so its accountings are a map of a few numbers onto
// themselves, and come round. Brent's search ("An improved Monte Carlo factorization algorithm",
// 1980) finds the cycle; then whole cycles are left out.
void CreditHost::catch_up(std::int64_t now) {
  if (next_accounting_ > now || !quiet()) return;
  const std::int64_t period = options_.accounting_ns();
  std::int64_t left = (now - next_accounting_) / period + 1;
  std::int64_t length = 0;
  std::int64_t power = 1;
  bool seeking = left > 4;
  std::uint64_t mark = seeking ? signature() : 0;
  for (; left > 0; --left) {
    account(next_accounting_);
    if (!seeking) continue;
    ++length;
    const std::uint64_t found = signature();
    if (found == mark) {
      const std::int64_t skipped = (left - 1) / length * length;
      accounted_ += skipped * period;
      next_accounting_ += skipped * period;
      for (Cpu& cpu : cpus_) {
        if (cpu.current != none) cpu.counted_to += skipped * period;
      }
      left -= skipped;
      seeking = false;
    } else if (length == power) {
      mark = found;
      power *= 2;
      length = 0;
    }
  }
}

}  // namespace nephoscope
