// What balancers are billed by: what they did in each hour of the clock, warm-up included.
//
// Requests are counted by the hour in which they were sent. Connections that are active are
// requests that are under way or, where clients keep connections, those that are open, looked at
// once a minute. Health checks are neither.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

struct HourOfUse {
  std::uint64_t requests = 0;
  std::uint64_t active = 0;       // requests under way at the end of each minute, added up
  std::uint64_t connections = 0;  // that were opened, where clients keep them
};

struct Meter {
  bool on = false;                    // immutable
  std::uint64_t requests_before = 0;  // this hour
  std::uint64_t opened_before = 0;    // the same of connections
  std::vector<HourOfUse> hours{HourOfUse{}};
};

struct Metering {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t minute_ns = 60'000'000'000;
  static constexpr std::int64_t hour_ns = 60 * minute_ns;

  std::vector<Meter> all;     // by balancer
  std::int64_t next = never;  // end of the minute, if any is on
};

}  // namespace nephoscope
