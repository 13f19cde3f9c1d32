// Balancers that try to connect to a target that says nothing, not even no: its host is down, or it
// hangs.
//
// A balancer with a time to connect tries again after 1 s, 2 s more, 4 s more and so on, as TCP
// does, and answers 504 when its time is over. Until then the request is nowhere: it has no worker
// and no place in a backlog. A client may leave meanwhile.

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t first_wait_ns = 1'000'000'000;

}  // namespace

bool WorldView::is_silent(std::uint32_t instance) const {
  if (!is_member(instance) || faults_.is_hung(instance)) return true;
  const std::uint32_t pool = hosts_.pool_of(instance);
  return pool < faults_.down_hosts.size() &&
         faults_.down_hosts[pool][hosts_.host_of(instance)] != 0;
}

bool World::waits_to_connect(std::uint32_t visit, std::int64_t work) {
  const Visit& it = visits_[visit];
  if (it.target == none || !is_silent(it.instance)) return false;
  if (balancers_[caller_of(it).to].connect_ns == 0) return false;
  if (traces_.active()) Tracing(*this).enter(visit, Span::hanging);
  if (visit >= faults_.connecting.size()) faults_.connecting.resize(visit + std::size_t{1});
  faults_.connecting[visit] = {now_, work, first_wait_ns};
  expect_connection(visit);
  return true;
}

void World::expect_connection(std::uint32_t visit) {
  Connecting& it = faults_.connecting[visit];
  const std::int64_t until = it.began + balancers_[caller_of(visits_[visit]).to].connect_ns;
  const auto index = static_cast<std::uint32_t>(balancers_.size()) + visit;
  calendar_.push(std::min(now_ + it.wait, until), payload(EventKind::surge, index));
  it.wait *= 2;
}

void World::try_to_connect(std::uint32_t visit) {
  const Connecting tried = faults_.connecting[visit];
  const Visit& it = visits_[visit];
  const bool left = (it.flags & Visit::left) != 0;
  const bool silent = is_silent(it.instance);
  if (!left && silent) {
    Balancer& balancer = balancers_[caller_of(it).to];
    if (now_ < tried.began + balancer.connect_ns) return expect_connection(visit);
    balancer.out_of_time += it.arrival >= warmup_ ? 1U : 0U;
  }
  faults_.connecting[visit] = {};
  if (left) return visits_.release(visit);
  if (silent) {
    answer(visit, Outcome::failed);
    return run_ready();
  }
  const std::uint32_t held = offer_visit(visit, tried.work);
  if (held != none) run(held);
  run_ready();
}

// Who tries to connect is there, and has been let in nowhere.
void WorldView::check_connecting() const {
  for (std::uint32_t visit = 0; visit < faults_.connecting.size(); ++visit) {
    if (!faults_.is_connecting(visit)) continue;
    const Visit& it = visits_[visit];
    const bool agrees =
        faults_.connects && it.instance != none && (it.flags & (Visit::waiting | Visit::lost)) == 0;
    if (!agrees) throw InvariantError("a request that connects is somewhere already" + where());
  }
}

}  // namespace nephoscope
