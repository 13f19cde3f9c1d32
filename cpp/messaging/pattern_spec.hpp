// Event patterns as plain data, after their language has been read (python/nephoscope/patterns).
//
// A rule holds where one of its branches does; a branch where every field of it does, and fields
// under one array of objects by the same element of it; a field where one of its conditions does.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nephoscope {

enum class ConditionKind : std::uint8_t {
  literal,         // true, false or null, in `text`
  number,          // its value, in `text`
  text,            // this text
  cidr,            // an address in the block of `bits` around that in `text`
  exists,          // any value
  absent,          // no value
  prefix,          // a text that begins with `text`
  suffix,          // a text that ends with `text`
  letters,         // a text that is one of the spellings in `letters`
  letters_prefix,  // a text that begins with one
  letters_suffix,  // a text that ends with one
  wildcard,        // a text that is `pieces` with anything between them
  range,           // a number between `low` and `high`
  anything_but,    // a value for which none of `none_of` holds
};
constexpr std::uint8_t condition_kinds = 14;

struct ConditionSpec {
  ConditionKind kind = ConditionKind::exists;
  std::string text;
  std::uint32_t bits = 0;
  std::vector<std::vector<std::string>> letters;  // the spellings of each letter
  std::vector<std::string> pieces;
  std::string low;  // numbers as JSON writes them; none where there is no bound
  std::string high;
  bool low_open = false;  // the bound itself is outside
  bool high_open = false;
  std::vector<ConditionSpec> none_of;

  bool operator==(const ConditionSpec&) const = default;
};

struct FieldSpec {
  std::string path;  // keys with dots between them
  std::vector<ConditionSpec> any_of;
};

using BranchSpec = std::vector<FieldSpec>;

struct RuleSpec {
  std::vector<BranchSpec> branches;
};

// How numbers are compared.
enum class NumberRule : std::uint8_t {
  exact,        // by their whole value
  five_digits,  // five digits after the point; what is beyond +-10^9 equals nothing
};

}  // namespace nephoscope
