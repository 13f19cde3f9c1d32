// Members of a fleet in the order of joining, any of which may leave in O(1).
//
// A member is known by its index in the fleet (the order of launch), and carries a number. Who
// leaves leaves a gap; the line is closed up when half of it are gaps, so a change costs O(1) over
// time and a walk O(members).
//
// Invariants: neither end of the line is a gap; size() members are in it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class Roster {
 public:
  static constexpr std::uint32_t gap = std::numeric_limits<std::uint32_t>::max();

  class Iterator {
   public:
    Iterator(const std::uint32_t* at, const std::uint32_t* end) : at_(at), end_(end) {}
    std::uint32_t operator*() const { return *at_; }
    Iterator& operator++() {
      do ++at_;
      while (at_ != end_ && *at_ == gap);
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const std::uint32_t* at_;
    const std::uint32_t* end_;
  };

  Iterator begin() const { return {line_.data() + first_, line_.data() + line_.size()}; }
  Iterator end() const { return {line_.data() + line_.size(), line_.data() + line_.size()}; }
  // The same with the gaps, for who walks often.
  const std::vector<std::uint32_t>& line() const { return line_; }
  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The numbers of those that joined first and last. Precondition: size() > 0.
  std::uint32_t front() const { return line_[first_]; }
  std::uint32_t back() const { return line_.back(); }

  void add(std::uint32_t index, std::uint32_t number) {
    if (index >= place_of_.size()) place_of_.resize(index + std::size_t{1});
    place_of_[index] = static_cast<std::uint32_t>(line_.size());
    line_.push_back(number);
    ++size_;
  }

  // `index_of` tells the index of a number.
  template <class IndexOf>
  void remove(std::uint32_t index, IndexOf index_of) {
    line_[place_of_[index]] = gap;
    --size_;
    while (!line_.empty() && line_.back() == gap) line_.pop_back();
    if (line_.empty()) first_ = 0;
    while (first_ < line_.size() && line_[first_] == gap) ++first_;
    if (line_.size() > 2 * std::size_t{size_} + 16) close_up(index_of);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(line_, place_of_, first_, size_);
  }

 private:
  template <class IndexOf>
  void close_up(IndexOf index_of) {
    std::uint32_t to = 0;
    for (std::size_t from = first_; from < line_.size(); ++from) {
      if (line_[from] == gap) continue;
      place_of_[index_of(line_[from])] = to;
      line_[to++] = line_[from];
    }
    line_.resize(to);
    first_ = 0;
  }

  std::vector<std::uint32_t> line_;      // numbers, or gaps
  std::vector<std::uint32_t> place_of_;  // by index
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace nephoscope
