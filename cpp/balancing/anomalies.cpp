#include "balancing/anomalies.hpp"

#include <algorithm>
#include <bit>

#include "kernel/errors.hpp"

namespace nephoscope {

Anomalies::Anomalies(std::int64_t window_ns, std::uint32_t domains)
    : window_(window_ns), next_(window_ns), peers_(domains) {
  constexpr std::int64_t shortest = 1'000'000;
  constexpr std::int64_t longest = 86'400'000'000'000;
  require(window_ns >= shortest && window_ns <= longest, "window", "must be from 1 ms to a day");
}

void Anomalies::add(std::uint32_t slot) {
  if (slot >= targets_.size()) targets_.resize(slot + std::size_t{1});
}

void Anomalies::remove(std::uint32_t slot) {
  become(slot, false, full_share);
  targets_[slot] = {};
}

void Anomalies::look(const std::vector<std::uint32_t>& domain_of) {
  next_ += window_;
  std::fill(peers_.begin(), peers_.end(), Peers{});
  for (std::uint32_t slot = 0; slot < targets_.size(); ++slot) {
    if (domain_of[slot] == aside) continue;
    Peers& all = peers_[domain_of[slot]];
    ++all.targets;
    all.answers += targets_[slot].answers;
    all.failures += targets_[slot].failures;
  }
  for (std::uint32_t slot = 0; slot < targets_.size(); ++slot) {
    Watched& it = targets_[slot];
    const bool alone = domain_of[slot] != aside && peers_[domain_of[slot]].targets < targets_min;
    if (alone) become(slot, false, full_share);
    if (alone || domain_of[slot] == aside) {
      it.answers = it.failures = 0;
      continue;
    }
    const Peers& all = peers_[domain_of[slot]];
    if (it.answers < answers_min || all.answers == it.answers) continue;
    const bool anomalous = stands_out(it, all);
    const std::uint32_t share = anomalous ? it.share / 2 : it.share * 2;
    become(slot, anomalous, std::clamp(share, 1U, full_share));
    it.answers = it.failures = 0;
  }
}

bool Anomalies::stands_out(const Watched& it, const Peers& all) const {
  const auto own = static_cast<double>(it.failures) / static_cast<double>(it.answers);
  const auto theirs = static_cast<double>(all.failures - it.failures) /
                      static_cast<double>(all.answers - it.answers);
  return own > 2.0 * theirs + 0.1;
}

void Anomalies::become(std::uint32_t slot, bool anomalous, std::uint32_t share) {
  Watched& it = targets_[slot];
  detected_ += anomalous && it.anomalous == 0 ? 1 : 0;
  anomalous_ -= it.anomalous;
  mitigated_ -= it.share != full_share ? 1 : 0;
  it.anomalous = anomalous ? 1 : 0;
  it.share = share;
  anomalous_ += it.anomalous;
  mitigated_ += it.share != full_share ? 1 : 0;
}

void Anomalies::check() const {
  std::uint32_t anomalous = 0;
  std::uint32_t mitigated = 0;
  bool legal = true;
  for (const Watched& it : targets_) {
    legal = legal && std::has_single_bit(it.share) && it.share <= full_share;
    legal = legal && it.failures <= it.answers && it.anomalous <= 1;
    anomalous += it.anomalous;
    mitigated += it.share != full_share ? 1 : 0;
  }
  if (!legal || anomalous != anomalous_ || mitigated != mitigated_) {
    throw InvariantError("anomalous targets do not add up");
  }
}

}  // namespace nephoscope
