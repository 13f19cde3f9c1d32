// Migrations and refreshes of a running world, and restoring one that has seen them.

#include "bindings/upkeep.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "world/world.hpp"

namespace nephoscope {

namespace {

using Makes = std::vector<std::pair<std::uint32_t, FleetSpec>>;  // by fleet

World restore(const WorldSpec& spec, const py::bytes& bytes, const Makes& makes) {
  World world(spec);
  for (const auto& [fleet, make] : makes) world.add_make(fleet, make);
  world.restore(std::string_view(bytes));
  return world;
}

}  // namespace

void bind_upkeep(py::class_<World>& world) {
  world
      .def_static(
          "restore", &restore, py::arg("spec"), py::arg("state"), py::arg("makes") = Makes{},
          "A world of this spec in a saved state, with the makes that were added to it. Raises\n"
          "StateError when they do not fit.")
      .def("migrate", &World::migrate_now, py::arg("instance"), py::arg("host"),
           py::arg("pause_ns"),
           "Move an instance to that host of its pool, or to any, live. Returns 1, or 0 if it has\n"
           "to stay.")
      .def("protect", &World::protect, py::arg("instance"), py::arg("on"),
           "Have scale-ins spare an instance that serves, or not. Returns 1, or 0 if it does not\n"
           "serve.")
      .def("add_make", &World::add_make, py::arg("fleet"), py::arg("make"),
           "Something else that instances of a fleet may be; its number there.")
      .def("begin_refresh", &World::begin_refresh, py::arg("fleet"), py::arg("refresh"),
           "Replace all instances of a fleet from now on.");
}

}  // namespace nephoscope
