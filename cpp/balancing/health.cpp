#include "balancing/health.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::uint32_t threshold_max = 255;
constexpr std::int64_t interval_min = 1'000'000;
constexpr std::int64_t time_max = std::int64_t{1} << 60;  // so that sums of a few are exact

}  // namespace

Health::Health(const HealthSpec& spec, StreamKey phases, std::uint32_t domains)
    : spec_(spec), phases_(phases), domains_(domains) {
  require(spec.interval_ns >= interval_min && spec.interval_ns <= time_max, "interval",
          "must be from 1 ms to 36 years");
  require(spec.timeout_ns >= 1 && spec.timeout_ns < spec.interval_ns, "timeout",
          "must be above 0, and below the interval");
  require(spec.work_ns >= 0 && spec.work_ns <= time_max, "work", "must be from 0 to 36 years");
  require(spec.healthy_threshold >= 1 && spec.healthy_threshold <= threshold_max,
          "healthy_threshold", "must be from 1 to 255");
  require(spec.unhealthy_threshold >= 1 && spec.unhealthy_threshold <= threshold_max,
          "unhealthy_threshold", "must be from 1 to 255");
  require(spec.minimum_share >= 0.0 && spec.minimum_share <= 1.0, "minimum_healthy",
          "must be from 0 % to 100 %");
  require(spec.first_code >= 100 && spec.first_code <= spec.last_code && spec.last_code <= 599,
          "success_codes", "must ascend, from 100 to 599");
  require(spec.dns_share >= 0.0 && spec.dns_share <= 1.0, "dns_failover",
          "must be from 0 % to 100 %");
}

void Health::add(std::uint32_t slot, std::int64_t now, bool known_good, std::uint32_t domain) {
  if (slot >= targets_.size()) targets_.resize(slot + 1);
  const auto interval = static_cast<double>(spec_.interval_ns);
  const auto phase = static_cast<std::int64_t>(phases_.unit() * interval);
  targets_[slot].check = due_.push(now + phase, check_of(slot));
  targets_[slot].domain = static_cast<std::uint16_t>(domain);
  ++registered_;
  ++domains_[domain].registered;
  become(slot, known_good ? TargetHealth::healthy : TargetHealth::initial);
  look_at_minimum(domain, now);
}

void Health::remove(std::uint32_t slot, std::int64_t now) {
  Tracked& target = targets_[slot];
  due_.cancel(target.check);
  if (target.answer != EventQueue::none) due_.cancel(target.answer);
  target.check = target.answer = EventQueue::none;
  --registered_;
  --domains_[target.domain].registered;
  become(slot, TargetHealth::unused);
  look_at_minimum(target.domain, now);
}

std::uint32_t Health::take_due(std::int64_t now) {
  const std::uint32_t due = due_.pop().payload;
  const std::uint32_t slot = due / 2;
  Tracked& target = targets_[slot];
  if (due == answer_of(slot)) {
    target.answer = EventQueue::none;
    answered(slot, target.due <= target.deadline, now);
    return none;
  }
  target.check = due_.push(now + spec_.interval_ns, check_of(slot));
  ++counts_.checks;
  return slot;
}

void Health::foretell(std::uint32_t slot, std::int64_t due, std::int64_t deadline) {
  Tracked& target = targets_[slot];
  // By how much it would be late is nobody's business, nor told exactly.
  target.due = due == never ? never : std::min(due, deadline + 1);
  target.deadline = deadline;
  target.answer = due_.push(std::min(due, deadline), answer_of(slot));
}

void Health::break_down(std::uint32_t slot, std::int64_t now) {
  Tracked& target = targets_[slot];
  if (target.answer == EventQueue::none || target.due == never) return;
  due_.cancel(target.answer);
  target.answer = EventQueue::none;
  answered(slot, false, now);
}

void Health::answered(std::uint32_t slot, bool success, std::int64_t now) {
  Tracked& target = targets_[slot];
  if (target.state == TargetHealth::unused) return;
  counts_.failed_checks += success ? 0 : 1;
  const bool is_new = target.state == TargetHealth::initial;
  if (success == (target.state == TargetHealth::healthy) && !is_new) {
    target.streak = 0;
    return;
  }
  const std::uint32_t of_well = is_new ? 1 : spec_.healthy_threshold;
  if (++target.streak < (success ? of_well : spec_.unhealthy_threshold)) return;
  counts_.turned_unhealthy += success ? 0 : 1;
  counts_.recovered += success && !is_new ? 1 : 0;
  become(slot, success ? TargetHealth::healthy : TargetHealth::unhealthy);
  look_at_minimum(target.domain, now);
}

void Health::become(std::uint32_t slot, TargetHealth state) {
  Tracked& target = targets_[slot];
  std::uint32_t& healthy = domains_[target.domain].healthy;
  healthy_ -= target.state == TargetHealth::healthy ? 1 : 0;
  healthy_ += state == TargetHealth::healthy ? 1 : 0;
  healthy -= target.state == TargetHealth::healthy ? 1 : 0;
  healthy += state == TargetHealth::healthy ? 1 : 0;
  initial_ -= target.state == TargetHealth::initial ? 1 : 0;
  initial_ += state == TargetHealth::initial ? 1 : 0;
  target.state = state;
  target.streak = 0;
  changed_.push_back(slot);
}

// Fewer than the minimum: better a target that may be ill than none.
void Health::look_at_minimum(std::uint32_t domain, std::int64_t now) {
  Domain& it = domains_[domain];
  const auto of_all = [&](double share) {
    return static_cast<std::uint32_t>(std::ceil(share * it.registered));
  };
  const std::uint32_t share = of_all(spec_.minimum_share);
  const std::uint32_t needed = std::max(spec_.dns_healthy, of_all(spec_.dns_share));
  domains_in_dns_ -= it.in_dns;
  it.in_dns = it.registered != 0 && it.healthy >= needed ? 1 : 0;
  domains_in_dns_ += it.in_dns;
  const bool open = it.registered != 0 && it.healthy < std::max(spec_.minimum_healthy, share);
  if (open == (it.fail_open != 0)) return;
  if (open && open_domains_++ == 0) open_since_ = now;
  if (!open && --open_domains_ == 0) counts_.fail_open_ns += now - open_since_;
  it.fail_open = open ? 1 : 0;
  for (std::uint32_t slot = 0; slot < targets_.size(); ++slot) {
    const TargetHealth state = targets_[slot].state;
    if (targets_[slot].domain != domain) continue;
    if (state == TargetHealth::initial || state == TargetHealth::unhealthy)
      changed_.push_back(slot);
  }
}

HealthCounts Health::counts(std::int64_t now) const {
  HealthCounts counts = counts_;
  if (fail_open()) counts.fail_open_ns += now - open_since_;
  return counts;
}

void Health::check() const {
  std::vector<Domain> domains(domains_.size());
  std::uint32_t registered = 0;
  std::uint32_t healthy = 0;
  std::uint32_t initial = 0;
  for (const Tracked& target : targets_) {
    registered += target.state != TargetHealth::unused ? 1 : 0;
    healthy += target.state == TargetHealth::healthy ? 1 : 0;
    initial += target.state == TargetHealth::initial ? 1 : 0;
    domains[target.domain].registered += target.state != TargetHealth::unused ? 1 : 0;
    domains[target.domain].healthy += target.state == TargetHealth::healthy ? 1 : 0;
    const bool checked = target.check != EventQueue::none;
    if (checked != (target.state != TargetHealth::unused)) {
      throw InvariantError("a target has no check to come, or one too many");
    }
  }
  std::uint32_t open = 0;
  std::uint32_t in_dns = 0;
  bool agree = registered == registered_ && healthy == healthy_ && initial == initial_;
  for (std::size_t at = 0; at < domains.size(); ++at) {
    agree = agree && domains[at].registered == domains_[at].registered;
    agree = agree && domains[at].healthy == domains_[at].healthy;
    open += domains_[at].fail_open;
    in_dns += domains_[at].in_dns;
  }
  if (!agree || open != open_domains_ || in_dns != domains_in_dns_) {
    throw InvariantError("targets by state of health do not add up");
  }
}

}  // namespace nephoscope
