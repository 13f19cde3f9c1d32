#include "balancing/router.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

Router::Router(const RoutingSpec& spec, std::vector<double> weights, StreamKey key)
    : spec_(spec),
      weights_(std::move(weights)),
      sizes_(weights_.size()),
      words_(key),
      policy_(make_policy(spec, weights_, words_)) {}

Router::Policy Router::make_policy(const RoutingSpec& spec, const std::vector<double>& weights,
                                   WordStream& words) {
  switch (spec.kind) {
    case RoutingKind::round_robin:
      return RoundRobin(weights);
    case RoutingKind::least_connections:
      return LeastConnections(weights);
    case RoutingKind::ip_hash:
      return IpHash(weights);
    case RoutingKind::least_response_time:
      return LeastResponseTime(weights, words.next());
    case RoutingKind::random:
      return RandomChoice();
    case RoutingKind::power_of_two:
      return PowerOfChoices(spec.choices);
    case RoutingKind::join_idle_queue:
      return JoinIdleQueue();
    case RoutingKind::weighted_random:
      return WeightedRandom(weights);
    case RoutingKind::mitigated_random:
      return MitigatedRandom(weights);
    case RoutingKind::compiled:
      return CompiledPolicy(spec.compiled, weights);
  }
  throw SpecError("routing", "is no routing policy");
}

std::uint32_t Router::add(std::uint32_t of_class) {
  const auto slot = static_cast<std::uint32_t>(targets_.size());
  targets_.push_back({static_cast<std::uint16_t>(of_class), 1, 0});
  ++sizes_[of_class];
  ++chosen_from_;
  std::visit([&](auto& policy) { policy.add(Target{slot, of_class}, 0); }, policy_);
  return slot;
}

void Router::remove(std::uint32_t slot) {
  if (targets_[slot].may_be_chosen()) take_from_policy(slot);
  targets_[slot].present = 0;
}

void Router::suspend(std::uint32_t slot) {
  take_from_policy(slot);
  targets_[slot].suspended = 1;
}

void Router::resume(std::uint32_t slot) {
  targets_[slot].suspended = 0;
  ++sizes_[targets_[slot].of_class];
  ++chosen_from_;
  const Target it{slot, targets_[slot].of_class};
  std::visit(
      [&](auto& policy) {
        if constexpr (requires { policy.outstanding(it); }) {
          policy.add(it, policy.outstanding(it));
        } else {
          policy.add(it, 0);
        }
      },
      policy_);
}

void Router::take_from_policy(std::uint32_t slot) {
  --sizes_[targets_[slot].of_class];
  --chosen_from_;
  std::visit([&](auto& policy) { policy.remove(Target{slot, targets_[slot].of_class}); }, policy_);
}

void Router::set_routing(const RoutingSpec& spec, const std::vector<std::uint32_t>& outstanding) {
  policy_ = make_policy(spec, weights_, words_);  // refuses before anything has changed
  spec_ = spec;
  fill_policy(outstanding);
}

void Router::set_weight(std::uint32_t of_class, double weight,
                        const std::vector<std::uint32_t>& outstanding) {
  weights_[of_class] = weight;
  policy_ = make_policy(spec_, weights_, words_);
  fill_policy(outstanding);
}

void Router::fill_policy(const std::vector<std::uint32_t>& outstanding) {
  // A target that has left or is suspended is added and removed, so that the policy knows its slot:
  // it may still answer.
  for (std::uint32_t slot = 0; slot < targets_.size(); ++slot) {
    const Target it{slot, targets_[slot].of_class};
    std::visit([&](auto& policy) { policy.add(it, outstanding[slot]); }, policy_);
    if (targets_[slot].may_be_chosen()) continue;
    std::visit([&](auto& policy) { policy.remove(it); }, policy_);
  }
}

void Router::sent(std::uint32_t slot) {
  const Target it{slot, targets_[slot].of_class};
  std::visit(
      [&](auto& policy) {
        if constexpr (requires { policy.sent(it); }) policy.sent(it);
      },
      policy_);
}

void Router::set_share(std::uint32_t slot, std::uint32_t share) {
  const TargetState& it = targets_[slot];
  policy<MitigatedRandom>().set_share(Target{slot, it.of_class}, share, it.may_be_chosen());
}

std::uint32_t Router::share_of(std::uint32_t slot) const {
  return std::get<MitigatedRandom>(policy_).share(Target{slot, targets_[slot].of_class});
}

void Router::set_zone(std::uint32_t slot, std::uint32_t zone) {
  policy<CompiledPolicy>().set_zone(slot, zone);
}

void Router::check_policy() const {
  const auto* compiled = std::get_if<CompiledPolicy>(&policy_);
  if (compiled != nullptr) compiled->check();
}

double Router::total_weight() const {
  double total = 0.0;
  for (std::size_t at = 0; at < weights_.size(); ++at) total += weights_[at] * sizes_[at];
  return total;
}

bool Router::looks_at_outstanding() const {
  return std::visit([](const auto& policy) { return requires { policy.outstanding(Target{}); }; },
                    policy_);
}

bool Router::agrees_with(const std::vector<std::uint32_t>& outstanding) const {
  for (std::uint32_t slot = 0; slot < targets_.size(); ++slot) {
    const Target it = target(slot);
    const bool agrees = std::visit(
        [&](const auto& policy) {
          if constexpr (requires { policy.outstanding(it); }) {
            return policy.outstanding(it) == outstanding[slot];
          }
          return true;
        },
        policy_);
    if (!agrees) return false;
  }
  return true;
}

}  // namespace nephoscope
