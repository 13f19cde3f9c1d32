// Who goes when a group shrinks: the termination policies of EC2 Auto Scaling.
//
// Zones are levelled before any policy is asked: whoever goes next is of a zone that has the most
// instances, of those zones that have somebody who may go. Among the instances of these zones the
// policy decides, and where it finds no difference the draws do.

#pragma once

#include <cstdint>
#include <vector>

namespace nephoscope {

// `standard`: those first that fit the allocation of their group least, as `allocation_strategy`
// has it, then those of an older version, then who is closest to its next billing hour.
enum class TerminationPolicy : std::uint8_t {
  standard,
  oldest,
  newest,
  closest_to_next_hour,
  allocation_strategy
};
inline constexpr unsigned termination_policies = 5;

struct Candidate {
  std::int64_t rank = 0;   // the lowest goes first
  std::uint64_t draw = 0;  // among equals
  std::uint32_t instance = 0;
  std::uint32_t zone = 0;
  bool stays = false;        // it is protected, and counts for its zone all the same
  std::uint32_t misfit = 0;  // the highest goes before any rank is asked
};

// At most `count` of them, in the order of going. O(n log n).
std::vector<std::uint32_t> first_to_go(std::vector<Candidate> candidates, std::uint32_t count);

// Adds to each misfit how many of its pool go after it, so that the fullest pool gives first.
void rise_by_turns(std::vector<Candidate*>& pool);

}  // namespace nephoscope
