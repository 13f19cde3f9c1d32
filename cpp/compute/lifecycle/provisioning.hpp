// Launching many instances through the provider's interface, which lets two token buckets limit it:
// one of requests, one of instances. Both refill continuously and are full at first.
//
// A request needs a token of the first, and takes one of the second for each instance it launches:
// as many as wanted, as the bucket holds and as there is capacity for; if that is less than the
// least wanted, none. Where a bucket is the limit the answer is RequestLimitExceeded, and the
// caller tries again later. A request that is refused for want of a request token has cost nothing;
// one that is refused for want of instances has cost its request token.
//
// Levels are whole numbers of 1e-9 tokens, so that a refill of so many a second is exact at every
// nanosecond.
//
// Invariant: in any interval of d seconds at most size + refill x d tokens are taken of a bucket.

#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "kernel/random.hpp"

namespace nephoscope {

struct LaunchLimits {
  std::int64_t instances = 1000;  // size of the bucket
  std::int64_t instances_per_s = 2;
  std::int64_t requests = 5;
  std::int64_t requests_per_s = 2;
};

enum class LaunchAnswer : std::uint8_t { launched, request_limit_exceeded, insufficient_capacity };
inline constexpr std::array<std::string_view, 3> launch_words = {"launched", "RequestLimitExceeded",
                                                                 "InsufficientInstanceCapacity"};

struct LaunchReply {
  LaunchAnswer answer = LaunchAnswer::launched;
  std::int64_t launched = 0;
};

// The interface of one account in one region.
class LaunchInterface {
 public:
  static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

  // Throws SpecError with the field's name when a limit is not legal.
  explicit LaunchInterface(const LaunchLimits& limits = {});

  // Throws SpecError unless 1 <= min_count <= count and `now` is not before the last call.
  LaunchReply run_instances(std::int64_t count, std::int64_t min_count, std::int64_t now,
                            std::int64_t capacity = unlimited);

  // The first instant from `now` on at which a request for `min_count` would not be throttled.
  // Throws SpecError unless 1 <= min_count <= limits.instances.
  std::int64_t admits_at(std::int64_t min_count, std::int64_t now) const;

  // How many instances a request would launch now, at most. Precondition: no call was later.
  std::int64_t room(std::int64_t now) const;

  const LaunchLimits& limits() const { return limits_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(limits_, instances_, requests_, updated_);
  }

 private:
  void refill(std::int64_t now);

  LaunchLimits limits_;
  std::int64_t instances_ = 0;  // 1e-9 tokens, at updated_
  std::int64_t requests_ = 0;
  std::int64_t updated_ = 0;
};

// How a caller launches many: in batches, and what it does when it is throttled.
struct LaunchPlan {
  std::int64_t batch = 100;          // instances a request, at most
  std::int64_t min_count = 1;        // of a batch, or what is left of the whole
  std::int64_t backoff_base_ns = 0;  // 0: waits exactly until it is let in
  std::int64_t backoff_cap_ns = 20'000'000'000;
  bool jitter = false;  // each wait uniform between 0 and its full length
  StreamKey jitter_key;
};

struct Provisioning {
  std::vector<std::int64_t> accepted_at;  // of each instance, ns, in order
  std::int64_t requests = 0;
  std::int64_t throttled = 0;
};

// Launches `count` instances from `now` on. The n-th throttling in a row is followed by a wait of
// min(cap, base x 2^(n-1)). Throws SpecError when the plan is not legal or cannot come to an end.
Provisioning provision(LaunchInterface& interface, std::int64_t count, const LaunchPlan& plan,
                       std::int64_t now);

}  // namespace nephoscope
