// CPU credits of a burstable instance (t2, t3, t3a, t4g) in closed form, exact in integers.
//
// A credit is one vCPU at full use for a minute. A running instance earns credits at the rate at
// which its baseline spends them, and spends as many as its vCPUs are used. Credits are counted in
// units so small that every rate is whole: 1875 x 2^36 units a nanosecond are one vCPU, so whole
// thousandths of a credit an hour and whole 2^-36 of a vCPU (water_level.hpp) are exact. Usage is
// constant between calls, and all that happens in between is settled in one step, however long: how
// time is cut into calls changes nothing, to the last unit.
//
// The rules, as the provider states them:
//   - The balance is at most what is earned in 24 h; what is earned above is discarded.
//   - Standard mode: when the balance is empty, use is held to the baseline (`limit`). The provider
//     lowers it gradually, over a time that is not published; here it is lowered at once, or over
//     `lowered_over_ns`, in equal steps that take equal times at full use. Which step it is at
//     follows from what is left alone, and the last one is where nothing is: so nothing is given
//     away, and the limit rises by the same steps as credits are earned again.
//   - Launch credits (T2 in standard mode) come with each launch or start, are spent first, do not
//     count for the maximum, and are lost at a stop and at the switch to unlimited. Whether an
//     account still gets them is told by LaunchCreditLimit.
//   - Unlimited mode: an empty balance goes on as a surplus, which earnings pay back. Use beyond a
//     surplus of 24 h of earning is charged, at the end of the hour of the clock. The surplus is
//     charged in full at a stop, at the end and at the switch to standard.
//   - A stopped instance earns nothing. Its balance is kept for `kept_ns` and then lost: T2 at
//   once,
//     T3, T3a and T4g after 7 days.
//
// The nanosecond in which launch credits run out is settled as one: first they, then the balance.
//
// Invariant, exactly (`check` throws InvariantError when it does not hold):
//   earned + granted + surplus + closing + overflow
//     = spent + balance + launch credits + discarded + lost;
//   in standard mode spent <= earned + balance + launch credits over any time.

#pragma once

#include <cstdint>

#include "compute/water_level.hpp"
#include "kernel/int128.hpp"

namespace nephoscope {

enum class CreditMode : std::uint32_t { standard, unlimited };

struct CpuCreditFacts {
  std::uint32_t vcpus = 1;
  std::int64_t millicredits_per_hour = 0;
  std::int64_t launch_credits = 0;   // of the instance, not of a vCPU
  std::int64_t kept_ns = 0;          // how long a stopped instance keeps its balance
  std::int64_t lowered_over_ns = 0;  // from full use to the baseline; 0: at once
};

// Units of credit since the beginning.
struct CreditAccount {
  int128 earned = 0;
  int128 granted = 0;    // launch credits
  int128 spent = 0;      // use that credits, earned or surplus, stood for
  int128 uncovered = 0;  // use beyond an empty balance in standard mode; nobody pays for it
  int128 discarded = 0;  // earned above the maximum
  int128 lost = 0;       // at a stop, after it, at the end, by a switch
  int128 overflow = 0;   // used beyond the largest surplus
  int128 closing = 0;    // surplus charged at a stop, at the end, by a switch
  int128 billed = 0;     // of overflow and closing, so far
};

class CpuCredits {
 public:
  static constexpr std::int64_t units_per_vcpu = std::int64_t{1875} << 36;  // in a ns
  static constexpr int128 units_per_credit = int128{units_per_vcpu} * 60'000'000'000;

  CpuCredits() = default;
  // An instance that has not been launched. Throws SpecError with the field's name when a fact is
  // not legal.
  CpuCredits(const CpuCreditFacts& facts, CreditMode mode, std::int64_t now = 0);

  // Lets time pass until `until`; throws SpecError when that is before now.
  void advance(std::int64_t until);

  // Launch, or start after a stop, with launch credits if the account still gets any.
  void start(bool launch_credits);
  void stop();
  void terminate();
  bool terminated() const { return state_ == State::terminated; }
  void set_mode(CreditMode mode);

  // From now on so many vCPUs run, to the nearest 2^-36. What equals `limit` of an empty balance
  // is the baseline, exactly. Throws SpecError when the instance is not running or has fewer.
  void set_usage(double vcpus);

  // How many vCPUs may be used now: all, or the baseline while the balance is empty in standard
  // mode, or between them while little is left of it and it is lowered gradually.
  double limit() const;
  bool spends() const { return usage_ > earn_; }  // more than it earns
  bool saves() const { return usage_ < earn_; }
  double baseline() const { return to_amount(static_cast<double>(earn_) / units_per_vcpu); }

  // The first instant, from now on, at which the balance is empty and more than the baseline is
  // used, or has the so many units that were earned, if nobody changes anything;
  // EventQueue::never if there is none.
  std::int64_t exhausted_at() const;
  std::int64_t reaches(int128 balance) const;
  std::int64_t full_at() const { return reaches(maximum()); }
  // The first instant, after now, at which `limit` is another; likewise.
  std::int64_t limit_changes_at() const;

  std::int64_t now() const { return at_; }
  bool running() const { return state_ == State::running; }
  CreditMode mode() const { return mode_; }
  int128 balance() const { return net_ > 0 ? net_ : 0; }  // without launch credits
  int128 surplus() const { return net_ < 0 ? -net_ : 0; }
  int128 launch_credits() const { return launch_; }
  int128 maximum() const { return int128{earn_} * day_ns; }
  const CreditAccount& account() const { return account_; }

  void check() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(*this);
  }

 private:
  enum class State : std::uint64_t { fresh, running, stopped, terminated };

  static constexpr std::int64_t hour_ns = std::int64_t{3600} * 1'000'000'000;
  static constexpr std::int64_t day_ns = 24 * hour_ns;

  static constexpr std::int64_t steps = 16;  // from the baseline to all vCPUs

  // Of the steps, those that what is left allows; each needs more than `needed`.
  std::int64_t step() const;
  int128 needed(std::int64_t step) const { return rung_ * (step * (step - 1) / 2); }
  int128 left() const { return launch_ + net_; }
  std::int64_t full_use() const { return vcpus_ * units_per_vcpu; }
  std::int64_t falls_to(int128 left) const;
  int128 pass_launch_phase(std::int64_t at_most);
  void pass(std::int64_t elapsed);
  void move(int128 used, std::int64_t elapsed);
  void charge();
  void lose_all();

  int128 net_ = 0;     // balance, or below 0 the surplus
  int128 launch_ = 0;  // what is left of the launch credits
  int128 rung_ = 0;    // what a step needs more than the one below it, a step
  CreditAccount account_;
  std::int64_t earn_ = 0;   // units a ns
  std::int64_t usage_ = 0;  // units a ns
  std::int64_t launch_grant_ = 0;
  std::int64_t kept_ns_ = 0;
  std::int64_t stopped_at_ = 0;
  std::int64_t at_ = 0;
  State state_ = State::fresh;
  std::uint32_t vcpus_ = 1;
  CreditMode mode_ = CreditMode::standard;
};

}  // namespace nephoscope
