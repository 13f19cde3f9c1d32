// Requests that a balancer sends to their target in several parts, all at once, as it does with
// some of HTTP/2: to a policy that looks at what is outstanding each is as many requests.
//
// Which are split follows from when they came, so that nobody has to remember it.

#pragma once

#include <cstdint>

#include "balancing/consistent_hash.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

struct SplitSpec {
  double share = 0.0;      // of what comes
  std::uint32_t into = 1;  // parts; 1: nothing is split
};

class Split {
 public:
  Split() = default;
  Split(const SplitSpec& spec, StreamKey key) : spec_(spec), salt_(key.k0) {}

  bool active() const { return spec_.into > 1; }

  // Of a request that came then.
  std::uint32_t parts(std::int64_t arrival) const {
    const std::uint64_t drawn = mix_bits(static_cast<std::uint64_t>(arrival) ^ salt_);
    return active() && unit_open(drawn) < spec_.share ? spec_.into : 1;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(salt_);
  }

 private:
  SplitSpec spec_;
  std::uint64_t salt_ = 0;
};

}  // namespace nephoscope
