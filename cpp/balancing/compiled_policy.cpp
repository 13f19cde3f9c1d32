#include "balancing/compiled_policy.hpp"

#include <bit>
#include <cstring>
#include <string>

namespace nephoscope {

CompiledPolicy::CompiledPolicy(const CompiledRouting& spec, const std::vector<double>& weights)
    : function_(std::bit_cast<nephoscope_routing_policy>(spec.address)),
      words_(spec.words),
      state_size_(spec.state.size()),
      class_weights_(weights),
      state_((spec.state.size() + 7) / 8) {
  require(function_ != nullptr, "routing", "has no compiled policy");
  require(words_ <= CompiledRouting::words_max, "routing", "needs more than 16 words a request");
  require(state_size_ <= CompiledRouting::state_max, "routing", "needs more than 16 MiB of state");
  if (!spec.state.empty()) std::memcpy(state_.data(), spec.state.data(), spec.state.size());
}

void CompiledPolicy::fail(std::int64_t answer) {
  failed_ = true;
  answer_ = answer;
  refuse();
}

void CompiledPolicy::refuse() const {
  if (answer_ < 0) {
    throw PolicyError("its compiled routing policy returned the error " + std::to_string(answer_));
  }
  throw PolicyError("its compiled routing policy returned " + std::to_string(answer_) +
                    ", which is none of " + std::to_string(members_.size()) + " positions");
}

void CompiledPolicy::add(Target target, std::uint32_t outstanding) {
  if (target.slot >= known_.size()) known_.resize(target.slot + std::size_t{1});
  members_.add(target.slot);
  in_flight_.push_back(outstanding);
  weights_.push_back(class_weights_[target.of_class]);
  latency_ns_.push_back(known_[target.slot].latency_ns);
  zones_.push_back(known_[target.slot].zone);
}

void CompiledPolicy::remove(Target target) {
  const std::uint32_t place = members_.place(target.slot);
  known_[target.slot] = {latency_ns_[place], in_flight_[place], zones_[place]};
  const auto drop = [place](auto& values) {
    values[place] = values.back();
    values.pop_back();
  };
  drop(in_flight_);
  drop(weights_);
  drop(latency_ns_);
  drop(zones_);
  members_.remove(target.slot);
}

void CompiledPolicy::set_zone(std::uint32_t slot, std::uint32_t zone) {
  const std::uint32_t place = members_.place(slot);
  (place != MemberList::absent ? zones_[place] : known_[slot].zone) = zone;
}

}  // namespace nephoscope
