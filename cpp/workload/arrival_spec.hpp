// What drives a source of traffic, as plain data.
//
// Rates are requests per second of simulated time, instants and durations are integer nanoseconds.
// Which fields count depends on `kind`; the others stay at their defaults.

#pragma once

#include <cstdint>
#include <vector>

#include "kernel/distributions.hpp"

namespace nephoscope {

enum class ArrivalKind : std::uint8_t {
  poisson,   // rate
  constant,  // rate: one request every 1/rate, the first at 1/rate
  mmpp,     // rates, mean_stay_ns: states are visited in the order given, then again from the first
  profile,  // times_ns, rates: Poisson with a rate linear between the points, constant after the
            // last
  instants,  // times_ns: one request at each instant, ascending
  counts,    // times_ns (n + 1 interval edges), counts (n): uniform instants within each interval
  closed,    // users, think, give_up: each user thinks, sends, waits for the answer, thinks again
};

struct ArrivalSpec {
  ArrivalKind kind = ArrivalKind::poisson;
  double rate = 0.0;
  std::vector<double> rates;
  std::vector<double> mean_stay_ns;
  std::vector<std::int64_t> times_ns;
  std::vector<std::int64_t> counts;
  std::uint32_t users = 0;
  Distribution think;
  std::uint32_t give_up = 0;  // a user leaves after so many requests in a row without success
};

// Who sends: `count` clients with a popularity law. count == 0 means that every request comes from
// a client of its own. zipf == 0 is uniform; otherwise client i (from 0) has weight (i + 1)^-zipf.
struct ClientSpec {
  std::uint64_t count = 0;
  double zipf = 0.0;
};

}  // namespace nephoscope
