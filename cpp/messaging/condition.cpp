#include "messaging/condition.hpp"

#include <algorithm>
#include <cstddef>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t places = 5;

const Decimal& billion() {
  static const Decimal value = Decimal::parse("1e9");
  return value;
}

bool is_number(std::string_view text) {
  const std::size_t first = text.find_first_not_of('-');
  return first < 2 && text[first] >= '0' && text[first] <= '9' &&
         text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

std::optional<Decimal> bound(const std::string& text, NumberRule rule) {
  if (text.empty()) return std::nullopt;
  require(is_number(text), "pattern", "a bound must be a number");
  return comparable(text, rule);
}

bool ends_with(std::string_view text, std::size_t end, std::string_view part) {
  return end >= part.size() && text.substr(end - part.size(), part.size()) == part;
}

}  // namespace

std::optional<Decimal> comparable(std::string_view text, NumberRule rule) {
  Decimal number = Decimal::parse(text);
  if (rule == NumberRule::exact) return number;
  if (number > billion() || number < Decimal{true, billion().point, billion().digits}) {
    return std::nullopt;
  }
  return number.floor(places);
}

FieldValue FieldValue::of_literal(std::string_view text) {
  return {Kind::literal, text, std::nullopt, std::nullopt};
}

FieldValue FieldValue::of_number(std::string_view text, NumberRule rule) {
  return {Kind::number, text, comparable(text, rule), std::nullopt};
}

FieldValue FieldValue::of_text(std::string_view text) {
  return {Kind::text, text, std::nullopt, parse_ip(text)};
}

Condition::Condition(const ConditionSpec& spec, NumberRule rule) : spec_(spec) {
  require(static_cast<std::uint8_t>(spec.kind) < condition_kinds, "pattern", "no such condition");
  if (spec.kind == ConditionKind::number) {
    require(is_number(spec.text), "pattern", "must be a number");
    low_ = comparable(spec.text, rule);
  }
  if (spec.kind == ConditionKind::range) {
    low_ = bound(spec.low, rule);
    high_ = bound(spec.high, rule);
  }
  if (spec.kind == ConditionKind::wildcard) {
    require(!spec.pieces.empty(), "pattern", "a wildcard needs a piece");
  }
  if (spec.kind == ConditionKind::cidr) {
    const std::optional<IpAddress> base = parse_ip(spec.text);
    require(base.has_value(), "pattern", "must be an IP address");
    require(spec.bits <= 8 * std::uint32_t{base->size}, "pattern", "has too many bits");
    block_ = {*base, spec.bits};
  }
  for (const ConditionSpec& inner : spec.none_of) none_of_.emplace_back(inner, rule);
}

bool Condition::holds(const FieldValue& value) const {
  using Kind = FieldValue::Kind;
  if (value.kind == Kind::unmatchable) return false;
  switch (spec_.kind) {
    case ConditionKind::exists:
      return true;
    case ConditionKind::absent:
      return false;
    case ConditionKind::literal:
      return value.kind == Kind::literal && value.text == spec_.text;
    case ConditionKind::number:
      return value.number && low_ && *value.number == *low_;
    case ConditionKind::range:
      return value.number && within(*value.number);
    case ConditionKind::cidr:
      return value.address && block_.contains(*value.address);
    case ConditionKind::anything_but:
      return std::none_of(none_of_.begin(), none_of_.end(),
                          [&](const Condition& inner) { return inner.holds(value); });
    default:
      return value.kind == Kind::text && holds_of_text(value.text);
  }
}

bool Condition::holds_of_text(std::string_view text) const {
  switch (spec_.kind) {
    case ConditionKind::text:
      return text == spec_.text;
    case ConditionKind::prefix:
      return text.starts_with(spec_.text);
    case ConditionKind::suffix:
      return text.ends_with(spec_.text);
    case ConditionKind::wildcard:
      return wild(text);
    default:
      return spelled(text);
  }
}

bool Condition::within(const Decimal& number) const {
  if (low_ && (number < *low_ || (spec_.low_open && number == *low_))) return false;
  return !high_ || number < *high_ || (!spec_.high_open && number == *high_);
}

// The places of the text that the letters so far can lead to; spellings of one letter may differ in
// length. From the end where the text has to end with the letters.
bool Condition::spelled(std::string_view text) const {
  const bool backwards = spec_.kind == ConditionKind::letters_suffix;
  std::vector<std::size_t> ends = {backwards ? text.size() : 0};
  std::vector<std::size_t> next;
  const std::size_t count = spec_.letters.size();
  for (std::size_t i = 0; i < count && !ends.empty(); ++i) {
    next.clear();
    for (const std::string& spelling : spec_.letters[backwards ? count - 1 - i : i]) {
      for (const std::size_t end : ends) {
        if (backwards && ends_with(text, end, spelling)) next.push_back(end - spelling.size());
        if (!backwards && text.substr(end).starts_with(spelling)) {
          next.push_back(end + spelling.size());
        }
      }
    }
    std::sort(next.begin(), next.end());
    next.erase(std::unique(next.begin(), next.end()), next.end());
    ends.swap(next);
  }
  if (spec_.kind != ConditionKind::letters) return !ends.empty();
  return !ends.empty() && ends.back() == text.size();
}

// The first and the last piece are at the ends; each of the others is taken where it first comes.
bool Condition::wild(std::string_view text) const {
  const std::vector<std::string>& pieces = spec_.pieces;
  if (pieces.size() == 1) return text == pieces.front();
  if (!text.starts_with(pieces.front())) return false;
  text.remove_prefix(pieces.front().size());
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
    const std::size_t found = text.find(pieces[i]);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + pieces[i].size());
  }
  return text.ends_with(pieces.back());
}

}  // namespace nephoscope
