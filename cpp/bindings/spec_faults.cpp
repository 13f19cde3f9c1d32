// nephoscope._core.faults: what fails and who finds out (world/spec/fault_spec.hpp,
// balancing/health_spec.hpp), field by field under the same names.

#include "bindings/pybind11.hpp"

#include "balancing/health_spec.hpp"
#include "world/spec/fault_spec.hpp"

namespace nephoscope {

void bind_spec_faults(py::module_& core) {
  auto m =
      core.def_submodule("faults", "Faults and health checks in the specification of a world.");
  py::native_enum<FaultKind>(m, "FaultKind", "enum.Enum")
      .value("kill", FaultKind::kill)
      .value("fail", FaultKind::fail)
      .value("lose_health_checks", FaultKind::lose_health_checks)
      .value("slow", FaultKind::slow)
      .value("maintain", FaultKind::maintain)
      .value("hang", FaultKind::hang)
      .finalize();
  py::native_enum<MoveBy>(m, "MoveBy", "enum.Enum")
      .value("drain", MoveBy::drain)
      .value("stop_start", MoveBy::stop_start)
      .value("migrate", MoveBy::migrate)
      .value("stay", MoveBy::stay)
      .finalize();
  py::native_enum<FaultScope>(m, "FaultScope", "enum.Enum")
      .value("fleet", FaultScope::fleet)
      .value("host", FaultScope::host)
      .value("rack", FaultScope::rack)
      .value("zone", FaultScope::zone)
      .finalize();
  py::class_<FaultSpec>(m, "FaultSpec")
      .def(py::init<>())
      .def_readwrite("kind", &FaultSpec::kind)
      .def_readwrite("scope", &FaultSpec::scope)
      .def_readwrite("index", &FaultSpec::index)
      .def_readwrite("unit", &FaultSpec::unit)
      .def_readwrite("count", &FaultSpec::count)
      .def_readwrite("random", &FaultSpec::random)
      .def_readwrite("at_ns", &FaultSpec::at_ns)
      .def_readwrite("every", &FaultSpec::every)
      .def_readwrite("ends", &FaultSpec::ends)
      .def_readwrite("lasts", &FaultSpec::lasts)
      .def_readwrite("node", &FaultSpec::node)
      .def_readwrite("code", &FaultSpec::code)
      .def_readwrite("factor", &FaultSpec::factor)
      .def_readwrite("notice_ns", &FaultSpec::notice_ns)
      .def_readwrite("by", &FaultSpec::by)
      .def_readwrite("otherwise", &FaultSpec::otherwise)
      .def_readwrite("pause", &FaultSpec::pause);
  py::class_<HealthSpec>(m, "HealthSpec")
      .def(py::init<>())
      .def_readwrite("interval_ns", &HealthSpec::interval_ns)
      .def_readwrite("timeout_ns", &HealthSpec::timeout_ns)
      .def_readwrite("work_ns", &HealthSpec::work_ns)
      .def_readwrite("healthy_threshold", &HealthSpec::healthy_threshold)
      .def_readwrite("unhealthy_threshold", &HealthSpec::unhealthy_threshold)
      .def_readwrite("minimum_healthy", &HealthSpec::minimum_healthy)
      .def_readwrite("minimum_share", &HealthSpec::minimum_share)
      .def_readwrite("dns_healthy", &HealthSpec::dns_healthy)
      .def_readwrite("dns_share", &HealthSpec::dns_share)
      .def_readwrite("first_code", &HealthSpec::first_code)
      .def_readwrite("last_code", &HealthSpec::last_code)
      .def_readwrite("sends_to_new", &HealthSpec::sends_to_new)
      .def_readwrite("resets", &HealthSpec::resets);
}

}  // namespace nephoscope
