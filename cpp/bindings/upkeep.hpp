// What operators do to a world from outside: the methods of World that bind_world leaves to
// upkeep.cpp.

#pragma once

#include "bindings/pybind11.hpp"

namespace nephoscope {

class World;

void bind_upkeep(py::class_<World>& world);

}  // namespace nephoscope
