// nephoscope._core.scaling: how the size of a fleet follows its load (scaling/scaling_spec.hpp),
// field by field under the same names.

#include "bindings/pybind11.hpp"

#include "scaling/scaling_spec.hpp"

namespace nephoscope {

namespace {

void bind_policies(py::module_& m) {
  py::native_enum<Metric>(m, "Metric", "enum.Enum")
      .value("cpu", Metric::cpu)
      .value("requests_per_target", Metric::requests_per_target)
      .value("network", Metric::network)
      .value("backlog_per_instance", Metric::backlog_per_instance)
      .value("network_in", Metric::network_in)
      .value("network_out", Metric::network_out)
      .finalize();
  py::native_enum<PolicyKind>(m, "PolicyKind", "enum.Enum")
      .value("target_tracking", PolicyKind::target_tracking)
      .value("step", PolicyKind::step)
      .value("simple", PolicyKind::simple)
      .value("alarm", PolicyKind::alarm)
      .finalize();
  py::native_enum<Adjustment>(m, "Adjustment", "enum.Enum")
      .value("change", Adjustment::change)
      .value("percent", Adjustment::percent)
      .value("exact", Adjustment::exact)
      .finalize();
  py::class_<StepAdjustment>(m, "StepAdjustment")
      .def(py::init<>())
      .def_readwrite("lower", &StepAdjustment::lower)
      .def_readwrite("upper", &StepAdjustment::upper)
      .def_readwrite("change", &StepAdjustment::change);
  auto policy = py::class_<ScalingPolicySpec>(m, "ScalingPolicySpec")
                    .def(py::init<>())
                    .def_readwrite("kind", &ScalingPolicySpec::kind)
                    .def_readwrite("metric", &ScalingPolicySpec::metric)
                    .def_readwrite("queue", &ScalingPolicySpec::queue)
                    .def_readwrite("target", &ScalingPolicySpec::target)
                    .def_readwrite("low", &ScalingPolicySpec::low)
                    .def_readwrite("scales_in", &ScalingPolicySpec::scales_in)
                    .def_readwrite("low_periods", &ScalingPolicySpec::low_periods)
                    .def_readwrite("threshold", &ScalingPolicySpec::threshold)
                    .def_readwrite("above", &ScalingPolicySpec::above)
                    .def_readwrite("adjustment", &ScalingPolicySpec::adjustment)
                    .def_readwrite("least_change", &ScalingPolicySpec::least_change)
                    .def_readwrite("periods", &ScalingPolicySpec::periods)
                    .def_readwrite("datapoints", &ScalingPolicySpec::datapoints)
                    .def_readwrite("warmup_ns", &ScalingPolicySpec::warmup_ns)
                    .def_readwrite("cooldown_ns", &ScalingPolicySpec::cooldown_ns)
                    .def_readwrite("name", &ScalingPolicySpec::name);
  structs(policy, "steps", &ScalingPolicySpec::steps);
}

}  // namespace

void bind_spec_scaling(py::module_& core) {
  auto m = core.def_submodule("scaling", "Scaling policies in the specification of a world.");
  bind_policies(m);
  auto predictive = py::class_<PredictiveSpec>(m, "PredictiveSpec")
                        .def(py::init<>())
                        .def_readwrite("metric", &PredictiveSpec::metric)
                        .def_readwrite("target", &PredictiveSpec::target)
                        .def_readwrite("acts", &PredictiveSpec::acts)
                        .def_readwrite("lifts_max", &PredictiveSpec::lifts_max)
                        .def_readwrite("max_buffer", &PredictiveSpec::max_buffer)
                        .def_readwrite("buffer_ns", &PredictiveSpec::buffer_ns);
  structs(predictive, "history", &PredictiveSpec::history);
  py::class_<ScheduledChange>(m, "ScheduledChange")
      .def(py::init<>())
      .def_readwrite("at_ns", &ScheduledChange::at_ns)
      .def_readwrite("min", &ScheduledChange::min)
      .def_readwrite("max", &ScheduledChange::max)
      .def_readwrite("desired", &ScheduledChange::desired);
  auto group = py::class_<ScalingSpec>(m, "ScalingSpec")
                   .def(py::init<>())
                   .def_readwrite("active", &ScalingSpec::active)
                   .def_readwrite("min", &ScalingSpec::min)
                   .def_readwrite("max", &ScalingSpec::max)
                   .def_readwrite("period_ns", &ScalingSpec::period_ns)
                   .def_readwrite("delay_ns", &ScalingSpec::delay_ns);
  structs(group, "policies", &ScalingSpec::policies);
  structs(group, "predictive", &ScalingSpec::predictive);
  structs(group, "schedule", &ScalingSpec::schedule);
}

}  // namespace nephoscope
