// nephoscope._core.service: whom services let in and how fleets are renewed, in the specification
// of a world (compute/admission.hpp, world/spec/refresh_spec.hpp), field by field under the same
// names.

#include "bindings/pybind11.hpp"

#include "compute/admission.hpp"
#include "world/spec/refresh_spec.hpp"

namespace nephoscope {

void bind_spec_service(py::module_& core) {
  auto m = core.def_submodule("service", "Services and fleets in the specification of a world.");
  py::class_<AdmissionRules>(m, "AdmissionRules")
      .def(py::init<>())
      .def_readwrite("burst", &AdmissionRules::burst)
      .def_readwrite("refill", &AdmissionRules::refill)
      .def_readwrite("queue_delay_ns", &AdmissionRules::queue_delay_ns)
      .def_readwrite("in_flight", &AdmissionRules::in_flight)
      .def_readwrite("limits_checks", &AdmissionRules::limits_checks)
      .def_readwrite("sheds_checks", &AdmissionRules::sheds_checks);
  py::native_enum<ProtectedOnes>(m, "ProtectedOnes", "enum.Enum")
      .value("refresh", ProtectedOnes::refresh)
      .value("ignore", ProtectedOnes::ignore)
      .value("wait", ProtectedOnes::wait)
      .finalize();
  py::native_enum<StandbyOnes>(m, "StandbyOnes", "enum.Enum")
      .value("terminate", StandbyOnes::terminate)
      .value("ignore", StandbyOnes::ignore)
      .value("wait", StandbyOnes::wait)
      .finalize();
  py::class_<RefreshSpec>(m, "RefreshSpec")
      .def(py::init<>())
      .def_readwrite("at_ns", &RefreshSpec::at_ns)
      .def_readwrite("min_healthy", &RefreshSpec::min_healthy)
      .def_readwrite("max_healthy", &RefreshSpec::max_healthy)
      .def_readwrite("warmup_ns", &RefreshSpec::warmup_ns)
      .def_readwrite("checkpoints", &RefreshSpec::checkpoints)
      .def_readwrite("checkpoint_delay_ns", &RefreshSpec::checkpoint_delay_ns)
      .def_readwrite("make", &RefreshSpec::make)
      .def_readwrite("protected_ones", &RefreshSpec::protected_ones)
      .def_readwrite("standby_ones", &RefreshSpec::standby_ones)
      .def_readwrite("skip_matching", &RefreshSpec::skip_matching)
      .def_readwrite("rollback", &RefreshSpec::rollback)
      .def_readwrite("alarms", &RefreshSpec::alarms);
}

}  // namespace nephoscope
