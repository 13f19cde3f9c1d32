// Which host of a pool is best for launches of one shape: a tournament over the pool's hosts in the
// order (zone, rack, number), in which every node knows the best host below it that fits.
//
// A host that fits is better than another by, in this order,
//   1. the rank of its rack, when the shape has a placement group (rack_rank);
//   2. the pool's policy:
//        first_fit  nothing;
//        best_fit   less vCPUs left, then less memory left;
//        worst_fit  more vCPUs left, then more memory left;
//        spread     fewer instances of the fleet on the host, then fewer on its rack;
//        random     chance: of the m hosts of the best rank the k-th in their order, k the
//                   stream's next number below m;
//   3. the lower number.
// The random policy's nodes count the hosts of the best rank, so one number finds one of them.
//
// What depends on a rack is equal for all its hosts. So when it changes, only nodes that reach
// beyond the rack can change, and all of them lie above its first or its last host: two paths.
//
// Costs, for n hosts: build O(n); update of a host O(log n) in the worst case; a query of r ranges
// of hosts O(r log n) in the worst case. Two words a host, four with the random policy.
//
// A function of the pool's present state alone: it is never saved, and built anew it is the same.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/placement/placement_state.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

// Positions [first, last) of a pool's hosts, in rising order; enough for every zone, one host cut
// out.
struct HostRanges {
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  void add(std::uint32_t first, std::uint32_t last) {
    if (first < last) ranges[size++] = {first, last};
  }

  std::array<Range, zones_max + 1> ranges;
  std::size_t size = 0;
};

// A host's room, door or allocation has changed, with it the counts of one fleet and one group on
// the host and its rack (nowhere: of none).
struct HostChange {
  std::uint32_t host = 0;
  std::uint32_t fleet = nowhere;
  std::uint32_t group = nowhere;
};

class PlacementIndex {
 public:
  // `order` has the pool's hosts by position, `racks` its racks in order.
  void build(const PlacementState& state, const LaunchShape& shape, PlacePolicy policy,
             const std::vector<std::uint32_t>& order, const std::vector<std::uint32_t>& racks);

  // Takes in what has changed.
  void update(const PlacementState& state, const HostChange& change);

  // The best host in the ranges; nowhere if none fits. `forbidden`: those that fit are all on racks
  // that the group forbids. Draws from `draws` with the random policy alone, once if a host is
  // found.
  std::uint32_t find(const PlacementState& state, const HostRanges& ranges, WordStream& draws,
                     bool& forbidden) const;

  // Words that an index of so many hosts needs.
  static std::size_t words(PlacePolicy policy, std::size_t hosts);

 private:
  bool fits(const HostState& host) const;
  bool before(const PlacementState& state, std::uint32_t a, std::uint32_t b) const;
  std::uint32_t fleet_on(const PlacementState& state, std::uint32_t host) const;
  std::uint32_t rank(const PlacementState& state, std::uint32_t host) const;
  bool merge(const PlacementState& state, std::size_t node);
  void climb(const PlacementState& state, std::uint32_t position, std::uint32_t host);
  void replay(const PlacementState& state, const HostState& host);
  bool weigh_rack(const PlacementState& state, std::uint32_t rack);
  std::uint32_t draw(const PlacementState& state, const HostRanges& ranges, WordStream& draws,
                     bool& forbidden) const;
  template <class Visit>
  void nodes_of(const HostRanges& ranges, Visit visit) const;

  bool ranked() const { return shape_.group != nowhere; }
  bool spreads() const { return policy_ == PlacePolicy::spread; }
  bool draws() const { return policy_ == PlacePolicy::random; }

  LaunchShape shape_;
  PlacePolicy policy_ = PlacePolicy::first_fit;
  std::size_t leaves_ = 0;              // a power of two
  std::vector<std::uint32_t> best_;     // a host by node: root at 1, leaves from leaves_ on
  std::vector<std::uint32_t> equals_;   // random: hosts below of the best one's rank
  std::vector<std::uint32_t> rank_;     // by the rack's place, with a group
  std::vector<std::uint32_t> on_rack_;  // of the fleet; spread
  std::vector<std::uint32_t> on_host_;  // by position
};

}  // namespace nephoscope
