// Sets of pCPUs of a host, as bits side by side: who is idle, and what is in whose queue. Searched
// in circles.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

class CpuSets {
 public:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  // 64 pCPUs.
  struct Word {
    std::uint64_t waiting = 0;  // somebody is in the queue
    std::uint64_t idle = 0;
    std::uint64_t high = 0;      // somebody above OVER is in the queue
    std::uint64_t unsorted = 0;  // and perhaps behind somebody who is not
  };
  using Set = std::uint64_t Word::*;

  explicit CpuSets(std::uint32_t cpus = 0) : words_((cpus + 63) / 64) {}

  Word& word(std::uint32_t at) { return words_[at / 64]; }
  std::vector<Word>& words() { return words_; }

  bool is_high(std::uint32_t at) const { return (words_[at / 64].high >> (at % 64) & 1) != 0; }

  static void assign(std::uint64_t& bits, std::uint32_t at, bool on) {
    bits = (bits & ~(std::uint64_t{1} << (at % 64))) | (std::uint64_t{on} << (at % 64));
  }

  // The first member after `from`, going round: `from` itself comes last. `none` when empty.
  std::uint32_t after(Set set, std::uint32_t from) const {
    if (words_.size() > 1) [[unlikely]]
      return after_of_many(set, from);
    const std::uint64_t bits = words_[0].*set;
    const auto turn = static_cast<int>(from + 1);
    const auto ahead = static_cast<std::uint32_t>(std::countr_zero(std::rotr(bits, turn)));
    return bits == 0 ? none : (from + 1 + ahead) % 64;
  }

  // The union of {cpu[k]} over the bits k of `rows` is added to a set.
  void add(Set set, std::uint64_t rows, const std::uint16_t* cpu) {
    if (words_.size() == 1) [[likely]] {
      std::uint64_t found = words_[0].*set;
      for (; rows != 0; rows &= rows - 1) {
        found |= std::uint64_t{1} << cpu[std::countr_zero(rows)] % 64;
      }
      words_[0].*set = found;
      return;
    }
    for (; rows != 0; rows &= rows - 1) {
      const std::uint32_t at = cpu[std::countr_zero(rows)];
      word(at).*set |= std::uint64_t{1} << (at % 64);
    }
  }

  const void* data() const { return words_.data(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(words_);
  }

 private:
  std::uint32_t after_of_many(Set set, std::uint32_t from) const {
    const auto words = static_cast<std::uint32_t>(words_.size());
    const std::uint64_t beyond = ~((std::uint64_t{2} << (from % 64)) - 1);
    for (std::uint32_t k = 0; k <= words; ++k) {
      const std::uint32_t at = (from / 64 + k) % words;
      std::uint64_t found = words_[at].*set;
      if (k == 0) found &= beyond;
      if (k == words) found &= ~beyond;
      if (found != 0) return 64 * at + static_cast<std::uint32_t>(std::countr_zero(found));
    }
    return none;
  }

  std::vector<Word> words_;
};

}  // namespace nephoscope
