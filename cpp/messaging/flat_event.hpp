// An event as patterns see it: the values at the paths that they ask for.
//
// A path is the keys that lead to a value with dots between them, so {"a": {"b": 1}} and {"a.b": 1}
// are one. Arrays leave no trace in a path; each value of one is a value of its path, and an empty
// array is none. What a value keeps of the arrays around it is its membership: for each array of
// objects or arrays, the element that it is in.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "messaging/condition.hpp"
#include "messaging/json.hpp"

namespace nephoscope {

// The paths that any pattern asks for, numbered, and all beginnings of them.
class PathTable {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::uint32_t add(const std::string& path);

  std::uint32_t find(const std::string& path) const {
    const auto found = numbers_.find(path);
    return found == numbers_.end() ? none : found->second;
  }

  // Whether some path goes on after this one.
  bool leads_on(const std::string& path) const { return beginnings_.contains(path); }

  std::uint32_t size() const { return static_cast<std::uint32_t>(numbers_.size()); }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;  // looked up in, never walked through
  std::unordered_set<std::string> beginnings_;
};

// (array, element), by array.
using Membership = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

struct Field {
  std::uint32_t path = 0;
  std::uint32_t membership = 0;
  FieldValue value;
};

// Holds views into the document.
class FlatEvent {
 public:
  FlatEvent(const JsonDocument& document, const PathTable& paths, NumberRule rule);

  // Something at a path for which no condition holds.
  void add_unmatchable(const std::string& path);

  const std::vector<Field>& fields() const { return fields_; }
  const Membership& membership(const Field& field) const { return memberships_[field.membership]; }

  // No value is in an array of objects or arrays.
  bool plain() const { return memberships_.size() == 1; }

 private:
  void object(std::uint32_t node, int depth);
  void array(std::uint32_t node, int depth);
  void scalar(const JsonNode& node);

  const JsonDocument& document_;
  const PathTable& paths_;
  NumberRule rule_;
  std::vector<Field> fields_;
  std::vector<Membership> memberships_ = {{}};  // the first is that of values in no array

  // Where the walk is.
  std::string path_;
  std::uint32_t arrays_ = 0;
  Membership around_;
  std::uint32_t current_ = 0;  // the number of `around_`; PathTable::none while it has none
};

}  // namespace nephoscope
