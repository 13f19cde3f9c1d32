#include "balancing/router.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

Router::Router(const RoutingSpec& spec, std::vector<double> weights, StreamKey key)
    : spec_(spec), weights_(std::move(weights)), policy_(make_policy(spec, weights_)), words_(key) {}

Router::Policy Router::make_policy(const RoutingSpec& spec, const std::vector<double>& weights) {
  switch (spec.kind) {
    case RoutingKind::round_robin: return RoundRobin(weights);
    case RoutingKind::least_connections: return LeastConnections(weights);
    case RoutingKind::ip_hash: return IpHash(weights);
    case RoutingKind::least_response_time: return LeastResponseTime(weights);
    case RoutingKind::random: return RandomChoice();
    case RoutingKind::power_of_two: return PowerOfChoices(spec.choices);
    case RoutingKind::join_idle_queue: return JoinIdleQueue();
    case RoutingKind::weighted_random: return WeightedRandom(weights);
  }
  throw SpecError("routing", "is no routing policy");
}

std::uint32_t Router::add(std::uint32_t of_class) {
  const auto slot = static_cast<std::uint32_t>(targets_.size());
  targets_.push_back({0, static_cast<std::uint16_t>(of_class), true});
  ++present_;
  with_policy([&](auto& policy) { policy.add(Target{slot, of_class}, 0); });
  return slot;
}

void Router::reserve(std::uint32_t of_class, std::uint32_t targets) {
  targets_.reserve(targets_.size() + targets);
  if (auto* hash = std::get_if<IpHash>(&policy_)) hash->reserve(of_class, targets);
}

void Router::remove(std::uint32_t slot) {
  TargetState& target = targets_[slot];
  target.present = false;
  --present_;
  with_policy([&](auto& policy) { policy.remove(Target{slot, target.of_class}); });
}

void Router::set_routing(const RoutingSpec& spec) {
  spec_ = spec;
  rebuild_policy();
}

void Router::set_weight(std::uint32_t of_class, double weight) {
  weights_[of_class] = weight;
  rebuild_policy();
}

void Router::rebuild_policy() {
  policy_ = make_policy(spec_, weights_);
  std::vector<std::uint32_t> sizes(weights_.size());
  for (const TargetState& target : targets_) sizes[target.of_class] += target.present ? 1U : 0U;
  for (std::uint32_t at = 0; at < sizes.size(); ++at) reserve(at, sizes[at]);
  for (std::uint32_t slot = 0; slot < targets_.size(); ++slot) {
    const TargetState& target = targets_[slot];
    if (!target.present) continue;
    with_policy([&](auto& policy) { policy.add(Target{slot, target.of_class}, target.outstanding); });
  }
}

}  // namespace nephoscope
