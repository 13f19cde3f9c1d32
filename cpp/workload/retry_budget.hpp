// What a caller may spend on further attempts: a token bucket.
//
// A request earns a share of a token when it is first sent, a further attempt costs one, and time
// may bring some: the rule of Finagle's RetryBudget (deposits, withdrawals, a minimum a second).
// There tokens expire after a while; here, as in gRPC's retry throttling (proposal A6), the bucket
// starts full and holds no more than its reserve.

#pragma once

#include <algorithm>
#include <cstdint>

#include "workload/resilience_spec.hpp"

namespace nephoscope {

class RetryBudget {
 public:
  // No limit.
  RetryBudget() = default;

  // The spec must have been checked.
  explicit RetryBudget(const BudgetSpec& spec)
      : limited_(spec.limited),
        share_(in_units(spec.share)),
        most_(in_units(spec.reserve)),
        per_second_(spec.per_second),
        tokens_(most_) {}

  // A request is sent for the first time.
  void earn(std::int64_t now) {
    settle(now);
    tokens_ = std::min(most_, tokens_ + share_);
  }

  // A further attempt is to be made. Returns false when there is no token for it.
  bool spend(std::int64_t now) {
    if (!limited_) return true;
    settle(now);
    if (tokens_ < token) return false;
    tokens_ -= token;
    return true;
  }

  double tokens(std::int64_t now) {
    settle(now);
    return static_cast<double>(tokens_) / static_cast<double>(token);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(tokens_, settled_);
  }

 private:
  static constexpr std::int64_t token = 1'000'000'000;

  static std::int64_t in_units(double tokens) {
    return static_cast<std::int64_t>(tokens * static_cast<double>(token) + 0.5);
  }

  // A rate of one a second brings a unit each nanosecond.
  void settle(std::int64_t now) {
    const double brought = per_second_ * static_cast<double>(now - settled_);
    const double room = static_cast<double>(most_ - tokens_);
    tokens_ = brought >= room ? most_ : tokens_ + static_cast<std::int64_t>(brought);
    settled_ = now;
  }

  bool limited_ = false;
  std::int64_t share_ = 0;
  std::int64_t most_ = 0;
  double per_second_ = 0.0;
  std::int64_t tokens_ = 0;
  std::int64_t settled_ = 0;
};

}  // namespace nephoscope
