// A balancer's choice of target: the targets it has, and the policy.
//
// A target is a slot, numbered from 0 in the order of joining; slots are not used again. A target
// that has left, or is suspended, gets no more requests; what it has outstanding is counted on. The
// policy is one of a closed set, chosen by a switch: no virtual call.
//
// What a policy offers: `take` chooses a target and counts the request as sent there; `sent` (there
// by somebody else's choice), `answered` and `outstanding`, if it looks at what is outstanding, the
// last two for targets it has had as well as for those it has; `foreseen` and `prefetch`, if it can
// tell what it will look at before it does; `add` (with what the target has outstanding already)
// and `remove`.
//
// Invariant: the policy holds exactly the targets that are present and not suspended.

#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "balancing/compiled_policy.hpp"
#include "balancing/ip_hash.hpp"
#include "balancing/least_connections.hpp"
#include "balancing/least_response_time.hpp"
#include "balancing/mitigated_random.hpp"
#include "balancing/random_choice.hpp"
#include "balancing/round_robin.hpp"
#include "balancing/routing_spec.hpp"
#include "kernel/errors.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

class Router {
  using Policy =
      std::variant<RoundRobin, LeastConnections, IpHash, LeastResponseTime, RandomChoice,
                   PowerOfChoices, JoinIdleQueue, WeightedRandom, MitigatedRandom, CompiledPolicy>;

 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // `weights` holds the weight of each class of targets (> 0).
  Router(const RoutingSpec& spec, std::vector<double> weights, StreamKey key);

  // Adds a target of a class and returns its slot.
  std::uint32_t add(std::uint32_t of_class);
  void remove(std::uint32_t slot);
  // A target that is present gets no more requests, or gets them again.
  void suspend(std::uint32_t slot);
  void resume(std::uint32_t slot);
  // Both start the policy anew; `outstanding` holds the requests not yet answered, by slot.
  void set_routing(const RoutingSpec& spec, const std::vector<std::uint32_t>& outstanding);
  void set_weight(std::uint32_t of_class, double weight,
                  const std::vector<std::uint32_t>& outstanding);

  // Of its weight, in parts of MitigatedRandom::full_share. Precondition: the routing is
  // mitigated_random.
  void set_share(std::uint32_t slot, std::uint32_t share);
  std::uint32_t share_of(std::uint32_t slot) const;

  // Chooses a target for a request of `client`, which from then on is outstanding there; `none`
  // when there is no target.
  NEPHOSCOPE_HOT std::uint32_t route(std::uint64_t client) {
    if (chosen_from_ == 0) [[unlikely]]
      return none;
    switch (spec_.kind) {
      case RoutingKind::round_robin:
        return route_by<RoundRobin>(client);
      case RoutingKind::least_connections:
        return route_by<LeastConnections>(client);
      case RoutingKind::ip_hash:
        return route_by<IpHash>(client);
      case RoutingKind::least_response_time:
        return route_by<LeastResponseTime>(client);
      case RoutingKind::random:
        return route_by<RandomChoice>(client);
      case RoutingKind::power_of_two:
        return route_by<PowerOfChoices>(client);
      case RoutingKind::join_idle_queue:
        return route_by<JoinIdleQueue>(client);
      case RoutingKind::weighted_random:
        return route_by<WeightedRandom>(client);
      case RoutingKind::mitigated_random:
        return route_by<MitigatedRandom>(client);
      case RoutingKind::compiled:
        return route_compiled({client});
    }
    NEPHOSCOPE_UNREACHABLE();
  }

  // The same with all that a policy of the user's own may see of the request.
  std::uint32_t route(const Asked& asked) {
    return spec_.kind == RoutingKind::compiled ? route_compiled(asked) : route(asked.client);
  }
  NEPHOSCOPE_HOT std::uint32_t route_compiled(const Asked& asked) {
    return chosen_from_ == 0 ? none : policy<CompiledPolicy>().take(words_, asked);
  }

  // route() where the kind of routing is known.
  template <RoutingKind kind>
  NEPHOSCOPE_HOT std::uint32_t route_as(const Asked& asked) {
    using Chosen = std::variant_alternative_t<static_cast<std::size_t>(kind), Policy>;
    if constexpr (kind == RoutingKind::compiled) {
      return route_compiled(asked);
    } else {
      return chosen_from_ == 0 ? none : route_by<Chosen>(asked.client);
    }
  }

  // answered() where the kind of routing is known and there is one class of targets.
  template <RoutingKind kind>
  NEPHOSCOPE_HOT void answered_as(std::uint32_t slot, std::int64_t response_ns) {
    using Chosen = std::variant_alternative_t<static_cast<std::size_t>(kind), Policy>;
    if constexpr (requires(Chosen chosen) { chosen.answered(Target{}, response_ns); }) {
      policy<Chosen>().answered(Target{slot, 0}, response_ns);
    }
  }

  // Brings what will be looked at when `slot` answers into the cache. Any number will do.
  template <RoutingKind kind>
  NEPHOSCOPE_HOT void prefetch(std::uint32_t slot) const {
    using Chosen = std::variant_alternative_t<static_cast<std::size_t>(kind), Policy>;
    if constexpr (requires(const Chosen chosen) { chosen.prefetch(slot); }) {
      std::get_if<Chosen>(&policy_)->prefetch(slot < targets_.size() ? slot : 0);
    }
  }

  // The target that route() will most likely choose for `client`, then the next client and so on,
  // after so many others; or any other number. For who fetches ahead.
  template <RoutingKind kind>
  NEPHOSCOPE_HOT std::uint32_t foreseen(std::uint64_t client, std::uint32_t ahead) const {
    using Chosen = std::variant_alternative_t<static_cast<std::size_t>(kind), Policy>;
    if constexpr (requires(const Chosen chosen) { chosen.foreseen(words_, client, ahead); }) {
      return std::get_if<Chosen>(&policy_)->foreseen(words_, client, ahead);
    } else {
      return 0;
    }
  }

  // The answer to a request of `slot` has come, or its client has gone, `response_ns` after the
  // request.
  NEPHOSCOPE_HOT void answered(std::uint32_t slot, std::int64_t response_ns) {
    switch (spec_.kind) {
      case RoutingKind::least_connections:
        return policy<LeastConnections>().answered(target(slot), response_ns);
      case RoutingKind::least_response_time:
        return policy<LeastResponseTime>().answered(target(slot), response_ns);
      case RoutingKind::power_of_two:
        return policy<PowerOfChoices>().answered(target(slot), response_ns);
      case RoutingKind::join_idle_queue:
        return policy<JoinIdleQueue>().answered(target(slot), response_ns);
      case RoutingKind::compiled:
        return policy<CompiledPolicy>().answered(target(slot), response_ns);
      default:
        break;  // the others do not look at what is outstanding
    }
  }

  // A request goes to a target that may be chosen, whatever the policy would have said.
  void sent(std::uint32_t slot);

  // Whether the policy counts as outstanding what is given here, by slot. O(targets).
  bool agrees_with(const std::vector<std::uint32_t>& outstanding) const;

  // Targets that may be chosen.
  std::uint32_t size() const { return chosen_from_; }
  std::size_t classes() const { return weights_.size(); }
  double weight_of(std::uint32_t slot) const { return weights_[targets_[slot].of_class]; }
  // Of all targets that may be chosen.
  double total_weight() const;
  std::uint32_t slots() const { return static_cast<std::uint32_t>(targets_.size()); }
  bool present(std::uint32_t slot) const { return targets_[slot].present != 0; }
  bool suspended(std::uint32_t slot) const { return targets_[slot].suspended != 0; }
  std::uint32_t class_of(std::uint32_t slot) const { return targets_[slot].of_class; }
  // Whether the choice depends on what is outstanding, or on answers.
  bool looks_at_outstanding() const;
  bool uses_client() const { return std::holds_alternative<IpHash>(policy_) || is_compiled(); }
  // The user's own policy; the zone of a target's host, which nobody else looks at; and PolicyError
  // where it has failed.
  bool is_compiled() const { return std::holds_alternative<CompiledPolicy>(policy_); }
  void set_zone(std::uint32_t slot, std::uint32_t zone);
  void check_policy() const;
  const RoutingSpec& spec() const { return spec_; }

  template <class Archive>
  void serialize(Archive& archive);

 private:
  struct TargetState {
    std::uint16_t of_class = 0;
    std::uint8_t present = 0;
    std::uint8_t suspended = 0;

    bool may_be_chosen() const { return present != 0 && suspended == 0; }
  };

  // The policy, known to be of this type.
  template <class Chosen>
  NEPHOSCOPE_HOT Chosen& policy() {
    Chosen* chosen = std::get_if<Chosen>(&policy_);
    if (chosen == nullptr) NEPHOSCOPE_UNREACHABLE();
    return *chosen;
  }

  template <class Chosen>
  NEPHOSCOPE_HOT std::uint32_t route_by(std::uint64_t client) {
    return policy<Chosen>().take(words_, client);
  }

  NEPHOSCOPE_HOT Target target(std::uint32_t slot) const {
    return {slot, weights_.size() == 1 ? 0U : targets_[slot].of_class};
  }

  static Policy make_policy(const RoutingSpec& spec, const std::vector<double>& weights,
                            WordStream& words);
  void fill_policy(const std::vector<std::uint32_t>& outstanding);
  void take_from_policy(std::uint32_t slot);

  RoutingSpec spec_;
  std::vector<double> weights_;  // by class
  std::vector<TargetState> targets_;
  std::vector<std::uint32_t> sizes_;  // targets that may be chosen, by class
  std::uint32_t chosen_from_ = 0;
  WordStream words_;
  Policy policy_;
};

template <class Archive>
void Router::serialize(Archive& archive) {
  auto kind = static_cast<std::uint8_t>(spec_.kind);
  archive(kind, spec_.choices, weights_, targets_, sizes_, chosen_from_);
  spec_.kind = static_cast<RoutingKind>(kind);
  if (spec_.kind == RoutingKind::compiled && spec_.compiled.address == 0)
    throw StateError("the saved state goes on with a compiled routing policy, which is not here");
  if (policy_.index() != static_cast<std::size_t>(kind))
    policy_ = make_policy(spec_, weights_, words_);
  const bool draws_others = words_.serialize(archive);
  std::visit([&](auto& policy) { policy.serialize(archive); }, policy_);
  if (draws_others && spec_.kind == RoutingKind::least_response_time)
    policy<LeastResponseTime>().reseed(words_.next());
}

}  // namespace nephoscope
