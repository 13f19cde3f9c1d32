// Faults and health checks in a WorldSpec made of bytes.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// To a spec that is otherwise complete. Half of the worlds have none of it.
void add_faults(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
