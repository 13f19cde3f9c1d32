// The health of a balancer's targets, as its checks have found it.
//
// The rules are those of Elastic Load Balancing. A target is checked at a fixed period, whatever
// its answers take, from an instant within the first period after it was registered. One that is
// new is `initial` until it is known: one success makes it healthy. It takes unhealthy_threshold
// failures in a row to become unhealthy, for one that is new as well, and healthy_threshold
// successes in a row to recover. Requests go to the healthy ones and, where that is told, to those
// that are new; when there are fewer healthy ones than the minimum, to all that are registered
// (fail-open).
//
// Who owns it sees to the checks: `take_due` says whose turn it is, `answered` takes the outcome,
// at once or later (`foretell`), and `changed` tells who may get requests now that did not, or the
// reverse. A target is a slot, as Router numbers them.
//
// Invariants:
//   1. every registered target has one check to come;
//   2. registered() = initial() + healthy() + unhealthy().

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "balancing/health_spec.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

enum class TargetHealth : std::uint8_t { unused, initial, healthy, unhealthy };

// What happened, since the start.
struct HealthCounts {
  std::uint64_t checks = 0;
  std::uint64_t failed_checks = 0;
  std::uint64_t turned_unhealthy = 0;
  std::uint64_t recovered = 0;
  std::int64_t fail_open_ns = 0;
};

class Health {
 public:
  static constexpr std::int64_t never = EventQueue::never;

  // Nobody checks.
  Health() = default;
  // Throws SpecError with the field's name when a value is not legal. `phases` keys the instants of
  // first checks. The minimum of healthy targets is that of each domain by itself.
  Health(const HealthSpec& spec, StreamKey phases, std::uint32_t domains = 1);

  bool active() const { return spec_.interval_ns != 0; }
  const HealthSpec& spec() const { return spec_; }

  // `known_good`: it was checked before the clock started.
  void add(std::uint32_t slot, std::int64_t now, bool known_good, std::uint32_t domain = 0);
  void remove(std::uint32_t slot, std::int64_t now);

  // When something is due, or `never`.
  std::int64_t next_event() const { return due_.next_time(); }

  // What is due now: a check of `slot`, or nobody's any more (`none`).
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t take_due(std::int64_t now);

  // The outcome of a check of a target; of one that has left it is passed over.
  void answered(std::uint32_t slot, bool success, std::int64_t now);
  // The same, known beforehand: the answer would come at `due`, which is later than now, and is a
  // success if that is by the deadline. It may never come.
  void foretell(std::uint32_t slot, std::int64_t due, std::int64_t deadline);
  // The target has broken down: what was foretold comes now, and is a failure.
  void break_down(std::uint32_t slot, std::int64_t now);

  TargetHealth state(std::uint32_t slot) const { return targets_[slot].state; }
  bool takes_requests(std::uint32_t slot) const {
    const TargetHealth state = targets_[slot].state;
    if (state == TargetHealth::healthy) return true;
    if (state == TargetHealth::initial && spec_.sends_to_new) return true;
    return state != TargetHealth::unused && domains_[targets_[slot].domain].fail_open != 0;
  }
  // The targets of which takes_requests() may have changed.
  const std::vector<std::uint32_t>& changed() const { return changed_; }
  void clear_changed() { changed_.clear(); }

  std::uint32_t registered() const { return registered_; }
  std::uint32_t healthy() const { return healthy_; }
  std::uint32_t initial() const { return initial_; }
  std::uint32_t unhealthy() const { return registered_ - healthy_ - initial_; }
  std::uint32_t healthy(std::uint32_t domain) const { return domains_[domain].healthy; }
  // Whether a domain has as many healthy targets as a node needs that clients are sent to, and how
  // many domains have.
  bool in_dns(std::uint32_t domain) const { return domains_[domain].in_dns != 0; }
  std::uint32_t domains_in_dns() const { return domains_in_dns_; }
  std::uint32_t registered(std::uint32_t domain) const { return domains_[domain].registered; }
  bool fail_open(std::uint32_t domain) const { return domains_[domain].fail_open != 0; }
  // Whether some domain is.
  bool fail_open() const { return open_domains_ != 0; }
  HealthCounts counts(std::int64_t now) const;

  // Throws InvariantError when the second invariant does not hold. O(targets).
  void check() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(targets_, domains_, registered_, healthy_, initial_, counts_, open_since_,
            open_domains_, domains_in_dns_);
    due_.serialize(archive);
    phases_.serialize(archive);
  }

 private:
  struct Tracked {
    std::int64_t due = 0;  // of an answer that is known beforehand
    std::int64_t deadline = 0;
    TargetHealth state = TargetHealth::unused;
    std::uint8_t streak = 0;  // outcomes in a row that speak for the other state
    std::uint16_t domain = 0;
    EventQueue::Handle check = EventQueue::none;   // the next
    EventQueue::Handle answer = EventQueue::none;  // that is known beforehand
    std::uint32_t unused_too = 0;                  // no padding
  };

  struct Domain {
    std::uint32_t registered = 0;
    std::uint32_t healthy = 0;
    std::uint32_t fail_open = 0;
    std::uint32_t in_dns = 0;
  };

  static std::uint32_t check_of(std::uint32_t slot) { return slot * 2; }
  static std::uint32_t answer_of(std::uint32_t slot) { return slot * 2 + 1; }
  void become(std::uint32_t slot, TargetHealth state);
  void look_at_minimum(std::uint32_t domain, std::int64_t now);

  HealthSpec spec_;
  WordStream phases_;
  EventQueue due_;
  std::vector<Tracked> targets_;  // by slot
  std::vector<Domain> domains_;
  std::vector<std::uint32_t> changed_;
  std::uint32_t registered_ = 0;
  std::uint32_t healthy_ = 0;
  std::uint32_t initial_ = 0;
  HealthCounts counts_;
  std::int64_t open_since_ = 0;
  std::uint32_t open_domains_ = 0;
  std::uint32_t domains_in_dns_ = 0;
};

}  // namespace nephoscope
