#include "compute/instance_kind.hpp"

#include <algorithm>
#include <bit>

namespace nephoscope {

RatedKind::RatedKind(const InstanceKind& kind) : InstanceKind(kind) {
  const ServingMode solo = speed == 1.0 ? ServingMode::solo : ServingMode::solo_scaled;
  mode = workers == 1 && !hosted ? solo : ServingMode::several;
  // The clock and the work of one job must fit into 63 bits together.
  work_max = duration_ns(static_cast<double>(horizon_ns) * speed) + 1;
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(work_max)));
  unit_shift = static_cast<unsigned>(std::clamp(60 - bits, 0, static_cast<int>(finest_unit)));
  rate_all();
}

RatedKind RatedKind::slowed(double factor) const {
  RatedKind slow = *this;
  slow.speed /= factor;
  slow.pace /= factor;
  if (mode == ServingMode::solo) slow.mode = ServingMode::solo_scaled;
  slow.rate_all();
  return slow;
}

void RatedKind::rate_all() {
  for (std::uint32_t jobs = 0; jobs < units_per_time.size(); ++jobs) {
    units_per_time[jobs] = rate_of(jobs);
    time_per_unit[jobs] = 1.0 / rate_of(jobs);
  }
}

double RatedKind::rate_of(std::uint32_t jobs) const {
  const double full = speed * units_per_work();
  return jobs <= vcpus ? full : full * vcpus / jobs;
}

}  // namespace nephoscope
