// A target as the policies see it: a slot, and the class of the targets that have its weight.
//
// A balancer has few different weights and many targets. Every policy keeps the targets of a class
// together, treats them alike, and weighs only the classes, so weights cost O(classes) and nothing
// more.

#pragma once

#include <cstdint>

namespace nephoscope {

struct Target {
  std::uint32_t slot = 0;
  std::uint32_t of_class = 0;
};

}  // namespace nephoscope
