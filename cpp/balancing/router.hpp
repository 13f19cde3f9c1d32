// A balancer's choice of target: the targets it has, what each has outstanding, and the policy.
//
// A target is a slot, numbered from 0 in the order of joining; slots are not used again. A target that
// has left gets no more requests; those it still has are counted until they are answered. The policy is
// one of a closed set, chosen by a switch, so its code is inlined into the caller's loop.
//
// Invariant: the policy holds exactly the targets present, with the outstanding counts kept here.

#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "balancing/ip_hash.hpp"
#include "balancing/least_connections.hpp"
#include "balancing/least_response_time.hpp"
#include "balancing/random_choice.hpp"
#include "balancing/round_robin.hpp"
#include "balancing/routing_spec.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

class Router {
  using Policy = std::variant<RoundRobin, LeastConnections, IpHash, LeastResponseTime, RandomChoice,
                              PowerOfChoices, JoinIdleQueue, WeightedRandom>;

 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // `weights` holds the weight of each class of targets (> 0).
  Router(const RoutingSpec& spec, std::vector<double> weights, StreamKey key);

  // Adds a target of a class and returns its slot.
  std::uint32_t add(std::uint32_t of_class);
  void reserve(std::uint32_t of_class, std::uint32_t targets);
  void remove(std::uint32_t slot);
  void set_routing(const RoutingSpec& spec);
  void set_weight(std::uint32_t of_class, double weight);

  // Chooses a target for a request of `client` and counts the request as outstanding there; `none` when
  // there is no target.
  std::uint32_t route(std::uint64_t client) {
    if (present_ == 0) [[unlikely]] return none;
    std::uint32_t slot = none;
    with_policy([&](auto& policy) {
      slot = policy.select(words_, client);
      TargetState& target = targets_[slot];
      ++target.outstanding;
      policy.sent(Target{slot, target.of_class});
    });
    return slot;
  }

  // The answer to a request of `slot` has come, or its client has gone, `response_ns` after the request.
  void answered(std::uint32_t slot, std::int64_t response_ns) {
    TargetState& target = targets_[slot];
    --target.outstanding;
    if (!target.present) [[unlikely]] return;
    with_policy([&](auto& policy) { policy.answered(Target{slot, target.of_class}, response_ns); });
  }

  std::uint32_t size() const { return present_; }
  std::size_t classes() const { return weights_.size(); }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(targets_.size()); }
  bool present(std::uint32_t slot) const { return targets_[slot].present; }
  std::uint32_t class_of(std::uint32_t slot) const { return targets_[slot].of_class; }
  std::uint32_t outstanding(std::uint32_t slot) const { return targets_[slot].outstanding; }
  bool uses_client() const { return std::holds_alternative<IpHash>(policy_); }
  const RoutingSpec& spec() const { return spec_; }

  template <class Archive>
  void serialize(Archive& archive);

 private:
  struct TargetState {
    std::uint32_t outstanding = 0;
    std::uint16_t of_class = 0;
    bool present = false;
  };

  // In the order of RoutingKind and Policy.
  template <class Action>
  void with_policy(Action&& action) {
    switch (policy_.index()) {  // clang-format off
      case 0: action(*std::get_if<0>(&policy_)); break;
      case 1: action(*std::get_if<1>(&policy_)); break;
      case 2: action(*std::get_if<2>(&policy_)); break;
      case 3: action(*std::get_if<3>(&policy_)); break;
      case 4: action(*std::get_if<4>(&policy_)); break;
      case 5: action(*std::get_if<5>(&policy_)); break;
      case 6: action(*std::get_if<6>(&policy_)); break;
      default: action(*std::get_if<7>(&policy_)); break;
    }  // clang-format on
  }

  static Policy make_policy(const RoutingSpec& spec, const std::vector<double>& weights);
  void rebuild_policy();

  RoutingSpec spec_;
  std::vector<double> weights_;  // by class
  std::vector<TargetState> targets_;
  std::uint32_t present_ = 0;
  Policy policy_;
  WordStream words_;
};

template <class Archive>
void Router::serialize(Archive& archive) {
  auto kind = static_cast<std::uint8_t>(spec_.kind);
  archive(kind, spec_.choices, weights_, targets_, present_);
  spec_.kind = static_cast<RoutingKind>(kind);
  words_.serialize(archive);
  if (policy_.index() != static_cast<std::size_t>(kind)) policy_ = make_policy(spec_, weights_);
  with_policy([&](auto& policy) { policy.serialize(archive); });
}

}  // namespace nephoscope
