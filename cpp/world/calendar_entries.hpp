// What the entries of the calendar and of the controls mean: a kind and an index, in one number.

#pragma once

#include <cstdint>

namespace nephoscope {

enum class EventKind : std::uint32_t {
  completion,
  first_completion,
  wake,
  deadline,
  think,
  part,  // 0: hosts, 1: devices; 2 and up: the last hook of an instance, queues (queues.hpp)
  errand,
  surge  // a balancer; from their number on, a visit that is kept, or tries to connect
};

// Rare things at set instants, apart from the calendar.
enum class ControlKind : std::uint32_t {
  retry,  // by fleet, x 2: its launches; + 1: another price of spot
  start,
  action,
  fault,
  mend,
  drain,  // by instance, x 2: its time is over; + 1: its first hook is
  scale,
  upkeep  // by fleet, x 2: its refresh; + 1: which instances it keeps
};

inline constexpr std::uint32_t index_bits = 29;

template <class Kind>
std::uint32_t payload(Kind kind, std::uint32_t index) {
  return (static_cast<std::uint32_t>(kind) << index_bits) | index;
}

}  // namespace nephoscope
