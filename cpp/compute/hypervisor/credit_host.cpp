// Who is on a host, and their accounts; how the host is set up.

#include "compute/hypervisor/credit_host.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

// Uniform on [0, n).
std::int64_t below(std::uint64_t word, std::int64_t n) {
  return static_cast<std::int64_t>((static_cast<uint128>(word) * static_cast<std::uint64_t>(n)) >>
                                   64);
}

// A link of a queue after the vCPUs [first, first + count) are gone.
CreditHost::Index moved_up(CreditHost::Index vcpu, std::uint32_t first, std::uint32_t count) {
  return vcpu == CreditHost::none || vcpu < first ? vcpu
                                                  : static_cast<CreditHost::Index>(vcpu - count);
}

}  // namespace

void check(const CreditOptions& options) {
  constexpr std::int64_t ms = 1'000'000;
  require(options.slice_ns >= ms && options.slice_ns <= 1000 * ms, "slice_ns",
          "must be from 1 ms to 1 s");
  require(options.slice_ns % CreditOptions::credit_ns == 0, "slice_ns",
          "must be a multiple of 100 us, which is a credit");
  require(options.ratelimit_ns == 0 || (options.ratelimit_ns >= CreditOptions::shortest_timer_ns &&
                                        options.ratelimit_ns <= 500 * ms),
          "ratelimit_ns", "must be 0 or from 100 us to 500 ms");
  require(options.dither_ns >= 0 && options.dither_ns <= options.slice_ns, "dither_ns",
          "must be from 0 to the slice");
}

// Word 0 of the host's stream is the phase of accounting, word 1 + p that of the ticks of pCPU p.
CreditHost::CreditHost(const HostFacts& facts, const CreditOptions& options, StreamKey key,
                       std::int64_t now)
    : facts_(facts),
      options_(options),
      key_(key),
      tick_(static_cast<std::int32_t>(options.tick_ns())),
      period_(static_cast<std::int32_t>(options.accounting_ns())),
      rows_(facts.threads()),
      timers_(facts.threads()),
      sets_(facts.threads()),
      speed_(facts.speed),
      threads_(facts.threads()) {
  std::vector<std::uint64_t> words(1 + rows_.cpus());
  if (!options.aligned) philox_words(key, 0, words.data(), words.size());
  const std::int64_t phase = below(words[0], period_);
  base_ = now < phase ? phase - period_ : now - (now - phase) % period_;
  for (std::uint32_t at = 0; at < rows_.cpus(); ++at) {
    const std::int64_t ahead = (phase - below(words[1 + at], tick_)) % tick_;
    rows_.lag[at] = static_cast<std::int32_t>(ahead < 0 ? ahead + tick_ : ahead);
    CpuSets::assign(sets_.word(at).idle, at, true);
  }
  epoch_ = base_;
  stolen_from_ = kicked_ = cpus() - 1;
}

std::uint32_t CreditHost::enter(const Parcel& parcel, std::int64_t now) {
  const std::uint32_t number = members();
  const auto first = static_cast<std::uint32_t>(rows_.size());
  const std::uint32_t end = first + parcel.member.vcpus;
  Member& member = members_.emplace_back(parcel.member);
  member.first = static_cast<Index>(first);
  member.active = 0;
  member.tier = tiers_.enter(member.weight);
  if (member.cap_percent != 0) ++capped_members_;
  ledgers_.push_back(parcel.ledger);
  rows_.resize(end);
  for (std::uint32_t at = first; at < end; ++at) {
    const Vcpu& it = parcel.vcpus[at - first];
    rows_.credit[at] = it.credit;
    rows_.owed[at] = it.residual_ns;
    member.run_ns -= it.residual_ns;
    rows_.priority[at] = it.priority;
    rows_.put(at, it.flags & (Vcpu::wanting | Vcpu::parked));
    rows_.parked_since[at] = parcel.parked_since[at - first];
    rows_.member[at] = static_cast<Index>(number);
    rows_.at[at] = static_cast<Index>(placed_);
    placed_ = placed_ + 1 < cpus() ? placed_ + 1 : 0;
    if (it.is(Vcpu::active)) join(at);
    if (member.cap_percent != 0 && it.is(Vcpu::wanting | Vcpu::parked)) ++capped_;
  }
  for (std::uint32_t at = first; at < end; ++at) {
    if (rows_.is(at, Vcpu::wanting) && !rows_.is(at, Vcpu::parked)) make_runnable(at, now - base_);
  }
  return number;
}

CreditHost::Parcel CreditHost::leave(std::uint32_t number, std::int64_t now,
                                     std::vector<std::uint32_t>& touched) {
  const std::uint32_t first = members_[number].first;
  const std::uint32_t count = members_[number].vcpus;
  for (std::uint32_t at = first; at < first + count; ++at) {
    if (rows_.is(at, Vcpu::queued) || is_running(at)) stop(at, now - base_);
    if (members_[number].cap_percent != 0 && rows_.is(at, Vcpu::wanting | Vcpu::parked)) --capped_;
  }
  Parcel parcel{members_[number], with_work(number, now), {}, {}};
  parcel.member.run_ns = run_ns(number, now);
  for (std::uint32_t at = first; at < first + count; ++at) {
    parcel.vcpus.push_back(vcpu(at));
    parcel.parked_since.push_back(rows_.parked_since[at]);
    if (rows_.tier[at] != 0) quit(at);
  }
  take_touched([&](std::uint32_t tenant) { touched.push_back(tenant); });
  tiers_.leave(members_[number].tier);
  if (members_[number].cap_percent != 0) --capped_members_;
  forget(number);
  return parcel;
}

// Nobody is linked to its vCPUs any more; the numbers of those behind go down.
void CreditHost::forget(std::uint32_t number) {
  const std::uint32_t first = members_[number].first;
  const std::uint32_t count = members_[number].vcpus;
  rows_.erase(first, count);
  members_.erase(members_.begin() + number);
  ledgers_.erase(ledgers_.begin() + number);
  for (std::vector<Index>* const list : {&order_, &joined_}) {
    std::erase(*list, number);
    for (Index& member : *list) member = static_cast<Index>(member - (member > number));
  }
  for (std::size_t vcpu = 0; vcpu < rows_.size(); ++vcpu) {
    Index& member = rows_.member[vcpu];
    member = static_cast<Index>(member - (member > number));
    rows_.next[vcpu] = moved_up(rows_.next[vcpu], first, count);
  }
  for (std::size_t at = 0; at < rows_.cpus(); ++at) {
    Cpu& cpu = rows_.cpu[at];
    cpu.current = moved_up(cpu.current, first, count);
    cpu.head = moved_up(cpu.head, first, count);
  }
  for (Member& member : members_) {
    if (member.first > first) member.first = static_cast<Index>(member.first - count);
  }
}

CreditHost::Vcpu CreditHost::vcpu(std::uint32_t at) const {
  constexpr auto unit = static_cast<std::uint32_t>(CreditOptions::credit_ns);
  Vcpu it;
  it.credit = rows_.credit[at];
  if (options_.exact_debit) {
    it.credit -= static_cast<std::int32_t>(rows_.owed[at] / unit);
    it.residual_ns = rows_.owed[at] % unit;
  }
  it.member = rows_.member[at];
  it.cpu = rows_.at[at];
  it.priority = rows_.priority[at];
  unsigned flags = rows_.flags_of(at);
  if (rows_.tier[at] != 0) flags |= Vcpu::active;
  if (is_running(at)) flags |= Vcpu::running;
  if (round_.on != 0) {
    const bool waits = rows_.is(at, Vcpu::wanting) && !is_running(at);
    flags = (flags & ~unsigned{Vcpu::queued}) | (waits ? unsigned{Vcpu::queued} : 0U);
  }
  it.flags = static_cast<std::uint8_t>(flags);
  return it;
}

std::uint32_t CreditHost::share(std::uint32_t number) const {
  const Member& member = members_[number];
  std::uint32_t share = 0;
  for (std::uint32_t at = member.first; at < std::uint32_t{member.first} + member.vcpus; ++at) {
    share += is_running(at) ? 1 : 0;
  }
  return share;
}

std::int64_t CreditHost::run_ns(std::uint32_t number, std::int64_t now) const {
  const Member& member = members_[number];
  std::int64_t sum = member.run_ns;
  for (std::uint32_t at = member.first; at < std::uint32_t{member.first} + member.vcpus; ++at) {
    sum += rows_.run_ns(at);
    if (is_running(at)) sum += now - base_ - rows_.counted[rows_.at[at]];
  }
  return sum;
}

std::int64_t CreditHost::quota_ns(std::uint32_t number, std::int64_t now) const {
  const Member& member = members_[number];
  std::int64_t sum = ledgers_[number].quota_ns;
  for (std::uint32_t at = member.first; at < std::uint32_t{member.first} + member.vcpus; ++at) {
    if (rows_.is(at, Vcpu::parked) && rows_.is(at, Vcpu::wanting)) {
      sum += now - rows_.parked_since[at];
    }
  }
  return sum;
}

void CreditHost::Ledger::work(double speed, std::int64_t ns) {
  const double even = std::floor(speed);
  const double exact = work_part + (speed - even) * static_cast<double>(ns);
  const double more = std::floor(exact);
  work_ns += static_cast<std::int64_t>(even) * ns + static_cast<std::int64_t>(more);
  work_part = exact - more;
}

// Its ledger with the work up to now.
CreditHost::Ledger CreditHost::with_work(std::uint32_t number, std::int64_t now) const {
  Ledger ledger = ledgers_[number];
  const std::int64_t ran = run_ns(number, now);
  ledger.work(speed_, ran - ledger.paced_ns);
  ledger.paced_ns = ran;
  return ledger;
}

std::int64_t CreditHost::work_ns(std::uint32_t number, std::int64_t now) const {
  return with_work(number, now).work_ns;
}

// Where threads of a core slow each other down, work is counted whenever the speed changes.
void CreditHost::set_busy(std::uint32_t busy, std::int64_t now) {
  busy_ = busy;
  const double speed = facts_.speed_with(busy);
  if (speed == speed_) return;
  for (std::uint32_t number = 0; number < members(); ++number) {
    ledgers_[number] = with_work(number, now);
  }
  for (std::size_t at = 0; at < rows_.cpus(); ++at) {
    if (rows_.cpu[at].current != none) rows_.touch(rows_.cpu[at].current);
  }
  touched_ = 1;
  speed_ = speed;
}

}  // namespace nephoscope
