// A set of pCPUs as bits, searched in circles. The first 64 are at hand; hosts with more keep the
// others apart.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class CpuMask {
 public:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  explicit CpuMask(std::uint32_t size = 0) : more_(size > 64 ? (size - 1) / 64 : 0) {}

  bool has(std::uint32_t at) const { return (word(at) >> (at % 64) & 1) != 0; }
  void assign(std::uint32_t at, bool on) {
    std::uint64_t& in = at < 64 ? first_ : more_[at / 64 - 1];
    in = (in & ~bit(at)) | (std::uint64_t{on} << (at % 64));
  }
  // 64 of them at once: those from 64 x index on.
  void assign_word(std::size_t index, std::uint64_t bits) {
    (index == 0 ? first_ : more_[index - 1]) = bits;
  }

  // The first member after `from`, going round: `from` itself comes last. `none` when empty.
  std::uint32_t after(std::uint32_t from) const {
    if (!more_.empty()) return after_of_many(from);
    if (first_ == 0) return none;
    const auto turn = static_cast<int>(from + 1);
    const auto ahead = static_cast<std::uint32_t>(std::countr_zero(std::rotr(first_, turn)));
    return (from + 1 + ahead) % 64;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(first_, more_);
  }

 private:
  static std::uint64_t bit(std::uint32_t at) { return std::uint64_t{1} << (at % 64); }
  const std::uint64_t& word(std::uint32_t at) const {
    return at < 64 ? first_ : more_[at / 64 - 1];
  }

  std::uint32_t after_of_many(std::uint32_t from) const {
    const auto words = static_cast<std::uint32_t>(more_.size() + 1);
    const std::uint64_t beyond = ~((bit(from) << 1) - 1);
    for (std::uint32_t k = 0; k <= words; ++k) {
      const std::uint32_t at = (from / 64 + k) % words;
      std::uint64_t found = word(64 * at);
      if (k == 0) found &= beyond;
      if (k == words) found &= ~beyond;
      if (found != 0) return 64 * at + static_cast<std::uint32_t>(std::countr_zero(found));
    }
    return none;
  }

  std::uint64_t first_ = 0;
  std::vector<std::uint64_t> more_;
};

}  // namespace nephoscope
