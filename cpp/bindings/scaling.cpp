// nephoscope._core.scaling: what scaling policies are made of, as parts that work alone.

#include "bindings/pybind11.hpp"

#include <optional>
#include <string>
#include <vector>

#include "scaling/forecast.hpp"
#include "scaling/scaling_group.hpp"
#include "world/archive.hpp"

namespace nephoscope {

namespace {

using Loads = py::array_t<double, py::array::c_style | py::array::forcecast>;

void add_hours(Forecast& forecast, const Loads& loads) {
  const double* load = loads.data();
  for (py::ssize_t at = 0; at < loads.size(); ++at) forecast.add_hour(load[at]);
}

Loads next_hours(const Forecast& forecast, std::size_t hours) {
  const std::vector<double> loads = forecast.next(hours);
  return Loads(static_cast<py::ssize_t>(loads.size()), loads.data());
}

py::bytes saved(Forecast& forecast) {
  StateWriter writer;
  forecast.serialize(writer);
  return {writer.take()};
}

Forecast restored(const py::bytes& state) {
  Forecast forecast;
  const std::string bytes = state;
  StateReader reader(bytes);
  forecast.serialize(reader);
  reader.finish();
  return forecast;
}

std::uint32_t decide(ScalingGroup& group, std::uint32_t desired, std::uint32_t warm,
                     std::uint32_t warming, bool changing, std::int64_t settled_ns,
                     std::int64_t now_ns) {
  if (group.spec().policies.empty()) throw SpecError("policies", "must have one or more");
  const GroupView view{desired, warm, warming, changing, settled_ns};
  return group.decide(std::vector<GroupView>(group.spec().policies.size(), view), now_ns);
}

void observe(ScalingGroup& group, std::uint32_t policy, std::optional<double> value) {
  if (policy >= group.spec().policies.size()) throw SpecError("policy", "is not there");
  group.observe(policy, value);
}

}  // namespace

void bind_scaling(py::module_& core) {
  auto m = core.def_submodule("scaling", "What scaling policies are made of.");
  py::class_<Forecast>(m, "Forecast", "The load of the next hours, from that of the last days.")
      .def(py::init<>())
      .def("add_hours", &add_hours, py::arg("loads"), "Loads of hours that have ended, in order.")
      .def("next", &next_hours, py::arg("hours"))
      .def_property_readonly("ready", &Forecast::ready)
      .def_property_readonly("season", &Forecast::season)
      .def_property_readonly("hours", &Forecast::hours)
      .def(py::pickle(&saved, &restored));
  py::class_<ScalingGroup>(m, "ScalingGroup", "A group whose size follows its policies.")
      .def(py::init<const ScalingSpec&>(), py::arg("spec"))
      .def("observe", &observe, py::arg("policy"), py::arg("value"),
           "The newest datapoint of a policy's metric; None where there is none.")
      .def("decide", &decide, py::arg("desired"), py::arg("warm"), py::arg("warming"),
           py::arg("changing"), py::arg("settled_ns"), py::arg("now_ns"),
           "How many instances there should be now.")
      .def_property_readonly("min", &ScalingGroup::min)
      .def_property_readonly("max", &ScalingGroup::max);
}

}  // namespace nephoscope
