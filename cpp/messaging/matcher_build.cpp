// How rules are compiled: terms that are equal become one, and each condition goes to the table, or
// to the list, where it is looked up.

#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernel/errors.hpp"
#include "messaging/matcher.hpp"

namespace nephoscope {

namespace {

// Sizes before texts, so that no two specs have one identity.
void append(std::string& to, std::string_view text) {
  to += std::to_string(text.size());
  to += ':';
  to += text;
}

std::string identity(const ConditionSpec& spec) {
  std::string text(1, static_cast<char>('a' + static_cast<int>(spec.kind)));
  text += spec.low_open ? '(' : '[';
  text += spec.high_open ? ')' : ']';
  append(text, std::to_string(spec.bits));
  for (const std::string* part : {&spec.text, &spec.low, &spec.high}) append(text, *part);
  append(text, std::to_string(spec.pieces.size()));
  for (const std::string& piece : spec.pieces) append(text, piece);
  append(text, std::to_string(spec.letters.size()));
  for (const auto& spellings : spec.letters) {
    append(text, std::to_string(spellings.size()));
    for (const std::string& spelling : spellings) append(text, spelling);
  }
  append(text, std::to_string(spec.none_of.size()));
  for (const ConditionSpec& inner : spec.none_of) append(text, identity(inner));
  return text;
}

}  // namespace

class Matcher::Builder {
 public:
  explicit Builder(Matcher& to) : to_(to) {}

  void add(const BranchSpec& spec, std::uint32_t rule) {
    require(!spec.empty(), "pattern", "a branch needs a field");
    std::vector<const FieldSpec*> fields;
    for (const FieldSpec& field : spec) fields.push_back(&field);
    std::sort(fields.begin(), fields.end(),
              [](const FieldSpec* a, const FieldSpec* b) { return a->path < b->path; });
    Branch branch;
    branch.rule = rule;
    const auto number = static_cast<std::uint32_t>(to_.branches_.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      require(i == 0 || fields[i - 1]->path != fields[i]->path, "pattern", "a path twice");
      const std::uint32_t term = term_of(*fields[i]);
      branch.terms.push_back(term);
      if (to_.terms_[term].absent) continue;
      ++branch.needed;
      to_.terms_[term].branches.push_back(number);
    }
    if (branch.needed == 0) to_.valueless_.push_back(number);
    to_.branches_.push_back(std::move(branch));
  }

 private:
  std::uint32_t term_of(const FieldSpec& spec) {
    require(!spec.any_of.empty(), "pattern", "a field needs a condition");
    const std::uint32_t path = to_.paths_.add(spec.path);
    if (path == to_.indices_.size()) {
      to_.indices_.emplace_back();
      tests_.emplace_back();
    }
    std::string key;
    append(key, spec.path);
    for (const ConditionSpec& condition : spec.any_of) append(key, identity(condition));
    const auto number = static_cast<std::uint32_t>(to_.terms_.size());
    const auto [known, fresh] = known_.try_emplace(std::move(key), number);
    if (!fresh) return known->second;
    to_.terms_.push_back({path, false, {}});
    for (const ConditionSpec& condition : spec.any_of) index(condition, path, number);
    return number;
  }

  void index(const ConditionSpec& spec, std::uint32_t path, std::uint32_t term) {
    PathIndex& index = to_.indices_[path];
    const Condition condition(spec, to_.numbers_);
    switch (spec.kind) {
      case ConditionKind::literal:
        return index.literals[spec.text].push_back(term);
      case ConditionKind::number:
        if (condition.number()) index.numbers[condition.number()->key()].push_back(term);
        return;
      case ConditionKind::text:
        return index.texts[spec.text].push_back(term);
      case ConditionKind::exists:
        return index.present.push_back(term);
      case ConditionKind::absent:
        to_.terms_[term].absent = true;
        return;
      case ConditionKind::prefix:
        return index.prefixes[spec.text.size()][spec.text].push_back(term);
      case ConditionKind::suffix:
        return index.suffixes[spec.text.size()][spec.text].push_back(term);
      default:
        break;
    }
    const IpBlock& block = condition.block();
    if (spec.kind == ConditionKind::cidr && block.bits == 8 * std::uint32_t{block.base.size}) {
      return index.addresses[block.base.key()].push_back(term);
    }
    const auto [known, fresh] = tests_[path].try_emplace(identity(spec), index.tests.size());
    if (fresh) index.tests.push_back({condition, {}});
    index.tests[known->second].terms.push_back(term);
  }

  Matcher& to_;
  std::unordered_map<std::string, std::uint32_t> known_;             // terms
  std::vector<std::unordered_map<std::string, std::size_t>> tests_;  // by path
};

Matcher::Matcher(const std::vector<RuleSpec>& rules, NumberRule rule) : numbers_(rule) {
  Builder builder(*this);
  for (const RuleSpec& spec : rules) {
    require(!spec.branches.empty(), "pattern", "a rule needs a branch");
    for (const BranchSpec& branch : spec.branches) {
      builder.add(branch, static_cast<std::uint32_t>(rules_));
    }
    ++rules_;
  }
}

}  // namespace nephoscope
