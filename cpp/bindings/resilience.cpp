// nephoscope._core.resilience: how callers go about their requests, as specs, and the rules
// themselves as parts that work alone.

#include "bindings/pybind11.hpp"

#include <string>

#include "kernel/errors.hpp"
#include "workload/backoff.hpp"
#include "workload/circuit_breaker.hpp"
#include "workload/resilience_spec.hpp"
#include "workload/retry_budget.hpp"

namespace nephoscope {

namespace {

using Waits = py::array_t<std::int64_t, py::array::c_style>;

ResilienceSpec checked(ResilienceSpec spec) {
  check(spec);
  return spec;
}

Backoff backoff_of(const BackoffSpec& spec, std::uint64_t seed, std::uint64_t replication,
                   const std::string& name) {
  ResilienceSpec whole;
  whole.backoff = spec;
  return {checked(whole).backoff, stream_key(seed, replication, name),
          stream_key(seed, replication, name + "/jitter")};
}

// A row a request, numbered from 0; a column a retry.
Waits waits(const Backoff& backoff, py::ssize_t requests, py::ssize_t retries) {
  if (requests < 0) throw SpecError("requests", "must not be below 0");
  if (retries < 0) throw SpecError("retries", "must not be below 0");
  Waits out({requests, retries});
  std::int64_t* to = out.mutable_data();
  for (py::ssize_t request = 0; request < requests; ++request) {
    std::int64_t before = 0;
    for (py::ssize_t retry = 0; retry < retries; ++retry) {
      const auto which = static_cast<std::uint32_t>(retry);
      before = backoff.wait(which, before, static_cast<std::uint64_t>(request), which);
      *to++ = before;
    }
  }
  return out;
}

void bind_specs(py::module_& m) {
  py::native_enum<BackoffKind>(m, "BackoffKind", "enum.Enum")
      .value("drawn", BackoffKind::drawn)
      .value("exponential", BackoffKind::exponential)
      .finalize();
  py::native_enum<Jitter>(m, "Jitter", "enum.Enum")
      .value("none", Jitter::none)
      .value("full", Jitter::full)
      .value("equal", Jitter::equal)
      .value("decorrelated", Jitter::decorrelated)
      .finalize();
  py::class_<BackoffSpec>(m, "BackoffSpec")
      .def(py::init<>())
      .def_readwrite("kind", &BackoffSpec::kind)
      .def_readwrite("law", &BackoffSpec::law)
      .def_readwrite("base_ns", &BackoffSpec::base_ns)
      .def_readwrite("cap_ns", &BackoffSpec::cap_ns)
      .def_readwrite("jitter", &BackoffSpec::jitter);
  py::class_<BudgetSpec>(m, "BudgetSpec")
      .def(py::init<>())
      .def_readwrite("limited", &BudgetSpec::limited)
      .def_readwrite("share", &BudgetSpec::share)
      .def_readwrite("reserve", &BudgetSpec::reserve)
      .def_readwrite("per_second", &BudgetSpec::per_second);
  py::class_<BreakerSpec>(m, "BreakerSpec")
      .def(py::init<>())
      .def_readwrite("failures", &BreakerSpec::failures)
      .def_readwrite("window", &BreakerSpec::window)
      .def_readwrite("failure_rate", &BreakerSpec::failure_rate)
      .def_readwrite("open_ns", &BreakerSpec::open_ns)
      .def_readwrite("probes", &BreakerSpec::probes);
  py::class_<ResilienceSpec>(m, "ResilienceSpec")
      .def(py::init<>())
      .def_readwrite("attempts", &ResilienceSpec::attempts)
      .def_readwrite("backoff", &ResilienceSpec::backoff)
      .def_readwrite("budget", &ResilienceSpec::budget)
      .def_readwrite("breaker", &ResilienceSpec::breaker)
      .def_readwrite("deadline_ns", &ResilienceSpec::deadline_ns)
      .def_readwrite("hedge_ns", &ResilienceSpec::hedge_ns);
}

}  // namespace

void bind_resilience(py::module_& core) {
  auto m = core.def_submodule("resilience", "Retries, budgets, circuit breakers.");
  bind_specs(m);
  py::class_<Backoff>(m, "Backoff", "How long a caller waits before it tries again.")
      .def(py::init(&backoff_of), py::arg("spec"), py::arg("seed"), py::arg("replication"),
           py::arg("name"))
      .def("waits", &waits, py::arg("requests"), py::arg("retries"),
           "The waits (ns) of so many requests that never succeed, a row each.");
  py::class_<RetryBudget>(m, "RetryBudget", "What a caller may spend on further attempts.")
      .def(py::init([](const BudgetSpec& spec) {
             ResilienceSpec whole;
             whole.budget = spec;
             return RetryBudget(checked(whole).budget);
           }),
           py::arg("spec"))
      .def("earn", &RetryBudget::earn, py::arg("now_ns"))
      .def("spend", &RetryBudget::spend, py::arg("now_ns"))
      .def("tokens", &RetryBudget::tokens, py::arg("now_ns"));
  py::native_enum<CircuitBreaker::State>(m, "BreakerState", "enum.Enum")
      .value("closed", CircuitBreaker::State::closed)
      .value("open", CircuitBreaker::State::open)
      .value("half_open", CircuitBreaker::State::half_open)
      .finalize();
  py::class_<CircuitBreaker>(m, "CircuitBreaker", "Whether a caller asks at all.")
      .def(py::init([](const BreakerSpec& spec) {
             ResilienceSpec whole;
             whole.breaker = spec;
             return CircuitBreaker(checked(whole).breaker);
           }),
           py::arg("spec"))
      .def("lets_through", &CircuitBreaker::lets_through, py::arg("now_ns"))
      .def("record", &CircuitBreaker::record, py::arg("success"), py::arg("sent_ns"),
           py::arg("now_ns"))
      .def("forget", &CircuitBreaker::forget, py::arg("sent_ns"))
      .def_property_readonly("state", &CircuitBreaker::state)
      .def_property_readonly("opened", &CircuitBreaker::opened);
}

}  // namespace nephoscope
