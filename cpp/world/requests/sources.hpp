// Sources of traffic as the world keeps them: who sends, when, and what is known of a request
// before it is sent anywhere.

#pragma once

#include <cstdint>
#include <limits>

#include "kernel/distributions.hpp"
#include "workload/arrivals.hpp"
#include "world/requests/visit.hpp"

namespace nephoscope {

struct Source {
  ArrivalStream arrivals;
  Sampler clients;
  Sampler think;
  std::uint64_t client_count = 0;  // 0: every request is a client of its own
  bool closed = false;
  std::uint32_t first_user = 0;  // closed: its users' place among all users
  std::uint32_t users = 0;
  std::uint32_t give_up =
      0;  // closed: who has had so many in a row without success leaves; 0: none
  std::uint32_t group = Visit::none;  // of its messages
  std::uint32_t rule = Visit::none;   // it is the schedule of this rule of a bus
};

// An arrival to come. Kept outside the calendar: there is one for each open source.
struct Arrival {
  std::int64_t time;
  std::uint64_t sequence;
  std::uint32_t source;
  std::uint32_t unused = 0;
};

// One that comes after all others.
inline constexpr Arrival no_arrival{std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::uint64_t>::max(),
                                    std::numeric_limits<std::uint32_t>::max()};

inline bool comes_before(const Arrival& a, const Arrival& b) {
  return a.time < b.time || (a.time == b.time && a.sequence < b.sequence);
}

// What is known of a request before it is sent anywhere.
struct Request {
  std::uint64_t serial = 0;
  std::uint32_t client = 0;
  std::uint16_t traffic = 0;
  std::uint8_t flags = 0;
  std::uint32_t path = 0;
  std::uint32_t parent = Visit::none;
  std::uint16_t trial = 0;
  std::uint16_t said = 0;  // a kind of event + 1, or 0: what its source says (topics.hpp)
};

struct User {
  std::uint64_t requests = 0;  // sent so far
  std::uint32_t source = 0;
  std::uint32_t at_once = 0;  // requests in a row that took no time, thinking included
  std::uint32_t in_vain = 0;  // requests in a row without success
  std::uint32_t unused = 0;
};

// Measured requests of a route that are not answered yet.
struct InFlight {
  std::uint32_t route = 0;
  std::uint64_t requests = 0;
};

}  // namespace nephoscope
