// Scaling of a fuzzed world's fleets.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

void add_scaling(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
