#include "compute/placement/placement_pool.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace nephoscope {

namespace {

constexpr std::size_t ring_min = 16;

std::uint64_t hash_of(const LaunchShape& shape) {
  std::uint64_t hash = 0;
  const auto mix = [&](std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32;
  };
  mix(static_cast<std::uint64_t>(shape.memory));
  mix(std::uint64_t{shape.vcpus} << 32 | shape.fleet);
  mix(std::uint64_t{shape.accelerators} << 32 | shape.disks);
  mix(shape.reserved);
  mix(std::uint64_t{shape.group} << 32 | shape.partition);
  mix(std::uint64_t{shape.account} << 32 | static_cast<std::uint32_t>(shape.tenancy));
  return hash;
}

}  // namespace

void PlacementPool::add(std::uint32_t host, std::uint32_t zone) {
  order_.push_back(host);
  zones_ |= std::uint64_t{1} << zone;
  forget();
}

void PlacementPool::forget() {
  hashes_.clear();
  entries_.clear();
  arranged_ = false;
}

void PlacementPool::sort(PlacementState& state) {
  const auto place = [&](std::uint32_t host) {
    const HostState& it = state.hosts[host];
    return std::tuple(it.zone, it.rack, host);
  };
  std::sort(order_.begin(), order_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return place(a) < place(b); });
  racks_.clear();
  spans_.clear();
  for (std::uint32_t at = 0; at < order_.size(); ++at) {
    HostState& host = state.hosts[order_[at]];
    host.position = at;
    if (spans_.empty() || spans_.back().zone != host.zone) spans_.push_back({host.zone, at, at});
    spans_.back().last = at + 1;
    RackState& rack = state.racks[host.rack];
    if (racks_.empty() || racks_.back() != host.rack) {
      rack.first = at;
      rack.place = static_cast<std::uint32_t>(racks_.size());
      racks_.push_back(host.rack);
    }
    rack.last = at;
    host.rack_place = rack.place;
  }
  // Beyond a few changes a host it is quicker to build an index than to let it catch up.
  ring_.assign(std::bit_ceil(std::max(order_.size() / 4, ring_min)), {});
  entries_max_ = std::clamp(words_max / PlacementIndex::words(facts_.policy, order_.size()),
                            indexes_min, indexes_max);
  changes_ = 0;
  arranged_ = true;
}

HostRanges PlacementPool::ranges(const PlacementState& state, std::uint64_t zones,
                                 std::uint32_t avoid) const {
  HostRanges out;
  const std::uint32_t hole = avoid == nowhere ? nowhere : state.hosts[avoid].position;
  const auto add = [&](std::uint32_t first, std::uint32_t last) {
    if (hole < first || hole >= last) {
      out.add(first, last);
    } else {
      out.add(first, hole);
      out.add(hole + 1, last);
    }
  };
  if ((zones_ & ~zones) == 0) {
    add(0, static_cast<std::uint32_t>(order_.size()));
    return out;
  }
  for (const ZoneSpan& span : spans_) {
    if (zones >> span.zone & 1) add(span.first, span.last);
  }
  return out;
}

std::uint32_t PlacementPool::find(const PlacementState& state, const LaunchShape& shape,
                                  const HostRanges& ranges, bool& forbidden) {
  Entry& entry = entry_for(state, shape);
  entry.asked = ++queries_;
  if (changes_ - entry.seen > ring_.size()) {
    entry.index.build(state, shape, facts_.policy, order_, racks_);
    entry.seen = changes_;
  }
  for (; entry.seen < changes_; ++entry.seen) {
    entry.index.update(state, ring_[entry.seen & (ring_.size() - 1)]);
  }
  return entry.index.find(state, ranges, draws_, forbidden);
}

// The number of entries if there is none.
std::size_t PlacementPool::find_entry(const LaunchShape& shape, std::uint64_t hash) const {
  for (std::size_t at = 0; at < hashes_.size(); ++at) {
    if (hashes_[at] == hash && entries_[at].shape == shape) return at;
  }
  return hashes_.size();
}

PlacementPool::Entry& PlacementPool::entry_for(const PlacementState& state,
                                               const LaunchShape& shape) {
  const std::uint64_t hash = hash_of(shape);
  std::size_t at = find_entry(shape, hash);
  if (at < entries_.size()) return entries_[at];
  if (at < entries_max_) {
    hashes_.push_back(hash);
    entries_.emplace_back();
  } else {
    const auto oldest =
        std::min_element(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.asked < b.asked; });
    at = static_cast<std::size_t>(oldest - entries_.begin());
    hashes_[at] = hash;
  }
  Entry& entry = entries_[at];
  entry.shape = shape;
  entry.index.build(state, shape, facts_.policy, order_, racks_);
  entry.seen = changes_;
  return entry;
}

}  // namespace nephoscope
