// The hypervisor alone, for benchmarks and research: thousands of hosts, in batches, on arrays.
// `bind_scheduler` binds any class that answers the calls of
// compute/hypervisor/fluid_hypervisor.hpp.

#include "bindings/pybind11.hpp"

#include <string_view>
#include <vector>

#include "compute/hypervisor/credit_hypervisor.hpp"
#include "compute/hypervisor/fair_hypervisor.hpp"
#include "compute/hypervisor/fluid_hypervisor.hpp"
#include "compute/hypervisor/guests.hpp"
#include "compute/hypervisor/pinned_hypervisor.hpp"
#include "kernel/errors.hpp"
#include "world/archive.hpp"

namespace nephoscope {

namespace {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;
using Indices = Array<std::uint32_t>;

// Changes of wants whose tenants are on their way into the cache.
constexpr py::ssize_t fetched_ahead = 8;

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
  for (py::ssize_t at = 0; at < size; ++at) {
    if constexpr (requires { hypervisor.fetch(tenant[at]); }) {
      if (at + fetched_ahead < size) hypervisor.fetch(tenant[at + fetched_ahead]);
    }
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

template <class Hypervisor>
py::dict accounts(const Hypervisor& hypervisor, const Indices& tenants) {
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

template <class Hypervisor>
py::bytes saved(Hypervisor& hypervisor) {
  StateWriter writer;
  hypervisor.serialize(writer);
  return py::bytes(writer.take());
}

template <class Hypervisor>
Hypervisor restored(const py::bytes& bytes) {
  StateReader reader{std::string_view(bytes)};
  Hypervisor hypervisor;
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

template <class Hypervisor>
void bind_time(py::class_<Hypervisor>& cls) {
  cls.def("advance", &Hypervisor::advance, py::arg("until_ns"),
          py::call_guard<py::gil_scoped_release>())
      .def(
          "drive",
          [](Hypervisor& hypervisor, Guests& guests, std::int64_t until_ns) {
            guests.advance(hypervisor, until_ns);
          },
          py::arg("guests"), py::arg("until_ns"), py::call_guard<py::gil_scoped_release>(),
          "advance(), with what the guests do.")
      .def("next_event_ns", &Hypervisor::next_event,
           "When a rate may change next by itself; 2**63 - 1 if none will.")
      .def(
          "take_changed",
          [](Hypervisor& hypervisor) {
            const std::vector<std::uint32_t>& changed = hypervisor.changed();
            const Indices taken(static_cast<py::ssize_t>(changed.size()), changed.data());
            hypervisor.clear_changed();
            return taken;
          },
          "The tenants whose rates have changed since the last call (uint32).")
      .def_property_readonly("now_ns", &Hypervisor::now);
}

template <class Hypervisor>
void bind_views(py::class_<Hypervisor>& cls) {
  cls.def_property_readonly("hosts", &Hypervisor::hosts)
      .def_property_readonly("tenants", &Hypervisor::tenants)
      .def(
          "shares",
          [](Hypervisor& hypervisor, const Indices& tenants) {
            return each<double>(tenants,
                                [&](std::uint32_t tenant) { return hypervisor.share(tenant); });
          },
          py::arg("tenants"), "Hardware threads of each tenant at this instant (float64).")
      .def(
          "rates",
          [](Hypervisor& hypervisor, const Indices& tenants) {
            return each<double>(tenants,
                                [&](std::uint32_t tenant) { return hypervisor.rate(tenant); });
          },
          py::arg("tenants"), "What each tenant gets done, in reference vCPUs (float64).")
      .def(
          "speeds",
          [](Hypervisor& hypervisor, const Indices& hosts) {
            return each<double>(hosts, [&](std::uint32_t host) { return hypervisor.speed(host); });
          },
          py::arg("hosts"), "Of a busy thread of each host, in reference vCPUs (float64).")
      .def("accounts", &accounts<Hypervisor>, py::arg("tenants"),
           "run_ns, steal_by_contention_ns, steal_by_cap_ns, steal_by_smt_ns, idle_ns and work_ns\n"
           "(int64 arrays).");
}

// All that schedulers have in common; the caller adds the constructor and what is its own.
template <class Hypervisor>
py::class_<Hypervisor> bind_scheduler(py::module_& m, const char* name, const char* doc) {
  py::class_<Hypervisor> cls(m, name, doc);
  cls.def(
         "add_host",
         [](Hypervisor& hypervisor, std::uint32_t cores, std::uint32_t threads_per_core,
            double smt_gain, double speed) {
           return hypervisor.add_host({cores, threads_per_core, smt_gain, speed});
         },
         py::arg("cores"), py::arg("threads_per_core"), py::arg("smt_gain"), py::arg("speed"))
      .def("add_tenants", &add_tenants<Hypervisor>, py::arg("hosts"), py::arg("vcpus"),
           py::arg("weights"), py::arg("reservations"), py::arg("quotas_ns"), py::arg("periods_ns"),
           py::arg("phases_ns"), "One tenant for each element; their numbers (uint32).")
      .def("move", &Hypervisor::move_tenant, py::arg("tenant"), py::arg("host"))
      .def("remove", &Hypervisor::remove_tenant, py::arg("tenant"))
      .def("set_wants", &set_wants<Hypervisor>, py::arg("tenants"), py::arg("wants"))
      .def(
          "copy", [](const Hypervisor& hypervisor) { return Hypervisor(hypervisor); },
          "An independent copy.")
      .def("save", &saved<Hypervisor>, "The whole state.")
      .def_static("restore", &restored<Hypervisor>, py::arg("state"), "What was saved.")
      .def(py::pickle(&saved<Hypervisor>, &restored<Hypervisor>));
  bind_time(cls);
  bind_views(cls);
  return cls;
}

CreditOptions credit_options(std::int64_t slice_ns, std::int64_t ratelimit_ns,
                             std::int64_t dither_ns, std::uint64_t seed, bool boost,
                             bool exact_debit, bool activate_at_decision, bool aligned) {
  CreditOptions options;
  options.slice_ns = slice_ns;
  options.ratelimit_ns = ratelimit_ns;
  options.dither_ns = dither_ns;
  options.seed = seed;
  options.boost = boost;
  options.exact_debit = exact_debit;
  options.activate_at_decision = activate_at_decision;
  options.aligned = aligned;
  return options;
}

// The vCPUs of a tenant as columns.
py::dict credit_vcpus(const CreditHypervisor& hypervisor, std::uint32_t tenant) {
  using Vcpu = CreditHost::Vcpu;
  const std::vector<Vcpu> vcpus = hypervisor.vcpus(tenant);
  const auto column = [&](auto of) {
    py::array_t<std::int64_t> out(static_cast<py::ssize_t>(vcpus.size()));
    std::int64_t* to = out.mutable_data();
    for (const Vcpu& it : vcpus) *to++ = of(it);
    return out;
  };
  py::dict out;
  out["credit"] = column([](const Vcpu& it) { return it.credit; });
  out["carried_ns"] = column([](const Vcpu& it) { return it.residual_ns; });
  out["priority"] = column([](const Vcpu& it) { return it.priority; });
  out["cpu"] = column([](const Vcpu& it) { return it.cpu; });
  out["active"] = column([](const Vcpu& it) { return it.is(Vcpu::active) ? 1 : 0; });
  out["parked"] = column([](const Vcpu& it) { return it.is(Vcpu::parked) ? 1 : 0; });
  out["queued"] = column([](const Vcpu& it) { return it.is(Vcpu::queued) ? 1 : 0; });
  out["running"] = column([](const Vcpu& it) { return it.is(Vcpu::running) ? 1 : 0; });
  return out;
}

void bind_credit(py::module_& m) {
  const CreditOptions usual;
  bind_scheduler<CreditHypervisor>(m, "CreditHypervisor",
                                   "Hosts under the credit scheduler. Times are integer ns.")
      .def(py::init([](std::int64_t slice_ns, std::int64_t ratelimit_ns, std::int64_t dither_ns,
                       std::uint64_t seed, bool boost, bool exact_debit, bool activate_at_decision,
                       bool aligned) {
             return CreditHypervisor(credit_options(slice_ns, ratelimit_ns, dither_ns, seed, boost,
                                                    exact_debit, activate_at_decision, aligned));
           }),
           py::arg("slice_ns") = usual.slice_ns, py::arg("ratelimit_ns") = usual.ratelimit_ns,
           py::arg("dither_ns") = usual.dither_ns, py::arg("seed") = usual.seed,
           py::arg("boost") = usual.boost, py::arg("exact_debit") = usual.exact_debit,
           py::arg("activate_at_decision") = usual.activate_at_decision,
           py::arg("aligned") = usual.aligned)
      .def_property_readonly("decisions", &CreditHypervisor::decisions,
                             "Scheduling decisions so far.")
      .def_property_readonly("tick_ns",
                             [](const CreditHypervisor& it) { return it.options().tick_ns(); })
      .def(
          "tick_phases",
          [](const CreditHypervisor& it, std::uint32_t host) {
            const CreditHost& at = it.host(host);
            py::array_t<std::int64_t> phases(static_cast<py::ssize_t>(at.cpus()));
            for (std::uint32_t cpu = 0; cpu < at.cpus(); ++cpu) {
              phases.mutable_at(cpu) = at.tick_phase(cpu);
            }
            return phases;
          },
          py::arg("host"), "A tick of each pCPU is due at this + k x tick_ns (int64).")
      .def(
          "accounting_ns",
          [](const CreditHypervisor& it, std::uint32_t host) {
            return it.host(host).next_accounting() % it.options().accounting_ns();
          },
          py::arg("host"), "Accounting is due at this + k x 3 x tick_ns.")
      .def("vcpus", &credit_vcpus, py::arg("tenant"),
           "credit and carried_ns (as of the last debit), priority (0, -1, -2: BOOST, UNDER,\n"
           "OVER), cpu, active, parked, queued and running of each vCPU (int64 arrays).");
}

void bind_fair(py::module_& m) {
  const FairOptions usual;
  bind_scheduler<FairHypervisor>(m, "FairHypervisor",
                                 "Hosts shared by virtual deadlines. Times are integer ns.")
      .def(py::init([](std::int64_t slice_ns, std::int64_t switch_cost_ns, std::uint64_t seed,
                       bool wake_preemption, bool weight_per_vcpu, bool core_scheduling) {
             return FairHypervisor(FairOptions{slice_ns, switch_cost_ns, seed, wake_preemption,
                                               weight_per_vcpu, core_scheduling});
           }),
           py::arg("slice_ns") = usual.slice_ns, py::arg("switch_cost_ns") = usual.switch_cost_ns,
           py::arg("seed") = usual.seed, py::arg("wake_preemption") = usual.wake_preemption,
           py::arg("weight_per_vcpu") = usual.weight_per_vcpu,
           py::arg("core_scheduling") = usual.core_scheduling)
      .def_property_readonly("decisions", &FairHypervisor::decisions,
                             "Scheduling decisions so far.");
}

void bind_guests(py::module_& m) {
  py::class_<Guests>(m, "Guests", "What tenants do by themselves. Times are integer ns.")
      .def(py::init<>())
      .def("always", &Guests::add_always, py::arg("tenant"), py::arg("vcpus"), py::arg("start_ns"))
      .def(
          "on_off",
          [](Guests& guests, std::uint32_t tenant, std::int64_t on_ns, std::int64_t off_ns,
             std::int64_t start_ns, bool by_the_clock, bool warm) {
            guests.add_on_off(tenant, {on_ns, off_ns, start_ns, by_the_clock, warm});
          },
          py::arg("tenant"), py::arg("on_ns"), py::arg("off_ns"), py::arg("start_ns"),
          py::arg("by_the_clock"), py::arg("warm"))
      .def(
          "poisson",
          [](Guests& guests, std::uint32_t tenant, double mean_gap_ns, std::int64_t work_ns,
             std::int64_t start_ns, std::uint64_t seed, const std::string& name) {
            guests.add_poisson(tenant, {mean_gap_ns, work_ns, start_ns, stream_key(seed, 0, name)});
          },
          py::arg("tenant"), py::arg("mean_gap_ns"), py::arg("work_ns"), py::arg("start_ns"),
          py::arg("seed"), py::arg("name"))
      .def(
          "latency", [](const Guests& it, std::uint32_t tenant) { return it.latency(tenant); },
          py::arg("tenant"))
      .def(
          "response", [](const Guests& it, std::uint32_t tenant) { return it.response(tenant); },
          py::arg("tenant"))
      .def("clear_records", &Guests::clear_records);
}

}  // namespace

void bind_hypervisor(py::module_& core) {
  auto m = core.def_submodule("hypervisor", "Hosts and the hypervisors that share them.");
  m.def("share_out", &share_out_once, py::arg("capacity"), py::arg("weights"), py::arg("floors"),
        py::arg("ceilings"),
        "Weighted max-min fair shares (float64) of a capacity, between floors and ceilings.");
  bind_guests(m);
  bind_scheduler<FluidHypervisor>(m, "FluidHypervisor",
                                  "Hosts whose CPU is shared as a fluid. Times are integer ns.")
      .def(py::init<>())
      .def_property_readonly("solves", &FluidHypervisor::solves,
                             "How often the rates of a host were found anew.");
  bind_credit(m);
  bind_fair(m);
  bind_scheduler<PinnedHypervisor>(m, "PinnedHypervisor",
                                   "Hosts that share nothing. Times are integer ns.")
      .def(py::init<>())
      .def_property_readonly("decisions", &PinnedHypervisor::decisions,
                             "How often rates were found anew.")
      .def("free_cores", &PinnedHypervisor::free_cores, py::arg("host"));
}

}  // namespace nephoscope
