// Rules of callers that try again, for the core's fuzz target.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// Adds rules, and callers that go by them.
void add_resilience(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
