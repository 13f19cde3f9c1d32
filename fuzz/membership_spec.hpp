// Which instances the fleets of a fuzzed world keep.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

void add_membership(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
