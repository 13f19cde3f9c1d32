// Pipes of a world, as plain data: each takes messages out of a queue and hands them to one target.

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "service/step_spec.hpp"
#include "world/spec/queue_specs.hpp"

namespace nephoscope {

struct PipeSpec {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t pollers_max = 1000;

  std::string name;
  ConsumeSpec from;
  std::uint32_t pollers = 1;           // each receives, and goes on when what it has is settled
  Destination to;                      // what takes messages, or who answers as an endpoint of HTTP
  std::int64_t timeout_ns = 0;         // that such an endpoint has for its answer
  std::uint32_t group = none;          // for a FIFO queue or topic; none: that of the message
  std::vector<std::uint8_t> takes;     // by kind: 1: its filter lets it through; empty: all
  std::vector<std::uint32_t> becomes;  // by kind, what is handed on; empty: the same

  // Whether it waits for answers.
  bool asks() const { return to.kind < Destination::Kind::queue; }
};

}  // namespace nephoscope
