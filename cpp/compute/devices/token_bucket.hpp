// A token bucket in closed form, exact in integers: it is brought up to date when somebody asks,
// and says when it will be empty, full or able to give so many tokens. Nothing ticks.
//
// A token is what is counted: a byte, an I/O, an instance to launch. Capacity and lumps are whole
// tokens, rates are whole millionths of a token a second, so the level is a whole number of
// femtotokens (1e-15) at every nanosecond. Sums of 128 bits hold every product of a rate and a
// time. So how time is cut into calls changes nothing, to the nanosecond and to the last digit.
//
// Tokens come in continuously at `refill` and leave at `spend`. What comes into a full bucket is
// discarded; what is wanted of an empty one, beyond what comes in, is unmet.
//
// With an `interval` tokens come in steps instead: refill x interval at each k x interval, k > 0
// (as a virtual network interface has them, whose credit is renewed every 50 ms). Such a bucket
// gives lumps only.
//
// Invariants:
//   0 <= level <= capacity;
//   initial level + refilled = level + spent + discarded.

#pragma once

#include <cstdint>

#include "kernel/int128.hpp"

namespace nephoscope {

struct TokenBucketFacts {
  std::int64_t capacity = 0;     // tokens
  std::int64_t refill = 0;       // millionths of a token a second
  std::int64_t initial = 0;      // tokens
  std::int64_t interval_ns = 0;  // between steps; 0: continuous
};

// Femtotokens since the beginning.
struct TokenAccount {
  int128 refilled = 0;   // what came, also what was discarded
  int128 spent = 0;      // what left, in lumps and at a rate
  int128 discarded = 0;  // came into a full bucket
  int128 unmet = 0;      // wanted at a rate, and the bucket was empty
};

class TokenBucket {
 public:
  static constexpr std::int64_t per_second = 1'000'000;               // millionths in a token
  static constexpr int128 femto = int128{1'000'000'000} * 1'000'000;  // femtotokens in a token

  TokenBucket() = default;
  // Throws SpecError with the field's name when a fact is not legal.
  explicit TokenBucket(const TokenBucketFacts& facts, std::int64_t now = 0);

  // Lets time pass until `until`; throws SpecError when that is before now.
  void advance(std::int64_t until);

  // From now on; millionths of a token a second.
  void set_spend(std::int64_t rate);
  void set_refill(std::int64_t rate);

  // Takes a lump now, or nothing and false when there is less.
  bool take(std::int64_t tokens);
  // The bucket is filled up now, as at a launch.
  void fill();

  std::int64_t now() const { return at_; }
  int128 level() const { return level_; }        // femtotokens
  int128 capacity() const { return capacity_; }  // femtotokens
  std::int64_t tokens() const { return static_cast<std::int64_t>(level_ / femto); }
  std::int64_t spend() const { return spend_; }
  std::int64_t refill() const { return refill_; }
  const TokenAccount& account() const { return account_; }

  // The first instant, from now on, at which it is so if nobody changes a rate or takes a lump;
  // EventQueue::never if there is none.
  std::int64_t empty_at() const;
  std::int64_t full_at() const { return reaches(capacity_); }
  std::int64_t able_at(std::int64_t tokens) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(*this);
  }

 private:
  std::int64_t reaches(int128 level) const;
  void settle(int128 level);

  int128 level_ = 0;
  int128 capacity_ = 0;
  TokenAccount account_;
  std::int64_t refill_ = 0;
  std::int64_t spend_ = 0;
  std::int64_t interval_ns_ = 0;
  std::int64_t at_ = 0;
};

}  // namespace nephoscope
