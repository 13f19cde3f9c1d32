// The hypervisor alone, for benchmarks and research: thousands of hosts, in batches, on arrays.

#include "bindings/pybind11.hpp"

#include <algorithm>
#include <string_view>

#include "compute/fluid_hypervisor.hpp"
#include "kernel/errors.hpp"
#include "world/archive.hpp"

namespace nephoscope {

namespace {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;
using Indices = Array<std::uint32_t>;

constexpr py::ssize_t fetched_ahead = 8;  // tenants of a batch

template <class Other>
void require_length(const Indices& tenants, const Other& other, const char* name) {
  if (tenants.size() != other.size()) {
    throw SpecError(name, "must be as long as the array of tenants or hosts");
  }
}

Indices add_tenants(FluidHypervisor& hypervisor, const Indices& hosts, const Indices& vcpus,
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

void set_wants(FluidHypervisor& hypervisor, const Indices& tenants, const Indices& wants) {
  require_length(tenants, wants, "wants");
  const std::uint32_t* tenant = tenants.data();
  const std::uint32_t* want = wants.data();
  const py::ssize_t size = tenants.size();
  py::gil_scoped_release release;
  for (py::ssize_t at = 0; at < size; ++at) {
    if (at + fetched_ahead < size) hypervisor.fetch(tenant[at + fetched_ahead]);
    hypervisor.set_want(tenant[at], want[at]);
  }
}

template <class Number, class Of>
py::array_t<Number> each(const Indices& indices, Of of) {
  py::array_t<Number> values(indices.size());
  Number* to = values.mutable_data();
  for (py::ssize_t at = 0; at < indices.size(); ++at) to[at] = of(indices.at(at));
  return values;
}

py::dict accounts(const FluidHypervisor& hypervisor, const Indices& tenants) {
  std::vector<TenantAccount> found;
  found.reserve(static_cast<std::size_t>(tenants.size()));
  for (py::ssize_t at = 0; at < tenants.size(); ++at) {
    found.push_back(hypervisor.account(tenants.at(at)));
  }
  const auto column = [&](std::int64_t TenantAccount::* field) {
    py::array_t<std::int64_t> values(tenants.size());
    std::int64_t* to = values.mutable_data();
    for (const TenantAccount& account : found) *to++ = account.*field;
    return values;
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

Indices take_changed(FluidHypervisor& hypervisor) {
  const std::vector<std::uint32_t>& changed = hypervisor.changed();
  Indices tenants(static_cast<py::ssize_t>(changed.size()));
  std::copy(changed.begin(), changed.end(), tenants.mutable_data());
  hypervisor.clear_changed();
  return tenants;
}

py::bytes saved(FluidHypervisor& hypervisor) {
  StateWriter writer;
  hypervisor.serialize(writer);
  return py::bytes(writer.take());
}

FluidHypervisor restored(const py::bytes& bytes) {
  StateReader reader{std::string_view(bytes)};
  FluidHypervisor hypervisor;
  hypervisor.serialize(reader);
  reader.finish();
  return hypervisor;
}

// Shares of one host, for those who want the rule alone.
py::array_t<double> share_out_once(double capacity, const Array<double>& weights,
                                   const Array<double>& floors, const Array<double>& ceilings) {
  if (weights.size() != floors.size() || weights.size() != ceilings.size()) {
    throw SpecError("floors", "and ceilings must be as long as weights");
  }
  std::vector<Claim> claims;
  double held = 0.0;
  for (py::ssize_t at = 0; at < weights.size(); ++at) {
    const bool legal = weights.at(at) > 0.0 && weights.at(at) <= 65'536.0 && floors.at(at) >= 0.0 &&
                       floors.at(at) <= ceilings.at(at) && ceilings.at(at) <= 65'536.0;
    if (!legal) {
      throw SpecError("weights",
                      "must be above 0, floors from 0 to the ceilings, none above 65,536");
    }
    claims.push_back(
        {to_weight(weights.at(at)), to_amount(floors.at(at)), to_amount(ceilings.at(at)), 0.0});
    held += claims.back().floor;
  }
  const double amount = to_amount(capacity);
  if (!(amount >= held && amount <= 65'536.0)) {
    throw SpecError("capacity", "must be the sum of the floors or more, and at most 65,536");
  }
  share_out(claims.data(), claims.size(), amount);
  py::array_t<double> shares(weights.size());
  for (std::size_t at = 0; at < claims.size(); ++at) shares.mutable_data()[at] = claims[at].share;
  return shares;
}

}  // namespace

void bind_hypervisor(py::module_& core) {
  auto m = core.def_submodule("hypervisor", "Hosts and the hypervisors that share them.");
  m.def("share_out", &share_out_once, py::arg("capacity"), py::arg("weights"), py::arg("floors"),
        py::arg("ceilings"),
        "Weighted max-min fair shares (float64) of a capacity, between floors and ceilings.");
  py::class_<FluidHypervisor>(m, "FluidHypervisor",
                              "Hosts whose CPU is shared as a fluid. Times are integer ns.")
      .def(py::init<>())
      .def(
          "add_host",
          [](FluidHypervisor& hypervisor, std::uint32_t cores, std::uint32_t threads_per_core,
             double smt_gain, double speed) {
            return hypervisor.add_host({cores, threads_per_core, smt_gain, speed});
          },
          py::arg("cores"), py::arg("threads_per_core"), py::arg("smt_gain"), py::arg("speed"))
      .def("add_tenants", &add_tenants, py::arg("hosts"), py::arg("vcpus"), py::arg("weights"),
           py::arg("reservations"), py::arg("quotas_ns"), py::arg("periods_ns"),
           py::arg("phases_ns"), "One tenant for each element; their numbers (uint32).")
      .def("move", &FluidHypervisor::move_tenant, py::arg("tenant"), py::arg("host"))
      .def("remove", &FluidHypervisor::remove_tenant, py::arg("tenant"))
      .def("set_wants", &set_wants, py::arg("tenants"), py::arg("wants"))
      .def("advance", &FluidHypervisor::advance, py::arg("until_ns"),
           py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("now_ns", &FluidHypervisor::now)
      .def_property_readonly("hosts", &FluidHypervisor::hosts)
      .def_property_readonly("tenants", &FluidHypervisor::tenants)
      .def_property_readonly("solves", &FluidHypervisor::solves,
                             "How often the rates of a host were found anew.")
      .def_property_readonly("next_event_ns", &FluidHypervisor::next_event,
                             "When a rate may change next by itself.")
      .def("take_changed", &take_changed,
           "The tenants whose rate has changed since this was asked last (uint32).")
      .def(py::pickle(&saved, &restored))
      .def(
          "rates",
          [](FluidHypervisor& hypervisor, const Indices& tenants) {
            return each<double>(tenants,
                                [&](std::uint32_t tenant) { return hypervisor.rate(tenant); });
          },
          py::arg("tenants"), "Reference vCPUs that each tenant gets done now (float64).")
      .def(
          "shares",
          [](FluidHypervisor& hypervisor, const Indices& tenants) {
            return each<double>(tenants,
                                [&](std::uint32_t tenant) { return hypervisor.share(tenant); });
          },
          py::arg("tenants"), "Hardware threads of each tenant at this instant (float64).")
      .def(
          "speeds",
          [](FluidHypervisor& hypervisor, const Indices& hosts) {
            return each<double>(hosts, [&](std::uint32_t host) { return hypervisor.speed(host); });
          },
          py::arg("hosts"), "Of a busy thread of each host, in reference vCPUs (float64).")
      .def("accounts", &accounts, py::arg("tenants"),
           "run_ns, steal_by_contention_ns, steal_by_cap_ns, idle_ns and work_ns (int64 arrays).");
}

}  // namespace nephoscope
