// The routing policies a balancer can follow, as plain data; of one that is the user's own, where
// it is.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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
  compiled           // the user's own (compiled_policy.hpp)
};

struct CompiledRouting {
  static constexpr std::size_t words_max = 16;
  static constexpr std::size_t state_max = std::size_t{1} << 24;

  std::uint64_t address = 0;        // of a function as routing_policy.h has it, in this process
  std::uint32_t words = 1;          // random ones that it gets for each request
  std::vector<std::uint8_t> state;  // its own bytes, as they are at first
};

struct RoutingSpec {
  RoutingKind kind = RoutingKind::round_robin;
  std::uint32_t choices = 2;  // power_of_two: targets compared, drawn without replacement
  std::int64_t window_ns = 30'000'000'000;  // mitigated_random: in which answers are counted
  CompiledRouting compiled;
};

}  // namespace nephoscope
