// The life of instances in a WorldSpec made of bytes: spot, durations, actions, limits of accounts.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// To a spec that is otherwise complete. Half of the worlds have none of it.
void add_lives(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
