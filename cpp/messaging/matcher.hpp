// All rules of a bus, compiled once, and asked which of them an event matches.
//
// 1. A term is a path with the conditions that a rule has for it. Equal terms are one, so what many
//    rules ask for is looked up once.
// 2. For each path, terms are found by the value: exact values, addresses, beginnings and ends in
//    tables, the other conditions one by one, each distinct one once.
// 3. A branch of a rule is looked at only if all of its terms hold of some value (or may hold of an
//    absent one); then it is decided whether one choice of values does, element by element.
//
// The order of decisions is that of the paths. What a field that must be absent is compared with is
// what was chosen for the paths before it: a value in another element of the same array is not
// seen.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "messaging/condition.hpp"
#include "messaging/flat_event.hpp"
#include "messaging/pattern_spec.hpp"

namespace nephoscope {

class Matcher {
 public:
  // Rules are numbered in this order. Throws SpecError where one of them is none.
  explicit Matcher(const std::vector<RuleSpec>& rules, NumberRule rule = NumberRule::exact);

  // The rules that match, in order. Throws SpecError where the text is no object of JSON.
  // `unmatchable` are paths that are there, with a value for which no condition holds.
  std::vector<std::uint32_t> evaluate(std::string_view event,
                                      std::span<const std::string> unmatchable = {}) const;

  std::size_t size() const { return rules_; }

 private:
  using Numbers = std::vector<std::uint32_t>;
  using Table = std::unordered_map<std::string, Numbers>;  // looked up in, never walked through

  struct Test {
    Condition condition;
    Numbers terms;
  };

  struct PathIndex {
    Table literals;
    Table numbers;
    Table texts;
    Table addresses;
    std::map<std::size_t, Table> prefixes;  // by length
    std::map<std::size_t, Table> suffixes;
    Numbers present;
    std::vector<Test> tests;
  };

  struct Term {
    std::uint32_t path = 0;
    bool absent = false;  // also holds where there is no value
    Numbers branches;     // that have it among those that need a value
  };

  struct Branch {
    std::uint32_t rule = 0;
    std::uint32_t needed = 0;  // terms that need a value
    Numbers terms;             // by path
  };

  // A term that holds, or a path that has a value, and the field of it.
  struct Hit {
    std::uint32_t of = 0;
    std::uint32_t field = 0;

    auto operator<=>(const Hit&) const = default;
  };

  struct Found {
    const FlatEvent& event;
    std::vector<Hit> hits;    // by term and field
    std::vector<Hit> values;  // by path and field
  };

  class Builder;

  Found look_up(const FlatEvent& event) const;
  Numbers candidates(const std::vector<Hit>& hits) const;
  bool holds(const Branch& branch, const Found& found) const;
  bool holds_plainly(const Branch& branch, const Found& found) const;
  std::vector<Numbers> arrays_after(const Branch& branch, const Found& found) const;

  std::size_t rules_ = 0;
  NumberRule numbers_;
  PathTable paths_;
  std::vector<PathIndex> indices_;  // by path
  std::vector<Term> terms_;
  std::vector<Branch> branches_;
  Numbers valueless_;  // branches of which no term needs a value
};

}  // namespace nephoscope
