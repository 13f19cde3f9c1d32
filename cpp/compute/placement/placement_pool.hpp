// A pool of hosts and its indexes, one for each shape of launch in use.
//
// An index learns of changes when it is asked: the pool keeps the latest changed hosts in a ring,
// and an index that is asked takes those it has not seen, or is built anew when they have been
// overwritten. So a change costs O(log hosts) once for each shape that is asked for later, nothing
// for shapes that are not, and to catch up never costs a query more than O(hosts log hosts).
// All indexes of a pool have 64 MiB: for 10,000 hosts 512 shapes, 256 with the random policy, 317
// with spread; never more than 1024 nor fewer than 16. Another shape takes the place of the one
// that was asked for longest ago; its index is built in O(hosts).

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compute/placement/placement_index.hpp"
#include "compute/placement/placement_state.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

struct PoolCounters {
  std::uint64_t placements = 0;
  std::uint64_t releases = 0;
  std::array<std::uint64_t, refusals> refused{};  // by reason
};

class PlacementPool {
 public:
  static constexpr std::size_t words_max = std::size_t{1} << 24;
  static constexpr std::size_t indexes_min = 16;
  static constexpr std::size_t indexes_max = 1024;

  explicit PlacementPool(const PoolFacts& facts) : facts_(facts), draws_(facts.draws) {}

  const PoolFacts& facts() const { return facts_; }
  PoolCounters& counters() { return counters_; }
  const PoolCounters& counters() const { return counters_; }
  WordStream& draws() { return draws_; }
  std::uint64_t zones() const { return zones_; }  // bit z: it has hosts in zone z

  void add(std::uint32_t host, std::uint32_t zone);

  // Puts the hosts added since in their order. REQUIRES: called before what follows. The first
  // launch after an `add` costs O(hosts log hosts).
  void arrange(PlacementState& state) {
    if (!arranged_) sort(state);
  }

  // The positions in these zones, without those of `avoid` (nowhere: none).
  HostRanges ranges(const PlacementState& state, std::uint64_t zones, std::uint32_t avoid) const;

  // The best host for the shape, see PlacementIndex::find.
  std::uint32_t find(const PlacementState& state, const LaunchShape& shape,
                     const HostRanges& ranges, bool& forbidden);

  void changed(const HostChange& change) {
    if (arranged_) ring_[changes_++ & (ring_.size() - 1)] = change;
  }

  // The order and the indexes are functions of the state: not saved, but made again when needed.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(order_, counters_, zones_);
    draws_.serialize(archive);
    forget();
  }

 private:
  struct Entry {
    LaunchShape shape;
    PlacementIndex index;
    std::uint64_t seen = 0;   // changes
    std::uint64_t asked = 0;  // when last, in queries
  };
  struct ZoneSpan {
    std::uint32_t zone = 0;
    std::uint32_t first = 0;  // positions [first, last)
    std::uint32_t last = 0;
  };

  void sort(PlacementState& state);
  void forget();
  std::size_t find_entry(const LaunchShape& shape, std::uint64_t hash) const;
  Entry& entry_for(const PlacementState& state, const LaunchShape& shape);

  PoolFacts facts_;
  PoolCounters counters_;
  WordStream draws_;
  std::uint64_t zones_ = 0;
  std::vector<std::uint32_t> order_;  // hosts by position, once arranged
  std::vector<std::uint32_t> racks_;  // in order
  std::vector<ZoneSpan> spans_;
  std::vector<HostChange> ring_;  // the latest changes, a power of two of them
  std::uint64_t changes_ = 0;
  std::vector<std::uint64_t> hashes_;  // of the entries' shapes
  std::vector<Entry> entries_;
  std::uint64_t queries_ = 0;
  std::size_t entries_max_ = 0;
  bool arranged_ = false;
};

}  // namespace nephoscope
