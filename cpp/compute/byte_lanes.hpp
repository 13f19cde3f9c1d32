// Sixteen numbers at once, where what counts is a sign each: signs as bytes, bytes as bits.
//
// Every x86-64 has the two instructions that compilers do not find by themselves; elsewhere plain
// loops do the same.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// Which of them are below 0.
NEPHOSCOPE_INLINE inline ByteLanes signs_of(const std::array<std::int32_t, byte_lanes>& numbers) {
  ByteLanes signs;
#if defined(__SSE2__)
  __m128i four[4];
  std::memcpy(four, numbers.data(), sizeof(four));
  const __m128i narrow =
      _mm_packs_epi16(_mm_packs_epi32(four[0], four[1]), _mm_packs_epi32(four[2], four[3]));
  const __m128i below = _mm_cmpgt_epi8(_mm_setzero_si128(), narrow);
  std::memcpy(signs.data(), &below, sizeof(below));
#else
  for (std::size_t k = 0; k < byte_lanes; ++k) {
    signs[k] = static_cast<std::int8_t>(numbers[k] < 0 ? -1 : 0);
  }
#endif
  return signs;
}

// Which of them are 0.
NEPHOSCOPE_INLINE inline ByteLanes zeros_of(const std::array<std::uint16_t, byte_lanes>& numbers) {
  ByteLanes zeros;
#if defined(__SSE2__)
  __m128i two[2];
  std::memcpy(two, numbers.data(), sizeof(two));
  const __m128i none = _mm_setzero_si128();
  const __m128i both =
      _mm_packs_epi16(_mm_cmpeq_epi16(two[0], none), _mm_cmpeq_epi16(two[1], none));
  std::memcpy(zeros.data(), &both, sizeof(both));
#else
  for (std::size_t k = 0; k < byte_lanes; ++k) {
    zeros[k] = static_cast<std::int8_t>(numbers[k] == 0 ? -1 : 0);
  }
#endif
  return zeros;
}

// A bit for each.
NEPHOSCOPE_INLINE inline std::uint64_t bits_of(const ByteLanes& signs) {
#if defined(__SSE2__)
  __m128i all;
  std::memcpy(&all, signs.data(), sizeof(all));
  return static_cast<unsigned>(_mm_movemask_epi8(all));
#else
  std::uint64_t bits = 0;
  for (std::size_t k = 0; k < byte_lanes; ++k) bits |= std::uint64_t{signs[k] < 0} << k;
  return bits;
#endif
}

}  // namespace nephoscope
