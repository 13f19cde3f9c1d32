// Instances that hang: they take requests and answer none, and nobody is told.
//
// What computes there stands still, and what is woken there (from a sleep, by the answer to a call,
// by a device) does not run on: each is parked, with its worker, until the instance goes on or
// dies. Who comes gets a worker if one is free and is parked too, else it waits in the backlog.
// Health checks are not answered. Where a scenario has such a fault all its requests are visits, so
// that every one can be parked.

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

void World::park(std::uint32_t visit, std::int64_t work) {
  if (traces_.active()) Tracing(*this).enter(visit, Span::hanging);
  faults_.parked.push_back({work, visit, visits_[visit].instance});
}

// Those of an instance, in the order in which they were parked.
std::vector<Parked> World::take_parked(std::uint32_t instance) {
  std::vector<Parked> taken;
  std::vector<Parked> others;
  for (const Parked& it : faults_.parked) {
    (it.instance == instance ? taken : others).push_back(it);
  }
  faults_.parked = std::move(others);
  return taken;
}

// What computes has its work to come.
void World::hang(std::uint32_t instance) {
  if (instance >= faults_.hung.size()) faults_.hung.resize(instance + std::size_t{1});
  if (faults_.hung[instance]++ != 0) return;
  if (phase_[instance] == Phase::gone || phase_[instance] == Phase::down) return;
  forget_completion(instance);
  for (const Job& job : instances_.freeze(instance, now_)) park(visit_of(job), job.work);
  if (hosted_ && hosts_.is_hosted(instance)) follow(instance);
}

void World::go_on_from_hanging(std::uint32_t instance) {
  if (--faults_.hung[instance] != 0) return;
  const std::vector<Parked> parked = take_parked(instance);
  for (const Parked& it : parked) {
    if (it.work >= 0) compute(it.visit, it.work);
  }
  for (std::size_t at = parked.size(); at-- > 0;) {
    if (parked[at].work < 0) ready_.push_back(parked[at].visit);
  }
  run_ready();
}

// Nobody computes where an instance hangs, and nobody is parked elsewhere.
void WorldView::check_hanging() const {
  if (!faults_.hangs) return;
  bool agree = true;
  for (const Parked& it : faults_.parked) {
    const Visit& visit = visits_[it.visit];
    agree = agree && faults_.is_hung(it.instance) && visit.instance == it.instance;
    agree = agree && (visit.flags & (Visit::waiting | Visit::lost)) == 0;
    agree = agree && phase_[it.instance] != Phase::gone && phase_[it.instance] != Phase::down;
  }
  for (std::uint32_t instance = 0; instance < faults_.hung.size(); ++instance) {
    agree = agree && (!faults_.is_hung(instance) || !instances_.computes(instance));
  }
  if (!agree)
    throw InvariantError("an instance that hangs works, or one that works hangs" + where());
}

}  // namespace nephoscope
