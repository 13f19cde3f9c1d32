// Queues as dicts, of a world and by themselves.

#pragma once

#include "bindings/pybind11.hpp"

#include "world/results/results.hpp"

namespace nephoscope {

void add_counts(py::dict& out, const QueueCounts& counts);

py::dict queue_dict(const QueueAccount& account);

py::dict pipe_dict(const PipeAccount& account);

// What queues, consumers and pipes are in the specification of a world.
void bind_queue_specs(py::module_& m);

}  // namespace nephoscope
