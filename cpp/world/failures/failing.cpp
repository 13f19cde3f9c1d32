// Instances that die with what they hold.
//
// Every request that computes, waits or is held there fails, at once, for whoever waits for it. The
// jobs that compute or wait have nothing to come. A visit that sleeps, or waits for the answer to
// a call, will be woken all the same: it is `lost`, and its record is given back then. What it has
// called goes on, for nobody. Transfers, and work that waits for an accelerator, are dropped.

#include "world/requests/requests.hpp"

namespace nephoscope {

// Precondition: nothing is being handled; the instance gets no more requests.
void World::fail_work(std::uint32_t instance) {
  Messaging(*this).crash(instance);
  if (instances_.workers_busy(instance) == 0) return;
  const bool falls = phase_[instance] == Phase::down;
  std::vector<std::uint32_t> unwoken = drop_devices(instance);
  if (faults_.hangs) {
    for (const Parked& it : take_parked(instance)) unwoken.push_back(it.visit);
  }
  forget_completion(instance);
  std::size_t holders = instances_.workers_busy(instance) + instances_.waiting_jobs(instance);
  std::vector<std::uint32_t> visits;
  for (const Job& job : instances_.drop_all(instance, now_)) {
    --holders;
    if (is_visit(job)) {
      visits.push_back(visit_of(job));
    } else {
      count_broken(sent_of(job));
      account<AnyShape>(sent_of(job), instance, Outcome::failed, now_);
    }
  }
  if (falls) instances_.take_down(instance);
  note_load(instance);
  if (hosted_ && hosts_.is_hosted(instance)) follow(instance);
  for (const std::uint32_t visit : visits) {
    if ((visits_[visit].flags & Visit::left) != 0) {
      visits_.release(visit);
    } else {
      count_broken(visits_[visit]);
      answer(visit, Outcome::failed);
    }
  }
  if (holders != 0) lose_held(instance);
  for (const std::uint32_t visit : unwoken) visits_.release(visit);
  run_ready();
}

// The calendar expects a completion that will not come.
void World::forget_completion(std::uint32_t instance) {
  const InstanceKind& kind = instances_.kind_of(instance);
  if (kind.workers == 1 && !kind.hosted) {
    const std::int64_t due = instances_.completion(instance);
    if (due == Instances::never) return;
    const EventQueue::Handle due_entry =
        calendar_.find(due, payload(EventKind::completion, instance));
    if (due_entry == EventQueue::none) throw InvariantError("a completion is not due" + where());
    calendar_.cancel(due_entry);
  } else if (EventQueue::Handle& entry = completion_of_[instance]; entry != EventQueue::none) {
    calendar_.cancel(entry);
    entry = EventQueue::none;
  }
}

// Who waited for devices alone will be woken by nothing.
std::vector<std::uint32_t> World::drop_devices(std::uint32_t instance) {
  std::vector<std::uint32_t> unwoken;
  if (!with_devices_) return unwoken;
  devices_.advance(now_);
  devices_.drop(instance, [&](std::uint32_t visit) {
    if (--visits_[visit].devices == 0) unwoken.push_back(visit);
  });
  follow_devices();
  return unwoken;
}

// The visits that hold a worker and do not compute.
void World::lose_held(std::uint32_t instance) {
  std::vector<std::uint32_t> held;
  visits_.for_each([&](const Visit& it) {
    const auto visit = static_cast<std::uint32_t>(&it - &visits_[0]);
    const bool here = it.instance == instance && (it.flags & Visit::lost) == 0;
    if (here && !faults_.is_connecting(visit)) held.push_back(visit);
  });
  for (const std::uint32_t visit : held) lose(visit);
}

void World::lose(std::uint32_t visit) {
  Visit& it = visits_[visit];
  if ((it.flags & Visit::left) == 0) {
    count_broken(it);
    if (traces_.active()) Tracing(*this).end(visit, Outcome::failed);
    account<AnyShape>(it, it.instance, Outcome::failed, now_);
    if ((it.flags & Visit::listed) != 0) unlink(visit);
    if ((it.flags & Visit::awaited) != 0) answer_waiting(visit, Outcome::failed);
  }
  visits_[visit].flags = Visit::left | Visit::failing | Visit::lost;
}

}  // namespace nephoscope
