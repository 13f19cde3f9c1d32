#include "workload/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

namespace {

constexpr double ns_per_s = 1e9;
constexpr std::uint32_t states_max = 100'000'000;  // of an MMPP between two requests
constexpr double mean_stay_min_ns =
    1000.0;  // shorter, and a run would do nothing but change states
const Distribution unit_exponential{DistributionKind::exponential, 1.0, 0.0, {}, {}};

bool positive(double value) {
  return std::isfinite(value) && value > 0.0;
}

void require_arrivals(bool condition, const char* field, const char* message) {
  if (!condition) throw SpecError(std::string("arrivals.") + field, message);
}

void require_rates(const std::vector<double>& rates) {
  const bool legal = std::all_of(rates.begin(), rates.end(),
                                 [](double rate) { return std::isfinite(rate) && rate >= 0.0; });
  require_arrivals(legal, "rates", "must be finite and not below 0");
}

void check_spec(const ArrivalSpec& spec) {
  switch (spec.kind) {
    case ArrivalKind::poisson:
    case ArrivalKind::constant:
      require_arrivals(positive(spec.rate) && spec.rate <= 1e12, "rate",
                       "must be above 0 and at most 1e12/s");
      break;
    case ArrivalKind::mmpp:
      require_arrivals(!spec.rates.empty() && spec.rates.size() == spec.mean_stay_ns.size(),
                       "rates", "needs a mean stay for each state");
      require_rates(spec.rates);
      require_arrivals(*std::max_element(spec.rates.begin(), spec.rates.end()) > 0.0, "rates",
                       "must not all be 0");
      require_arrivals(
          std::all_of(spec.mean_stay_ns.begin(), spec.mean_stay_ns.end(),
                      [](double stay) { return positive(stay) && stay >= mean_stay_min_ns; }),
          "mean_stay", "must be 1 us or more");
      break;
    case ArrivalKind::profile:
      require_arrivals(!spec.rates.empty() && spec.rates.size() == spec.times_ns.size(), "profile",
                       "needs a rate for each instant");
      require_rates(spec.rates);
      break;
    case ArrivalKind::counts:
      require_arrivals(spec.times_ns.size() == spec.counts.size() + 1, "counts",
                       "need one edge more");
      require_arrivals(
          std::all_of(spec.counts.begin(), spec.counts.end(), [](auto n) { return n >= 0; }),
          "counts", "must not be below 0");
      break;
    case ArrivalKind::instants:
    case ArrivalKind::closed:
      break;
    default:
      throw SpecError("arrivals.kind", "is no kind of arrivals");
  }
  require_arrivals(std::is_sorted(spec.times_ns.begin(), spec.times_ns.end()), "times",
                   "must ascend");
  require_arrivals(spec.times_ns.empty() || spec.times_ns.front() >= 0, "times",
                   "must not be below 0");
}

}  // namespace

ArrivalStream::ArrivalStream(const ArrivalSpec& spec, StreamKey units, StreamKey states,
                             std::int64_t horizon_ns)
    : kind_(spec.kind),
      horizon_ns_(horizon_ns),
      mean_stay_ns_(spec.mean_stay_ns),
      times_ns_(spec.times_ns),
      counts_(spec.counts),
      units_(unit_exponential, units),
      stay_units_(unit_exponential, states),
      first_state_(states, std::uint64_t{1} << 60) {
  check_spec(spec);
  for (const double rate : spec.rates) rates_per_ns_.push_back(rate / ns_per_s);
  if (has_rate()) set_gap(spec.rate);
  if (kind_ == ArrivalKind::mmpp) start_mmpp();
  if (kind_ == ArrivalKind::counts && !counts_.empty()) {
    remaining_ = counts_[0];
    move_to(times_ns_[0]);
  }
}

void ArrivalStream::set_gap(double rate) {
  mean_gap_ns_ = ns_per_s / rate;
}

void ArrivalStream::move_to(std::int64_t time) {
  now_ = time;
  fraction_ = 0.0;
}

// The gap in units of 2^-32 ns, so that the sum does not drift.
std::int64_t ArrivalStream::next_constant() {
  if (mean_gap_ns_ > farthest_ns) return never;
  const double whole = std::floor(mean_gap_ns_);
  constant_fraction_ += static_cast<std::uint64_t>((mean_gap_ns_ - whole) * 0x1p32 + 0.5);
  now_ += static_cast<std::int64_t>(whole) + static_cast<std::int64_t>(constant_fraction_ >> 32);
  constant_fraction_ &= 0xFFFFFFFF;
  return now_;
}

std::int64_t ArrivalStream::next_of_other() {
  switch (kind_) {
    case ArrivalKind::mmpp:
      return next_mmpp();
    case ArrivalKind::profile:
      return next_profile();
    case ArrivalKind::instants:
      return next_instant();
    case ArrivalKind::counts:
      return next_counted();
    default:
      return never;
  }
}

// The chain starts as it is found at a random instant: in a state as likely as its mean stay is
// long.
void ArrivalStream::start_mmpp() {
  double total = 0.0;
  for (const double stay : mean_stay_ns_) total += stay;
  double left = first_state_.unit() * total;
  while (state_ + 1 < mean_stay_ns_.size() && left >= mean_stay_ns_[state_]) {
    left -= mean_stay_ns_[state_++];
  }
  state_end_ = to_ns(stay_units_.at(stays_++, 0) * mean_stay_ns_[state_]);
}

std::int64_t ArrivalStream::next_mmpp() {
  double units = units_.next_in_order(drawn_++);
  for (std::uint32_t passed = 0; now_ <= horizon_ns_; ++passed) {
    if (passed == states_max) {
      throw SpecError("arrivals.mmpp", "passes 10^8 states without a request: rates are too low");
    }
    const double left_ns = static_cast<double>(state_end_ - now_) - fraction_;
    const double reach = std::max(left_ns, 0.0) * rates_per_ns_[state_];
    if (units < reach) {
      advance(units / rates_per_ns_[state_]);
      return now_;
    }
    units -= reach;
    move_to(state_end_);
    state_ = state_ + 1 == mean_stay_ns_.size() ? 0 : state_ + 1;
    state_end_ += std::max<std::int64_t>(
        to_ns(stay_units_.next_in_order(stays_++) * mean_stay_ns_[state_]), 1);
    if (static_cast<double>(state_end_) > farthest_ns) return never;
  }
  return never;
}

// Within a segment the rate is r + k x, so x solves r x + k x^2 / 2 = units; this form of the root
// does not cancel.
std::int64_t ArrivalStream::next_profile() {
  double units = units_.next_in_order(drawn_++);
  while (segment_ < times_ns_.size()) {
    const std::int64_t end = times_ns_[segment_];
    const double length_left = static_cast<double>(end - now_) - fraction_;
    const double rate_end = rates_per_ns_[segment_];
    double rate = rate_end;
    double slope = 0.0;
    if (segment_ > 0) {
      const auto length = static_cast<double>(end - times_ns_[segment_ - 1]);
      slope = length > 0.0 ? (rate_end - rates_per_ns_[segment_ - 1]) / length : 0.0;
      rate = rate_end - slope * std::max(length_left, 0.0);
    }
    const double reach = std::max(length_left, 0.0) * (rate + rate_end) / 2.0;
    if (units < reach) {
      const double root = std::sqrt(std::max(rate * rate + 2.0 * slope * units, 0.0));
      advance(std::min(2.0 * units / (rate + root), length_left));
      return now_;
    }
    units -= reach;
    move_to(end);
    ++segment_;
  }
  const double rate = rates_per_ns_.back();
  return rate > 0.0 ? after(units / rate) : never;
}

std::int64_t ArrivalStream::next_instant() {
  if (segment_ == times_ns_.size()) return never;
  return times_ns_[segment_++];
}

// The least of m uniform instants on what is left of an interval lies at 1 - U^(1/m) of it.
std::int64_t ArrivalStream::next_counted() {
  while (remaining_ == 0) {
    if (segment_ + 1 >= counts_.size()) return never;
    ++segment_;
    remaining_ = counts_[segment_];
    move_to(times_ns_[segment_]);
  }
  const double left_ns = static_cast<double>(times_ns_[segment_ + 1] - now_) - fraction_;
  const double unit = units_.next_in_order(drawn_++);
  const double part = 1.0 - exp_(-unit / static_cast<double>(remaining_));
  --remaining_;
  advance(std::max(left_ns, 0.0) * part);
  now_ = std::min(now_, std::max(times_ns_[segment_ + 1] - 1, times_ns_[segment_]));
  return now_;
}

std::int64_t ArrivalStream::set_rate(double rate, std::int64_t pending, std::int64_t now) {
  require_arrivals(positive(rate) && rate <= 1e12, "rate", "must be above 0 and at most 1e12/s");
  const double before = mean_gap_ns_;
  set_gap(rate);
  const double left_ns = static_cast<double>(pending - now) + fraction_;
  move_to(now);
  constant_fraction_ = 0;
  return pending == never ? next() : after(left_ns * (mean_gap_ns_ / before));
}

}  // namespace nephoscope
