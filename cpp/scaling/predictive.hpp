// A policy that looks ahead: from the load of past hours it forecasts the next, and asks for the
// instances that they need before they begin. It never asks for fewer than there are.
//
//   policy.add(load) for every period; policy.end_hour(hour) when `hour` begins
//   policy.capacity(hour) before it begins
//
// A forecast is made when there is a day of history, and anew every six hours. (Amazon EC2 Auto
// Scaling, "Predictive scaling"; what forecasts is scaling/forecast.hpp.)

#pragma once

#include <cstdint>
#include <vector>

#include "scaling/forecast.hpp"
#include "scaling/scaling_spec.hpp"

namespace nephoscope {

class PredictivePolicy {
 public:
  // Throws SpecError with the path of the field in the policy.
  explicit PredictivePolicy(const PredictiveSpec& spec);

  const PredictiveSpec& spec() const { return spec_; }

  // The metric of all instances together in the period that has ended.
  void add(double load) {
    sum_ += load;
    ++periods_;
  }

  // The hour before this one is over; hours count from the start of the run.
  void end_hour(std::int64_t hour);

  // Instances for the load that is forecast for an hour; 0 where there is no forecast for it.
  std::uint32_t capacity(std::int64_t hour) const;

  // The bound that a forecast may lift, with what it asks for.
  std::uint32_t bound(std::uint32_t max, std::uint32_t capacity) const;

  void count() { ++decisions_; }
  std::uint64_t decisions() const { return decisions_; }

  template <class Archive>
  void serialize(Archive& archive) {
    forecast_.serialize(archive);
    archive(plan_, plan_from_, sum_, periods_, decisions_);
  }

 private:
  void make_plan(std::int64_t hour);

  PredictiveSpec spec_;
  Forecast forecast_;
  std::vector<double> plan_;  // loads of the hours from plan_from_ on
  std::int64_t plan_from_ = 0;
  double sum_ = 0.0;  // of this hour's periods so far
  std::uint64_t periods_ = 0;
  std::uint64_t decisions_ = 0;  // to scale out, acted on or not
};

}  // namespace nephoscope
