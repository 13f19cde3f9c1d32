// Events that are the same are one kind, and which rules a kind matches is found out once.
//
// Kinds are numbered from 0 in the order of their first coming, so that what is done for each event
// of a simulation is to look into an array.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "messaging/matcher.hpp"

namespace nephoscope {

class EventKinds {
 public:
  explicit EventKinds(Matcher matcher) : matcher_(std::move(matcher)) {}

  // The kind of an event, by its text. Throws SpecError where that is no object of JSON.
  std::uint32_t intern(std::string_view event) {
    std::string text(event);
    const auto known = kinds_.find(text);
    if (known != kinds_.end()) return known->second;
    const std::vector<std::uint32_t> matches = matcher_.evaluate(text);
    const auto kind = static_cast<std::uint32_t>(size());
    rules_.insert(rules_.end(), matches.begin(), matches.end());
    ends_.push_back(rules_.size());
    kinds_.emplace(std::move(text), kind);
    return kind;
  }

  // The rules that it matches, in order. The kind must be known.
  std::span<const std::uint32_t> matches(std::uint32_t kind) const {
    return std::span(rules_).subspan(ends_[kind], ends_[kind + 1] - ends_[kind]);
  }

  std::size_t size() const { return ends_.size() - 1; }
  const Matcher& matcher() const { return matcher_; }

 private:
  Matcher matcher_;
  std::unordered_map<std::string, std::uint32_t> kinds_;  // looked up in, never walked through
  std::vector<std::size_t> ends_ = {0};                   // of each kind in `rules_`
  std::vector<std::uint32_t> rules_;
};

}  // namespace nephoscope
