// Anomalies: targets whose answers fail far more often than those of their peers, and what share of
// the requests they keep.
//
// Nobody sends anything to find out: the answers to requests are counted, in windows. At the end of
// a window each target that takes requests and has given enough answers is compared with its peers,
// the others that take requests and are in the same domain. It is anomalous when its failures are
// more than twice as frequent as theirs, and more than a tenth of its answers beyond that. Who is
// anomalous has half the share from then on, down to 1/128; who is not has twice the share, up to
// all of it. Of a target that has given too few answers nothing changes, and they count on in the
// next window. Fewer targets than three have no peers: all are normal, and have their full share.
//
// The statistics of the real service are not known; these are ours.
//
// Invariants:
//   1. a share is a power of two from 1 to full_share;
//   2. anomalous() counts the anomalous, mitigated() those of less than a full share.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class Anomalies {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint32_t full_share = 128;
  static constexpr std::uint32_t targets_min = 3;
  static constexpr std::uint32_t answers_min = 10;
  static constexpr std::uint32_t aside = std::numeric_limits<std::uint32_t>::max();

  // Nobody looks.
  Anomalies() = default;
  // Throws SpecError when the window is not legal.
  Anomalies(std::int64_t window_ns, std::uint32_t domains);

  bool active() const { return next_ != never; }
  // The end of the window.
  std::int64_t next_event() const { return next_; }

  void add(std::uint32_t slot);
  void remove(std::uint32_t slot);

  // A target has answered a request.
  void answered(std::uint32_t slot, bool fails) {
    Watched& it = targets_[slot];
    ++it.answers;
    it.failures += fails ? 1 : 0;
  }

  // The window is over. `domain_of` tells by slot where a target takes requests, or that it takes
  // none (`aside`).
  void look(const std::vector<std::uint32_t>& domain_of);

  std::uint32_t share(std::uint32_t slot) const { return targets_[slot].share; }
  bool is_anomalous(std::uint32_t slot) const { return targets_[slot].anomalous != 0; }
  // Now, and how often one became so.
  std::uint32_t anomalous() const { return anomalous_; }
  std::uint32_t mitigated() const { return mitigated_; }
  std::uint64_t detected() const { return detected_; }

  // Throws InvariantError when an invariant does not hold. O(targets).
  void check() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(next_, targets_, anomalous_, mitigated_, detected_);
  }

 private:
  struct Watched {
    std::uint64_t answers = 0;  // since it was last compared
    std::uint64_t failures = 0;
    std::uint32_t share = full_share;
    std::uint32_t anomalous = 0;
  };

  // The targets of a domain that take requests, together.
  struct Peers {
    std::uint32_t targets = 0;
    std::uint64_t answers = 0;
    std::uint64_t failures = 0;
  };

  bool stands_out(const Watched& it, const Peers& all) const;
  void become(std::uint32_t slot, bool anomalous, std::uint32_t share);

  std::int64_t window_ = 0;
  std::int64_t next_ = never;
  std::vector<Watched> targets_;  // by slot
  std::vector<Peers> peers_;      // by domain: what is counted anew at the end of a window
  std::uint32_t anomalous_ = 0;
  std::uint32_t mitigated_ = 0;
  std::uint64_t detected_ = 0;
};

}  // namespace nephoscope
