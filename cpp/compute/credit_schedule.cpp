// The schedule of a host: queues, decisions, stealing, wake-ups.

#include <algorithm>

#include "compute/credit_host.hpp"

namespace nephoscope {

std::int64_t CreditHost::next_time() const {
  return quiet() ? never : std::min(next_accounting_, timers_.next_time());
}

void CreditHost::advance(std::int64_t until) {
  while (!quiet()) {
    const std::int64_t timer = timers_.next_time();
    if (next_accounting_ <= timer) {
      if (next_accounting_ > until) return;
      account(next_accounting_);
    } else {
      if (timer > until) return;
      const std::uint32_t at = timers_.pop();
      cpus_[at].timer = never;
      decide(at, timer);
    }
  }
}

// What a decision is made of, each in its body.

NEPHOSCOPE_HOT void CreditHost::note_queue(std::uint32_t at) {
  waiting_.assign(at, cpus_[at].size != 0);
  high_.assign(at, cpus_[at].high != 0);
}

// Behind all of its priority, before the first of a lower one.
NEPHOSCOPE_HOT void CreditHost::insert(std::uint32_t at, std::uint32_t vcpu) {
  Cpu& cpu = cpus_[at];
  Vcpu& it = vcpus_[vcpu];
  Index* link = &cpu.head;
  while (*link != none && vcpus_[*link].priority >= it.priority) link = &vcpus_[*link].next;
  it.next = *link;
  *link = static_cast<Index>(vcpu);
  it.cpu = static_cast<Index>(at);
  it.put(Vcpu::queued);
  ++cpu.size;
  cpu.high = static_cast<Index>(cpu.high + (it.priority > over));
  note_queue(at);
}

NEPHOSCOPE_HOT void CreditHost::remove(std::uint32_t vcpu) {
  Vcpu& it = vcpus_[vcpu];
  Cpu& cpu = cpus_[it.cpu];
  Index* link = &cpu.head;
  while (*link != vcpu) link = &vcpus_[*link].next;
  *link = it.next;
  it.drop(Vcpu::queued);
  --cpu.size;
  cpu.high = static_cast<Index>(cpu.high - (it.priority > over));
  note_queue(it.cpu);
}

NEPHOSCOPE_HOT void CreditHost::arm(std::uint32_t at, std::int64_t time) {
  Cpu& cpu = cpus_[at];
  if (cpu.timer != never) timers_.cancel(cpu.timer, at);
  cpu.timer = time;
  if (time != never) timers_.push(time, at);
}

// 16 bits of a word make a dither; the words begin beyond those of the phases.
NEPHOSCOPE_HOT std::int64_t CreditHost::slice() {
  if (options_.dither_ns == 0 || options_.aligned) return options_.slice_ns;
  const std::uint64_t draw = draws_++;
  if (draw % 16 == 0) words_ = Philox4x64::block({draw / 16, 1, 0, 0}, key_);
  const std::uint64_t bits = (words_[draw / 4 % 4] >> (16 * (draw % 4))) & 0xFFFF;
  const auto dither =
      static_cast<std::int64_t>((bits * static_cast<std::uint64_t>(options_.dither_ns)) >> 16);
  return options_.slice_ns + dither;
}

// Switches the pCPU to another vCPU, or to none.
NEPHOSCOPE_HOT void CreditHost::run(std::uint32_t at, std::uint32_t next, std::int64_t now) {
  Cpu& cpu = cpus_[at];
  const std::uint32_t was = cpu.current;
  if (was != none) {
    const std::uint32_t member = vcpus_[was].member;
    members_[member].run_ns += now - cpu.since;
    touch(member);
  }
  if (next != none) {
    Vcpu& it = vcpus_[next];
    it.put(Vcpu::running);
    it.cpu = static_cast<Index>(at);
    touch(it.member);
  }
  cpu.current = static_cast<Index>(next);
  cpu.since = cpu.counted_to = now;
  if ((was == none) == (next == none)) return;
  idle_.assign(at, next == none);
  set_busy(next == none ? busy_ - 1 : busy_ + 1, now);
}

// At its first tick after an accounting a queue is sorted, stably: UNDER and better come first.
void CreditHost::sort_if_due(std::uint32_t at, std::int64_t now) {
  Cpu& cpu = cpus_[at];
  if (now < accounted_ + options_.tick_ns() - cpu.lag) return;
  unsorted_.assign(at, false);
  Index low_head = none;
  Index* high = &cpu.head;
  Index* low = &low_head;
  for (Index vcpu = cpu.head; vcpu != none; vcpu = vcpus_[vcpu].next) {
    Index*& end = vcpus_[vcpu].priority > over ? high : low;
    *end = vcpu;
    end = &vcpus_[vcpu].next;
  }
  *low = none;
  *high = low_head;
}

// The first vCPU of a higher priority than `above` that waits for another pCPU, which is busy.
std::uint32_t CreditHost::steal(std::uint32_t at, Priority above, std::int64_t now) {
  const CpuMask& peers = above == over ? high_ : waiting_;
  std::uint32_t peer = peers.after(stolen_from_);
  if (peer == at) peer = peers.after(peer);
  if (peer == CpuMask::none || peer == at) return none;
  if (unsorted_.has(peer)) sort_if_due(peer, now);
  std::uint32_t vcpu = cpus_[peer].head;
  while (vcpus_[vcpu].priority <= above) vcpu = vcpus_[vcpu].next;
  remove(vcpu);
  stolen_from_ = peer;
  return vcpu;
}

// Whoever runs gives way to the first of the queue unless it is of lower priority, and both to one
// of higher priority elsewhere when they are OVER.
void CreditHost::decide(std::uint32_t at, std::int64_t now) {
  ++decisions_;
  Cpu& cpu = cpus_[at];
  const std::uint32_t was = cpu.current;
  Priority mine = nobody;
  if (was != none) {
    Vcpu& it = vcpus_[was];
    debit(at, now);
    if (!it.is(Vcpu::active) || it.priority == boosted) [[unlikely]] {
      see_ticks(at, now);
      if (options_.activate_at_decision && !it.is(Vcpu::active) && now > cpu.since) join(it);
    }
    if (it.is(Vcpu::running)) {
      if (now - cpu.since < options_.ratelimit_ns) {
        const std::int64_t rest = cpu.since + options_.ratelimit_ns;
        return arm(at, std::max(rest, now + CreditOptions::shortest_timer_ns));
      }
      mine = it.priority;
    }
  }
  if (unsorted_.has(at)) sort_if_due(at, now);
  const std::uint32_t head = cpu.head;
  const Priority first = head == none ? nobody : vcpus_[head].priority;
  const Priority best = std::max(first, mine);
  std::uint32_t next = best <= over ? steal(at, best, now) : none;
  if (next == none) {
    next = was;
    if (first >= mine) {
      next = head;
      if (head != none) remove(head);
    }
  }
  if (next != was) {
    if (mine != nobody) {
      vcpus_[was].drop(Vcpu::running);
      insert(at, was);
    }
    run(at, next, now);
  }
  arm(at, next == none ? never : now + slice());
}

void CreditHost::wake(std::uint32_t vcpu, std::int64_t now) {
  Vcpu& it = vcpus_[vcpu];
  it.put(Vcpu::wanting);
  if (it.is(Vcpu::parked)) {
    parked_since_[vcpu] = now;
    return;
  }
  if (members_[it.member].cap_percent != 0) ++capped_;
  if (options_.boost && it.priority == under) it.priority = boosted;
  make_runnable(vcpu, now);
}

// Queues it where it was last and sees to it that a pCPU takes notice.
void CreditHost::make_runnable(std::uint32_t vcpu, std::int64_t now) {
  ++runnable_;
  Vcpu& it = vcpus_[vcpu];
  const std::uint32_t at = it.cpu;
  if (unsorted_.has(at)) sort_if_due(at, now);
  insert(at, vcpu);
  if (cpus_[at].current == none) return decide(at, now);
  const std::uint32_t idle = idle_.after(kicked_);
  if (idle != CpuMask::none) {
    kicked_ = idle;
    return decide(idle, now);
  }
  see_ticks(at, now);
  if (it.priority > vcpus_[cpus_[at].current].priority) decide(at, now);
}

void CreditHost::block(std::uint32_t vcpu, std::int64_t now) {
  Vcpu& it = vcpus_[vcpu];
  it.drop(Vcpu::wanting);
  if (it.is(Vcpu::parked)) {
    ledgers_[it.member].quota_ns += now - parked_since_[vcpu];
    return;
  }
  if (members_[it.member].cap_percent != 0) --capped_;
  stop(vcpu, now);
}

// It is not runnable any more.
void CreditHost::stop(std::uint32_t vcpu, std::int64_t now) {
  --runnable_;
  Vcpu& it = vcpus_[vcpu];
  if (!it.is(Vcpu::running)) return remove(vcpu);
  it.drop(Vcpu::running);
  decide(it.cpu, now);
}

void CreditHost::settle_timers(std::int64_t now) {
  if (quiet() || timers_.next_time() > now) return;
  timers_.postpone(now, options_.slice_ns,
                   [&](std::uint32_t cpu, std::int64_t time) { cpus_[cpu].timer = time; });
}

}  // namespace nephoscope
