// What a balancer itself can pass on, which follows its traffic and lags behind it.
//
// The scaling of the real service is not published; the model is inferred from its rule of thumb,
// that capacity must be reserved for traffic which more than doubles in five minutes. At the end of
// each minute the balancer aims at twice the requests of that minute. In five minutes its capacity
// at most doubles, or falls by half, and it never falls below the minimum.
//
// Requests beyond it are turned away or, up to a time, wait for their turn. Capacity is a rate,
// held by virtual scheduling (ITU-T I.371, the generic cell rate algorithm) with a tolerance of a
// second: who has been idle may get a second's worth at once. It draws nothing and allocates
// nothing.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

struct CapacitySpec {
  double start = 0.0;        // requests a second when the clock starts; 0: there is no limit
  double minimum = 0.0;      // that is reserved
  std::int64_t wait_ns = 0;  // that a request beyond it has until its turn comes
};

class Capacity {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t step_ns = 60'000'000'000;
  static constexpr std::uint32_t steps = 5;  // in which it may double
  static constexpr std::int64_t tolerance_ns = 1'000'000'000;

  // There is no limit.
  Capacity() = default;
  // Throws SpecError with the field's name when a value is not legal.
  explicit Capacity(const CapacitySpec& spec);

  bool active() const { return next_ != never; }
  // The end of the minute.
  std::int64_t next_event() const { return next_; }

  // A request comes. How long it waits for its turn, or never: it is turned away.
  std::int64_t admit(std::int64_t now) {
    ++offered_;
    const std::int64_t due = due_ > now ? due_ : now;
    const std::int64_t beyond = due - now - slack_;
    if (beyond > patience_) return never;
    due_ = due + gap_;
    return beyond > 0 ? beyond : 0;
  }

  // The minute is over.
  void follow();

  double rate() const { return before_.back(); }
  double most() const { return most_; }

  // Throws InvariantError when the rate has gone where it may not.
  void check() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(next_, due_, gap_, slack_, offered_, before_, most_);
  }

 private:
  void set_rate(double rate);

  double minimum_ = 0.0;
  std::int64_t patience_ = 0;
  std::int64_t next_ = never;
  std::int64_t due_ = 0;  // when the next request would come if all came evenly
  std::int64_t gap_ = 0;  // between two of them
  std::int64_t slack_ = 0;
  std::uint64_t offered_ = 0;   // in this minute
  std::vector<double> before_;  // the rates of the last five minutes and now
  double most_ = 0.0;
};

}  // namespace nephoscope
