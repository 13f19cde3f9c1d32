// What is known of a world before its loop starts, so that the loop need not ask.
//
// The loop and the way of a request are written once, as templates over a shape. A shape says by
// constants what holds for as long as nobody changes the world from outside; where it promises
// nothing, the code looks. `World::run_to` picks the shape.

#pragma once

#include <cstdint>
#include <limits>

#include "balancing/routing_spec.hpp"

namespace nephoscope {

// Anything may be asked of this world.
struct AnyShape {
  static constexpr bool known = false;
  static constexpr bool balanced = false;
};

// There is one source of traffic, an open one of plain requests. So its caller and their route are
// number 0, and nothing is in the calendar but completions of such requests: health checks, if
// there are any, need not be sent (health.cpp). Its clients may be of limited patience as long as
// nobody has lost it: the first request that may be late takes the world out of its shape.

// In place of a visit that must be run.
inline constexpr std::uint32_t out_of_shape = std::numeric_limits<std::uint32_t>::max() - 1;

// It sends them straight to a fleet, that is to its first instance.
struct CounterShape {
  static constexpr bool known = true;
  static constexpr bool balanced = false;
};

// It sends them to the one balancer, which chooses by `kind` among the instances of one fleet, in
// the order of their slots.
template <RoutingKind kind>
struct FarmShape {
  static constexpr bool known = true;
  static constexpr bool balanced = true;
  static constexpr RoutingKind routing = kind;
};

}  // namespace nephoscope
