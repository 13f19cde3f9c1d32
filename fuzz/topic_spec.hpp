// Topics, what is said and who publishes in a WorldSpec made of bytes.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// To a spec that is otherwise complete, its queues included.
void add_topics(Bytes& bytes, WorldSpec& spec);

}  // namespace nephoscope::fuzz
