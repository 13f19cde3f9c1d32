#include "messaging/matcher.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace nephoscope {

namespace {

// Whether two choices are not of different elements of one array.
bool agree(const Membership& left, const Membership& right) {
  auto it = left.begin();
  auto other = right.begin();
  while (it != left.end() && other != right.end()) {
    if (it->first == other->first && it->second != other->second) return false;
    const bool first = it->first <= other->first;
    if (it->first >= other->first) ++other;
    if (first) ++it;
  }
  return true;
}

// Two choices that agree, together.
Membership joined(const Membership& left, const Membership& right) {
  Membership both;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(both));
  return both;
}

// What of a choice those that follow can still contradict.
void restrict(Membership& it, const std::vector<std::uint32_t>& arrays) {
  std::erase_if(it, [&](const auto& pair) {
    return !std::binary_search(arrays.begin(), arrays.end(), pair.first);
  });
}

template <class Hit>
std::span<const Hit> those_of(const std::vector<Hit>& hits, std::uint32_t of) {
  const auto less = [](const Hit& hit, std::uint32_t value) { return hit.of < value; };
  const auto first = std::lower_bound(hits.begin(), hits.end(), of, less);
  auto last = first;
  while (last != hits.end() && last->of == of) ++last;
  return {first, last};
}

template <class Hit>
void sort_once(std::vector<Hit>& hits) {
  std::sort(hits.begin(), hits.end());
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
}

}  // namespace

std::vector<std::uint32_t> Matcher::evaluate(std::string_view event,
                                             std::span<const std::string> unmatchable) const {
  const JsonDocument document(event);
  FlatEvent flat(document, paths_, numbers_);
  for (const std::string& path : unmatchable) flat.add_unmatchable(path);
  const Found found = look_up(flat);
  std::vector<std::uint32_t> matches;
  for (const std::uint32_t number : candidates(found.hits)) {
    const Branch& branch = branches_[number];
    if (holds(branch, found)) matches.push_back(branch.rule);
  }
  sort_once(matches);
  return matches;
}

Matcher::Found Matcher::look_up(const FlatEvent& event) const {
  Found found{event, {}, {}};
  std::uint32_t number = 0;
  const auto hit = [&](const Numbers& terms) {
    for (const std::uint32_t term : terms) found.hits.push_back({term, number});
  };
  const auto find = [&](const Table& table, const std::string& key) {
    const auto entry = table.find(key);
    if (entry != table.end()) hit(entry->second);
  };
  for (const Field& field : event.fields()) {
    const FieldValue& value = field.value;
    const PathIndex& index = indices_[field.path];
    found.values.push_back({field.path, number});
    if (value.kind == FieldValue::Kind::literal) find(index.literals, std::string(value.text));
    if (value.number) find(index.numbers, value.number->key());
    if (value.address) find(index.addresses, value.address->key());
    if (value.kind == FieldValue::Kind::text) {
      find(index.texts, std::string(value.text));
      for (const auto& [length, table] : index.prefixes) {
        if (length > value.text.size()) break;
        find(table, std::string(value.text.substr(0, length)));
      }
      for (const auto& [length, table] : index.suffixes) {
        if (length > value.text.size()) break;
        find(table, std::string(value.text.substr(value.text.size() - length)));
      }
    }
    if (value.kind != FieldValue::Kind::unmatchable) hit(index.present);
    for (const Test& test : index.tests) {
      if (test.condition.holds(value)) hit(test.terms);
    }
    ++number;
  }
  sort_once(found.hits);
  sort_once(found.values);
  return found;
}

Matcher::Numbers Matcher::candidates(const std::vector<Hit>& hits) const {
  Numbers found = valueless_;
  Numbers held(branches_.size(), 0);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (i > 0 && hits[i - 1].of == hits[i].of) continue;
    for (const std::uint32_t branch : terms_[hits[i].of].branches) {
      if (++held[branch] == branches_[branch].needed) found.push_back(branch);
    }
  }
  return found;
}

bool Matcher::holds_plainly(const Branch& branch, const Found& found) const {
  return std::all_of(branch.terms.begin(), branch.terms.end(), [&](std::uint32_t term) {
    if (!those_of(found.hits, term).empty()) return true;
    return terms_[term].absent && those_of(found.values, terms_[term].path).empty();
  });
}

// For each term, the arrays that the terms after it have to do with.
std::vector<Matcher::Numbers> Matcher::arrays_after(const Branch& branch,
                                                    const Found& found) const {
  std::vector<Numbers> arrays(branch.terms.size());
  for (std::size_t i = branch.terms.size() - 1; i > 0; --i) {
    const Term& term = terms_[branch.terms[i]];
    Numbers& here = arrays[i - 1];
    here = arrays[i];
    for (const Hit& hit :
         term.absent ? those_of(found.values, term.path) : those_of(found.hits, branch.terms[i])) {
      for (const auto& pair : found.event.membership(found.event.fields()[hit.field])) {
        here.push_back(pair.first);
      }
    }
    sort_once(here);
  }
  return arrays;
}

bool Matcher::holds(const Branch& branch, const Found& found) const {
  if (found.event.plain()) return holds_plainly(branch, found);
  const std::vector<Numbers> after = arrays_after(branch, found);
  const auto elements = [&](const Hit& hit) -> const Membership& {
    return found.event.membership(found.event.fields()[hit.field]);
  };
  std::vector<Membership> ways(1);
  std::vector<Membership> next;
  for (std::size_t i = 0; i < branch.terms.size() && !ways.empty(); ++i) {
    const Term& term = terms_[branch.terms[i]];
    next.clear();
    for (const Membership& way : ways) {
      // Where nothing that follows can contradict, one way is as good as all.
      if (after[i].empty() && !next.empty()) break;
      for (const Hit& hit : those_of(found.hits, branch.terms[i])) {
        if (agree(way, elements(hit))) next.push_back(joined(way, elements(hit)));
      }
      if (!term.absent) continue;
      const auto values = those_of(found.values, term.path);
      if (std::none_of(values.begin(), values.end(),
                       [&](const Hit& hit) { return agree(way, elements(hit)); })) {
        next.push_back(way);
      }
    }
    for (Membership& way : next) restrict(way, after[i]);
    sort_once(next);
    ways.swap(next);
  }
  return !ways.empty();
}

}  // namespace nephoscope
