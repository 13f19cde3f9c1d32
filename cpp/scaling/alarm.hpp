// An alarm over the last datapoints of a metric: it goes off when M of the last N breach.
//
// A period without a datapoint is no evidence for anything: it does not push older ones out, and
// while the newest is missing the alarm does not act. Rules: Amazon CloudWatch, "Using alarms".

#pragma once

#include <bit>
#include <cstdint>

namespace nephoscope {

class Alarm {
 public:
  static constexpr std::uint32_t periods_max = 64;

  // Precondition: 1 <= datapoints <= periods <= periods_max.
  Alarm(std::uint32_t periods, std::uint32_t datapoints)
      : window_(periods == periods_max ? ~std::uint64_t{0} : (std::uint64_t{1} << periods) - 1),
        datapoints_(datapoints) {}

  void see(bool breaches) {
    breaches_ = ((breaches_ << 1) | (breaches ? 1U : 0U)) & window_;
    known_ = true;
  }
  void miss() { known_ = false; }

  bool is_on() const {
    return known_ && static_cast<std::uint32_t>(std::popcount(breaches_)) >= datapoints_;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(breaches_, known_);
  }

 private:
  std::uint64_t window_;
  std::uint64_t breaches_ = 0;  // bit 0: the newest
  std::uint32_t datapoints_;
  bool known_ = false;  // there is a newest
};

}  // namespace nephoscope
