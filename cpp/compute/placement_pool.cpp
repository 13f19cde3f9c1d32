#include "compute/placement_pool.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace nephoscope {

namespace {

constexpr std::size_t ring_min = 16;

}  // namespace

void PlacementPool::add(std::uint32_t host, std::uint32_t zone) {
  order_.push_back(host);
  zones_ |= std::uint64_t{1} << zone;
  forget();
}

void PlacementPool::forget() {
  shapes_.clear();
  entries_.clear();
  latest_ = 0;
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
  }
  // Beyond a few changes a host it is quicker to build an index than to let it catch up.
  ring_.assign(std::bit_ceil(std::max(order_.size() / 4, ring_min)), 0);
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

PlacementPool::Entry& PlacementPool::entry_for(const PlacementState& state,
                                               const LaunchShape& shape) {
  if (latest_ < shapes_.size() && shapes_[latest_] == shape) return entries_[latest_];
  latest_ =
      static_cast<std::size_t>(std::find(shapes_.begin(), shapes_.end(), shape) - shapes_.begin());
  if (latest_ < shapes_.size()) return entries_[latest_];
  if (shapes_.size() < indexes_max) {
    shapes_.push_back(shape);
    entries_.emplace_back();
  } else {
    const auto oldest =
        std::min_element(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.asked < b.asked; });
    latest_ = static_cast<std::size_t>(oldest - entries_.begin());
    shapes_[latest_] = shape;
  }
  Entry& entry = entries_[latest_];
  entry.index.build(state, shape, facts_.policy, order_, racks_);
  entry.seen = changes_;
  return entry;
}

}  // namespace nephoscope
