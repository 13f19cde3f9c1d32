// nephoscope._core.membership: which instances a fleet keeps (world/spec/membership_spec.hpp),
// field by field under the same names.

#include "bindings/pybind11.hpp"

#include "world/spec/membership_spec.hpp"

namespace nephoscope {

void bind_spec_membership(py::module_& core) {
  auto m = core.def_submodule("membership", "Which instances fleets keep, in the specification.");
  py::native_enum<TerminationPolicy>(m, "TerminationPolicy", "enum.Enum")
      .value("default", TerminationPolicy::standard)
      .value("oldest", TerminationPolicy::oldest)
      .value("newest", TerminationPolicy::newest)
      .value("closest_to_next_hour", TerminationPolicy::closest_to_next_hour)
      .value("allocation_strategy", TerminationPolicy::allocation_strategy)
      .finalize();
  py::native_enum<ZoneBalance>(m, "ZoneBalance", "enum.Enum")
      .value("off", ZoneBalance::off)
      .value("best_effort", ZoneBalance::best_effort)
      .value("only", ZoneBalance::only)
      .finalize();
  py::native_enum<WarmState>(m, "WarmState", "enum.Enum")
      .value("stopped", WarmState::stopped)
      .value("running", WarmState::running)
      .value("hibernated", WarmState::hibernated)
      .finalize();
  py::class_<WarmPoolSpec>(m, "WarmPoolSpec")
      .def(py::init<>())
      .def_readwrite("active", &WarmPoolSpec::active)
      .def_readwrite("state", &WarmPoolSpec::state)
      .def_readwrite("reuse", &WarmPoolSpec::reuse)
      .def_readwrite("min", &WarmPoolSpec::min)
      .def_readwrite("prepared", &WarmPoolSpec::prepared);
  py::class_<HookSpec>(m, "HookSpec")
      .def(py::init<>())
      .def_readwrite("active", &HookSpec::active)
      .def_readwrite("continues", &HookSpec::continues)
      .def_readwrite("duration", &HookSpec::duration)
      .def_readwrite("timeout_ns", &HookSpec::timeout_ns)
      .def_readwrite("heartbeat_ns", &HookSpec::heartbeat_ns);
  py::class_<MembershipSpec>(m, "MembershipSpec")
      .def(py::init<>())
      .def_readwrite("termination", &MembershipSpec::termination)
      .def_readwrite("balance", &MembershipSpec::balance)
      .def_readwrite("asks_balancers", &MembershipSpec::asks_balancers)
      .def_readwrite("impaired_ns", &MembershipSpec::impaired_ns)
      .def_readwrite("grace_ns", &MembershipSpec::grace_ns)
      .def_readwrite("launches_first", &MembershipSpec::launches_first)
      .def_readwrite("protect", &MembershipSpec::protect)
      .def_readwrite("lifetime_ns", &MembershipSpec::lifetime_ns)
      .def_readwrite("pool", &MembershipSpec::pool)
      .def_readwrite("launch", &MembershipSpec::launch)
      .def_readwrite("terminate", &MembershipSpec::terminate);
}

}  // namespace nephoscope
