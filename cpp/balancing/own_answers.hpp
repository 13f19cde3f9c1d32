// Answers that a balancer gives by itself, whatever its targets would say: to requests that are not
// well formed, to clients who stop in the midst of one, for a firewall that fails.
//
// Each code has a share of what comes. One word a request, from a stream of its own, tells whether
// it gets one of them: who is answered so is the same whatever else differs.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/random.hpp"

namespace nephoscope {

struct OwnAnswerSpec {
  std::uint32_t code = 0;
  double share = 0.0;
};

class OwnAnswers {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t client_idle = 408;  // it is known when the time is over

  // There are none.
  OwnAnswers() = default;
  // Throws SpecError where a share is none, or all together are more than all.
  OwnAnswers(const std::vector<OwnAnswerSpec>& specs, StreamKey key);

  bool active() const { return !codes_.empty(); }

  // A request comes: the place of the answer that it gets, or none.
  std::uint32_t draw() {
    const double drawn = draws_.unit();
    for (std::uint32_t at = 0; at < until_.size(); ++at) {
      if (drawn < until_[at]) return at;
    }
    return none;
  }

  bool waits(std::uint32_t at) const { return codes_[at] == client_idle; }
  bool may_wait() const;
  void count(std::uint32_t at) { ++counts_[at]; }

  const std::vector<std::uint32_t>& codes() const { return codes_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }

  template <class Archive>
  void serialize(Archive& archive) {
    draws_.serialize(archive);
    archive(counts_);
  }

 private:
  std::vector<std::uint32_t> codes_;
  std::vector<double> until_;          // the shares added up
  std::vector<std::uint64_t> counts_;  // measured requests
  WordStream draws_;
};

}  // namespace nephoscope
