// The queue of a pCPU in one word: a byte for each vCPU that waits, the first in the lowest. A byte
// is the vCPU's number, with the top bit set while it is OVER; behind the last all bits are set. So
// most of what is done to a queue is a few shifts and masks and asks no question that a processor
// would have to guess the answer of.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernel/vector_path.hpp"

namespace nephoscope::credit_queue {

using Word = std::uint64_t;

// Numbers are below it.
constexpr std::uint32_t most_vcpus = 127;
constexpr Word empty = ~Word{0};
constexpr Word over_bits = 0x8080'8080'8080'8080U;
constexpr Word last_byte = Word{0xFF} << 56;

inline bool is_empty(Word queue) {
  return queue == empty;
}
inline bool is_full(Word queue) {
  return (queue & last_byte) != last_byte;
}
// Whether somebody waits who is above OVER; and whether behind somebody who is not.
inline bool has_high(Word queue) {
  return (~queue & over_bits) != 0;
}
inline bool is_unsorted(Word queue) {
  const Word over = queue & over_bits;
  return (~queue & over_bits) > (over & -over);
}
inline std::uint32_t head(Word queue) {
  return static_cast<std::uint32_t>(queue & 0x7F);
}
// Of nobody as well.
inline bool head_is_over(Word queue) {
  return (queue & 0x80) != 0;
}

// Bits before the first that is OVER, or before the end.
inline int place_of_under(Word queue) {
  return std::countr_zero((queue & over_bits) | Word{1} << 63) & ~7;
}
inline int place_of_over(Word queue) {
  // One of the bits of a number is 0, so that the ones are those of whole bytes.
  return 64 - (std::countl_one(queue) & ~7);
}
// REQUIRES: has_high(queue), or the answer means nothing.
inline int place_of_first_high(Word queue) {
  return std::countr_zero((~queue & over_bits) | Word{1} << 63) & ~7;
}

// REQUIRES: not full, place < 64.
inline Word with(Word queue, int place, Word entry) {
  const Word before = (Word{1} << place) - 1;
  return (queue & before) | entry << place | (queue & ~before) << 8;
}

// REQUIRES: place < 64.
inline Word without(Word queue, int place) {
  const Word before = (Word{1} << place) - 1;
  return (queue & before) | (queue >> 8 & ~before) | last_byte;
}

// Sets of vCPUs: a bit for each.
using Set = std::array<std::uint8_t, 16>;

#if NEPHOSCOPE_VECTOR_PATHS

// Sixteen entries, of two queues: the top bits of those in `over` are set, of the others cleared. A
// bit for each tells which is which.
NEPHOSCOPE_INLINE inline std::uint64_t mark_over(void* entries_at, const Set& over) {
  typedef char Bytes __attribute__((vector_size(16)));
  typedef unsigned char Numbers __attribute__((vector_size(16)));
  constexpr Numbers of_bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  Numbers entries;
  Bytes set;
  std::memcpy(&entries, entries_at, sizeof(entries));
  std::memcpy(&set, over.data(), sizeof(set));
  entries &= 0x7F;
  const Bytes bit = __builtin_ia32_pshufb128(Bytes(of_bit), Bytes(entries & 7));
  const Bytes found = __builtin_ia32_pshufb128(set, Bytes(entries >> 3)) & bit;
  const Bytes is_over = found == bit;
  entries |= Numbers(is_over) & 0x80;
  std::memcpy(entries_at, &entries, sizeof(entries));
  return static_cast<unsigned>(__builtin_ia32_pmovmskb128(is_over));
}

// By which entries are OVER, a bit each: where the entries come from when UNDER goes first.
constexpr auto under_first = [] {
  std::array<std::array<std::uint8_t, 8>, 256> from{};
  for (std::uint32_t over = 0; over < 256; ++over) {
    std::size_t to = 0;
    for (std::uint32_t kind = 0; kind < 2; ++kind) {
      for (std::uint8_t place = 0; place < 8; ++place) {
        if ((over >> place & 1) == kind) from[over][to++] = place;
      }
    }
  }
  return from;
}();

// UNDER first, stably. Behind the last there is nobody, whose top bits are set, too.
inline Word sorted(Word queue) {
  typedef char Bytes __attribute__((vector_size(16)));
  const Word over = ((queue & over_bits) >> 7) * 0x0102'0408'1020'4080U >> 56;
  Bytes entries{};
  Bytes from{};
  std::memcpy(&entries, &queue, sizeof(queue));
  std::memcpy(&from, under_first[over].data(), sizeof(queue));
  const Bytes to = __builtin_ia32_pshufb128(entries, from);
  std::memcpy(&queue, &to, sizeof(queue));
  return queue;
}

#else

// UNDER first, stably.
inline Word sorted(Word queue) {
  Word to = empty;
  for (const Word kind : {Word{0}, Word{0x80}}) {
    for (Word left = queue; !is_empty(left); left = left >> 8 | last_byte) {
      if ((left & 0x80) == kind) to = with(to, place_of_over(to), left & 0xFF);
    }
  }
  return to;
}

inline std::uint64_t mark_over(void* entries_at, const Set& over) {
  std::array<std::uint8_t, 16> entries;
  std::memcpy(entries.data(), entries_at, sizeof(entries));
  std::uint64_t are_over = 0;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const unsigned number = entries[k] & 0x7FU;
    const unsigned bit = over[number / 8] >> (number % 8) & 1U;
    entries[k] = static_cast<std::uint8_t>(number | bit << 7);
    are_over |= std::uint64_t{bit} << k;
  }
  std::memcpy(entries_at, entries.data(), sizeof(entries));
  return are_over;
}

#endif

}  // namespace nephoscope::credit_queue
