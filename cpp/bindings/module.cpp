// nephoscope._core: one bind_ function a concept, each in the file of its name.

#include "bindings/pybind11.hpp"

namespace nephoscope {

void bind_errors(py::module_&);
void bind_kernel(py::module_&);
void bind_placement(py::module_&);
void bind_devices(py::module_&);
void bind_spec_life(py::module_&);
void bind_resilience(py::module_&);
void bind_scaling(py::module_&);
void bind_spec_faults(py::module_&);
void bind_spec_membership(py::module_&);
void bind_spec_routing(py::module_&);
void bind_spec_scaling(py::module_&);
void bind_spec_service(py::module_&);
void bind_spec(py::module_&);
void bind_buckets(py::module_&);
void bind_queues(py::module_&);
void bind_topics(py::module_&);
void bind_hypervisor(py::module_&);
void bind_lifecycle(py::module_&);
void bind_parts(py::module_&);
void bind_patterns(py::module_&);
void bind_world(py::module_&);

}  // namespace nephoscope

// Errors first, so that whatever fails later fails with its own class; then classes before the
// functions that take them, so that signatures in docstrings name them.
PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled core of nephoscope.";
  nephoscope::bind_errors(m);
  nephoscope::bind_kernel(m);
  nephoscope::bind_placement(m);
  nephoscope::bind_devices(m);
  nephoscope::bind_lifecycle(m);
  nephoscope::bind_spec_life(m);
  nephoscope::bind_resilience(m);
  nephoscope::bind_spec_faults(m);
  nephoscope::bind_spec_membership(m);
  nephoscope::bind_spec_routing(m);
  nephoscope::bind_spec_scaling(m);
  nephoscope::bind_scaling(m);
  nephoscope::bind_spec_service(m);
  nephoscope::bind_queues(m);
  nephoscope::bind_topics(m);
  nephoscope::bind_spec(m);
  nephoscope::bind_buckets(m);
  nephoscope::bind_hypervisor(m);
  nephoscope::bind_parts(m);
  nephoscope::bind_patterns(m);
  nephoscope::bind_world(m);
}
