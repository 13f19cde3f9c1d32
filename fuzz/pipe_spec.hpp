// Pipes in a WorldSpec made of bytes.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// To a spec that is otherwise complete, its queues, topics and buses included.
void add_pipes(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
