// Compiled routing policies as a fuzzer likes them: a function that mostly chooses well.

#pragma once

#include "balancing/routing_spec.hpp"
#include "fuzz/bytes.hpp"

namespace nephoscope::fuzz {

CompiledRouting compiled_routing(Bytes& bytes);

}  // namespace nephoscope::fuzz
