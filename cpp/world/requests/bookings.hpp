// Requests of limited patience at instances that nobody watches.
//
// Such a request is booked when it comes, to be done at an instant that may be ahead, like those of
// clients who wait for ever (docs/decisions/0006-plain-requests.md). But the first one that may be
// late has a deadline, and from there on its fleet is watched in the midst of a run, when what it
// was booked to do is not yet done. So bookings are remembered until then; what is ahead comes back
// as jobs that stand for what has been told already.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

struct Booking {
  std::int64_t done = 0;
  std::int64_t work = 0;  // ns of one reference vCPU
  std::uint32_t instance = 0;
};

struct Bookings {
  static constexpr std::size_t least = 4096;

  bool kept = false;  // some fleet was built to have them; immutable
  // By instance: the end of all that it has to do, of fleets that have them.
  std::vector<std::int64_t> busy_until;
  // Those that may not be done yet, in the order of coming. None where a run is cut.
  std::vector<Booking> ahead;
  std::size_t enough = least;  // to see which are done
};

}  // namespace nephoscope
