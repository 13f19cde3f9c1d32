// One condition of a pattern, and the value of a field that it is asked about.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messaging/decimal.hpp"
#include "messaging/ip_address.hpp"
#include "messaging/pattern_spec.hpp"

namespace nephoscope {

// A number as conditions see it; none where the rule says that it equals nothing.
std::optional<Decimal> comparable(std::string_view text, NumberRule rule);

struct FieldValue {
  enum class Kind : std::uint8_t {
    literal,
    number,
    text,
    unmatchable,  // it is there, and no condition holds
  };

  static FieldValue of_literal(std::string_view text);
  static FieldValue of_number(std::string_view text, NumberRule rule);
  static FieldValue of_text(std::string_view text);

  Kind kind = Kind::unmatchable;
  std::string_view text;
  std::optional<Decimal> number;
  std::optional<IpAddress> address;  // of a text that is one
};

class Condition {
 public:
  // Throws SpecError where the spec is none.
  Condition(const ConditionSpec& spec, NumberRule rule);

  // Of a value that is there, so that `absent` never holds.
  bool holds(const FieldValue& value) const;

  const ConditionSpec& spec() const { return spec_; }
  const std::optional<Decimal>& number() const { return low_; }
  const IpBlock& block() const { return block_; }

 private:
  bool holds_of_text(std::string_view text) const;
  bool spelled(std::string_view text) const;
  bool wild(std::string_view text) const;
  bool within(const Decimal& number) const;

  ConditionSpec spec_;
  std::optional<Decimal> low_;  // the number itself, where the condition is of one
  std::optional<Decimal> high_;
  IpBlock block_;
  std::vector<Condition> none_of_;
};

}  // namespace nephoscope
