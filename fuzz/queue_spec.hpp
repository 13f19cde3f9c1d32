// Queues and consumers in a WorldSpec made of bytes.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// To a spec that is otherwise complete: queues, a fleet that lives on one, and who sends to them.
void add_queues(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
