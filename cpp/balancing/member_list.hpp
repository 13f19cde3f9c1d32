// A set of targets (slots) that can be indexed, added to and taken from in O(1); the order is free.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace nephoscope {

class MemberList {
 public:
  static constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();

  void add(std::uint32_t slot) {
    if (slot >= places_.size()) places_.resize(slot + 1, absent);
    places_[slot] = size();
    members_.push_back(slot);
  }

  void remove(std::uint32_t slot) {
    const std::uint32_t place = places_[slot];
    const std::uint32_t last = members_.back();
    members_[place] = last;
    places_[last] = place;
    members_.pop_back();
    places_[slot] = absent;
  }

  void swap_places(std::uint32_t a, std::uint32_t b) {
    std::swap(members_[a], members_[b]);
    places_[members_[a]] = a;
    places_[members_[b]] = b;
  }

  bool contains(std::uint32_t slot) const {
    return slot < places_.size() && places_[slot] != absent;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(members_.size()); }
  std::uint32_t operator[](std::uint32_t place) const { return members_[place]; }
  const std::uint32_t* data() const { return members_.data(); }
  // `absent` for a slot that is not in it.
  std::uint32_t place(std::uint32_t slot) const {
    return slot < places_.size() ? places_[slot] : absent;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(members_, places_);
  }

 private:
  std::vector<std::uint32_t> members_;
  std::vector<std::uint32_t> places_;  // by slot
};

}  // namespace nephoscope
