#include "balancing/slow_start.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

void SlowStart::add(std::uint32_t slot, std::int64_t now) {
  if (slot >= states_.size()) states_.resize(slot + std::size_t{1}, State::absent);
  if (registered_++ == 0) emptied_ = now;
  states_[slot] = emptied_ == now ? State::first : State::registered;
}

void SlowStart::remove(std::uint32_t slot) {
  leave(slot);
  states_[slot] = State::absent;
  --registered_;
}

void SlowStart::enter(std::uint32_t slot, std::int64_t now) {
  if (states_[slot] == State::full || states_[slot] == State::ramping) return;
  const bool at_once = states_[slot] == State::first || full_ == 0;
  become(slot, at_once ? State::full : State::ramping);
  if (at_once) return;
  ++begun_;
  ramps_.push_back({0.0, 0.0, now, slot, 0});
}

void SlowStart::leave(std::uint32_t slot) {
  if (states_[slot] == State::ramping) {
    const auto found = std::find_if(ramps_.begin(), ramps_.end(),
                                    [slot](const Ramp& ramp) { return ramp.slot == slot; });
    credit_ += found->credit;
    ramps_.erase(found);
    if (ramps_.empty()) credit_ = 0.0;
  }
  if (states_[slot] == State::full || states_[slot] == State::ramping) {
    become(slot, State::registered);
  }
}

void SlowStart::become(std::uint32_t slot, State state) {
  full_ -= states_[slot] == State::full ? 1 : 0;
  full_ += state == State::full ? 1 : 0;
  states_[slot] = state;
}

void SlowStart::forget(std::size_t first_ramps) {
  ramps_.erase(ramps_.begin(), ramps_.begin() + static_cast<std::ptrdiff_t>(first_ramps));
  if (ramps_.empty()) credit_ = 0.0;
}

std::uint32_t SlowStart::ramping(std::int64_t now) const {
  std::uint32_t count = 0;
  for (const Ramp& ramp : ramps_) count += now - ramp.since < duration_ ? 1 : 0;
  return count;
}

void SlowStart::check(std::int64_t now) const {
  std::uint32_t full = 0;
  std::uint32_t ramping = 0;
  std::uint32_t registered = 0;
  for (const State state : states_) {
    full += state == State::full ? 1 : 0;
    ramping += state == State::ramping ? 1 : 0;
    registered += state != State::absent ? 1 : 0;
  }
  bool agree = full == full_ && registered == registered_ && ramping == ramps_.size();
  double credit = credit_;
  for (std::size_t at = 0; at < ramps_.size(); ++at) {
    const Ramp& ramp = ramps_[at];
    credit += ramp.credit;
    agree = agree && states_[ramp.slot] == State::ramping && ramp.since <= now;
    agree = agree && (at == 0 || ramps_[at - 1].since <= ramp.since);
  }
  // What is credited is paid.
  agree = agree && credit > -1e-3 && credit < 1e-3;
  if (!agree) throw InvariantError("targets in slow start do not add up");
}

}  // namespace nephoscope
