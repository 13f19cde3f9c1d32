#include "compute/placement/placement_index.hpp"

#include <bit>

namespace nephoscope {

void PlacementIndex::build(const PlacementState& state, const LaunchShape& shape,
                           PlacePolicy policy, const std::vector<std::uint32_t>& order,
                           const std::vector<std::uint32_t>& racks) {
  shape_ = shape;
  policy_ = policy;
  leaves_ = std::bit_ceil(order.size() | 1);
  best_.assign(2 * leaves_, nowhere);
  equals_.assign(draws() ? 2 * leaves_ : 0, 0);
  rank_.assign(ranked() ? racks.size() : 0, 0);
  on_rack_.assign(spreads() ? racks.size() : 0, 0);
  on_host_.assign(spreads() ? order.size() : 0, 0);
  for (const std::uint32_t rack : racks) weigh_rack(state, rack);
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::uint32_t host = order[at];
    const bool here = fits(state.hosts[host]);
    best_[leaves_ + at] = here ? host : nowhere;
    if (draws()) equals_[leaves_ + at] = here;
    // Most hosts are on racks without any of the fleet.
    if (spreads() && on_rack_[state.hosts[host].rack_place] != 0) {
      on_host_[at] = fleet_on(state, host);
    }
  }
  for (std::size_t node = leaves_ - 1; node >= 1; --node) merge(state, node);
}

std::size_t PlacementIndex::words(PlacePolicy policy, std::size_t hosts) {
  const std::size_t nodes = 2 * std::bit_ceil(hosts | 1);
  if (policy == PlacePolicy::random) return 2 * nodes;
  return policy == PlacePolicy::spread ? nodes + 2 * hosts : nodes;
}

void PlacementIndex::update(const PlacementState& state, const HostChange& change) {
  const std::uint32_t host = change.host;
  const HostState& it = state.hosts[host];
  const std::size_t leaf = leaves_ + it.position;
  const std::uint32_t winner = fits(it) ? host : nowhere;
  // Where the policy looks at what is left, a host that fits as before may still be worth less.
  const bool weighs = policy_ == PlacePolicy::best_fit || policy_ == PlacePolicy::worst_fit;
  bool changed = winner != best_[leaf] || (weighs && winner != nowhere);
  best_[leaf] = winner;
  if (draws()) equals_[leaf] = winner != nowhere;
  const bool ours = spreads() && change.fleet == shape_.fleet;
  if (ours) {
    const std::uint32_t count = fleet_on(state, host);
    changed |= count != on_host_[it.position];
    on_host_[it.position] = count;
  }
  const bool of_rack = ours || (ranked() && change.group == shape_.group);
  if (of_rack && weigh_rack(state, it.rack)) {
    replay(state, it);
  } else if (changed) {
    climb(state, it.position, host);
  }
}

std::uint32_t PlacementIndex::find(const PlacementState& state, const HostRanges& ranges,
                                   WordStream& draws_from, bool& forbidden) const {
  if (draws()) return draw(state, ranges, draws_from, forbidden);
  std::uint32_t best = nowhere;
  nodes_of(ranges, [&](std::size_t node) {
    if (before(state, best_[node], best)) best = best_[node];
  });
  forbidden = best != nowhere && rank(state, best) == rack_forbidden;
  return forbidden ? nowhere : best;
}

std::uint32_t PlacementIndex::draw(const PlacementState& state, const HostRanges& ranges,
                                   WordStream& draws_from, bool& forbidden) const {
  std::uint32_t least = rack_forbidden;
  std::uint32_t total = 0;
  bool any = false;
  nodes_of(ranges, [&](std::size_t node) {
    if (best_[node] == nowhere) return;
    any = true;
    const std::uint32_t its = rank(state, best_[node]);
    if (its == rack_forbidden || its > least) return;
    if (its < least) total = 0;
    least = its;
    total += equals_[node];
  });
  forbidden = any && total == 0;
  if (total == 0) return nowhere;
  std::uint32_t left = draws_from.below(total);
  std::size_t chosen = 0;
  nodes_of(ranges, [&](std::size_t node) {
    if (chosen != 0 || best_[node] == nowhere || rank(state, best_[node]) != least) return;
    if (left < equals_[node]) {
      chosen = node;
    } else {
      left -= equals_[node];
    }
  });
  while (chosen < leaves_) {
    chosen *= 2;
    const std::uint32_t below =
        best_[chosen] == nowhere || rank(state, best_[chosen]) != least ? 0 : equals_[chosen];
    if (left >= below) {
      left -= below;
      ++chosen;
    }
  }
  return best_[chosen];
}

// The fewest nodes that cover the ranges, in the order of the hosts.
template <class Visit>
void PlacementIndex::nodes_of(const HostRanges& ranges, Visit visit) const {
  for (std::size_t at = 0; at < ranges.size; ++at) {
    std::size_t first = leaves_ + ranges.ranges[at].first;
    std::size_t last = leaves_ + ranges.ranges[at].last;
    std::array<std::size_t, 33> right;  // met from the right end inwards
    std::size_t rights = 0;
    for (; first < last; first /= 2, last /= 2) {
      if (first % 2 != 0) visit(first++);
      if (last % 2 != 0) right[rights++] = --last;
    }
    while (rights > 0) visit(right[--rights]);
  }
}

bool PlacementIndex::fits(const HostState& host) const {
  return has_room(host, shape_) && admits(host, shape_) &&
         (shape_.tenancy != Tenancy::host || host.auto_placement != 0);
}

std::uint32_t PlacementIndex::fleet_on(const PlacementState& state, std::uint32_t host) const {
  return static_cast<std::uint32_t>(
      state.counts.count(CountKey::fleet_on_host(shape_.fleet, host)));
}

std::uint32_t PlacementIndex::rank(const PlacementState& state, std::uint32_t host) const {
  return ranked() ? rank_[state.hosts[host].rack_place] : 0;
}

bool PlacementIndex::before(const PlacementState& state, std::uint32_t a, std::uint32_t b) const {
  if (a == nowhere || b == nowhere) return a < b;
  const HostState& one = state.hosts[a];
  const HostState& other = state.hosts[b];
  if (ranked()) {
    const std::uint32_t rank_one = rank_[one.rack_place];
    const std::uint32_t rank_other = rank_[other.rack_place];
    if (rank_one != rank_other) return rank_one < rank_other;
  }
  switch (policy_) {
    case PlacePolicy::first_fit:
    case PlacePolicy::random:
      break;
    case PlacePolicy::best_fit:
      if (one.vcpus_left != other.vcpus_left) return one.vcpus_left < other.vcpus_left;
      if (one.memory_left != other.memory_left) return one.memory_left < other.memory_left;
      break;
    case PlacePolicy::worst_fit:
      if (one.vcpus_left != other.vcpus_left) return one.vcpus_left > other.vcpus_left;
      if (one.memory_left != other.memory_left) return one.memory_left > other.memory_left;
      break;
    case PlacePolicy::spread: {
      const std::uint32_t ours = on_host_[one.position];
      const std::uint32_t theirs = on_host_[other.position];
      if (ours != theirs) return ours < theirs;
      const std::uint32_t our_rack = on_rack_[one.rack_place];
      const std::uint32_t their_rack = on_rack_[other.rack_place];
      if (our_rack != their_rack) return our_rack < their_rack;
      break;
    }
  }
  return a < b;
}

// Finds a node anew from the two below it; whether it is another than before.
bool PlacementIndex::merge(const PlacementState& state, std::size_t node) {
  const std::uint32_t left = best_[2 * node];
  const std::uint32_t right = best_[2 * node + 1];
  const std::uint32_t best = before(state, right, left) ? right : left;
  bool changed = best != best_[node];
  best_[node] = best;
  if (draws()) {
    std::uint32_t equals = 0;
    for (const std::size_t child : {2 * node, 2 * node + 1}) {
      const bool counts = best_[child] != nowhere && rank(state, best_[child]) == rank(state, best);
      if (counts) equals += equals_[child];
    }
    changed |= equals != equals_[node];
    equals_[node] = equals;
  }
  return changed;
}

// After a change of one host: as far up as it matters. Above a node whose best host is the same as
// before, and another than this one, nothing has changed.
void PlacementIndex::climb(const PlacementState& state, std::uint32_t position,
                           std::uint32_t host) {
  for (std::size_t node = (leaves_ + position) / 2; node >= 1; node /= 2) {
    if (!merge(state, node) && (draws() || best_[node] != host)) return;
  }
}

// After a change of the host and its rack: all above the host, the rack's first and its last.
void PlacementIndex::replay(const PlacementState& state, const HostState& host) {
  const RackState& rack = state.racks[host.rack];
  std::size_t middle = leaves_ + host.position;
  std::size_t first = leaves_ + rack.first;
  std::size_t last = leaves_ + rack.last;
  while (middle > 1) {
    middle /= 2;
    first /= 2;
    last /= 2;
    merge(state, middle);
    if (first != middle) merge(state, first);
    if (last != middle) merge(state, last);
  }
}

// Looks up what concerns the whole rack; whether it has changed.
bool PlacementIndex::weigh_rack(const PlacementState& state, std::uint32_t rack) {
  const std::uint32_t place = state.racks[rack].place;
  bool changed = false;
  if (ranked()) {
    const std::uint32_t rank = rack_rank(state, shape_, rack);
    changed |= rank != rank_[place];
    rank_[place] = rank;
  }
  if (spreads()) {
    const auto count =
        static_cast<std::uint32_t>(state.counts.count(CountKey::fleet_on_rack(shape_.fleet, rack)));
    changed |= count != on_rack_[place];
    on_rack_[place] = count;
  }
  return changed;
}

}  // namespace nephoscope
