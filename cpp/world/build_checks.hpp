// What the building and the editing of a world refuse, and how they say so. Used by their sources
// alone.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

inline constexpr std::int64_t duration_max = std::int64_t{1} << 61;  // 73 years
inline constexpr std::size_t instances_max = std::size_t{1} << 24;
inline constexpr std::size_t series_max = std::size_t{1} << 24;  // values in all

inline std::string at(const char* list, std::size_t index, const char* field) {
  return std::string(list) + "." + std::to_string(index) + "." + field;
}

inline void require(bool condition, const std::string& path, const char* message) {
  if (!condition) throw SpecError(path, message);
}

inline bool positive(double value) {
  return std::isfinite(value) && value > 0.0;
}

// Of a target: the weights of all of them together must stay a number.
inline bool is_weight(double value) {
  return positive(value) && value <= 1e6;
}

}  // namespace nephoscope
