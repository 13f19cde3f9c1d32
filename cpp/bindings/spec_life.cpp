// nephoscope._core.life: the structs of world/spec/life_spec.hpp, field by field under the same
// names.

#include "bindings/pybind11.hpp"

#include "world/spec/life_spec.hpp"

namespace nephoscope {

void bind_spec_life(py::module_& core) {
  auto m = core.def_submodule("life", "The life of instances in the specification of a world.");
  py::native_enum<ActionKind>(m, "ActionKind", "enum.Enum")
      .value("stop", ActionKind::stop)
      .value("start", ActionKind::start)
      .value("reboot", ActionKind::reboot)
      .value("hibernate", ActionKind::hibernate)
      .value("terminate", ActionKind::terminate)
      .value("standby", ActionKind::standby)
      .value("in_service", ActionKind::in_service)
      .value("detach", ActionKind::detach)
      .value("attach", ActionKind::attach)
      .finalize();
  py::class_<SpotPrice>(m, "SpotPrice")
      .def(py::init<>())
      .def_readwrite("from_ns", &SpotPrice::from_ns)
      .def_readwrite("paid", &SpotPrice::paid);
  py::class_<LifeSpec>(m, "LifeSpec")
      .def(py::init<>())
      .def_readwrite("restart", &LifeSpec::restart)
      .def_readwrite("resume", &LifeSpec::resume)
      .def_readwrite("reboot", &LifeSpec::reboot)
      .def_readwrite("stop", &LifeSpec::stop)
      .def_readwrite("hibernate", &LifeSpec::hibernate)
      .def_readwrite("terminate", &LifeSpec::terminate)
      .def_readwrite("hibernation", &LifeSpec::hibernation)
      .def_readwrite("spot", &LifeSpec::spot)
      .def_readwrite("interrupted", &LifeSpec::interrupted)
      .def_readwrite("interruption", &LifeSpec::interruption)
      .def_readwrite("behaviour", &LifeSpec::behaviour)
      .def_readwrite("outage", &LifeSpec::outage)
      .def_readwrite("rebalances", &LifeSpec::rebalances)
      .def_readwrite("recommendation", &LifeSpec::recommendation)
      .def_readwrite("on_demand_base", &LifeSpec::on_demand_base)
      .def_readwrite("on_demand_percent", &LifeSpec::on_demand_percent)
      .def_readwrite("prices", &LifeSpec::prices)
      .def_readwrite("encryption_ns", &LifeSpec::encryption_ns)
      .def_readwrite("quota", &LifeSpec::quota)
      .def_readwrite("api", &LifeSpec::api);
  py::class_<QuotaSpec>(m, "QuotaSpec")
      .def(py::init<>())
      .def_readwrite("name", &QuotaSpec::name)
      .def_readwrite("vcpus", &QuotaSpec::vcpus);
  py::class_<LaunchLimits>(m, "LaunchLimits")
      .def(py::init<>())
      .def_readwrite("instances", &LaunchLimits::instances)
      .def_readwrite("instances_per_s", &LaunchLimits::instances_per_s)
      .def_readwrite("requests", &LaunchLimits::requests)
      .def_readwrite("requests_per_s", &LaunchLimits::requests_per_s);
  py::class_<ActionSpec>(m, "ActionSpec")
      .def(py::init<>())
      .def_readwrite("at_ns", &ActionSpec::at_ns)
      .def_readwrite("kind", &ActionSpec::kind)
      .def_readwrite("fleet", &ActionSpec::fleet)
      .def_readwrite("count", &ActionSpec::count)
      .def_readwrite("replaced", &ActionSpec::replaced);
}

}  // namespace nephoscope
