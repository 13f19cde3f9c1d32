// The one include of pybind11 for every binding file.
//
// Type casters are templates: if one file of the module saw `pybind11/stl.h` and another did not,
// the same conversion would have two definitions, which is undefined behaviour that no compiler
// reports. So all of them include this header and none includes pybind11 itself.

#pragma once

#include <pybind11/native_enum.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
