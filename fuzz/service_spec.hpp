// Admission control, refreshes and metering in a WorldSpec made of bytes.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// To a spec that is otherwise complete.
void add_services(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
