// An instance refresh as a fleet keeps it (refresh.cpp).
//
// A machine is old if it was launched before the refresh began and is not to stay. It looks at its
// fleet once a second and at the end of a wait, and lets old ones go, or new ones come first, as
// its bounds allow. Where only protected ones are left it waits, and fails after an hour.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "world/spec/refresh_spec.hpp"

namespace nephoscope {

struct Refresh {
  static constexpr std::int64_t not_yet = -1;
  static constexpr std::int64_t patience_ns = 3'600'000'000'000;     // with protected ones
  static constexpr std::int64_t longest_ns = 1'209'600'000'000'000;  // 14 days, then it fails

  RefreshSpec spec;

  std::int64_t started_ns = not_yet;
  std::int64_t finished_ns = not_yet;
  std::uint32_t first_machine = 0;  // that is new
  std::uint32_t first_index = 0;    // of the fleet, the same
  std::uint32_t total = 0;          // old ones when it began
  std::uint32_t replaced = 0;       // of these, when it looked last
  std::uint32_t surplus = 0;        // instances beyond those desired, meanwhile
  std::uint32_t checkpoint = 0;     // the next
  std::vector<std::int64_t>
      well_since;  // by index from the first: when it was found so, or not yet

  std::vector<std::uint32_t> kept;     // machines from before it that stay, ascending
  std::int64_t waits_since = not_yet;  // for protected ones
  bool failed = false;                 // it has finished before its end

  bool present() const { return spec.at_ns != RefreshSpec::never; }
  bool under_way() const { return started_ns != not_yet && finished_ns == not_yet; }
  bool is_new(std::uint32_t machine) const { return machine >= first_machine; }
  bool is_old(std::uint32_t machine) const {
    return !is_new(machine) && !std::binary_search(kept.begin(), kept.end(), machine);
  }

  // How many may have been replaced up to the next checkpoint.
  std::uint32_t limit() const;
  bool is_last() const { return checkpoint + 1 >= spec.checkpoints.size(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(spec.at_ns, spec.min_healthy, spec.max_healthy, spec.warmup_ns, spec.checkpoints,
            spec.checkpoint_delay_ns, spec.make, spec.protected_ones, spec.standby_ones,
            spec.skip_matching);
    archive(started_ns, finished_ns, first_machine, first_index, total, replaced, surplus,
            checkpoint, well_since, kept, waits_since, failed);
  }
};

// How many instances have to be well, and how many there may be, while one is under way.
struct RefreshBounds {
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};

RefreshBounds bounds(const RefreshSpec& spec, std::uint32_t desired);

// Throws SpecError with the field's name when it is not legal.
void check(const RefreshSpec& spec);

}  // namespace nephoscope
