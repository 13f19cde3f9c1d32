// What the instances of a fleet have in common, and the rates that follow from it.

#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "kernel/hot_path.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

struct InstanceKind {
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t vcpus = 1;
  double speed = 1.0;                               // of a vCPU; the reference is 1
  std::uint32_t workers = 1;                        // jobs served at once
  std::uint32_t backlog = unlimited;                // jobs that may wait for a worker
  std::int64_t horizon_ns = std::int64_t{1} << 50;  // no job has to complete after that long
  bool hosted = false;  // its vCPUs are shared with others: somebody tells their rate
};

// How an instance serves: one worker at reference speed; one at another; or several, who share. One
// worker whose rate may change is served as several are.
enum class ServingMode : std::uint8_t { solo, solo_scaled, several };

// A kind with what an instance needs to know at every step. Several workers share a clock of
// service that runs in units of 2^-unit_shift ns.
struct RatedKind : InstanceKind {
  explicit RatedKind(const InstanceKind& kind);

  // The same, so many times as slow; its clock runs in the same units.
  RatedKind slowed(double factor) const;

  // ns that work takes which has a vCPU to itself.
  std::int64_t time_for(std::int64_t work) const {
    return duration_ns(static_cast<double>(work) / speed);
  }

  // Clock units a ns of a reference vCPU.
  double units_per_work() const { return static_cast<double>(std::uint64_t{1} << unit_shift); }

  // Clock units a ns with so many jobs computing, and the inverse.
  NEPHOSCOPE_HOT double rate(std::uint32_t jobs) const {
    return jobs < units_per_time.size() ? units_per_time[jobs] : rate_of(jobs);
  }
  NEPHOSCOPE_HOT double inverse_rate(std::uint32_t jobs) const {
    return jobs < time_per_unit.size() ? time_per_unit[jobs] : 1.0 / rate_of(jobs);
  }

  ServingMode mode = ServingMode::solo;
  unsigned unit_shift = finest_unit;
  std::int64_t work_max = 0;  // ns: more than could be done before the horizon
  double pace = 1.0;          // of what is told of a hosted instance's rate

 private:
  static constexpr unsigned finest_unit = 10;  // coarser for a horizon of days

  NEPHOSCOPE_COLD double rate_of(std::uint32_t jobs) const;
  void rate_all();

  std::array<double, 64> units_per_time{};
  std::array<double, 64> time_per_unit{};
};

}  // namespace nephoscope
