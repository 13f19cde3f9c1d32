// The instants at which an open source of traffic sends its requests.
//
// All random processes here are a Poisson process of rate 1 seen through a change of time: the next
// arrival is where the integral of the rate has grown by the next standard exponential. So request
// k draws the same number whatever the rate is, and a change of rate stretches what is left to wait
// for. Instants are exact to a fraction of a nanosecond and then cut to whole ones, so no bias adds
// up.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/distributions.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"
#include "workload/arrival_spec.hpp"

namespace nephoscope {

class ArrivalStream {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // Throws SpecError when the spec cannot be followed. `units` is the stream of the exponentials
  // and `states` the one of the MMPP's stays.
  // Nothing after `horizon_ns` need be told.
  ArrivalStream(const ArrivalSpec& spec, StreamKey units, StreamKey states,
                std::int64_t horizon_ns = never);

  // The instant of the next request, ns; `never` when there is none. Instants do not descend.
  // Closed sources have none: their requests follow from the answers.
  NEPHOSCOPE_HOT std::int64_t next() {
    switch (kind_) {
      case ArrivalKind::poisson:
        return after(units_.next_in_order(drawn_++) * mean_gap_ns_);
      case ArrivalKind::constant:
        return next_constant();
      default:
        return next_of_other();
    }
  }

  // What next() will most likely say, or any other time, for who fetches ahead.
  NEPHOSCOPE_HOT std::int64_t foreseen() const {
    const double gap_ns = units_.foreseen(drawn_) * mean_gap_ns_;
    return gap_ns > farthest_ns ? now_ : now_ + static_cast<std::int64_t>(fraction_ + gap_ns);
  }

  // Sources of kind poisson and constant: from `now` on the rate is another one (per second, > 0).
  // `pending` is the instant next() gave last; returns the one that takes its place.
  std::int64_t set_rate(double rate, std::int64_t pending, std::int64_t now);
  bool has_rate() const { return kind_ == ArrivalKind::poisson || kind_ == ArrivalKind::constant; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(now_, fraction_, drawn_, mean_gap_ns_, constant_fraction_, state_, state_end_, stays_,
            segment_, remaining_);
    units_.serialize(archive);
  }

 private:
  // Beyond this many ns nothing is scheduled: 146 years.
  static constexpr double farthest_ns = 4.6e18;

  NEPHOSCOPE_HOT std::int64_t after(double gap_ns) {
    if (gap_ns > farthest_ns) [[unlikely]]
      return never;
    advance(gap_ns);
    return now_;
  }

  // Moves the clock by a positive number of ns, keeping what is below one.
  NEPHOSCOPE_HOT void advance(double gap_ns) {
    const double exact = fraction_ + gap_ns;
    const auto whole = static_cast<std::int64_t>(exact);
    fraction_ = exact - static_cast<double>(whole);
    now_ += whole;
  }

  std::int64_t next_constant();
  std::int64_t next_of_other();
  std::int64_t next_mmpp();
  std::int64_t next_profile();
  std::int64_t next_instant();
  std::int64_t next_counted();
  void start_mmpp();
  void set_gap(double rate);
  void move_to(std::int64_t time);

  // Immutable after construction, but for the gap.
  ArrivalKind kind_;
  std::int64_t horizon_ns_;
  std::vector<double> rates_per_ns_;
  std::vector<double> mean_stay_ns_;
  std::vector<std::int64_t> times_ns_;
  std::vector<std::int64_t> counts_;
  Sampler units_;
  Sampler stay_units_;
  WordStream first_state_;

  double mean_gap_ns_ = 0.0;
  std::int64_t now_ = 0;
  double fraction_ = 0.0;                // of a ns beyond now_
  std::uint64_t constant_fraction_ = 0;  // the same in 2^-32 ns, exact, for constant gaps
  std::uint64_t drawn_ = 0;
  std::uint64_t state_ = 0;  // mmpp
  std::int64_t state_end_ = 0;
  std::uint64_t stays_ = 0;
  std::uint64_t segment_ = 0;   // profile, instants, counts: place in the list
  std::int64_t remaining_ = 0;  // counts: requests left in the interval
};

}  // namespace nephoscope
