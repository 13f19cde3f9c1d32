// Numbers as a fuzzer likes them: mostly sensible, now and then absurd.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "fuzz/bytes.hpp"

namespace nephoscope::fuzz {

inline constexpr std::int64_t millisecond = 1'000'000;
// A field is absurd; most worlds then have one or none.
inline constexpr std::uint32_t odd_once_in = 96;

inline constexpr double odd_numbers[] = {
    0.0,
    -0.0,
    -1.0,
    1.0,
    0.5,
    1e-300,
    1e-9,
    2e4,
    5e-324,
    -std::numeric_limits<double>::infinity(),
    std::numeric_limits<double>::infinity(),
    std::numeric_limits<double>::quiet_NaN(),
    std::numeric_limits<double>::max(),
};

inline constexpr std::int64_t odd_times[] = {
    0,
    1,
    -1,
    std::numeric_limits<std::int64_t>::min(),
    std::numeric_limits<std::int64_t>::max(),
    std::numeric_limits<std::int64_t>::max() / 2,
};

inline std::int64_t odd_time(Bytes& bytes, std::uint32_t low_ms, std::uint32_t high_ms,
                             std::int64_t times = 1) {
  if (bytes.one_in(odd_once_in)) return bytes.any_of(odd_times);
  return std::int64_t{bytes.between(low_ms, high_ms)} * millisecond * times;
}

// Of a poll. One of 1 ns is legal, and polls a billion times a second.
inline std::int64_t odd_wait(Bytes& bytes) {
  const std::int64_t wait = bytes.one_in(3) ? 0 : odd_time(bytes, 1, 300);
  return wait == 1 ? 0 : wait;
}

// An index into a list of `size`; sometimes one past its end.
inline std::uint32_t odd_index(Bytes& bytes, std::size_t size) {
  if (size == 0 || bytes.one_in(odd_once_in)) return bytes.raw<std::uint32_t>();
  return bytes.between(0, static_cast<std::uint32_t>(size - 1));
}

// Between the bounds.
inline double number(Bytes& bytes, double low, double high) {
  return low + (high - low) * bytes.raw<std::uint16_t>() / 65535.0;
}

// The same, or absurd.
inline double odd_number(Bytes& bytes, double low, double high) {
  if (bytes.one_in(odd_once_in)) return bytes.any_of(odd_numbers);
  return number(bytes, low, high);
}

inline std::vector<double> odd_list(Bytes& bytes, double low, double high) {
  std::vector<double> list(bytes.one_in(odd_once_in) ? 0 : bytes.between(1, 3));
  for (double& number : list) number = odd_number(bytes, low, high);
  return list;
}

// Beyond any host, or beside the point; the number of hosts stays out of it, since a legal cloud
// may be far larger than a quick input.
inline constexpr std::uint32_t odd_counts[] = {0, 64, 4096, 65'535, 0x1000'0000, 0xFFFF'FFFF};

inline std::uint32_t odd_count(Bytes& bytes, std::uint32_t low, std::uint32_t high) {
  return bytes.one_in(odd_once_in) ? bytes.any_of(odd_counts) : bytes.between(low, high);
}

}  // namespace nephoscope::fuzz
