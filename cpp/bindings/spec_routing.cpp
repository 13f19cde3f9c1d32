// nephoscope._core.routing: how balancers choose, in the specification of a world.

#include "bindings/pybind11.hpp"

#include <string_view>

#include "balancing/routing_spec.hpp"

namespace nephoscope {

void bind_spec_routing(py::module_& core) {
  auto m = core.def_submodule("routing", "How balancers choose, in the specification of a world.");
  py::native_enum<RoutingKind>(m, "RoutingKind", "enum.Enum")
      .value("round_robin", RoutingKind::round_robin)
      .value("least_connections", RoutingKind::least_connections)
      .value("ip_hash", RoutingKind::ip_hash)
      .value("least_response_time", RoutingKind::least_response_time)
      .value("random", RoutingKind::random)
      .value("power_of_two", RoutingKind::power_of_two)
      .value("join_idle_queue", RoutingKind::join_idle_queue)
      .value("weighted_random", RoutingKind::weighted_random)
      .value("mitigated_random", RoutingKind::mitigated_random)
      .value("compiled", RoutingKind::compiled)
      .finalize();
  py::class_<CompiledRouting>(m, "CompiledRouting")
      .def(py::init<>())
      .def_readwrite("address", &CompiledRouting::address)
      .def_readwrite("words", &CompiledRouting::words)
      .def_property(
          "state",
          [](const CompiledRouting& self) {
            return py::bytes(reinterpret_cast<const char*>(self.state.data()), self.state.size());
          },
          [](CompiledRouting& self, const py::bytes& bytes) {
            const auto view = static_cast<std::string_view>(bytes);
            self.state.assign(view.begin(), view.end());
          });
  py::class_<RoutingSpec>(m, "RoutingSpec")
      .def(py::init<>())
      .def_readwrite("kind", &RoutingSpec::kind)
      .def_readwrite("choices", &RoutingSpec::choices)
      .def_readwrite("window_ns", &RoutingSpec::window_ns)
      .def_readwrite("compiled", &RoutingSpec::compiled);
}

}  // namespace nephoscope
