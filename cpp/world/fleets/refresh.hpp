// An instance refresh as a fleet keeps it (refresh.cpp).
//
// A machine is old if it was launched before the refresh began and is not to stay. It looks at its
// fleet once a second and at the end of a wait, and lets old ones go, or new ones come first, as
// its bounds allow. Where only protected ones are left it waits, and fails after an hour. It fails,
// too, when it finds one of its alarms on; a roll-back goes on whatever they say.
//
// One that fails may be rolled back: that is a second round, in which what came in the first is old
// and the new ones are what the fleet was before.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "world/spec/refresh_spec.hpp"

namespace nephoscope {

struct Refresh {
  static constexpr std::int64_t not_yet = -1;
  static constexpr std::uint32_t no_alarm = 0xFFFFFFFF;
  static constexpr std::int64_t patience_ns = 3'600'000'000'000;     // with protected ones
  static constexpr std::int64_t longest_ns = 1'209'600'000'000'000;  // 14 days, then it fails

  RefreshSpec spec;

  std::int64_t started_ns = not_yet;
  std::int64_t finished_ns = not_yet;
  std::uint32_t first_machine = 0;  // that is new
  std::uint32_t first_index = 0;    // of the fleet, the same
  std::uint32_t total = 0;          // old ones when it, or its roll-back, began
  std::uint32_t replaced = 0;       // of these, when it looked last
  std::uint32_t surplus = 0;        // instances beyond those desired, meanwhile
  std::uint32_t checkpoint = 0;     // the next
  std::vector<std::int64_t>
      well_since;  // by index from the first: when it was found so, or not yet

  std::vector<std::uint32_t> kept;     // machines from before it that stay, ascending
  std::int64_t waits_since = not_yet;  // for protected ones
  std::uint32_t failures = 0;          // rounds that finished before their end
  std::uint32_t failed_by = no_alarm;  // among the policies of the fleet

  std::uint32_t before = 0;                // the make that the fleet had
  std::int64_t rolled_back_ns = not_yet;   // when that began
  std::uint32_t total_when_failed = 0;     // of the first round, where there is a second
  std::uint32_t replaced_when_failed = 0;  // the same

  bool present() const { return spec.at_ns != RefreshSpec::never; }
  bool under_way() const { return started_ns != not_yet && finished_ns == not_yet; }
  bool rolls_back() const { return rolled_back_ns != not_yet; }
  std::int64_t round_since_ns() const { return rolls_back() ? rolled_back_ns : started_ns; }
  bool is_new(std::uint32_t machine) const { return machine >= first_machine; }
  bool is_old(std::uint32_t machine) const {
    return !is_new(machine) && !std::binary_search(kept.begin(), kept.end(), machine);
  }

  // How many may have been replaced up to the next checkpoint, of which a roll-back has none.
  std::uint32_t limit() const;
  bool is_last() const { return rolls_back() || checkpoint + 1 >= spec.checkpoints.size(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(spec.at_ns, spec.min_healthy, spec.max_healthy, spec.warmup_ns, spec.checkpoints,
            spec.checkpoint_delay_ns, spec.make, spec.protected_ones, spec.standby_ones,
            spec.skip_matching, spec.rollback, spec.alarms);
    archive(started_ns, finished_ns, first_machine, first_index, total, replaced, surplus,
            checkpoint, well_since, kept, waits_since, failures, failed_by, before, rolled_back_ns,
            total_when_failed, replaced_when_failed);
  }
};

// What a fleet under refresh has.
struct RefreshCount {
  std::uint32_t old = 0;
  std::uint32_t ready = 0;
  std::uint32_t unready_new = 0;
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
