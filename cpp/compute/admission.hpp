// Admission control: whom an instance lets in before a request takes a worker or a place in the
// backlog. A rate limit is a token bucket of each instance, load shedding looks at what it holds.
//
// The bucket is full when the instance begins. A request takes a token, and is throttled where
// there is less than one; whatever comes into a full bucket is lost. The level is a whole number of
// femtotokens (1e-15) and rates are whole millionths of a token a second, so it is exact at every
// nanosecond, however time is cut.
//
// What the limit lets in is shed while as many requests as `in_flight` hold a worker or wait for
// one, or while the one that has waited longest has waited for more than `queue_delay_ns`: the
// sojourn time of the head, which CoDel (Nichols and Jacobson, 2012) watches too, against a bound
// instead of over an interval. Its token is spent.
//
// Invariant: 0 <= level <= capacity.

#pragma once

#include <cstdint>
#include <vector>

#include "kernel/int128.hpp"

namespace nephoscope {

struct AdmissionRules {
  static constexpr std::int64_t unlimited = -1;

  std::int64_t burst = unlimited;           // tokens that the bucket holds; unlimited: no bucket
  std::int64_t refill = 0;                  // millionths of a token a second
  std::int64_t queue_delay_ns = unlimited;  // of the oldest that waits
  std::int64_t in_flight = unlimited;       // requests at once
  bool limits_checks = false;               // whether health checks take tokens
  bool sheds_checks = false;                // whether they are shed

  bool any() const { return limits_rate() || sheds(); }
  bool limits_rate() const { return burst != unlimited; }
  bool sheds() const { return queue_delay_ns != unlimited || in_flight != unlimited; }
  bool any_for_checks() const {
    return (limits_rate() && limits_checks) || (sheds() && sheds_checks);
  }
};

// Throws SpecError with the field's name when a rule is not legal.
void check(const AdmissionRules& rules);

// What an instance holds when a request comes.
struct Held {
  std::int64_t requests = 0;   // with a worker or waiting for one
  std::int64_t waited_ns = 0;  // by the one that has waited longest for a worker
};

enum class Admission : std::uint8_t { admitted, throttled, shed };

// The buckets of instances, each of which is known by its number.
class AdmissionControl {
 public:
  // An instance begins, with a full bucket.
  void add(std::uint32_t instance, const AdmissionRules& rules, std::int64_t now);

  // A request, or a health check, has come to an instance that was added with these rules. Takes a
  // token if it may.
  Admission admit(std::uint32_t instance, const AdmissionRules& rules, const Held& held,
                  bool is_check, std::int64_t now);

  // Femtotokens at `now`, not before the last request.
  int128 level(std::uint32_t instance, const AdmissionRules& rules, std::int64_t now) const;

  // Throws InvariantError when a bucket of these rules is over its bounds or ahead of time.
  void check(std::uint32_t instance, const AdmissionRules& rules, std::int64_t now) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(buckets_);
  }

 private:
  struct Bucket {
    int128 level = 0;     // femtotokens
    std::int64_t at = 0;  // when it had that
    std::int64_t unused = 0;
  };

  std::vector<Bucket> buckets_;  // by instance, up to the last one with a rate limit
};

}  // namespace nephoscope
