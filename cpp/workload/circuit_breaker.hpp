// Whether a caller asks at all: closed, open, half open (Nygard, "Release It!").
//
// Closed, it lets everything through and counts. It opens after so many attempts in a row without
// success, or when a share of the last `window` attempts had none. Open, it lets nothing through
// for a while. Then it is half open: as many attempts as there are probes go through; if all of
// them succeed it closes and counts from nothing, if one does not it opens again.
//
// What was sent before the last change of state tells nothing about the present one and does not
// count.

#pragma once

#include <cstdint>
#include <vector>

#include "workload/resilience_spec.hpp"

namespace nephoscope {

class CircuitBreaker {
 public:
  enum class State : std::uint32_t { closed, open, half_open };

  // Always closed.
  CircuitBreaker() = default;

  // The spec must have been checked.
  explicit CircuitBreaker(const BreakerSpec& spec);

  // Whether an attempt may be made now; half open, it is a probe then.
  bool lets_through(std::int64_t now);

  // An attempt that was let through at `sent` has ended.
  void record(bool success, std::int64_t sent, std::int64_t now);

  // The same, but nobody knows how it would have ended.
  void forget(std::int64_t sent);

  State state() const { return state_; }
  std::uint64_t opened() const { return opened_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(state_, since_, in_a_row_, probes_left_, succeeded_, place_, seen_, failed_, opened_,
            outcomes_);
  }

 private:
  void count(bool success);
  void open(std::int64_t now);
  void close(std::int64_t now);

  BreakerSpec spec_;
  std::uint32_t least_failed_ = 0;  // of the window, to open

  State state_ = State::closed;
  std::uint32_t in_a_row_ = 0;  // without success
  std::uint32_t probes_left_ = 0;
  std::uint32_t succeeded_ = 0;         // probes
  std::int64_t since_ = 0;              // the last change of state
  std::vector<std::uint8_t> outcomes_;  // the window, a ring: 1 without success
  std::uint32_t place_ = 0;             // of the next in the ring
  std::uint32_t seen_ = 0;              // in the window
  std::uint32_t failed_ = 0;            // of those
  std::uint64_t opened_ = 0;
};

}  // namespace nephoscope
