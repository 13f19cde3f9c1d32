// The schedule of a host: queues, decisions, stealing, wake-ups. Times are relative to the last
// accounting.

#include <algorithm>
#include <bit>

#include "compute/hypervisor/credit_host.hpp"

namespace nephoscope {

std::int64_t CreditHost::next_time() const {
  if (quiet()) return never;
  if (round_.on == 0) return std::min(base_ + period_, epoch_ + timers_.next_time());
  const std::int64_t left = round_.next < cpus() ? rows_.due[rows_.order[round_.next]] : period_;
  return base_ + std::min<std::int64_t>(left, period_);
}

// What a decision is made of, each in its body.

// Behind all of its priority, before the first of a lower one.
NEPHOSCOPE_HOT void CreditHost::insert(std::uint32_t at, std::uint32_t vcpu) {
  const Priority priority = rows_.priority[vcpu];
  Index* link = &rows_.cpu[at].head;
  while (*link != none && rows_.priority[*link] >= priority) link = &rows_.next[*link];
  rows_.next[vcpu] = *link;
  *link = static_cast<Index>(vcpu);
  rows_.at[vcpu] = static_cast<Index>(at);
  rows_.put(vcpu, Vcpu::queued);
  CpuSets::Word& sets = sets_.word(at);
  sets.waiting |= std::uint64_t{1} << (at % 64);
  sets.high |= std::uint64_t{priority > Vcpu::over} << (at % 64);
}

// Takes whoever `link` leads to out of the queue.
NEPHOSCOPE_HOT std::uint32_t CreditHost::unlink(std::uint32_t at, Index* link) {
  const std::uint32_t vcpu = *link;
  *link = rows_.next[vcpu];
  rows_.drop(vcpu, Vcpu::queued);
  CpuSets::Word& sets = sets_.word(at);
  Index first = rows_.cpu[at].head;
  CpuSets::assign(sets.waiting, at, first != none);
  // Whoever is above OVER comes first, but in a queue that is not sorted.
  if ((sets.unsorted >> (at % 64) & 1) != 0) [[unlikely]] {
    while (first != none && rows_.priority[first] <= Vcpu::over) first = rows_.next[first];
  }
  CpuSets::assign(sets.high, at, priority_of(first) > Vcpu::over);
  return vcpu;
}

void CreditHost::remove(std::uint32_t vcpu) {
  const std::uint32_t at = rows_.at[vcpu];
  Index* link = &rows_.cpu[at].head;
  while (*link != vcpu) link = &rows_.next[*link];
  unlink(at, link);
}

// 16 bits of a word make a dither; the words begin beyond those of the phases.
void CreditHost::draw_dithers() {
  if (options_.dither_ns == 0 || options_.aligned) return;
  const auto most = static_cast<std::uint64_t>(options_.dither_ns);
  const Philox4x64::Block words = Philox4x64::block({draws_ / dithers_.size(), 1, 0, 0}, key_);
  for (std::size_t at = 0; at < dithers_.size(); ++at) {
    const std::uint64_t bits = (words[at / 4] >> (16 * (at % 4))) & 0xFFFF;
    dithers_[at] = static_cast<std::uint32_t>((bits * most) >> 16);
  }
}

// Switches the pCPU to another vCPU, or to none.
NEPHOSCOPE_HOT void CreditHost::run(std::uint32_t at, std::uint32_t next, std::int64_t now) {
  Cpu& cpu = rows_.cpu[at];
  const std::uint32_t was = cpu.current;
  if (was != none) rows_.touch(was);
  if (next != none) {
    rows_.at[next] = static_cast<Index>(at);
    rows_.touch(next);
  }
  touched_ = 1;
  cpu.current = static_cast<Index>(next);
  rows_.since[at] = rows_.counted[at] = static_cast<std::int32_t>(now);
  if ((was == none) == (next == none)) return;
  CpuSets::assign(sets_.word(at).idle, at, next == none);
  set_busy(next == none ? busy_ - 1 : busy_ + 1, base_ + now);
}

// At its first tick after an accounting a queue is sorted, stably: UNDER and better come first.
NEPHOSCOPE_HOT void CreditHost::sort_if_due(std::uint32_t at, std::int64_t now) {
  const std::uint64_t ticked = now >= tick_ - rows_.lag[at] ? 1 : 0;
  if ((sets_.word(at).unsorted >> (at % 64) & ticked) != 0) sort(at);
}

// By the priorities that they had at their ticks, which are behind them at an accounting.
void CreditHost::sort_all() {
  if (round_.on != 0) return sort_round();
  for (std::uint32_t first = 0; first < cpus(); first += 64) {
    for (std::uint64_t left = sets_.word(first).unsorted; left != 0; left &= left - 1) {
      sort(first + static_cast<std::uint32_t>(std::countr_zero(left)));
    }
  }
}

void CreditHost::sort(std::uint32_t at) {
  CpuSets::assign(sets_.word(at).unsorted, at, false);
  Index* const head = &rows_.cpu[at].head;
  Index low_head = none;
  Index* high = head;
  Index* low = &low_head;
  for (Index vcpu = *head; vcpu != none; vcpu = rows_.next[vcpu]) {
    Index*& end = rows_.priority[vcpu] > Vcpu::over ? high : low;
    *end = vcpu;
    end = &rows_.next[vcpu];
  }
  *low = none;
  *high = low_head;
}

// The first vCPU of a higher priority than `above` that waits for another pCPU, which is busy.
NEPHOSCOPE_HOT std::uint32_t CreditHost::steal(std::uint32_t at, Priority above, std::int64_t now) {
  const CpuSets::Set peers = above == Vcpu::over ? &CpuSets::Word::high : &CpuSets::Word::waiting;
  std::uint32_t peer = sets_.after(peers, stolen_from_);
  if (peer == at) peer = sets_.after(peers, peer);
  if (peer == CpuSets::none || peer == at) return none;
  sort_if_due(peer, now);
  Index* link = &rows_.cpu[peer].head;
  while (rows_.priority[*link] <= above) link = &rows_.next[*link];
  stolen_from_ = peer;
  return unlink(peer, link);
}

// Decisions that are due. Half the time who runs is UNDER and nobody in the queue is: it stays, and
// all that there is to do is another timer.
NEPHOSCOPE_HOT void CreditHost::decide_until(std::int64_t until) {
  const std::int64_t due = until - epoch_;
  const std::int64_t since_base = base_ - epoch_;
  for (std::int64_t key = timers_.next(); TimerRing::time_of(key) <= due; key = timers_.next()) {
    timers_.pop();
    const std::uint32_t at = TimerRing::cpu_of(key);
    const std::int64_t now = TimerRing::time_of(key) - since_base;
    const std::uint32_t vcpu = rows_.cpu[at].current;
    // One branch, for two that cannot be foretold cost more than one.
    const bool settled = (rows_.tier[vcpu] != 0) & (now - rows_.since[at] >= options_.ratelimit_ns);
    if (settled & (rows_.priority[vcpu] == Vcpu::under) & !sets_.is_high(at)) {
      ++decisions_;
      debit(at, now);
      timers_.push(TimerRing::later(key, slice()));
    } else {
      turn(at, now, true);
    }
  }
}

// Whoever runs there and has not been settled.
void CreditHost::join_if_seen(std::uint32_t at, std::int64_t now) {
  see_ticks(at, now);
  const std::uint32_t vcpu = rows_.cpu[at].current;
  if (options_.activate_at_decision && rows_.tier[vcpu] == 0 && now > rows_.since[at]) join(vcpu);
}

// Whoever runs there gives way to the first of the queue unless it is of lower priority, and both
// to one of higher priority elsewhere when they are OVER. The pCPU has no timer; whoever runs
// `stays` runnable or not.
NEPHOSCOPE_HOT void CreditHost::turn(std::uint32_t at, std::int64_t now, bool stays) {
  ++decisions_;
  const std::uint32_t was = rows_.cpu[at].current;
  Priority mine = Vcpu::nobody;
  if (was != none) {
    debit(at, now);
    if (!is_settled(was)) [[unlikely]] {
      join_if_seen(at, now);
    }
    if (stays) {
      if (now - rows_.since[at] < options_.ratelimit_ns) [[unlikely]] {
        const std::int64_t rest = rows_.since[at] + options_.ratelimit_ns;
        return arm(at, std::max(rest, now + CreditOptions::shortest_timer_ns));
      }
      mine = rows_.priority[was];
    }
  }
  choose(at, mine, now);
}

NEPHOSCOPE_HOT void CreditHost::arm(std::uint32_t at, std::int64_t time) {
  timers_.push(base_ - epoch_ + time, at);
}

NEPHOSCOPE_HOT void CreditHost::choose(std::uint32_t at, Priority mine, std::int64_t now) {
  sort_if_due(at, now);
  const std::uint32_t was = rows_.cpu[at].current;
  const std::uint32_t head = rows_.cpu[at].head;
  const Priority first = priority_of(head);
  const Priority best = first > mine ? first : mine;
  std::uint32_t next = best <= Vcpu::over ? steal(at, best, now) : none;
  if (next == none) {
    next = was;
    if (first >= mine) next = head == none ? none : unlink(at, &rows_.cpu[at].head);
  }
  if (next != was) {
    if (mine != Vcpu::nobody) insert(at, was);
    run(at, next, now);
  }
  if (next != none) arm(at, now + slice());
}

void CreditHost::advance(std::int64_t until) {
  while (!quiet()) {
    const std::int64_t limit = std::min(until, base_ + period_ - 1);
    if (round_.on != 0) play(limit);
    if (round_.on == 0) decide_until(limit);
    if (until < base_ + period_) return;
    account();
  }
}

void CreditHost::decide(std::uint32_t at, std::int64_t now, bool stays) {
  if (rows_.cpu[at].current != none) timers_.cancel(at);
  turn(at, now, stays);
}

void CreditHost::wake(std::uint32_t vcpu, std::int64_t now) {
  rows_.put(vcpu, Vcpu::wanting);
  if (rows_.is(vcpu, Vcpu::parked)) {
    rows_.parked_since[vcpu] = now;
    return;
  }
  if (members_[rows_.member[vcpu]].cap_percent != 0) ++capped_;
  Priority& priority = rows_.priority[vcpu];
  if (options_.boost && priority == Vcpu::under) priority = Vcpu::boosted;
  make_runnable(vcpu, now - base_);
}

// Queues it where it was last and sees to it that a pCPU takes notice.
void CreditHost::make_runnable(std::uint32_t vcpu, std::int64_t now) {
  ++runnable_;
  const std::uint32_t at = rows_.at[vcpu];
  sort_if_due(at, now);
  insert(at, vcpu);
  if (rows_.cpu[at].current == none) return decide(at, now);
  const std::uint32_t idle = sets_.after(&CpuSets::Word::idle, kicked_);
  if (idle != CpuSets::none) {
    kicked_ = idle;
    return decide(idle, now);
  }
  see_ticks(at, now);
  if (rows_.priority[vcpu] > rows_.priority[rows_.cpu[at].current]) decide(at, now);
}

void CreditHost::block(std::uint32_t vcpu, std::int64_t now) {
  rows_.drop(vcpu, Vcpu::wanting);
  const std::uint32_t member = rows_.member[vcpu];
  if (rows_.is(vcpu, Vcpu::parked)) {
    ledgers_[member].quota_ns += now - rows_.parked_since[vcpu];
    return;
  }
  if (members_[member].cap_percent != 0) --capped_;
  stop(vcpu, now - base_);
}

// It is not runnable any more.
void CreditHost::stop(std::uint32_t vcpu, std::int64_t now) {
  --runnable_;
  if (!is_running(vcpu)) return remove(vcpu);
  decide(rows_.at[vcpu], now, false);
}

void CreditHost::settle_timers(std::int64_t now) {
  if (quiet() || epoch_ + timers_.next_time() > now) return;
  timers_.postpone(now - epoch_, options_.slice_ns);
}

// Timers keep to whole numbers of 48 bits, those of a quiet host as well, which stand still.
void CreditHost::move_epoch() {
  const std::int64_t ahead = base_ - epoch_;
  if (ahead < TimerRing::latest / 2) return;
  timers_.shift(ahead, options_.slice_ns);
  epoch_ = base_;
}

}  // namespace nephoscope
