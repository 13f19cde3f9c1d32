// Who is on a host, and their accounts; how the host is set up.

#include "compute/credit_host.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

void require(bool condition, const char* field, const char* message) {
  if (!condition) throw SpecError(field, message);
}

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
      cpus_(facts.threads()),
      timers_(facts.threads()),
      idle_(facts.threads()),
      waiting_(facts.threads()),
      high_(facts.threads()),
      unsorted_(facts.threads()),
      speed_(facts.speed) {
  std::vector<std::uint64_t> words(1 + cpus_.size());
  if (!options.aligned) philox_words(key, 0, words.data(), words.size());
  const std::int64_t period = options.accounting_ns();
  const std::int64_t tick = options.tick_ns();
  const std::int64_t phase = below(words[0], period);
  next_accounting_ = now < phase ? phase : now + period - (now - phase) % period;
  for (std::uint32_t at = 0; at < cpus_.size(); ++at) {
    const std::int64_t ahead = (phase - below(words[1 + at], tick)) % tick;
    cpus_[at].lag = static_cast<std::uint32_t>(ahead < 0 ? ahead + tick : ahead);
    idle_.assign(at, true);
  }
  stolen_from_ = kicked_ = cpus() - 1;
}

std::uint32_t CreditHost::enter(const Parcel& parcel, std::int64_t now) {
  const std::uint32_t number = members();
  const auto first = static_cast<std::uint32_t>(vcpus_.size());
  const std::uint32_t end = first + parcel.member.vcpus;
  Member& member = members_.emplace_back(parcel.member);
  member.first = static_cast<Index>(first);
  member.active = 0;
  member.listed = 0;
  ledgers_.push_back(parcel.ledger);
  vcpus_.insert(vcpus_.end(), parcel.vcpus.begin(), parcel.vcpus.end());
  parked_since_.insert(parked_since_.end(), parcel.parked_since.begin(), parcel.parked_since.end());
  for (std::uint32_t at = first; at < end; ++at) {
    Vcpu& it = vcpus_[at];
    it.member = static_cast<Index>(number);
    it.cpu = static_cast<Index>(placed_);
    placed_ = placed_ + 1 < cpus() ? placed_ + 1 : 0;
    if (it.is(Vcpu::active)) join(it);
    if (member.cap_percent != 0 && it.is(Vcpu::wanting | Vcpu::parked)) ++capped_;
  }
  for (std::uint32_t at = first; at < end; ++at) {
    const Vcpu& it = vcpus_[at];
    if (it.is(Vcpu::wanting) && !it.is(Vcpu::parked)) make_runnable(at, now);
  }
  return number;
}

CreditHost::Parcel CreditHost::leave(std::uint32_t number, std::int64_t now) {
  const std::uint32_t first = members_[number].first;
  const std::uint32_t count = members_[number].vcpus;
  for (std::uint32_t at = first; at < first + count; ++at) {
    const Vcpu& it = vcpus_[at];
    if (it.is(Vcpu::queued | Vcpu::running)) stop(at, now);
    if (members_[number].cap_percent != 0 && it.is(Vcpu::wanting | Vcpu::parked)) --capped_;
    if (it.is(Vcpu::active)) active_weight_ -= members_[number].weight;
  }
  const auto from = vcpus_.begin() + first;
  const auto since = parked_since_.begin() + first;
  const Parcel parcel{
      members_[number], with_work(number, now), {from, from + count}, {since, since + count}};
  // Nobody is linked to them any more; the numbers of those behind go down.
  vcpus_.erase(from, from + count);
  parked_since_.erase(since, since + count);
  members_.erase(members_.begin() + number);
  ledgers_.erase(ledgers_.begin() + number);
  for (std::vector<Index>* const list : {&order_, &joined_}) {
    std::erase(*list, number);
    for (Index& member : *list) member = static_cast<Index>(member - (member > number));
  }
  for (Vcpu& it : vcpus_) {
    it.next = moved_up(it.next, first, count);
    it.member = static_cast<Index>(it.member - (it.member > number));
  }
  for (Cpu& cpu : cpus_) {
    cpu.current = moved_up(cpu.current, first, count);
    cpu.head = moved_up(cpu.head, first, count);
  }
  for (Member& member : members_) {
    if (member.first > first) member.first = static_cast<Index>(member.first - count);
  }
  return parcel;
}

std::uint32_t CreditHost::share(std::uint32_t number) const {
  const Member& member = members_[number];
  const auto from = vcpus_.begin() + member.first;
  return static_cast<std::uint32_t>(std::count_if(
      from, from + member.vcpus, [](const Vcpu& it) { return it.is(Vcpu::running); }));
}

std::int64_t CreditHost::run_ns(std::uint32_t number, std::int64_t now) const {
  const Member& member = members_[number];
  std::int64_t sum = member.run_ns;
  for (std::uint32_t at = member.first; at < std::uint32_t{member.first} + member.vcpus; ++at) {
    if (vcpus_[at].is(Vcpu::running)) sum += now - cpus_[vcpus_[at].cpu].since;
  }
  return sum;
}

std::int64_t CreditHost::quota_ns(std::uint32_t number, std::int64_t now) const {
  const Member& member = members_[number];
  std::int64_t sum = ledgers_[number].quota_ns;
  for (std::uint32_t at = member.first; at < std::uint32_t{member.first} + member.vcpus; ++at) {
    const Vcpu& it = vcpus_[at];
    if (it.is(Vcpu::parked) && it.is(Vcpu::wanting)) sum += now - parked_since_[at];
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

void CreditHost::touch(std::uint32_t number) {
  Member& member = members_[number];
  if (member.listed != 0) return;
  member.listed = 1;
  touched_.push_back(member.tenant);
}

// Where threads of a core slow each other down, work is counted whenever the speed changes.
void CreditHost::set_busy(std::uint32_t busy, std::int64_t now) {
  busy_ = busy;
  const double speed = facts_.speed_with(busy);
  if (speed == speed_) return;
  for (std::uint32_t number = 0; number < members(); ++number) {
    ledgers_[number] = with_work(number, now);
    if (share(number) != 0) touch(number);
  }
  speed_ = speed;
}

}  // namespace nephoscope
