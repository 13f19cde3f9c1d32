// The conservation laws, counted anew from the visits that are alive.

#include "world/world.hpp"

namespace nephoscope {

// Sent = ended + alive for every caller, over the whole run and over the measured requests; the requests
// outstanding at a target are those of the visits sent there; every instance keeps its own invariants.
void World::check() const {
  std::vector<std::uint64_t> alive(callers_.size());
  std::vector<std::uint64_t> measured(callers_.size());
  std::vector<std::vector<std::uint32_t>> outstanding(balancers_.size());
  for (std::size_t at = 0; at < balancers_.size(); ++at) {
    outstanding[at].resize(balancers_[at].instances.size());
  }
  for_each_visit([&](const Visit& it) {
    ++alive[it.caller];
    measured[it.caller] += it.arrival >= warmup_ ? 1U : 0U;
    if (it.target != none) ++outstanding[callers_[it.caller].to.index][it.target];
  });
  for (std::size_t at = 0; at < callers_.size(); ++at) {
    const Caller& caller = callers_[at];
    std::uint64_t accounted = caller.without_target + measured[at];
    for (std::uint32_t route = 0; route < caller.routes; ++route) {
      const Route& it = routes_[caller.first_route + route];
      accounted += total(it.ended) + it.latency.count();
    }
    if (caller.sent != total(caller.ended) + alive[at] || caller.offered != accounted) {
      throw InvariantError("requests of caller " + std::to_string(at) + " were lost or doubled" + where());
    }
  }
  for (std::size_t at = 0; at < balancers_.size(); ++at) {
    for (std::uint32_t slot = 0; slot < outstanding[at].size(); ++slot) {
      if (outstanding[at][slot] != balancers_[at].router.outstanding(slot)) {
        throw InvariantError("balancer " + std::to_string(at) + " lost count of target " +
                             std::to_string(slot) + where());
      }
    }
  }
  try {
    instances_.check(now_);
  } catch (const InvariantError& error) {
    throw InvariantError(error.what() + where());
  }
}

std::string World::where() const {
  return " (seed " + std::to_string(seed_) + ", replication " + std::to_string(replication_) + ", " +
         std::to_string(now_) + " ns, event " + std::to_string(events_) + ")";
}

}  // namespace nephoscope
