// A group of instances whose size follows its policies: it is told what they measured and how many
// instances are warm, and says how many there should be.
//
// Every policy of a datapoint's instant is asked, and the largest wish wins. Outwards one wish is
// enough; inwards every target tracking policy that may scale in has to agree, and nobody may be
// warming up. A wish never crosses the bounds. (Amazon EC2 Auto Scaling, "Target tracking",
// "Step and simple scaling policies".)
//
//   group.observe(policy, value) for each policy; desired = group.decide(policies, now)
//
// A plain value that knows no instances, and no clock but what it is told.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scaling/alarm.hpp"
#include "scaling/scaling_spec.hpp"

namespace nephoscope {

// What a policy has to know of the group at the instant of a decision.
struct GroupView {
  std::uint32_t desired = 0;
  std::uint32_t warm = 0;     // in service, and past the policy's warm-up
  std::uint32_t warming = 0;  // launched, and not yet so
  bool changing = false;      // some instance is being launched or terminated
  std::int64_t settled = 0;   // when the last change ended
};

struct PolicyCounts {
  std::uint64_t outward = 0;  // decisions that it made or shared
  std::uint64_t inward = 0;
};

class ScalingGroup {
 public:
  // Throws SpecError with the path of the field in the group.
  explicit ScalingGroup(const ScalingSpec& spec);

  bool active() const { return spec_.active; }
  const ScalingSpec& spec() const { return spec_; }
  std::uint32_t min() const { return min_; }
  std::uint32_t max() const { return max_; }
  std::uint32_t bounded(std::uint32_t desired) const;

  // The newest datapoint of a policy's metric; none where nobody could be measured.
  void observe(std::uint32_t policy, std::optional<double> value);

  // How many instances there should be now. views[i] is what policy i sees; all have the same
  // `desired`, which is what is returned when nothing is to change.
  std::uint32_t decide(const std::vector<GroupView>& views, std::int64_t now);

  // The next change by the clock, or `never`, and its effect on a desired size.
  static constexpr std::int64_t never = INT64_MAX;
  std::int64_t next_change() const;
  std::uint32_t change(std::uint32_t desired);

  // The size that is wanted for an hour to come, within bounds of which the upper one may have been
  // lifted.
  std::uint32_t foresee(std::uint32_t wanted, std::uint32_t max);

  // Of an alarm: whether it is on. It counts as outward how often it went on.
  bool is_on(std::uint32_t policy) const { return high_[policy].is_on(); }

  const std::vector<PolicyCounts>& counts() const { return counts_; }
  std::uint64_t scheduled() const { return scheduled_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(min_, max_, scheduled_, latest_, counts_, cooldown_ns_);
    for (Alarm& alarm : high_) alarm.serialize(archive);
    for (Alarm& alarm : low_) alarm.serialize(archive);
  }

 private:
  struct Latest {
    static constexpr bool plain_doubles = true;
    double value = 0.0;
    std::uint64_t known = 0;
  };

  static void check(const ScalingSpec& spec);
  static void check(const ScalingPolicySpec& policy, const std::string& path);
  std::optional<std::uint32_t> wish(std::uint32_t policy, const GroupView& view,
                                    std::int64_t now) const;
  std::optional<std::uint32_t> tracking_wish(std::uint32_t policy, const GroupView& view) const;
  std::optional<std::uint32_t> step_wish(std::uint32_t policy, const GroupView& view) const;
  std::optional<std::uint32_t> simple_wish(std::uint32_t policy, const GroupView& view,
                                           std::int64_t now) const;
  bool agree_to_shrink() const;

  ScalingSpec spec_;
  std::uint32_t min_;
  std::uint32_t max_;
  std::uint64_t scheduled_ = 0;  // changes by the clock that have happened
  std::vector<Latest> latest_;   // by policy
  std::vector<Alarm> high_;      // by policy; of step and simple the only one
  std::vector<Alarm> low_;       // by policy, of target tracking
  std::vector<PolicyCounts> counts_;
  std::int64_t cooldown_ns_ = 0;  // of the simple policy that acted last
};

}  // namespace nephoscope
