// Parts as Python values: they copy and pickle by the fields that a world saves.

#pragma once

#include "bindings/pybind11.hpp"

#include <string>

#include "world/archive.hpp"

namespace nephoscope {

template <class Part>
auto by_state(Part (*empty)()) {
  return py::pickle(
      [](Part& part) {
        StateWriter writer;
        part.serialize(writer);
        return py::bytes(writer.take());
      },
      [empty](const py::bytes& state) {
        Part part = empty();
        const std::string bytes = state;
        StateReader reader(bytes);
        part.serialize(reader);
        reader.finish();
        return part;
      });
}

}  // namespace nephoscope
