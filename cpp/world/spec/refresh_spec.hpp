// Replacing all instances of a fleet, one after another, as plain data. Part of
// world/spec/spec.hpp.

#pragma once

#include <cstdint>
#include <vector>

namespace nephoscope {

// What becomes of those that scaling in leaves alone: they are replaced like all others; they stay;
// or they are waited for, and the refresh fails if nobody lets them go.
enum class ProtectedOnes : std::uint8_t { refresh, ignore, wait };

// The same of those on standby: they are terminated.
enum class StandbyOnes : std::uint8_t { terminate, ignore, wait };

struct RefreshSpec {
  static constexpr std::int64_t never = -1;
  static constexpr std::uint32_t untold = 0xFFFFFFFF;
  static constexpr std::uint32_t as_before = 0xFFFFFFFF;

  std::int64_t at_ns = never;
  // Percentages of the instances that are desired: of those that are well, at least; of those that
  // serve or are about to, at most. Untold, one leaves and another is launched at the same time.
  std::uint32_t min_healthy = 90;
  std::uint32_t max_healthy = untold;
  std::int64_t warmup_ns = 0;  // that a new one serves before it counts as well
  // Percentages replaced after which it waits; it ends with the last, or with all.
  std::vector<std::uint32_t> checkpoints;
  std::int64_t checkpoint_delay_ns = 3'600'000'000'000;
  std::uint32_t make = as_before;  // of the new ones: one of those that the fleet may have
  ProtectedOnes protected_ones = ProtectedOnes::wait;
  StandbyOnes standby_ones = StandbyOnes::wait;
  bool skip_matching = false;  // those that are of this make already stay
  bool rollback = false;       // when it fails, what was replaced is replaced by what was before
  std::vector<std::uint32_t> alarms;  // of the fleet's policies: it fails while one is on
};

}  // namespace nephoscope
