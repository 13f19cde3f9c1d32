#include "workload/circuit_breaker.hpp"

#include <algorithm>
#include <cmath>

namespace nephoscope {

CircuitBreaker::CircuitBreaker(const BreakerSpec& spec)
    : spec_(spec), outcomes_(spec.window, std::uint8_t{0}) {
  // A share such as 0.1 of 30 must not be missed by a rounding.
  const double least = std::ceil(spec.failure_rate * spec.window - 1e-6);
  least_failed_ = std::max(1U, static_cast<std::uint32_t>(least));
}

bool CircuitBreaker::lets_through(std::int64_t now) {
  if (state_ == State::closed) return true;
  if (state_ == State::open) {
    if (now - since_ < spec_.open_ns) return false;
    state_ = State::half_open;
    since_ = now;
    probes_left_ = spec_.probes;
    succeeded_ = 0;
  }
  if (probes_left_ == 0) return false;
  --probes_left_;
  return true;
}

void CircuitBreaker::record(bool success, std::int64_t sent, std::int64_t now) {
  if (sent < since_ || state_ == State::open || !spec_.present()) return;
  if (state_ == State::closed) {
    count(success);
    const bool row = spec_.failures != 0 && in_a_row_ >= spec_.failures;
    const bool share = spec_.window != 0 && seen_ == spec_.window && failed_ >= least_failed_;
    if (row || share) open(now);
  } else if (!success) {
    open(now);
  } else if (++succeeded_ == spec_.probes) {
    close(now);
  }
}

void CircuitBreaker::forget(std::int64_t sent) {
  if (state_ == State::half_open && sent >= since_) ++probes_left_;
}

void CircuitBreaker::count(bool success) {
  in_a_row_ = success ? 0 : in_a_row_ + 1;
  if (spec_.window == 0) return;
  std::uint8_t& oldest = outcomes_[place_];
  failed_ -= oldest;
  oldest = success ? 0 : 1;
  failed_ += oldest;
  place_ = (place_ + 1) % spec_.window;
  seen_ = std::min(seen_ + 1, spec_.window);
}

void CircuitBreaker::open(std::int64_t now) {
  state_ = State::open;
  since_ = now;
  ++opened_;
}

void CircuitBreaker::close(std::int64_t now) {
  state_ = State::closed;
  since_ = now;
  in_a_row_ = place_ = seen_ = failed_ = 0;
  std::fill(outcomes_.begin(), outcomes_.end(), std::uint8_t{0});
}

}  // namespace nephoscope
