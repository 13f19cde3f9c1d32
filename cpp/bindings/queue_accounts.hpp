// Queues as dicts, of a world and by themselves.

#pragma once

#include "bindings/pybind11.hpp"

#include "world/results/results.hpp"

namespace nephoscope {

void add_counts(py::dict& out, const QueueCounts& counts);

py::dict queue_dict(const QueueAccount& account);

// What queues and consumers are in the specification of a world.
void bind_queue_specs(py::module_& m);

}  // namespace nephoscope
