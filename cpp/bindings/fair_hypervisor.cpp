// The hypervisors that give whole threads, alone: the same methods as those of the fluid.

#include "compute/fair_hypervisor.hpp"

#include "bindings/pybind11.hpp"

#include "compute/pinned_hypervisor.hpp"
#include "kernel/errors.hpp"
#include "world/archive.hpp"

namespace nephoscope {

namespace {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;
using Indices = Array<std::uint32_t>;

template <class Other>
void require_length(const Indices& tenants, const Other& other, const char* name) {
  if (tenants.size() != other.size()) {
    throw SpecError(name, "must be as long as the array of tenants or hosts");
  }
}

template <class Hypervisor>
Indices add_tenants(Hypervisor& hypervisor, const Indices& hosts, const Indices& vcpus,
                    const Array<double>& weights, const Array<double>& reservations,
                    const Array<std::int64_t>& quotas_ns, const Array<std::int64_t>& periods_ns,
                    const Array<std::int64_t>& phases_ns) {
  require_length(hosts, vcpus, "vcpus");
  require_length(hosts, weights, "weights");
  require_length(hosts, reservations, "reservations");
  require_length(hosts, quotas_ns, "quotas_ns");
  require_length(hosts, periods_ns, "periods_ns");
  require_length(hosts, phases_ns, "phases_ns");
  Indices tenants(hosts.size());
  std::uint32_t* to = tenants.mutable_data();
  for (py::ssize_t at = 0; at < hosts.size(); ++at) {
    to[at] = hypervisor.add_tenant(
        hosts.at(at), {vcpus.at(at), weights.at(at), reservations.at(at), quotas_ns.at(at),
                       periods_ns.at(at), phases_ns.at(at)});
  }
  return tenants;
}

template <class Hypervisor>
void set_wants(Hypervisor& hypervisor, const Indices& tenants, const Indices& wants) {
  require_length(tenants, wants, "wants");
  const std::uint32_t* tenant = tenants.data();
  const std::uint32_t* want = wants.data();
  const py::ssize_t size = tenants.size();
  py::gil_scoped_release release;
  for (py::ssize_t at = 0; at < size; ++at) hypervisor.set_want(tenant[at], want[at]);
}

template <class Number, class Of>
py::array_t<Number> each(const Indices& indices, Of of) {
  py::array_t<Number> values(indices.size());
  Number* to = values.mutable_data();
  for (py::ssize_t at = 0; at < indices.size(); ++at) to[at] = of(indices.at(at));
  return values;
}

template <class Hypervisor>
py::dict accounts(Hypervisor& hypervisor, const Indices& tenants) {
  const auto column = [&](std::int64_t TenantAccount::* field) {
    return each<std::int64_t>(
        tenants, [&](std::uint32_t tenant) { return hypervisor.account(tenant).*field; });
  };
  py::dict out;
  out["run_ns"] = column(&TenantAccount::run_ns);
  out["steal_by_contention_ns"] = column(&TenantAccount::contention_ns);
  out["steal_by_cap_ns"] = column(&TenantAccount::quota_ns);
  out["steal_by_smt_ns"] = column(&TenantAccount::forced_idle_ns);
  out["idle_ns"] = column(&TenantAccount::idle_ns);
  out["work_ns"] = column(&TenantAccount::work_ns);
  return out;
}

template <class Hypervisor>
std::uint32_t add_host(Hypervisor& hypervisor, std::uint32_t cores, std::uint32_t threads_per_core,
                       double smt_gain, double speed) {
  return hypervisor.add_host({cores, threads_per_core, smt_gain, speed});
}

template <class Hypervisor>
void bind_calls(py::class_<Hypervisor>& bound) {
  bound
      .def("add_host", &add_host<Hypervisor>, py::arg("cores"), py::arg("threads_per_core"),
           py::arg("smt_gain"), py::arg("speed"))
      .def("add_tenants", &add_tenants<Hypervisor>, py::arg("hosts"), py::arg("vcpus"),
           py::arg("weights"), py::arg("reservations"), py::arg("quotas_ns"), py::arg("periods_ns"),
           py::arg("phases_ns"))
      .def("move", &Hypervisor::move_tenant, py::arg("tenant"), py::arg("host"))
      .def("remove", &Hypervisor::remove_tenant, py::arg("tenant"))
      .def("set_wants", &set_wants<Hypervisor>, py::arg("tenants"), py::arg("wants"))
      .def("advance", &Hypervisor::advance, py::arg("until_ns"),
           py::call_guard<py::gil_scoped_release>())
      .def("next_event", &Hypervisor::next_event)
      .def(
          "changed",
          [](Hypervisor& hypervisor) {
            const std::vector<std::uint32_t> tenants = hypervisor.changed();
            hypervisor.clear_changed();
            return Indices(static_cast<py::ssize_t>(tenants.size()), tenants.data());
          },
          "The tenants whose rate has changed since the last call, each once (uint32).")
      .def_property_readonly("now_ns", &Hypervisor::now)
      .def_property_readonly("hosts", &Hypervisor::hosts)
      .def_property_readonly("tenants", &Hypervisor::tenants)
      .def_property_readonly("decisions", &Hypervisor::decisions)
      .def(
          "shares",
          [](Hypervisor& hypervisor, const Indices& tenants) {
            return each<double>(tenants, [&](std::uint32_t it) { return hypervisor.share(it); });
          },
          py::arg("tenants"))
      .def(
          "rates",
          [](Hypervisor& hypervisor, const Indices& tenants) {
            return each<double>(tenants, [&](std::uint32_t it) { return hypervisor.rate(it); });
          },
          py::arg("tenants"))
      .def(
          "speeds",
          [](Hypervisor& hypervisor, const Indices& hosts) {
            return each<double>(hosts, [&](std::uint32_t it) { return hypervisor.speed(it); });
          },
          py::arg("hosts"))
      .def("accounts", &accounts<Hypervisor>, py::arg("tenants"))
      .def("__copy__", [](const Hypervisor& hypervisor) { return Hypervisor(hypervisor); });
}

}  // namespace

void bind_fair_hypervisor(py::module_& core) {
  auto m = core.def_submodule("fair_hypervisor", "Hypervisors that give whole threads.");
  py::class_<FairHypervisor> fair(m, "FairHypervisor",
                                  "Hosts shared by virtual deadlines. Times are integer ns.");
  fair.def(py::init([](std::int64_t slice_ns, std::int64_t switch_cost_ns, std::uint64_t seed,
                       bool wake_preemption, bool weight_per_vcpu, bool core_scheduling) {
             return FairHypervisor(FairOptions{slice_ns, switch_cost_ns, seed, wake_preemption,
                                               weight_per_vcpu, core_scheduling});
           }),
           py::arg("slice_ns"), py::arg("switch_cost_ns"), py::arg("seed"),
           py::arg("wake_preemption"), py::arg("weight_per_vcpu"), py::arg("core_scheduling"));
  bind_calls(fair);
  fair.def("save",
           [](FairHypervisor& hypervisor) {
             StateWriter writer;
             hypervisor.serialize(writer);
             return py::bytes(writer.take());
           })
      .def(
          "load",
          [](FairHypervisor& hypervisor, const std::string& state) {
            StateReader reader(state);
            hypervisor.serialize(reader);
            reader.finish();
          },
          py::arg("state"));
  py::class_<PinnedHypervisor> pinned(m, "PinnedHypervisor",
                                      "Hosts that share nothing. Times are integer ns.");
  pinned.def(py::init<>()).def("free_cores", &PinnedHypervisor::free_cores, py::arg("host"));
  bind_calls(pinned);
}

}  // namespace nephoscope
