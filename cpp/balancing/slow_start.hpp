// Slow start: a target that has become healthy gets a share of the requests that grows with time,
// in a straight line from none to its full one, over a set time.
//
// A target that is in slow start is kept out of the round of the others and stands beside it, with
// the weight of the instant: its full weight x (time since it became healthy) / duration. The round
// of the others counts as one, with the weight of all of them. Who of these gets the next request
// is smooth weighted round robin (nginx): each is credited its share of one request, who has most
// is chosen and pays one. As the weight is taken anew for every request, the ramp has no steps, and
// what a target has got never differs from its due by more than about a request. A request costs
// O(targets in slow start), and nothing where there are none.
//
// No slow start for who is registered while there is nobody else, nor for who becomes healthy when
// no healthy target is out of slow start. It ends with ill health or the registration, and begins
// anew when the target is healthy again.
//
// Invariants:
//   1. ramps_ is in the order of beginning;
//   2. full_ targets are healthy and not in slow start.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class SlowStart {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  explicit SlowStart(std::int64_t duration_ns) : duration_(duration_ns) {}

  // A target is registered, or is so no more.
  void add(std::uint32_t slot, std::int64_t now);
  void remove(std::uint32_t slot);

  // A registered target is healthy, or is not. Of one that was so already nothing changes.
  void enter(std::uint32_t slot, std::int64_t now);
  void leave(std::uint32_t slot);

  // Those whose time is over join the others: calls `join(slot)` for each.
  template <class Join>
  void settle(std::int64_t now, Join join) {
    std::size_t over = 0;
    while (over < ramps_.size() && now - ramps_[over].since >= duration_) {
      become(ramps_[over].slot, State::full);
      join(ramps_[over].slot);
      credit_ += ramps_[over++].credit;
    }
    if (over != 0) forget(over);
  }

  // Who gets the next request: a target in slow start, or one of the others (`none`), which have
  // the weight `full` together. Precondition: somebody is in slow start, and settle() was called.
  template <class WeightOf>
  std::uint32_t take(std::int64_t now, double full, WeightOf weight_of) {
    double total = full;
    for (Ramp& ramp : ramps_) {
      const auto age = static_cast<double>(now - ramp.since);
      ramp.share = weight_of(ramp.slot) * (age / static_cast<double>(duration_));
      total += ramp.share;
    }
    if (total <= 0.0) return ramps_.front().slot;  // all have begun just now
    credit_ += full / total;
    Ramp* chosen = nullptr;
    for (Ramp& ramp : ramps_) {
      ramp.credit += ramp.share / total;
      const double most = chosen != nullptr ? chosen->credit : credit_;
      if (ramp.credit > most || (chosen == nullptr && full <= 0.0)) chosen = &ramp;
    }
    (chosen != nullptr ? chosen->credit : credit_) -= 1.0;
    return chosen != nullptr ? chosen->slot : none;
  }

  bool is_ramping(std::uint32_t slot) const { return states_[slot] == State::ramping; }
  bool empty() const { return ramps_.empty(); }
  // Those whose time is not over.
  std::uint32_t ramping(std::int64_t now) const;
  // So far.
  std::uint64_t begun() const { return begun_; }

  // Throws InvariantError when an invariant does not hold. O(targets).
  void check(std::int64_t now) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(ramps_, states_, credit_, emptied_, registered_, full_, begun_);
  }

 private:
  // `first`: registered while there was nobody else, and not healthy yet.
  enum class State : std::uint8_t { absent, registered, first, full, ramping };

  struct Ramp {
    static constexpr bool plain_doubles = true;
    double credit = 0.0;
    double share = 0.0;  // of the last request
    std::int64_t since = 0;
    std::uint32_t slot = 0;
    std::uint32_t unused = 0;
  };

  void become(std::uint32_t slot, State state);
  void forget(std::size_t first_ramps);

  std::int64_t duration_;
  std::vector<Ramp> ramps_;
  std::vector<State> states_;  // by slot
  double credit_ = 0.0;        // of the others together
  std::int64_t emptied_ = -1;  // when a target last came to nobody
  std::uint32_t registered_ = 0;
  std::uint32_t full_ = 0;
  std::uint64_t begun_ = 0;
};

}  // namespace nephoscope
