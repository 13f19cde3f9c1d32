#include "compute/devices/token_bucket.hpp"

#include <limits>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t no_instant = std::numeric_limits<std::int64_t>::max();

}  // namespace

TokenBucket::TokenBucket(const TokenBucketFacts& facts, std::int64_t now)
    : level_(facts.initial * femto),
      capacity_(facts.capacity * femto),
      refill_(facts.refill),
      interval_ns_(facts.interval_ns),
      at_(now) {
  require(facts.capacity >= 0, "capacity", "must not be below 0");
  require(facts.refill >= 0, "refill", "must not be below 0");
  require(facts.initial >= 0, "initial", "must not be below 0");
  require(facts.initial <= facts.capacity, "initial", "is more than the capacity");
  require(facts.interval_ns >= 0, "interval_ns", "must not be below 0");
  require(now >= 0, "now", "must not be below 0");
}

// The level moves one way between two calls, so it is enough to hold it within its bounds at the
// end: at a bound it would have stayed there.
void TokenBucket::settle(int128 level) {
  if (level > capacity_) {
    account_.discarded += level - capacity_;
    level = capacity_;
  }
  level_ = level;
}

void TokenBucket::advance(std::int64_t until) {
  require(until >= at_, "until", "is in the past");
  const std::int64_t elapsed =
      interval_ns_ == 0 ? until - at_ : (until / interval_ns_ - at_ / interval_ns_) * interval_ns_;
  const int128 in = int128{refill_} * elapsed;
  const int128 out = int128{spend_} * (until - at_);
  account_.refilled += in;
  account_.spent += out;
  int128 level = level_ + in - out;
  if (level < 0) {
    account_.unmet -= level;
    account_.spent += level;
    level = 0;
  }
  settle(level);
  at_ = until;
}

void TokenBucket::set_spend(std::int64_t rate) {
  require(rate >= 0, "spend", "must not be below 0");
  require(rate == 0 || interval_ns_ == 0, "spend", "must be 0 where tokens come in steps");
  spend_ = rate;
}

void TokenBucket::set_refill(std::int64_t rate) {
  require(rate >= 0, "refill", "must not be below 0");
  refill_ = rate;
}

bool TokenBucket::take(std::int64_t tokens) {
  require(tokens >= 0, "tokens", "must not be below 0");
  const int128 lump = tokens * femto;
  if (lump > level_) return false;
  level_ -= lump;
  account_.spent += lump;
  return true;
}

void TokenBucket::fill() {
  account_.refilled += capacity_ - level_;
  level_ = capacity_;
}

std::int64_t TokenBucket::empty_at() const {
  if (level_ == 0) return at_;
  return spend_ > refill_ ? instant_after(at_, ceil_div(level_, spend_ - refill_)) : no_instant;
}

std::int64_t TokenBucket::able_at(std::int64_t tokens) const {
  require(tokens >= 0, "tokens", "must not be below 0");
  return reaches(tokens * femto);
}

std::int64_t TokenBucket::reaches(int128 level) const {
  if (level_ >= level) return at_;
  if (level > capacity_ || refill_ <= spend_) return no_instant;
  if (interval_ns_ == 0) return instant_after(at_, ceil_div(level - level_, refill_ - spend_));
  const int128 steps = ceil_div(level - level_, int128{refill_} * interval_ns_);
  return instant_after(at_, steps * interval_ns_ - at_ % interval_ns_);
}

}  // namespace nephoscope
