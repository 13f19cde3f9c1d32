#include "fuzz/policy_spec.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "balancing/routing_policy.h"
#include "fuzz/odd.hpp"

namespace nephoscope::fuzz {
namespace {

constexpr std::uint32_t words = 2;
constexpr std::uint64_t state_size = 12;

// By all that it is shown, so that reading it is checked; now and then no target at all.
std::int64_t choose(const nephoscope_routing_view* view) {
  if (view->version != NEPHOSCOPE_ROUTING_VERSION || view->count == 0 ||
      view->state_size != state_size || view->words_count != words) {
    throw std::logic_error("a policy is shown something else");
  }
  std::uint64_t sum = view->hash + view->words[1] + view->event;
  for (std::uint32_t at = 0; at < view->count; ++at) {
    sum += view->numbers[at] + view->in_flight[at] + view->zones[at];
    sum += std::bit_cast<std::uint64_t>(view->latency_ns[at] * view->weights[at]);
  }
  std::uint64_t before = 0;
  std::memcpy(&before, view->state, sizeof(before));
  sum += before;
  std::memcpy(view->state, &sum, sizeof(sum));
  if (view->words[0] % 1'024 == 0) return -7;
  if (view->words[0] % 1'024 == 1) return view->count;
  return static_cast<std::int64_t>(sum % view->count);
}

}  // namespace

CompiledRouting compiled_routing(Bytes& bytes) {
  CompiledRouting made;
  made.address = std::bit_cast<std::uint64_t>(&choose);
  if (bytes.one_in(odd_once_in)) made.address = 0;
  made.words = bytes.one_in(odd_once_in) ? CompiledRouting::words_max + 1 : words;
  made.state.assign(state_size, bytes.raw<std::uint8_t>());
  return made;
}

}  // namespace nephoscope::fuzz
