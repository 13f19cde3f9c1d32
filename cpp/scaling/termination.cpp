#include "scaling/termination.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace nephoscope {

namespace {

bool goes_before(const Candidate& a, const Candidate& b) {
  return std::tie(b.misfit, a.rank, a.draw, a.instance) <
         std::tie(a.misfit, b.rank, b.draw, b.instance);
}

// Those of a zone who may go, in order, and how many there are in it.
struct Zone {
  std::uint32_t zone = 0;
  std::uint32_t size = 0;
  std::size_t next = 0;
  std::vector<Candidate> may_go{};
};

std::vector<Zone> by_zone(const std::vector<Candidate>& candidates) {
  std::vector<Zone> zones;
  for (const Candidate& it : candidates) {
    auto found = std::find_if(zones.begin(), zones.end(),
                              [&](const Zone& zone) { return zone.zone == it.zone; });
    if (found == zones.end()) found = zones.insert(zones.end(), {it.zone});
    ++found->size;
    if (!it.stays) found->may_go.push_back(it);
  }
  return zones;
}

}  // namespace

std::vector<std::uint32_t> first_to_go(std::vector<Candidate> candidates, std::uint32_t count) {
  std::vector<Zone> zones = by_zone(candidates);
  for (Zone& zone : zones) {
    const auto most = std::min<std::size_t>(count, zone.may_go.size());
    const auto middle = zone.may_go.begin() + static_cast<std::ptrdiff_t>(most);
    std::partial_sort(zone.may_go.begin(), middle, zone.may_go.end(), goes_before);
    zone.may_go.resize(most);
  }
  std::vector<std::uint32_t> chosen;
  while (chosen.size() < count) {
    Zone* from = nullptr;
    for (Zone& zone : zones) {
      if (zone.next == zone.may_go.size()) continue;
      const bool fuller = from != nullptr && zone.size > from->size;
      const bool as_full = from != nullptr && zone.size == from->size;
      const bool before = as_full && goes_before(zone.may_go[zone.next], from->may_go[from->next]);
      if (from == nullptr || fuller || before) from = &zone;
    }
    if (from == nullptr) break;
    chosen.push_back(from->may_go[from->next++].instance);
    --from->size;
  }
  return chosen;
}

void rise_by_turns(std::vector<Candidate*>& pool) {
  std::sort(pool.begin(), pool.end(), [](const Candidate* a, const Candidate* b) {
    return a->stays != b->stays ? a->stays : goes_before(*b, *a);
  });
  for (std::size_t turn = 0; turn < pool.size(); ++turn) {
    pool[turn]->misfit += static_cast<std::uint32_t>(turn);
  }
}

}  // namespace nephoscope
