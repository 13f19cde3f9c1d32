// Targets that have left and are told as draining for the whole of their delay, whether or not they
// still hold anything.
//
// All have the same delay, so they are a line in the order of leaving: one that leaves costs O(1)
// over time, a count O(log of those there). One that comes costs O(1) if it has never left, as new
// ones have greater numbers.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class Draining {
 public:
  // Precondition: `until` is not before that of any other.
  void begin(std::uint32_t target, std::int64_t until, std::int64_t now) {
    std::size_t over = 0;
    while (over < line_.size() && line_[over].until <= now) ++over;
    if (over > line_.size() / 2) {
      line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(over));
    }
    if (until <= now) return;
    line_.push_back({until, target, 0});
    greatest_ = std::max(greatest_, target);
  }

  // It is registered, perhaps anew.
  void end(std::uint32_t target) {
    if (line_.empty() || target > greatest_) return;
    std::erase_if(line_, [target](const Entry& entry) { return entry.target == target; });
  }

  std::uint32_t count(std::int64_t now) const {
    const auto begun =
        std::upper_bound(line_.begin(), line_.end(), now,
                         [](std::int64_t time, const Entry& entry) { return time < entry.until; });
    return static_cast<std::uint32_t>(line_.end() - begun);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(line_, greatest_);
  }

 private:
  struct Entry {
    std::int64_t until = 0;
    std::uint32_t target = 0;
    std::uint32_t unused = 0;
  };

  std::vector<Entry> line_;
  std::uint32_t greatest_ = 0;  // of all that have ever been in it
};

}  // namespace nephoscope
