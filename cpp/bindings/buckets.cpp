// Token buckets, CPU credits and devices shared by tenants, alone, for benchmarks and research.

#include "bindings/pybind11.hpp"

#include "bindings/state.hpp"
#include "compute/cpu_credits.hpp"
#include "compute/devices/shared_device.hpp"
#include "compute/devices/token_bucket.hpp"
#include "compute/launch_credit_limit.hpp"
#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;

py::object wide(int128 value) {
  const py::object high = py::int_(static_cast<std::int64_t>(value >> 64));
  return (high << py::int_(64)) | py::int_(static_cast<std::uint64_t>(value));
}

py::dict account(const TokenBucket& bucket) {
  const TokenAccount& it = bucket.account();
  py::dict out;
  out["level"] = wide(bucket.level());
  out["refilled"] = wide(it.refilled);
  out["spent"] = wide(it.spent);
  out["discarded"] = wide(it.discarded);
  out["unmet"] = wide(it.unmet);
  return out;
}

py::dict account(const CpuCredits& credits) {
  const CreditAccount& it = credits.account();
  py::dict out;
  out["balance"] = wide(credits.balance());
  out["launch"] = wide(credits.launch_credits());
  out["surplus"] = wide(credits.surplus());
  out["earned"] = wide(it.earned);
  out["granted"] = wide(it.granted);
  out["spent"] = wide(it.spent);
  out["uncovered"] = wide(it.uncovered);
  out["discarded"] = wide(it.discarded);
  out["lost"] = wide(it.lost);
  out["overflow"] = wide(it.overflow);
  out["closing"] = wide(it.closing);
  out["billed"] = wide(it.billed);
  return out;
}

void bind_token_bucket(py::module_& m) {
  py::class_<TokenBucket>(m, "TokenBucket", "Tokens in femtotokens, rates in microtokens a second.")
      .def(py::init([](std::int64_t capacity, std::int64_t refill, std::int64_t initial,
                       std::int64_t interval_ns, std::int64_t now) {
             return TokenBucket({capacity, refill, initial, interval_ns}, now);
           }),
           py::arg("capacity"), py::arg("refill"), py::arg("initial"), py::arg("interval_ns"),
           py::arg("now_ns"))
      .def("advance", &TokenBucket::advance, py::arg("until_ns"))
      .def("set_spend", &TokenBucket::set_spend, py::arg("rate"))
      .def("set_refill", &TokenBucket::set_refill, py::arg("rate"))
      .def("take", &TokenBucket::take, py::arg("tokens"))
      .def("fill", &TokenBucket::fill)
      .def("empty_at", &TokenBucket::empty_at)
      .def("full_at", &TokenBucket::full_at)
      .def("able_at", &TokenBucket::able_at, py::arg("tokens"))
      .def("account", [](const TokenBucket& it) { return account(it); })
      .def_property_readonly("now_ns", &TokenBucket::now)
      .def_property_readonly("tokens", &TokenBucket::tokens, "Whole ones.")
      .def(by_state<TokenBucket>([] { return TokenBucket(); }));
}

void bind_cpu_credits(py::module_& m) {
  py::native_enum<CreditMode>(m, "CreditMode", "enum.Enum")
      .value("standard", CreditMode::standard)
      .value("unlimited", CreditMode::unlimited)
      .finalize();
  py::class_<CpuCredits>(m, "CpuCredits", "The credits of one instance, in units.")
      .def(py::init([](std::uint32_t vcpus, std::int64_t millicredits_per_hour,
                       std::int64_t launch_credits, std::int64_t kept_ns,
                       std::int64_t lowered_over_ns, CreditMode mode, std::int64_t now) {
             const CpuCreditFacts facts{vcpus, millicredits_per_hour, launch_credits, kept_ns,
                                        lowered_over_ns};
             return CpuCredits(facts, mode, now);
           }),
           py::arg("vcpus"), py::arg("millicredits_per_hour"), py::arg("launch_credits"),
           py::arg("kept_ns"), py::arg("lowered_over_ns"), py::arg("mode"), py::arg("now_ns"))
      .def("advance", &CpuCredits::advance, py::arg("until_ns"))
      .def("start", &CpuCredits::start, py::arg("launch_credits"))
      .def("stop", &CpuCredits::stop)
      .def("terminate", &CpuCredits::terminate)
      .def("set_mode", &CpuCredits::set_mode, py::arg("mode"))
      .def("set_usage", &CpuCredits::set_usage, py::arg("vcpus"))
      .def("exhausted_at", &CpuCredits::exhausted_at)
      .def("limit_changes_at", &CpuCredits::limit_changes_at)
      .def("full_at", &CpuCredits::full_at)
      .def(
          "reaches",
          [](const CpuCredits& it, std::int64_t millicredits) {
            return it.reaches(CpuCredits::units_per_credit / 1000 * millicredits);
          },
          py::arg("millicredits"))
      .def("account", [](const CpuCredits& it) { return account(it); })
      .def("check", &CpuCredits::check)
      .def_property_readonly("limit", &CpuCredits::limit)
      .def_property_readonly("mode", &CpuCredits::mode)
      .def_property_readonly("running", &CpuCredits::running)
      .def_property_readonly("now_ns", &CpuCredits::now)
      .def(by_state<CpuCredits>([] { return CpuCredits(); }));
  m.def("units_per_credit", [] { return wide(CpuCredits::units_per_credit); });
  py::class_<LaunchCreditLimit>(m, "LaunchCreditLimit", "Of one account in one Region.")
      .def(py::init<std::uint32_t>(), py::arg("launches"))
      .def("grant", &LaunchCreditLimit::grant, py::arg("now_ns"))
      .def(by_state<LaunchCreditLimit>([] { return LaunchCreditLimit(); }));
}

Array<std::uint64_t> send(SharedDevice& device, const Array<std::uint32_t>& tenants,
                          const Array<std::int64_t>& tokens) {
  if (tenants.size() != tokens.size()) throw SpecError("tokens", "must be as long as tenants");
  Array<std::uint64_t> numbers(tenants.size());
  std::uint64_t* to = numbers.mutable_data();
  const std::uint32_t* tenant = tenants.data();
  const std::int64_t* size = tokens.data();
  const py::ssize_t count = tenants.size();
  py::gil_scoped_release release;
  for (py::ssize_t at = 0; at < count; ++at) to[at] = device.send(tenant[at], size[at]);
  return numbers;
}

py::tuple completed(SharedDevice& device) {
  const auto size = static_cast<py::ssize_t>(device.completed().size());
  Array<std::int64_t> times(size);
  Array<std::uint64_t> transfers(size);
  Array<std::uint32_t> tenants(size);
  for (py::ssize_t at = 0; at < size; ++at) {
    const SharedDevice::Completion& it = device.completed()[static_cast<std::size_t>(at)];
    times.mutable_at(at) = it.time;
    transfers.mutable_at(at) = it.transfer;
    tenants.mutable_at(at) = static_cast<std::uint32_t>(it.tenant);
  }
  device.clear_completed();
  return py::make_tuple(times, transfers, tenants);
}

py::dict device_account(SharedDevice& device, std::uint32_t tenant) {
  py::dict out = account(device.bucket(tenant));
  out["transferred"] = wide(device.transferred(tenant));
  out["streamed"] = wide(device.streamed(tenant));
  return out;
}

void bind_shared_device(py::module_& m) {
  py::class_<SharedDevice>(m, "SharedDevice", "Rates in tokens a second but where it says so.")
      .def(py::init([](std::int64_t capacity, std::int64_t flow_limit) {
             return SharedDevice({capacity, flow_limit});
           }),
           py::arg("capacity"), py::arg("flow_limit"))
      .def(
          "add_tenant",
          [](SharedDevice& it, std::int64_t baseline, std::int64_t peak, std::int64_t burst,
             double weight) { return it.add_tenant({baseline, peak, burst, weight}); },
          py::arg("baseline"), py::arg("peak"), py::arg("burst"), py::arg("weight"))
      .def("send", &send, py::arg("tenants"), py::arg("tokens"))
      .def("set_demand", &SharedDevice::set_demand, py::arg("tenant"), py::arg("rate"))
      .def("stop", &SharedDevice::stop, py::arg("tenant"))
      .def("start", &SharedDevice::start, py::arg("tenant"))
      .def("advance", &SharedDevice::advance, py::arg("until_ns"),
           py::call_guard<py::gil_scoped_release>())
      .def("next_event", &SharedDevice::next_event)
      .def("completed", &completed, "Times, transfers and tenants; the list is empty then.")
      .def("granted", &SharedDevice::granted, py::arg("tenant"), "Microtokens a second.")
      .def("under_way", &SharedDevice::under_way, py::arg("tenant"))
      .def("account", &device_account, py::arg("tenant"), "Femtotokens.")
      .def_property_readonly("now_ns", &SharedDevice::now)
      .def_property_readonly("tenants", &SharedDevice::tenants)
      .def_property_readonly("solves", &SharedDevice::solves)
      .def(by_state<SharedDevice>([] { return SharedDevice({1, 0}); }));
}

}  // namespace

void bind_buckets(py::module_& core) {
  py::module_ m = core.def_submodule("buckets", "Buckets in closed form, and what they hold.");
  bind_token_bucket(m);
  bind_cpu_credits(m);
  bind_shared_device(m);
}

}  // namespace nephoscope
