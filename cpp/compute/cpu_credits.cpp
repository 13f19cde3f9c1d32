#include "compute/cpu_credits.hpp"

#include <algorithm>
#include <limits>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t units_per_millicredit_per_hour = std::int64_t{1} << 31;
constexpr std::uint32_t vcpus_max = 1024;

}  // namespace

CpuCredits::CpuCredits(const CpuCreditFacts& facts, CreditMode mode, std::int64_t now)
    : launch_grant_(facts.launch_credits),
      kept_ns_(facts.kept_ns),
      at_(now),
      vcpus_(facts.vcpus),
      mode_(mode) {
  require(facts.vcpus >= 1 && facts.vcpus <= vcpus_max, "vcpus", "must be 1 to 1024");
  require(facts.millicredits_per_hour >= 1, "millicredits_per_hour", "must be above 0");
  require(facts.millicredits_per_hour <= std::int64_t{60'000} * facts.vcpus,
          "millicredits_per_hour", "is more than the vCPUs can spend");
  require(facts.launch_credits >= 0 && facts.launch_credits <= 1'000'000, "launch_credits",
          "must be 0 to 1,000,000");
  require(facts.kept_ns >= 0, "kept_ns", "must not be below 0");
  require(now >= 0, "now", "must not be below 0");
  require(facts.lowered_over_ns >= 0, "lowered_over_ns", "must not be below 0");
  earn_ = facts.millicredits_per_hour * units_per_millicredit_per_hour;
  // Step k spends k / steps of what is beyond the baseline, for 1 / (steps - 1) of the time.
  rung_ = int128{full_use() - earn_} * facts.lowered_over_ns / (steps * (steps - 1));
  require(needed(steps) < maximum(), "lowered_over_ns", "is longer than a full balance lasts");
}

void CpuCredits::advance(std::int64_t until) {
  require(until >= at_, "until", "is in the past");
  if (running()) {
    const std::int64_t hour = until - until % hour_ns;
    if (hour > at_) {
      pass(hour - at_);
      account_.billed = account_.overflow + account_.closing;
      at_ = hour;
    }
    pass(until - at_);
  } else if (net_ > 0 && until - stopped_at_ >= kept_ns_) {
    lose_all();
  }
  at_ = until;
}

// Goes through the time for which launch credits last, and returns how long that was, at most so
// long. Then either they are spent or the time is over.
int128 CpuCredits::pass_launch_phase(std::int64_t at_most) {
  if (launch_ == 0 || usage_ == 0) return 0;
  const auto whole = static_cast<std::int64_t>(std::min<int128>(launch_ / usage_, at_most));
  launch_ -= int128{usage_} * whole;
  account_.spent += int128{usage_} * whole;
  move(0, whole);
  if (launch_ == 0 || whole == at_most) return whole;
  const int128 rest = usage_ - launch_;
  account_.spent += launch_;
  launch_ = 0;
  move(rest, 1);
  return whole + 1;
}

void CpuCredits::pass(std::int64_t elapsed) {
  const auto rest = elapsed - static_cast<std::int64_t>(pass_launch_phase(elapsed));
  // With launch credits left either the time is over or nothing is used.
  move(int128{usage_} * rest, rest);
}

// Earns for so long and uses so much of the balance. It moves one way, so it is enough to hold it
// within its bounds at the end.
void CpuCredits::move(int128 used, std::int64_t elapsed) {
  const int128 earned = int128{earn_} * elapsed;
  const int128 least = mode_ == CreditMode::standard ? 0 : -maximum();
  account_.earned += earned;
  account_.spent += used;
  net_ += earned - used;
  if (net_ > maximum()) {
    account_.discarded += net_ - maximum();
    net_ = maximum();
  } else if (net_ < least) {
    const int128 beyond = least - net_;
    net_ = least;
    if (mode_ == CreditMode::standard) {
      account_.uncovered += beyond;
      account_.spent -= beyond;
    } else {
      account_.overflow += beyond;
    }
  }
}

void CpuCredits::start(bool launch_credits) {
  require(!running(), "start", "of an instance that is running");
  require(state_ != State::terminated, "start", "of an instance that has been terminated");
  state_ = State::running;
  if (!launch_credits || mode_ != CreditMode::standard) return;
  launch_ = launch_grant_ * units_per_credit;
  account_.granted += launch_;
}

void CpuCredits::stop() {
  require(running(), "stop", "of an instance that is not running");
  charge();
  state_ = State::stopped;
  stopped_at_ = at_;
  usage_ = 0;
  account_.lost += launch_;
  launch_ = 0;
  if (kept_ns_ == 0) lose_all();
}

void CpuCredits::terminate() {
  require(state_ != State::terminated, "terminate", "of an instance that has been terminated");
  if (running()) stop();
  lose_all();
  state_ = State::terminated;
}

void CpuCredits::set_mode(CreditMode mode) {
  if (mode == mode_) return;
  charge();
  account_.lost += launch_;
  launch_ = 0;
  mode_ = mode;
}

void CpuCredits::set_usage(double vcpus) {
  require(running(), "usage", "of an instance that is not running");
  require(vcpus >= 0.0 && vcpus <= vcpus_, "usage", "must be 0 to the vCPUs");
  const double amount = to_amount(vcpus);
  usage_ = amount == baseline()
               ? earn_
               : static_cast<std::int64_t>(amount * 0x1p36) * (units_per_vcpu >> 36);
}

void CpuCredits::charge() {
  account_.closing += surplus();
  net_ = balance();
  account_.billed = account_.overflow + account_.closing;
}

void CpuCredits::lose_all() {
  account_.lost += net_;
  net_ = 0;
}

std::int64_t CpuCredits::step() const {
  if (mode_ == CreditMode::unlimited) return steps;
  std::int64_t step = left() == 0 ? 0 : steps;
  while (step > 0 && left() <= needed(step)) --step;
  return step;
}

// Exact but for the last rounding: all rates are multiples of 2^31 units, and so of the steps.
double CpuCredits::limit() const {
  const std::int64_t at = step();
  const std::int64_t units = earn_ + (full_use() - earn_) / steps * at;
  return at == steps ? vcpus_ : to_amount(static_cast<double>(units) / units_per_vcpu);
}

// When no more is left than that, while more is used than is earned. What comes in while launch
// credits last is lost only above the maximum, and so above every level that is asked for.
std::int64_t CpuCredits::falls_to(int128 level) const {
  const std::int64_t loss = usage_ - earn_;
  CpuCredits later = *this;
  const int128 phase = later.pass_launch_phase(never - at_);
  if (later.left() <= level) return instant_after(at_, ceil_div(left() - level, loss));
  if (later.launch_ != 0) return never;
  return instant_after(at_, phase + ceil_div(later.net_ - level, loss));
}

std::int64_t CpuCredits::exhausted_at() const {
  return mode_ == CreditMode::standard && spends() ? falls_to(0) : never;
}

std::int64_t CpuCredits::limit_changes_at() const {
  if (mode_ == CreditMode::unlimited || !running()) return never;
  const std::int64_t at = step();
  if (spends()) return at == 0 ? never : falls_to(needed(at));
  if (!saves() || at == steps) return never;
  return instant_after(at_, ceil_div(needed(at + 1) + 1 - left(), earn_ - usage_));
}

std::int64_t CpuCredits::reaches(int128 balance) const {
  if (net_ >= balance) return at_;
  if (balance > maximum() || !running()) return never;
  CpuCredits later = *this;
  const int128 phase = later.pass_launch_phase(never - at_);
  // Until launch credits run out nothing of the balance is spent.
  if (later.net_ >= balance) return instant_after(at_, ceil_div(balance - net_, earn_));
  const int128 gain = later.launch_ == 0 || usage_ == 0 ? earn_ - usage_ : 0;
  return gain > 0 ? instant_after(at_, phase + ceil_div(balance - later.net_, gain)) : never;
}

void CpuCredits::check() const {
  const CreditAccount& it = account_;
  const int128 in = it.earned + it.granted + surplus() + it.closing + it.overflow;
  const int128 out = it.spent + balance() + launch_ + it.discarded + it.lost;
  if (in != out) throw InvariantError("CPU credits do not add up");
}

}  // namespace nephoscope
