// When a message that an endpoint did not take is delivered again: the retry policy of a topic's
// subscription, or of the target of a bus.
//
// A policy says how many retries there are in each of four phases, in this order: at once; after
// the least wait; after waits that grow from the least to the greatest along a curve; after the
// greatest. So the wait before a retry is a function of its number, and needs no state. There may
// be an age beyond which nothing is tried.

#pragma once

#include <cstdint>

namespace nephoscope {

enum class DeliveryCurve : std::uint8_t {
  linear,       // equal steps
  arithmetic,   // steps that grow by equal amounts
  geometric,    // equal ratios
  exponential,  // the same
};

enum class DeliveryJitter : std::uint8_t {
  none,
  full,   // uniform from 0 to the wait
  equal,  // from half the wait to the wait
};

struct DeliveryRules {
  static constexpr std::int64_t second = 1'000'000'000;
  static constexpr std::int64_t wait_max = 3600 * second;
  static constexpr std::uint32_t retries_max = 1'000'000;  // of a phase

  std::uint32_t immediate = 0;
  std::uint32_t pre_backoff = 0;
  std::uint32_t backoff = 3;
  std::uint32_t post_backoff = 0;
  DeliveryCurve curve = DeliveryCurve::linear;
  DeliveryJitter jitter = DeliveryJitter::none;
  std::int64_t min_ns = 20 * second;
  std::int64_t max_ns = 20 * second;
  std::int64_t age_ns = 0;  // of a message that is tried again, at most; 0: any

  std::uint32_t retries() const { return immediate + pre_backoff + backoff + post_backoff; }

  // The wait before retry `retry` (from 0, below retries()), ns, without jitter.
  std::int64_t wait(std::uint32_t retry) const;

  // The same with jitter, for a uniform number u in (0, 1).
  std::int64_t wait(std::uint32_t retry, double u) const;

  // Throws SpecError.
  void check() const;
};

}  // namespace nephoscope
