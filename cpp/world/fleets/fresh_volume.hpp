// How much of the volumes of a fleet has been touched, where they are slow at the first touch.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/int128.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope {

struct FreshVolume {
  FreshSpec spec;
  std::vector<std::int64_t> touched;  // bytes, by place in the order of launch

  // Of so many bytes, those that are touched for the first time. What is asked for first is what
  // nobody has touched yet; a volume has been loaded for `age_ns`.
  std::int64_t touch(std::uint32_t place, std::int64_t bytes, std::int64_t age_ns) {
    if (place >= touched.size()) touched.resize(place + std::size_t{1});
    const int128 loaded = int128{spec.loaded} * age_ns / 1'000'000'000;
    const std::int64_t asleep = spec.bytes - touched[place];
    const std::int64_t left = loaded >= asleep ? 0 : asleep - static_cast<std::int64_t>(loaded);
    const std::int64_t first = std::min(bytes, left);
    touched[place] += first;
    return first;
  }
};

}  // namespace nephoscope
