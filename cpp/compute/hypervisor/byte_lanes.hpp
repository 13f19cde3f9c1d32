// Sixteen numbers at once, where what counts is a sign each: signs as bytes, bytes as bits.
//
// Every x86-64 has the instructions for it, and compilers do not find them by themselves;
// elsewhere plain loops do the same.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernel/vector_path.hpp"

namespace nephoscope {

constexpr std::size_t byte_lanes = 16;

// All bits of a byte, or none.
using ByteLanes = std::array<std::int8_t, byte_lanes>;

template <class Element>
NEPHOSCOPE_INLINE inline std::array<Element, byte_lanes> load_lanes(const Element* from) {
  std::array<Element, byte_lanes> to;
  std::memcpy(to.data(), from, sizeof(to));
  return to;
}

template <class Element>
NEPHOSCOPE_INLINE inline void store_lanes(const std::array<Element, byte_lanes>& from,
                                          Element* to) {
  std::memcpy(to, from.data(), sizeof(from));
}

#if NEPHOSCOPE_VECTOR_PATHS

namespace detail {

typedef char Bytes __attribute__((vector_size(16)));
typedef short Shorts __attribute__((vector_size(16)));
typedef int Ints __attribute__((vector_size(16)));

}  // namespace detail

// Which of them are below 0.
NEPHOSCOPE_INLINE inline ByteLanes signs_of(const std::array<std::int32_t, byte_lanes>& numbers) {
  detail::Ints four[4];
  std::memcpy(four, numbers.data(), sizeof(four));
  for (detail::Ints& it : four) it >>= 31;
  const detail::Bytes narrow = __builtin_ia32_packsswb128(
      __builtin_ia32_packssdw128(four[0], four[1]), __builtin_ia32_packssdw128(four[2], four[3]));
  ByteLanes signs;
  std::memcpy(signs.data(), &narrow, sizeof(narrow));
  return signs;
}

// Which of them are 0.
NEPHOSCOPE_INLINE inline ByteLanes zeros_of(const std::array<std::uint16_t, byte_lanes>& numbers) {
  detail::Shorts two[2];
  std::memcpy(two, numbers.data(), sizeof(two));
  const detail::Bytes narrow = __builtin_ia32_packsswb128(two[0] == 0, two[1] == 0);
  ByteLanes zeros;
  std::memcpy(zeros.data(), &narrow, sizeof(narrow));
  return zeros;
}

// A bit for each.
NEPHOSCOPE_INLINE inline std::uint64_t bits_of(const ByteLanes& signs) {
  detail::Bytes all;
  std::memcpy(&all, signs.data(), sizeof(all));
  return static_cast<unsigned>(__builtin_ia32_pmovmskb128(all));
}

#else

NEPHOSCOPE_INLINE inline ByteLanes signs_of(const std::array<std::int32_t, byte_lanes>& numbers) {
  ByteLanes signs;
  for (std::size_t k = 0; k < byte_lanes; ++k) {
    signs[k] = static_cast<std::int8_t>(numbers[k] < 0 ? -1 : 0);
  }
  return signs;
}

NEPHOSCOPE_INLINE inline ByteLanes zeros_of(const std::array<std::uint16_t, byte_lanes>& numbers) {
  ByteLanes zeros;
  for (std::size_t k = 0; k < byte_lanes; ++k) {
    zeros[k] = static_cast<std::int8_t>(numbers[k] == 0 ? -1 : 0);
  }
  return zeros;
}

NEPHOSCOPE_INLINE inline std::uint64_t bits_of(const ByteLanes& signs) {
  std::uint64_t bits = 0;
  for (std::size_t k = 0; k < byte_lanes; ++k) bits |= std::uint64_t{signs[k] < 0} << k;
  return bits;
}

#endif

}  // namespace nephoscope
