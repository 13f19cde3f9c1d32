// nephoscope._core.patterns: event patterns, compiled, alone.

#include "bindings/pybind11.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel/errors.hpp"
#include "messaging/event_kinds.hpp"
#include "messaging/matcher.hpp"
#include "messaging/pattern_spec.hpp"

namespace nephoscope {

namespace {

using Fields = std::vector<std::pair<std::string, std::vector<ConditionSpec>>>;
using Rules = std::vector<std::vector<Fields>>;

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;

Matcher compiled(const Rules& rules, NumberRule numbers) {
  std::vector<RuleSpec> specs;
  for (const auto& branches : rules) {
    RuleSpec& spec = specs.emplace_back();
    for (const Fields& fields : branches) {
      BranchSpec& branch = spec.branches.emplace_back();
      for (const auto& [path, conditions] : fields) branch.push_back({path, conditions});
    }
  }
  return Matcher(specs, numbers);
}

std::vector<std::uint32_t> matches(const EventKinds& kinds, std::uint32_t kind) {
  if (kind >= kinds.size()) throw SpecError("kind", "is of no event");
  const auto rules = kinds.matches(kind);
  return {rules.begin(), rules.end()};
}

// How often each rule matches, of a sequence of kinds.
Array<std::int64_t> count(const EventKinds& kinds, const Array<std::uint32_t>& sequence) {
  const std::uint32_t* kind = sequence.data();
  const py::ssize_t size = sequence.size();
  for (py::ssize_t at = 0; at < size; ++at) {
    if (kind[at] >= kinds.size()) throw SpecError("kind", "is of no event");
  }
  Array<std::int64_t> counts(static_cast<py::ssize_t>(kinds.matcher().size()));
  std::int64_t* to = counts.mutable_data();
  std::fill(to, to + counts.size(), 0);
  py::gil_scoped_release release;
  for (py::ssize_t at = 0; at < size; ++at) {
    for (const std::uint32_t rule : kinds.matches(kind[at])) ++to[rule];
  }
  return counts;
}

void bind_condition(py::module_& m) {
  py::native_enum<ConditionKind>(m, "ConditionKind", "enum.Enum")
      .value("literal", ConditionKind::literal)
      .value("number", ConditionKind::number)
      .value("text", ConditionKind::text)
      .value("cidr", ConditionKind::cidr)
      .value("exists", ConditionKind::exists)
      .value("absent", ConditionKind::absent)
      .value("prefix", ConditionKind::prefix)
      .value("suffix", ConditionKind::suffix)
      .value("letters", ConditionKind::letters)
      .value("letters_prefix", ConditionKind::letters_prefix)
      .value("letters_suffix", ConditionKind::letters_suffix)
      .value("wildcard", ConditionKind::wildcard)
      .value("range", ConditionKind::range)
      .value("anything_but", ConditionKind::anything_but)
      .finalize();
  py::native_enum<NumberRule>(m, "NumberRule", "enum.Enum")
      .value("exact", NumberRule::exact)
      .value("five_digits", NumberRule::five_digits)
      .finalize();
  py::class_<ConditionSpec>(m, "ConditionSpec")
      .def(py::init<>())
      .def_readwrite("kind", &ConditionSpec::kind)
      .def_readwrite("text", &ConditionSpec::text)
      .def_readwrite("bits", &ConditionSpec::bits)
      .def_readwrite("letters", &ConditionSpec::letters)
      .def_readwrite("pieces", &ConditionSpec::pieces)
      .def_readwrite("low", &ConditionSpec::low)
      .def_readwrite("high", &ConditionSpec::high)
      .def_readwrite("low_open", &ConditionSpec::low_open)
      .def_readwrite("high_open", &ConditionSpec::high_open)
      .def_readwrite("none_of", &ConditionSpec::none_of);
}

}  // namespace

void bind_patterns(py::module_& core) {
  py::module_ m = core.def_submodule("patterns", "Event patterns, compiled.");
  bind_condition(m);
  py::class_<Matcher>(m, "Matcher", "Rules are numbered in the order given.")
      .def(py::init(&compiled), py::arg("rules"), py::arg("numbers"))
      .def(
          "evaluate",
          [](const Matcher& it, const std::string& event,
             const std::vector<std::string>& unmatchable) {
            return it.evaluate(event, unmatchable);
          },
          py::arg("event"), py::arg("unmatchable"))
      .def("__len__", &Matcher::size);
  py::class_<EventKinds>(m, "EventKinds", "Events that are the same are one kind.")
      .def(py::init<Matcher>(), py::arg("matcher"))
      .def("intern", &EventKinds::intern, py::arg("event"))
      .def("matches", &matches, py::arg("kind"))
      .def("count", &count, py::arg("kinds"))
      .def("__len__", &EventKinds::size);
}

}  // namespace nephoscope
