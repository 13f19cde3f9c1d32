// A policy of the user's own: a compiled function that is shown the targets and says which
// (routing_policy.h).
//
// What it is shown lies in arrays by position, kept as targets come and go. A position is a place
// in the list of members, so a target that leaves gives its own to the last one. What is known of a
// target that may not be chosen is kept by slot.
//
// The function itself is no part of the state: it comes from the spec, and whoever restores a world
// has to bring it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balancing/consistent_hash.hpp"
#include "balancing/member_list.hpp"
#include "balancing/routing_policy.h"
#include "balancing/routing_spec.hpp"
#include "balancing/target_class.hpp"
#include "kernel/errors.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

// A request as a policy may see it.
struct Asked {
  std::uint64_t client = 0;
  std::int64_t now_ns = 0;
  std::uint32_t source = 0;
  std::uint32_t event = 0;
};

class CompiledPolicy {
 public:
  CompiledPolicy() = default;
  // Throws SpecError where there is no function, or it asks for more than there is.
  CompiledPolicy(const CompiledRouting& spec, const std::vector<double>& weights);

  // Precondition: there is a target. Throws PolicyError where the function chooses none of them.
  template <class Words>
  NEPHOSCOPE_HOT std::uint32_t take(Words& words, const Asked& asked) {
    std::array<std::uint64_t, CompiledRouting::words_max> drawn;
    for (std::uint32_t at = 0; at < words_; ++at) drawn[at] = words.next();
    const nephoscope_routing_view view{NEPHOSCOPE_ROUTING_VERSION,
                                       members_.size(),
                                       members_.data(),
                                       in_flight_.data(),
                                       weights_.data(),
                                       latency_ns_.data(),
                                       zones_.data(),
                                       asked.client,
                                       mix_bits(asked.client),
                                       asked.now_ns,
                                       asked.source,
                                       asked.event,
                                       drawn.data(),
                                       words_,
                                       state_.data(),
                                       state_size_};
    const std::int64_t answer = function_(&view);
    if (static_cast<std::uint64_t>(answer) >= members_.size()) [[unlikely]]
      fail(answer);
    const auto place = static_cast<std::uint32_t>(answer);
    ++in_flight_[place];
    return members_[place];
  }

  // Throws PolicyError if it has failed before: the request that it was about came to nothing.
  void check() const {
    if (failed_) refuse();
  }

  void sent(Target target) { ++in_flight(target.slot); }
  NEPHOSCOPE_HOT void answered(Target target, std::int64_t response_ns) {
    const std::uint32_t place = members_.place(target.slot);
    const bool there = place != MemberList::absent;
    --(there ? in_flight_[place] : known_[target.slot].in_flight);
    double& mean = there ? latency_ns_[place] : known_[target.slot].latency_ns;
    const auto response = static_cast<double>(response_ns);
    mean = mean == 0.0 ? response : mean + (response - mean) * newest;
  }
  std::uint32_t outstanding(Target target) const {
    const std::uint32_t place = members_.place(target.slot);
    return place != MemberList::absent ? in_flight_[place] : known_[target.slot].in_flight;
  }

  void add(Target target, std::uint32_t outstanding);
  void remove(Target target);
  void set_zone(std::uint32_t slot, std::uint32_t zone);

  // Throws StateError where the bytes of its own are not as many as the spec says.
  template <class Archive>
  void serialize(Archive& archive) {
    const std::size_t size = state_.size();
    archive(class_weights_, in_flight_, weights_, latency_ns_, zones_, known_, state_);
    members_.serialize(archive);
    if (state_.size() != size)
      throw StateError("the state of a compiled routing policy has another size");
  }

 private:
  static constexpr double newest = 0.125;

  // Of a target that may not be chosen.
  struct Known {
    static constexpr bool plain_doubles = true;
    double latency_ns = 0.0;
    std::uint32_t in_flight = 0;
    std::uint32_t zone = 0;
  };

  [[noreturn]] NEPHOSCOPE_COLD void fail(std::int64_t answer);
  [[noreturn]] NEPHOSCOPE_COLD void refuse() const;

  std::uint32_t& in_flight(std::uint32_t slot) {
    const std::uint32_t place = members_.place(slot);
    return place != MemberList::absent ? in_flight_[place] : known_[slot].in_flight;
  }

  // Immutable after construction.
  nephoscope_routing_policy function_ = nullptr;
  std::uint32_t words_ = 0;
  std::uint64_t state_size_ = 0;  // bytes

  std::vector<double> class_weights_;  // by class: of targets to come
  MemberList members_;
  std::vector<std::uint32_t> in_flight_;  // by position, as the next three
  std::vector<double> weights_;
  std::vector<double> latency_ns_;
  std::vector<std::uint32_t> zones_;
  std::vector<Known> known_;          // by slot
  std::vector<std::uint64_t> state_;  // its bytes, filled up with zeros
  bool failed_ = false;
  std::int64_t answer_ = 0;  // with which it has failed
};

}  // namespace nephoscope
