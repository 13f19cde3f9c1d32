#include "balancing/capacity.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr double least = 1e-3;
constexpr double greatest = 1e9;
constexpr std::int64_t longest_ns = 3'600'000'000'000;

}  // namespace

Capacity::Capacity(const CapacitySpec& spec)
    : minimum_(spec.minimum), patience_(spec.wait_ns), next_(step_ns) {
  require(spec.start >= least && spec.start <= greatest, "start",
          "must be from 0.001 to 1,000,000,000 a second");
  require(spec.minimum >= least && spec.minimum <= spec.start, "minimum",
          "must be from 0.001 a second to the start");
  require(spec.wait_ns >= 0 && spec.wait_ns <= longest_ns, "wait", "must be from 0 to an hour");
  before_.assign(steps + 1, spec.start);
  set_rate(spec.start);
}

void Capacity::follow() {
  next_ += step_ns;
  const double wanted = 2.0 * static_cast<double>(offered_) / (static_cast<double>(step_ns) / 1e9);
  offered_ = 0;
  before_.erase(before_.begin());
  const double then = before_.front();
  const double bounded = std::clamp(wanted, then / 2.0, then * 2.0);
  set_rate(std::clamp(bounded, minimum_, greatest));
}

void Capacity::set_rate(double rate) {
  before_.resize(steps);
  before_.push_back(rate);
  most_ = std::max(most_, rate);
  gap_ = std::max<std::int64_t>(std::llround(1e9 / rate), 1);
  slack_ = std::max<std::int64_t>(tolerance_ns - gap_, 0);
}

void Capacity::check() const {
  if (!active()) return;
  const double most = std::max(minimum_, before_.front() * 2.0);
  if (before_.size() == steps + 1 && rate() >= minimum_ && rate() <= most) return;
  throw InvariantError("the capacity of a balancer has grown too fast, or fallen too far");
}

}  // namespace nephoscope
