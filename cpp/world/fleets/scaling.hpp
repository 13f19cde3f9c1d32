// A fleet whose size follows its policies, as the world keeps it beside the group that decides
// (scaling/scaling_group.hpp): what was measured of its instances, and what is on its way there.

#pragma once

#include <cstdint>
#include <vector>

#include "scaling/predictive.hpp"
#include "scaling/scaling_group.hpp"

namespace nephoscope {

// What a policy's metric was in a period; known: 0 where nobody could be measured.
struct Datapoint {
  static constexpr bool plain_doubles = true;
  double value = 0.0;
  std::uint64_t known = 0;
};

struct ScaledFleet {
  // In service since before the clock started.
  static constexpr std::int64_t always = INT64_MIN / 2;

  std::uint32_t fleet = 0;
  ScalingGroup group;
  std::vector<PredictivePolicy> predictive{};
  std::vector<std::int64_t> since{};      // by index in the fleet: when it entered service
  std::vector<std::int64_t> ran_ns{};     // by index: vCPU time when it was measured last
  std::vector<std::uint64_t> sent{};      // by attachment: requests of the balancer until then
  std::uint64_t network_bytes = 0;        // the fleet's until then
  std::uint64_t received_bytes = 0;       // of these
  std::vector<Datapoint> on_their_way{};  // by period and policy, the oldest first
  std::vector<Datapoint> seen{};          // by policy: the newest that it has
  std::int64_t settled = always;          // when an instance last entered service or was gone

  template <class Archive>
  void serialize(Archive& archive) {
    group.serialize(archive);
    for (PredictivePolicy& policy : predictive) policy.serialize(archive);
    archive(since, ran_ns, sent, network_bytes, received_bytes, on_their_way, seen, settled);
  }
};

}  // namespace nephoscope
