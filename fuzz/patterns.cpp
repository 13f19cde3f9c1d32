// Fuzz target of event patterns: any bytes become a text, rules and events.
//
// The reader of JSON refuses a text or makes nodes that lie within each other and within their
// text. Rules may be refused; what is compiled tells the same of an event whether the rules are
// compiled together or one by one, and whether the event is known or new.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/bytes.hpp"
#include "kernel/errors.hpp"
#include "messaging/event_kinds.hpp"
#include "messaging/json.hpp"
#include "messaging/matcher.hpp"

namespace nephoscope::fuzz {
namespace {

// Few of each, so that patterns and events meet.
constexpr const char* keys[] = {"a", "b", "c", "a.b", "", "\\u00e9", "\\ud83d\\ude00"};
constexpr const char* paths[] = {"a", "b", "c", "a.b", "a.b.c", "a.a.b", "", "b.c", "\xc3\xa9"};
constexpr const char* texts[] = {"",  "a", "ab", "aba",      "SS",  "\xc3\x9f",
                                 "1", "*", ":",  "10.0.0.1", "::1", "::ffff:a00:1"};
constexpr const char* digits[] = {"0",       "-0.0", "1",        "1.0",      "10e-1",
                                  "300",     "3E+2", "-1.00001", "1e19",     "9007199254740993",
                                  "99999.9", "1e9",  "-1e9",     "-0.000001"};
constexpr const char* literals[] = {"true", "false", "null"};
constexpr const char* scraps[] = {"{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "-", "e", " "};

// Anything, in pieces that look like JSON.
std::string scribble(Bytes& bytes) {
  std::string text;
  for (std::uint32_t left = bytes.between(0, 40); left > 0; --left) {
    switch (bytes.between(0, 5)) {
      case 0:
        text += static_cast<char>(bytes.raw<std::uint8_t>());
        break;
      case 1:
        text += '"' + std::string(bytes.any_of(keys)) + '"';
        break;
      case 2:
        text += bytes.any_of(digits);
        break;
      case 3:
        text += bytes.any_of(literals);
        break;
      default:
        text += bytes.any_of(scraps);
        break;
    }
  }
  return text;
}

std::string value(Bytes& bytes, int depth);

std::string object(Bytes& bytes, int depth) {
  std::string text = "{";
  for (std::uint32_t left = bytes.between(0, depth > 3 ? 12 : 3); left > 0; --left) {
    text += '"' + std::string(bytes.any_of(keys)) + "\":" + value(bytes, depth - 1);
    if (left > 1) text += ',';
  }
  return text + '}';
}

std::string value(Bytes& bytes, int depth) {
  const std::uint32_t kind = bytes.between(0, depth > 0 ? 5 : 2);
  if (kind == 0) return bytes.any_of(literals);
  if (kind == 1) return bytes.any_of(digits);
  if (kind == 2) return '"' + std::string(bytes.any_of(texts)) + '"';
  if (kind == 3) return object(bytes, depth);
  std::string text = "[";
  for (std::uint32_t left = bytes.between(0, 3); left > 0; --left) {
    text += value(bytes, depth - 1);
    if (left > 1) text += ',';
  }
  return text + ']';
}

ConditionSpec condition(Bytes& bytes, int depth) {
  ConditionSpec spec;
  spec.kind = bytes.enumerator<ConditionKind>(condition_kinds);
  spec.text = bytes.any_of(texts);
  if (spec.kind == ConditionKind::literal) spec.text = bytes.any_of(literals);
  if (spec.kind == ConditionKind::number) spec.text = bytes.any_of(digits);
  spec.bits = bytes.between(0, 33);
  for (std::uint32_t left = bytes.between(0, 3); left > 0; --left) {
    spec.letters.push_back({bytes.any_of(texts), bytes.any_of(texts)});
    spec.pieces.push_back(bytes.any_of(texts));
  }
  if (!bytes.one_in(3)) spec.low = bytes.any_of(digits);
  if (!bytes.one_in(3)) spec.high = bytes.any_of(digits);
  spec.low_open = bytes.one_in(2);
  spec.high_open = bytes.one_in(2);
  if (depth > 0 && spec.kind == ConditionKind::anything_but) {
    spec.none_of.push_back(condition(bytes, depth - 1));
  }
  return spec;
}

RuleSpec rule(Bytes& bytes) {
  RuleSpec spec;
  for (std::uint32_t branches = bytes.between(1, 2); branches > 0; --branches) {
    BranchSpec& branch = spec.branches.emplace_back();
    for (std::uint32_t left = bytes.between(1, 3); left > 0; --left) {
      FieldSpec& field = branch.emplace_back();
      field.path = bytes.any_of(paths);
      for (std::uint32_t more = bytes.between(1, 2); more > 0; --more) {
        field.any_of.push_back(condition(bytes, 2));
      }
    }
  }
  return spec;
}

void check(const JsonDocument& document) {
  std::vector<std::uint32_t> ends;
  const std::vector<JsonNode>& nodes = document.nodes();
  for (std::uint32_t at = 0; at < nodes.size(); ++at) {
    while (!ends.empty() && ends.back() == at) ends.pop_back();
    if (nodes[at].end <= at || nodes[at].end > nodes.size()) throw std::logic_error("no end");
    if (!ends.empty() && nodes[at].end > ends.back()) throw std::logic_error("not nested");
    ends.push_back(nodes[at].end);
    if (document.text(nodes[at]).size() != nodes[at].text_size ||
        document.key(nodes[at]).size() != nodes[at].key_size) {
      throw std::logic_error("a text that is not there");
    }
    if (nodes[at].kind != JsonKind::number) continue;
    const Decimal number = Decimal::parse(document.text(nodes[at]));
    const Decimal below = number.floor(5);
    if (below > number || !(below == below.floor(5))) throw std::logic_error("a wrong floor");
  }
}

void read(const std::string& text) {
  try {
    check(JsonDocument(text));
  } catch (const SpecError&) {
    // Refused, as most of them are.
  }
}

std::optional<Matcher> compile(const std::vector<RuleSpec>& rules, NumberRule numbers) {
  try {
    return Matcher(rules, numbers);
  } catch (const SpecError&) {
    return std::nullopt;
  }
}

void match(Bytes& bytes) {
  const NumberRule numbers = bytes.one_in(2) ? NumberRule::five_digits : NumberRule::exact;
  std::vector<RuleSpec> rules;
  std::vector<Matcher> alone;
  for (std::uint32_t left = bytes.between(0, 4); left > 0; --left) {
    RuleSpec spec = rule(bytes);
    auto compiled = compile({spec}, numbers);
    if (!compiled) continue;
    rules.push_back(std::move(spec));
    alone.push_back(*std::move(compiled));
  }
  EventKinds kinds(Matcher(rules, numbers));
  const std::vector<std::string> unmatchable = {bytes.any_of(paths)};
  for (std::uint32_t left = bytes.between(1, 6); left > 0; --left) {
    const std::string event = object(bytes, static_cast<int>(bytes.between(1, 4)));
    read(event);
    const std::vector<std::uint32_t> found = kinds.matcher().evaluate(event);
    const std::uint32_t kind = kinds.intern(event);
    if (!std::ranges::equal(kinds.matches(kind), found)) throw std::logic_error("a kind differs");
    if (kinds.intern(event) != kind) throw std::logic_error("a kind has two numbers");
    kinds.matcher().evaluate(event, unmatchable);
    for (std::uint32_t number = 0; number < alone.size(); ++number) {
      const bool together = std::binary_search(found.begin(), found.end(), number);
      if (together == alone[number].evaluate(event).empty()) {
        throw std::logic_error("a rule differs alone: " + event);
      }
    }
  }
}

}  // namespace
}  // namespace nephoscope::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nephoscope::fuzz;
  Bytes bytes(data, size);
  if (bytes.one_in(3)) {
    read(std::string(reinterpret_cast<const char*>(data), size));
  } else {
    read(scribble(bytes));
  }
  match(bytes);
  return 0;
}
