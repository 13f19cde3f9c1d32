// nephoscope._core.devices: what the devices of instances give, in the specification of a world.

#include "bindings/pybind11.hpp"

#include "compute/devices/instance_devices.hpp"

namespace nephoscope {

void bind_devices(py::module_& core) {
  auto m = core.def_submodule("devices", "What the devices of instances give.");
  py::class_<BurstRate>(m, "BurstRate")
      .def(py::init<>())
      .def_readwrite("baseline", &BurstRate::baseline)
      .def_readwrite("peak", &BurstRate::peak)
      .def_readwrite("burst", &BurstRate::burst);
}

}  // namespace nephoscope
