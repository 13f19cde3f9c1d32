// nephoscope._core.queues: ring buffers, and what a queue is.

#include "messaging/queue_spec.hpp"

#include "bindings/pybind11.hpp"

#include <algorithm>

#include "bindings/state.hpp"
#include "kernel/errors.hpp"
#include "messaging/ring_queue.hpp"

namespace nephoscope {

namespace {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;
using Ring = RingQueue<std::int64_t>;

// A ring that is as large as it was made.
struct BoundedRing {
  std::uint64_t capacity = 0;
  Ring ring;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(capacity);
    ring.serialize(archive);
  }
};

void bind_ring(py::module_& m) {
  py::class_<BoundedRing>(m, "RingQueue", "First in, first out, up to a number.")
      .def(py::init([](std::uint64_t capacity) {
             require(capacity >= 1 && capacity <= (1ULL << 40), "capacity", "must be 1 to 2^40");
             return BoundedRing{capacity, Ring(capacity)};
           }),
           py::arg("capacity"))
      .def(
          "push",
          [](BoundedRing& it, const Array<std::int64_t>& values) {
            const auto count =
                std::min(static_cast<std::uint64_t>(values.size()), it.capacity - it.ring.size());
            it.ring.push(values.data(), count);
            return count;
          },
          py::arg("values"), "How many found room.")
      .def(
          "pop",
          [](BoundedRing& it, std::uint64_t count) {
            count = std::min(count, it.ring.size());
            Array<std::int64_t> values(static_cast<py::ssize_t>(count));
            it.ring.pop(values.mutable_data(), count);
            return values;
          },
          py::arg("count"), "As many as there are, at most.")
      .def("__len__", [](const BoundedRing& it) { return it.ring.size(); })
      .def_readonly("capacity", &BoundedRing::capacity)
      .def(by_state<BoundedRing>([] { return BoundedRing(); }));
}

void bind_spec(py::module_& m) {
  py::class_<QueueSpec>(m, "QueueSpec")
      .def(py::init<>())
      .def_property(
          "fifo", [](const QueueSpec& it) { return it.kind == QueueKind::fifo; },
          [](QueueSpec& it, bool fifo) { it.kind = fifo ? QueueKind::fifo : QueueKind::standard; })
      .def_readwrite("max_receives", &QueueSpec::max_receives)
      .def_readwrite("in_flight_max", &QueueSpec::in_flight_max)
      .def_readwrite("calls_per_second", &QueueSpec::calls_per_second)
      .def_readwrite("group_calls_per_second", &QueueSpec::group_calls_per_second)
      .def_readwrite("content_deduplication", &QueueSpec::content_deduplication)
      .def_readwrite("group_deduplication", &QueueSpec::group_deduplication)
      .def_readwrite("message_bytes", &QueueSpec::message_bytes)
      .def_readwrite("visibility_ns", &QueueSpec::visibility_ns)
      .def_readwrite("delay_ns", &QueueSpec::delay_ns)
      .def_readwrite("retention_ns", &QueueSpec::retention_ns)
      .def_readwrite("duplicates", &QueueSpec::duplicates)
      .def_readwrite("sampled", &QueueSpec::sampled)
      .def_readwrite("disorder", &QueueSpec::disorder);
}

}  // namespace

void bind_queue_spec(py::module_& m) {
  bind_ring(m);
  bind_spec(m);
}

}  // namespace nephoscope
