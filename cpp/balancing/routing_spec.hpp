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
  mitigated_random,  // the same, with a share of its weight for each target (anomalies.hpp)
};

struct RoutingSpec {
  RoutingKind kind = RoutingKind::round_robin;
  std::uint32_t choices = 2;  // power_of_two: targets compared, drawn without replacement
  std::int64_t window_ns = 30'000'000'000;  // mitigated_random: in which answers are counted
};

}  // namespace nephoscope
