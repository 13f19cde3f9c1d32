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

#include <utility>
#include <vector>

namespace py = pybind11;

namespace nephoscope {

// A vector of structs as a list: it comes out as a copy and is assigned whole.
template <class Class, class T>
void structs(py::class_<Class>& cls, const char* name, std::vector<T> Class::* member) {
  cls.def_property(
      name, [member](const Class& self) { return self.*member; },
      [member](Class& self, std::vector<T> values) { self.*member = std::move(values); });
}

}  // namespace nephoscope
