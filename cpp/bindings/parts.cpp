// The parts that work alone, for benchmarks and research: in batches, on arrays.

#include "bindings/pybind11.hpp"

#include "balancing/router.hpp"
#include "kernel/errors.hpp"
#include "kernel/event_queue.hpp"
#include "workload/arrivals.hpp"

namespace nephoscope {

namespace {

using Slots = py::array_t<std::uint32_t, py::array::c_style | py::array::forcecast>;
using Times = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;
using Keys = py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>;

// A router with the account that a balancer keeps of what it has sent where.
struct LoneRouter {
  Router router;
  std::vector<std::uint32_t> outstanding;  // by slot
};

Slots route(LoneRouter& lone, const Keys& clients) {
  Slots slots(clients.size());
  const std::uint64_t* from = clients.data();
  std::uint32_t* to = slots.mutable_data();
  const py::ssize_t size = clients.size();
  py::gil_scoped_release release;
  for (py::ssize_t at = 0; at < size; ++at) {
    to[at] = lone.router.route(from[at]);
    if (to[at] != Router::none) ++lone.outstanding[to[at]];
  }
  return slots;
}

void answered(LoneRouter& lone, const Slots& slots, const Times& response_ns) {
  if (slots.size() != response_ns.size())
    throw SpecError("response_ns", "must be as long as slots");
  const std::uint32_t* slot = slots.data();
  const std::int64_t* response = response_ns.data();
  const py::ssize_t size = slots.size();
  for (py::ssize_t at = 0; at < size; ++at) {
    if (slot[at] >= lone.outstanding.size() || lone.outstanding[slot[at]] == 0) {
      throw SpecError("slots", "holds a target with nothing outstanding");
    }
    --lone.outstanding[slot[at]];
    lone.router.answered(slot[at], response[at]);
  }
}

void check_weight(const Router& router, std::uint32_t of_class) {
  if (of_class >= router.classes()) throw SpecError("of_class", "is not there");
}

Times arrival_times(const ArrivalSpec& spec, std::uint64_t seed, std::uint64_t replication,
                    const std::string& name, py::ssize_t n) {
  if (n < 0) throw SpecError("n", "must not be below 0");
  ArrivalStream stream(spec, stream_key(seed, replication, name),
                       stream_key(seed, replication, name + "/states"));
  Times times(n);
  std::int64_t* to = times.mutable_data();
  py::gil_scoped_release release;
  std::int64_t time = 0;
  for (py::ssize_t at = 0; at < n; ++at) {
    if (time != ArrivalStream::never) time = stream.next();
    to[at] = time;
  }
  return times;
}

void bind_router(py::module_& m) {
  py::class_<LoneRouter>(m, "Router", "A balancer's choice of target, on its own.")
      .def(py::init([](const RoutingSpec& spec, const std::vector<double>& weights,
                       std::uint64_t seed, std::uint64_t replication, const std::string& name) {
             if (weights.empty()) throw SpecError("weights", "must hold one weight a class");
             for (const double weight : weights) {
               if (!(weight > 0.0)) throw SpecError("weights", "must be above 0");
             }
             return LoneRouter{Router(spec, weights, stream_key(seed, replication, name)), {}};
           }),
           py::arg("routing"), py::arg("weights") = std::vector<double>{1.0}, py::arg("seed") = 0,
           py::arg("replication") = 0, py::arg("name") = "load_balancers/alone/routing")
      .def(
          "add",
          [](LoneRouter& lone, std::uint32_t count, std::uint32_t of_class) {
            check_weight(lone.router, of_class);
            for (; count > 0; --count) lone.router.add(of_class);
            lone.outstanding.resize(lone.router.slots());
          },
          py::arg("count") = 1, py::arg("of_class") = 0, "Add targets; they get the next slots.")
      .def(
          "remove",
          [](LoneRouter& lone, std::uint32_t slot) {
            if (slot >= lone.router.slots() || !lone.router.present(slot)) {
              throw SpecError("slot", "is no target");
            }
            lone.router.remove(slot);
          },
          py::arg("slot"))
      .def(
          "route", &route, py::arg("clients"),
          "Route one request for each client (uint64 array); the slots chosen, 2**32 - 1 for none.")
      .def("answered", &answered, py::arg("slots"), py::arg("response_ns"),
           "The answers of requests to these slots (arrays of one length).")
      .def_property_readonly(
          "size", [](const LoneRouter& lone) { return lone.router.size(); }, "Targets present.")
      .def_property_readonly("outstanding", [](const LoneRouter& lone) {
        return Slots(static_cast<py::ssize_t>(lone.outstanding.size()), lone.outstanding.data());
      });
}

void bind_event_queue(py::module_& m) {
  py::class_<EventQueue>(m, "EventQueue", "The calendar: events in the order (time, sequence).")
      .def(py::init<>())
      .def(
          "push",
          [](EventQueue& queue, const Times& times, const Slots& payloads) {
            if (times.size() != payloads.size()) {
              throw SpecError("payloads", "must be as long as times");
            }
            for (py::ssize_t at = 0; at < times.size(); ++at) {
              if (times.at(at) < 0) throw SpecError("times", "must not be below 0");
              queue.push(times.at(at), payloads.at(at));
            }
          },
          py::arg("times"), py::arg("payloads"))
      .def(
          "pop_before",
          [](EventQueue& queue, std::int64_t time) {
            std::vector<std::int64_t> times;
            std::vector<std::uint32_t> payloads;
            while (queue.due_before(time, 0)) {
              const EventQueue::Event event = queue.pop();
              times.push_back(event.time);
              payloads.push_back(event.payload);
            }
            return py::make_tuple(
                Times(static_cast<py::ssize_t>(times.size()), times.data()),
                Slots(static_cast<py::ssize_t>(payloads.size()), payloads.data()));
          },
          py::arg("time"), "Remove the events before `time`: their times and payloads, in order.")
      .def(
          "hold",
          [](EventQueue& queue, const Times& gaps) {
            const std::int64_t* gap = gaps.data();
            const py::ssize_t size = gaps.size();
            std::int64_t now = 0;
            py::gil_scoped_release release;
            for (py::ssize_t at = 0; at < size; ++at) {
              if (queue.size() == 0) throw SpecError("queue", "is empty");
              const EventQueue::Event event = queue.pop();
              now = event.time;
              queue.push(now + gap[at], event.payload);
            }
            return now;
          },
          py::arg("gaps"),
          "The hold model: for each gap, pop the earliest event and push it `gap` ns later.\n"
          "Returns the time of the last one popped.")
      .def("__len__", &EventQueue::size);
}

}  // namespace

void bind_parts(py::module_& m) {
  auto balancers = m.def_submodule("balancers");  // as bind_spec has made it
  bind_router(balancers);
  bind_event_queue(m);
  m.def("arrivals", &arrival_times, py::arg("spec"), py::arg("seed"), py::arg("replication"),
        py::arg("name"), py::arg("n"),
        "The first n instants (int64 ns) of an open source on the stream `name`; 2**63 - 1 after\n"
        "the last.");
}

}  // namespace nephoscope
