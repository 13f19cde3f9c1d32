// Requests of limited patience at instances that nobody watches, and a run that goes back.
//
// Such a request is booked when it comes, like those of clients who wait for ever
// (docs/decisions/0006-plain-requests.md), as long as nobody is late. The first one that may be
// has a deadline, and from that instant on its fleet is watched; but by then others have been told
// done that are not yet. So the world keeps an earlier one. It goes back to it, runs again up to
// that instant, beyond which nothing is booked this time, and meets the one who is late there.
//
// How far it goes back depends on how a run is cut; what it comes to does not.

#include <algorithm>
#include <optional>

#include "world/requests/requests.hpp"

namespace nephoscope {

bool WorldView::may_be_late() const {
  return std::any_of(fleets_.begin(), fleets_.end(),
                     [](const Fleet& it) { return it.unwatched && it.timed; });
}

// Until when requests that may be late are booked ahead. What is run twice is no more than half of
// what has been run, or an eighth of it all; and few copies are made: none for a few requests, and
// none of a queue, which may hold millions. There nothing is booked ahead.
std::int64_t World::book_ahead(std::optional<World>& earlier) const {
  if (late_at_ != ArrivalStream::never) return late_at_;
  if (!queues_.none() || !topics_.none()) return now_;
  constexpr double few = 1024.0;  // told one by one in the time that a copy takes
  const double share = static_cast<double>(unseen_until_ - now_) / static_cast<double>(now_);
  if (!earlier && now_ > 0 && static_cast<double>(events_) * share < few) return now_;
  const auto next = [this](std::int64_t time) { return time + std::max(time, duration_ / 8 + 1); };
  if (!earlier || next(earlier->now_) <= now_) earlier.emplace(*this);
  return next(earlier->now_);
}

void World::go_back(std::optional<World>& earlier) {
  const std::int64_t late_at = late_at_;
  *this = std::move(*earlier);
  earlier.reset();
  late_at_ = late_at;
}

// An instance takes a request that is told later, unless it may be answered too late.
bool World::holds_in_time(std::uint32_t instance, std::int64_t work, std::int64_t deadline) {
  std::int64_t& until = held_until_[instance];
  const bool free = instances_.workers_busy(instance) == 0;
  const std::int64_t begin = free ? instances_.turn_of_next(instance, now_, now_) : until;
  const std::int64_t done = begin + instances_.time_for(instance, work);
  if (done > deadline) return false;
  until = done;
  return true;
}

// A request may be late. Returns false where others have been booked ahead: the world goes back and
// comes here again. Else its fleet is watched from this instant on.
bool World::watch_from_here(std::uint32_t fleet) {
  const bool ahead = unseen_until_ > now_;
  late_at_ = ahead ? now_ : ArrivalStream::never;
  if (!ahead) watch(fleet);
  return !ahead;
}

// Of a world that is restored.
void World::tell_held() {
  held_until_.resize(instances_.size());
  for (std::uint32_t at = 0; at < held_until_.size(); ++at) {
    if (holds_unseen(at)) held_until_[at] = instances_.turn_of_next(at, now_, ArrivalStream::never);
  }
}

bool WorldView::holds_unseen(std::uint32_t instance) const {
  const Fleet& fleet = fleets_[fleet_of_[instance]];
  return fleet.unwatched && fleet.timed && phase_[instance] == Phase::serving &&
         instances_.workers_busy(instance) != 0;
}

void WorldView::check_held() const {
  bool agree = held_until_.size() == instances_.size() && late_at_ == ArrivalStream::never;
  for (std::uint32_t at = 0; agree && at < held_until_.size(); ++at) {
    agree = !holds_unseen(at) ||
            held_until_[at] == instances_.turn_of_next(at, now_, ArrivalStream::never);
  }
  if (!agree)
    throw InvariantError("instances hold more or less than they have been told" + where());
}

}  // namespace nephoscope
