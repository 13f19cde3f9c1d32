// The life of instances alone, what it is billed, and launching many: in batches, on arrays.

#include "compute/lifecycle/lifecycle.hpp"

#include "bindings/pybind11.hpp"

#include <algorithm>
#include <string>

#include "compute/lifecycle/provisioning.hpp"
#include "kernel/errors.hpp"
#include "world/archive.hpp"

namespace nephoscope {

namespace {

using Indices = py::array_t<std::uint32_t, py::array::c_style | py::array::forcecast>;

// One number for each element of `from`.
template <class Number, class From, class Of>
py::array_t<Number> each(const From& from, Of of) {
  const auto size = static_cast<py::ssize_t>(from.size());
  py::array_t<Number> values(size);
  Number* to = values.mutable_data();
  const auto* source = from.data();
  for (py::ssize_t at = 0; at < size; ++at) to[at] = static_cast<Number>(of(source[at]));
  return values;
}

// A request to each of the instances, all of which must be there.
template <class Request>
py::array_t<std::uint8_t> ask(const Lifecycle& life, const Indices& instances, Request request) {
  const std::uint32_t* end = instances.data() + instances.size();
  const auto unknown = [&](std::uint32_t instance) { return instance >= life.size(); };
  if (std::any_of(instances.data(), end, unknown)) {
    throw SpecError("instances", "names one that is not there");
  }
  return each<std::uint8_t>(instances, request);
}

template <Answer (Lifecycle::*request)(std::uint32_t)>
py::array_t<std::uint8_t> plain(Lifecycle& life, const Indices& instances) {
  return ask(life, instances, [&](std::uint32_t instance) { return (life.*request)(instance); });
}

py::array_t<std::uint8_t> terminate(Lifecycle& life, const Indices& instances) {
  std::vector<Answer> answers(static_cast<std::size_t>(instances.size()));
  life.terminate(instances.data(), answers.size(), answers.data());
  return each<std::uint8_t>(answers, [](Answer answer) { return answer; });
}

template <class Enumeration>
Enumeration enumerator(std::uint8_t number, std::size_t count, const char* field) {
  if (number >= count) throw SpecError(field, "is not there");
  return static_cast<Enumeration>(number);
}

std::uint32_t add_system(Lifecycle& life, const std::vector<Distribution>& laws,
                         std::int64_t stop_limit_ns, std::int64_t unit_ns, std::int64_t minimum_ns,
                         std::int64_t free_if_interrupted_ns, std::uint64_t seed,
                         std::uint64_t replication, const std::string& name) {
  if (laws.size() != law_count) throw SpecError("laws", "must be one of each");
  SystemFacts facts{{}, stop_limit_ns, {unit_ns, minimum_ns, free_if_interrupted_ns}};
  std::copy(laws.begin(), laws.end(), facts.laws.begin());
  return life.add_system(facts, seed, replication, name);
}

// Instances of consecutive serials.
Indices launch(Lifecycle& life, LaunchFacts facts, py::ssize_t count, bool running) {
  if (count < 0) throw SpecError("count", "must not be below 0");
  Indices made(count);
  std::uint32_t* to = made.mutable_data();
  for (py::ssize_t at = 0; at < count; ++at, ++facts.serial) {
    to[at] = running ? life.add_running(facts) : life.launch(facts);
  }
  return made;
}

py::dict take_changes(Lifecycle& life) {
  const std::vector<LifecycleChange>& changes = life.changes();
  using Change = LifecycleChange;
  py::dict out;
  out["time_ns"] = each<std::int64_t>(changes, [](const Change& it) { return it.time; });
  out["instance"] = each<std::uint32_t>(changes, [](const Change& it) { return it.instance; });
  out["what"] = each<std::uint8_t>(changes, [](const Change& it) { return it.what; });
  out["state"] = each<std::uint8_t>(changes, [](const Change& it) { return it.state; });
  out["reason"] = each<std::uint8_t>(changes, [](const Change& it) { return it.reason; });
  out["check"] = each<std::uint8_t>(changes, [](const Change& it) { return it.check; });
  life.clear_changes();
  return out;
}

// Every figure of each instance, by name.
py::dict figures(const Lifecycle& life, const Indices& instances) {
  py::dict out;
  const auto column = [&]<class Result>(const char* name,
                                        Result (Lifecycle::*figure)(std::uint32_t) const) {
    using Number = std::conditional_t<std::is_enum_v<Result>, std::uint8_t, Result>;
    out[name] =
        each<Number>(instances, [&](std::uint32_t instance) { return (life.*figure)(instance); });
  };
  column("state", &Lifecycle::state);
  column("reason", &Lifecycle::reason);
  column("state_since_ns", &Lifecycle::state_since);
  column("running_since_ns", &Lifecycle::running_since);
  column("ready_at_ns", &Lifecycle::ready_at);
  column("serving", &Lifecycle::serving);
  column("system_check", &Lifecycle::system_check);
  column("instance_check", &Lifecycle::instance_check);
  column("check", &Lifecycle::overall_check);
  column("scheduled", &Lifecycle::scheduled);
  column("visible", &Lifecycle::visible);
  column("starts", &Lifecycle::starts);
  column("reboots", &Lifecycle::reboots);
  column("recoveries", &Lifecycle::recoveries);
  column("billed_s", &Lifecycle::billed_s);
  column("spared_s", &Lifecycle::spared_s);
  column("metered_ns", &Lifecycle::metered_ns);
  return out;
}

template <class Number, class Of>
py::dict by_asset(const Indices& instances, Of of) {
  py::dict out;
  for (std::size_t index = 0; index < asset_count; ++index) {
    const auto asset = static_cast<Asset>(index);
    out[py::str(std::string(asset_words[index]))] =
        each<Number>(instances, [&](std::uint32_t instance) { return of(instance, asset); });
  }
  return out;
}

std::string save(Lifecycle& life) {
  StateWriter writer;
  life.serialize(writer);
  return writer.take();
}

void restore(Lifecycle& life, const std::string& bytes) {
  Lifecycle read = life;
  StateReader reader(bytes);
  read.serialize(reader);
  reader.finish();
  life = std::move(read);
}

template <std::size_t n>
py::list listed(const std::array<std::string_view, n>& words) {
  py::list out;
  for (const std::string_view word : words) out.append(std::string(word));
  return out;
}

py::dict words() {
  py::dict out;
  out["state"] = listed(state_words);
  out["reason"] = listed(reason_words);
  out["answer"] = listed(answer_words);
  out["check"] = listed(check_words);
  out["what"] = listed(change_words);
  out["asset"] = listed(asset_words);
  out["transition"] = listed(transition_words);
  out["law"] = listed(law_words);
  out["scheduled"] = listed(scheduled_words);
  return out;
}

py::tuple run_instances(LaunchInterface& interface, std::int64_t count, std::int64_t min_count,
                        std::int64_t now_ns, std::int64_t capacity) {
  const LaunchReply reply = interface.run_instances(count, min_count, now_ns, capacity);
  return py::make_tuple(std::string(launch_words[static_cast<std::size_t>(reply.answer)]),
                        reply.launched);
}

py::tuple provision_many(LaunchInterface& interface, std::int64_t count, std::int64_t batch,
                         std::int64_t min_count, std::int64_t backoff_base_ns,
                         std::int64_t backoff_cap_ns, bool jitter, std::uint64_t seed,
                         const std::string& name, std::int64_t now_ns) {
  Provisioning done;
  {
    py::gil_scoped_release release;
    const LaunchPlan plan{batch,          min_count, backoff_base_ns,
                          backoff_cap_ns, jitter,    stream_key(seed, 0, name)};
    done = provision(interface, count, plan, now_ns);
  }
  const auto times = each<std::int64_t>(done.accepted_at, [](std::int64_t time) { return time; });
  return py::make_tuple(times, done.requests, done.throttled);
}

py::array_t<std::int64_t> seconds_of(
    const py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>& ran_ns,
    std::int64_t unit_ns, std::int64_t minimum_ns) {
  const BillingRule rule{unit_ns, minimum_ns, 0};
  check(rule);
  return each<std::int64_t>(ran_ns, [&](std::int64_t ran) {
    if (ran < 0) throw SpecError("ran_ns", "must not be below 0");
    return seconds_due(ran, rule);
  });
}

void bind_facts(py::module_& m) {
  py::native_enum<RootDevice>(m, "RootDevice", "enum.Enum")
      .value("ebs", RootDevice::ebs)
      .value("instance_store", RootDevice::instance_store)
      .finalize();
  py::native_enum<Purchase>(m, "Purchase", "enum.Enum")
      .value("on_demand", Purchase::on_demand)
      .value("spot", Purchase::spot)
      .finalize();
  py::native_enum<Interruption>(m, "Interruption", "enum.Enum")
      .value("terminate", Interruption::terminate)
      .value("stop", Interruption::stop)
      .value("hibernate", Interruption::hibernate)
      .finalize();
  py::native_enum<GuestShutdown>(m, "GuestShutdown", "enum.Enum")
      .value("stop", GuestShutdown::stop)
      .value("terminate", GuestShutdown::terminate)
      .finalize();
  py::class_<LaunchFacts>(m, "LaunchFacts", "What is told of an instance at its launch.")
      .def(py::init<>())
      .def_readwrite("system", &LaunchFacts::system)
      .def_readwrite("serial", &LaunchFacts::serial)
      .def_readwrite("zone", &LaunchFacts::zone)
      .def_readwrite("root", &LaunchFacts::root)
      .def_readwrite("purchase", &LaunchFacts::purchase)
      .def_readwrite("interruption", &LaunchFacts::interruption)
      .def_readwrite("guest_shutdown", &LaunchFacts::guest_shutdown)
      .def_readwrite("assets", &LaunchFacts::assets)
      .def_readwrite("deleted", &LaunchFacts::deleted)
      .def_readwrite("hibernation", &LaunchFacts::hibernation)
      .def_readwrite("termination_protection", &LaunchFacts::termination_protection)
      .def_readwrite("automatic_recovery", &LaunchFacts::automatic_recovery)
      .def_readwrite("group_member", &LaunchFacts::group_member)
      .def_readwrite("metal", &LaunchFacts::metal)
      .def_readwrite("efa", &LaunchFacts::efa);
}

void bind_requests(py::class_<Lifecycle>& c) {
  c.def("hibernate", &plain<&Lifecycle::hibernate>, py::arg("instances"))
      .def("start", &plain<&Lifecycle::start>, py::arg("instances"))
      .def("reboot", &plain<&Lifecycle::reboot>, py::arg("instances"))
      .def("shut_down", &plain<&Lifecycle::shut_down>, py::arg("instances"))
      .def("break_guest", &plain<&Lifecycle::break_guest>, py::arg("instances"))
      .def("break_host", &plain<&Lifecycle::break_host>, py::arg("instances"))
      .def("repair", &plain<&Lifecycle::repair>, py::arg("instances"))
      .def("resume", &plain<&Lifecycle::resume>, py::arg("instances"))
      .def("terminate", &terminate, py::arg("instances"), "All in one request.")
      .def(
          "stop",
          [](Lifecycle& life, const Indices& instances, bool skip) {
            return ask(life, instances, [&](std::uint32_t it) { return life.stop(it, skip); });
          },
          py::arg("instances"), py::arg("skip_os_shutdown"))
      .def(
          "fail_launch",
          [](Lifecycle& life, const Indices& instances, std::uint8_t reason) {
            const auto why = enumerator<StateReason>(reason, reason_words.size(), "reason");
            return ask(life, instances,
                       [&](std::uint32_t it) { return life.fail_launch(it, why); });
          },
          py::arg("instances"), py::arg("reason"))
      .def(
          "interrupt",
          [](Lifecycle& life, const Indices& instances, std::int64_t at, std::int64_t rebalance) {
            return ask(life, instances,
                       [&](std::uint32_t it) { return life.interrupt(it, at, rebalance); });
          },
          py::arg("instances"), py::arg("at_ns"), py::arg("rebalance_at_ns"))
      .def(
          "schedule",
          [](Lifecycle& life, const Indices& instances, std::uint8_t event, std::int64_t at,
             std::int64_t lasts) {
            const auto what = enumerator<ScheduledEvent>(event, scheduled_words.size(), "event");
            return ask(life, instances,
                       [&](std::uint32_t it) { return life.schedule(it, what, at, lasts); });
          },
          py::arg("instances"), py::arg("event"), py::arg("at_ns"), py::arg("lasts_ns"))
      .def(
          "protect",
          [](Lifecycle& life, const Indices& instances, bool on) {
            ask(life, instances, [&](std::uint32_t it) {
              life.protect(it, on);
              return Answer::accepted;
            });
          },
          py::arg("instances"), py::arg("on"));
}

void bind_changes(py::class_<Lifecycle>& c) {
  c.def(
       "modifiable",
       [](const Lifecycle& life, const Indices& instances) {
         return ask(life, instances, [&](std::uint32_t it) { return life.modifiable(it); });
       },
       py::arg("instances"))
      .def(
          "change_type",
          [](Lifecycle& life, const Indices& instances, bool metal, bool efa) {
            return ask(life, instances,
                       [&](std::uint32_t it) { return life.change_type(it, metal, efa); });
          },
          py::arg("instances"), py::arg("metal"), py::arg("efa"));
}

void bind_life(py::module_& m) {
  py::class_<Lifecycle> c(m, "Lifecycle", "States of instances. Times are integer ns.");
  c.def(py::init<>())
      .def("add_system", &add_system, py::arg("laws"), py::arg("stop_limit_ns"), py::arg("unit_ns"),
           py::arg("minimum_ns"), py::arg("free_if_interrupted_ns"), py::arg("seed"),
           py::arg("replication"), py::arg("name"))
      .def("launch", &launch, py::arg("facts"), py::arg("count"), py::arg("running"),
           "Numbers (uint32) of instances that differ in their serial.")
      .def("advance", &Lifecycle::advance, py::arg("until_ns"),
           py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("now_ns", &Lifecycle::now)
      .def_property_readonly("next_event_ns", &Lifecycle::next_event)
      .def_property_readonly("size", &Lifecycle::size)
      .def("take_changes", &take_changes, "What happened since the last call, as columns.")
      .def("figures", &figures, py::arg("instances"), "Columns by name.")
      .def(
          "holds",
          [](const Lifecycle& life, const Indices& instances) {
            return by_asset<bool>(
                instances, [&](std::uint32_t it, Asset asset) { return life.holds(it, asset); });
          },
          py::arg("instances"))
      .def(
          "lost",
          [](const Lifecycle& life, const Indices& instances) {
            return by_asset<std::uint32_t>(
                instances, [&](std::uint32_t it, Asset asset) { return life.lost(it, asset); });
          },
          py::arg("instances"))
      .def("count_of", &Lifecycle::count_of, py::arg("system"))
      .def("check", &Lifecycle::check)
      .def("save", [](Lifecycle& life) { return py::bytes(save(life)); })
      .def("restore", &restore, py::arg("state"))
      .def("copy", [](const Lifecycle& life) { return life; });
  bind_requests(c);
  bind_changes(c);
}

void bind_provisioning(py::module_& m) {
  py::class_<LaunchInterface>(m, "LaunchInterface", "Launching, limited by two token buckets.")
      .def(py::init([](std::int64_t instances, std::int64_t instances_per_s, std::int64_t requests,
                       std::int64_t requests_per_s) {
             return LaunchInterface({instances, instances_per_s, requests, requests_per_s});
           }),
           py::arg("instances"), py::arg("instances_per_s"), py::arg("requests"),
           py::arg("requests_per_s"))
      .def("run_instances", &run_instances, py::arg("count"), py::arg("min_count"),
           py::arg("now_ns"), py::arg("capacity"), "The answer, and how many were launched.")
      .def("admits_at", &LaunchInterface::admits_at, py::arg("min_count"), py::arg("now_ns"))
      .def("provision", &provision_many, py::arg("count"), py::arg("batch"), py::arg("min_count"),
           py::arg("backoff_base_ns"), py::arg("backoff_cap_ns"), py::arg("jitter"),
           py::arg("seed"), py::arg("name"), py::arg("now_ns"),
           "Instants (int64 ns) of acceptance, requests made, requests throttled.");
}

}  // namespace

void bind_lifecycle(py::module_& core) {
  auto m = core.def_submodule("lifecycle", "The life of instances, and what it is billed.");
  bind_facts(m);
  bind_life(m);
  m.def("words", &words, "The words of every number, by what it is of.");
  m.def(
      "keeps",
      [](std::uint8_t transition, std::uint8_t asset) {
        return keeps(enumerator<Transition>(transition, transition_words.size(), "transition"),
                     enumerator<Asset>(asset, asset_words.size(), "asset"));
      },
      py::arg("transition"), py::arg("asset"));
  m.def("seconds_due", &seconds_of, py::arg("ran_ns"), py::arg("unit_ns"), py::arg("minimum_ns"),
        "What one run of each length is billed (int64).");
  bind_provisioning(m);
}

}  // namespace nephoscope
