#include "world/requests/bookings.hpp"

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

// What is done is needed no more. What is left is no more than what instances hold.
void World::forget_bookings() {
  std::erase_if(bookings_.ahead, [this](const Booking& it) { return it.done < now_; });
  bookings_.enough = std::max(Bookings::least, 2 * bookings_.ahead.size());
}

// A request may be late: its fleet is watched from this instant on, and is as it would be had it
// always been watched, but that some of those whom it serves have been answered in the accounts.
void World::watch_from_here(std::uint32_t fleet) {
  std::vector<Booking>& ahead = bookings_.ahead;
  std::erase_if(ahead, [this](const Booking& it) { return it.done < now_; });
  const auto mine = std::stable_partition(ahead.begin(), ahead.end(), [&](const Booking& it) {
    return fleet_of_[it.instance] != fleet;
  });
  std::stable_sort(mine, ahead.end(),
                   [](const Booking& a, const Booking& b) { return a.instance < b.instance; });
  std::vector<Job> jobs;
  for (auto it = mine; it != ahead.end();) {
    const std::uint32_t instance = it->instance;
    const auto first = it;
    jobs.clear();
    for (; it != ahead.end() && it->instance == instance; ++it) {
      jobs.push_back({it->work, 0, booked | visit_bit, 0});
    }
    // One that is held has begun in its instance's eyes, though the others come first.
    const bool holds = instances_.computes(instance);
    if (holds && jobs.size() == 1) continue;
    events_ -= jobs.size() - (holds ? 1 : 0);
    const std::int64_t last = holds ? (it - 2)->done : (it - 1)->done;
    instances_.take_back(instance, jobs, holds, first->done, last, now_);
  }
  ahead.erase(mine, ahead.end());
  watch(fleet);
}

// Whoever has come so far is done by then: nobody is forgotten, and all is within the range.
void WorldView::check_bookings() const {
  const std::size_t expected = bookings_.kept ? instances_.size() : 0;
  bool agree = bookings_.busy_until.size() == expected;
  for (const Fleet& fleet : fleets_) {
    agree = agree && (bookings_.kept || !fleet.unwatched || !fleet.timed);
  }
  for (std::size_t at = 0; agree && at < bookings_.busy_until.size(); ++at) {
    const Fleet& fleet = fleets_[fleet_of_[at]];
    const std::int64_t until = bookings_.busy_until[at];
    const std::int64_t done = instances_.completion(static_cast<std::uint32_t>(at));
    agree = until >= 0 && until <= std::int64_t{1} << 62;
    if (!fleet.unwatched || !fleet.timed || phase_[at] != Phase::serving) continue;
    agree = agree && (done == Instances::never || done <= until);
  }
  if (!agree) throw InvariantError("instances have more to do than they have been told" + where());
}

}  // namespace nephoscope
