// Queues of a world: what they are (world/spec/queue_specs.hpp), and what they tell.

#include "bindings/queue_accounts.hpp"

#include "world/spec/pipe_specs.hpp"

namespace nephoscope {

void bind_queue_specs(py::module_& m) {
  py::class_<WorldQueueSpec>(m, "WorldQueueSpec")
      .def(py::init<>())
      .def_readwrite("name", &WorldQueueSpec::name)
      .def_readwrite("rules", &WorldQueueSpec::rules)
      .def_readwrite("dead_letter", &WorldQueueSpec::dead_letter);
  py::class_<QueueActionSpec>(m, "QueueActionSpec")
      .def(py::init<>())
      .def_readwrite("at_ns", &QueueActionSpec::at_ns)
      .def_readwrite("queue", &QueueActionSpec::queue)
      .def_readwrite("to", &QueueActionSpec::to)
      .def_readwrite("per_second", &QueueActionSpec::per_second)
      .def_readwrite("lasts_ns", &QueueActionSpec::lasts_ns)
      .def_readwrite("visibility_ns", &QueueActionSpec::visibility_ns)
      .def_readwrite("delay_ns", &QueueActionSpec::delay_ns)
      .def_readwrite("retention_ns", &QueueActionSpec::retention_ns);
  py::class_<ConsumeSpec>(m, "ConsumeSpec")
      .def(py::init<>())
      .def_readwrite("queue", &ConsumeSpec::queue)
      .def_readwrite("batch", &ConsumeSpec::batch)
      .def_readwrite("wait_ns", &ConsumeSpec::wait_ns)
      .def_readwrite("heartbeat_ns", &ConsumeSpec::heartbeat_ns)
      .def_readwrite("abandons", &ConsumeSpec::abandons);
  py::class_<PipeSpec>(m, "PipeSpec")
      .def(py::init<>())
      .def_readwrite("name", &PipeSpec::name)
      .def_readwrite("source", &PipeSpec::from)
      .def_readwrite("pollers", &PipeSpec::pollers)
      .def_readwrite("to", &PipeSpec::to)
      .def_readwrite("timeout_ns", &PipeSpec::timeout_ns)
      .def_readwrite("group", &PipeSpec::group)
      .def_readwrite("takes", &PipeSpec::takes)
      .def_readwrite("becomes", &PipeSpec::becomes);
}

py::dict pipe_dict(const PipeAccount& account) {
  py::dict out;
  out["name"] = account.name;
  out["received"] = account.counts.received;
  out["filtered"] = account.counts.filtered;
  out["delivered"] = account.counts.delivered;
  out["failed"] = account.counts.failed;
  out["under_way"] = account.under_way;
  return out;
}

py::dict queue_dict(const QueueAccount& account) {
  py::dict out;
  out["name"] = account.name;
  add_counts(out, account.counts);
  out["visible"] = account.visible;
  out["delayed"] = account.delayed;
  out["in_flight"] = account.in_flight;
  out["in_vain"] = account.in_vain;
  if (account.refused_redrives != 0) out["refused_redrives"] = account.refused_redrives;
  if (account.counts.stopped_redrives != 0)
    out["stopped_redrives"] = account.counts.stopped_redrives;
  out["depth_min"] = account.depth_min;
  out["depth_mean"] = account.depth_mean;
  out["depth_max"] = account.depth_max;
  out["oldest_ns"] = account.oldest_ns;
  out["age"] = account.age;
  return out;
}

void add_counts(py::dict& out, const QueueCounts& counts) {
  out["sent"] = counts.sent;
  out["arrived"] = counts.arrived;
  out["duplicated"] = counts.duplicated;
  out["deduplicated"] = counts.deduplicated;
  out["received"] = counts.received;
  out["deleted"] = counts.deleted;
  out["purged"] = counts.purged;
  out["redriven"] = counts.redriven;
  out["dead_lettered"] = counts.dead_lettered;
  out["expired"] = counts.expired;
  out["timed_out"] = counts.timed_out;
  out["requests"] = counts.requests;
  out["empty_receives"] = counts.empty_receives;
  out["throttled"] = counts.throttled;
  out["over_limit"] = counts.over_limit;
}

}  // namespace nephoscope
