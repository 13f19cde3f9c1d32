// The routing policies a balancer can follow, as plain data.

#pragma once

#include <cstdint>

namespace nephoscope {

enum class RoutingKind : std::uint8_t {
  round_robin,
  least_connections,
  ip_hash,
  least_response_time,
  random,
  power_of_two,
  join_idle_queue,
  weighted_random,
};

struct RoutingSpec {
  RoutingKind kind = RoutingKind::round_robin;
  std::uint32_t choices = 2;  // power_of_two: targets compared, drawn without replacement
};

}  // namespace nephoscope
