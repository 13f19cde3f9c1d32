#include "fuzz/pipe_spec.hpp"

#include <cstdint>
#include <string>

#include "fuzz/odd.hpp"

namespace nephoscope::fuzz {
namespace {

using Kind = Destination::Kind;

constexpr std::uint32_t groups = 3;
constexpr Kind kinds[] = {Kind::balancer, Kind::fleet, Kind::queue, Kind::topic, Kind::bus};

Destination target(Bytes& bytes, const WorldSpec& spec) {
  const Kind kind = bytes.any_of(kinds);
  const std::size_t there = kind == Kind::balancer ? spec.balancers.size()
                            : kind == Kind::fleet  ? spec.fleets.size()
                            : kind == Kind::queue  ? spec.queues.size()
                            : kind == Kind::topic  ? spec.topics.size()
                                                   : spec.buses.size();
  return {kind, odd_index(bytes, there)};
}

PipeSpec pipe(Bytes& bytes, const WorldSpec& spec) {
  PipeSpec made;
  made.from.queue = odd_index(bytes, spec.queues.size());
  made.from.batch = bytes.one_in(odd_once_in) ? 99 : bytes.between(1, 10);
  made.from.wait_ns = odd_wait(bytes);
  made.pollers = odd_count(bytes, 1, 3);
  made.to = target(bytes, spec);
  made.timeout_ns = odd_time(bytes, 1, 100);
  if (bytes.one_in(2)) made.group = bytes.between(0, groups);
  if (bytes.one_in(4)) made.takes = {1, 0, bytes.one_in(2) ? std::uint8_t{1} : std::uint8_t{0}};
  if (bytes.one_in(4)) made.becomes = {1, 0, 1};
  return made;
}

}  // namespace

void add_pipes(Bytes& bytes, WorldSpec& spec) {
  const std::uint32_t count = spec.queues.empty() || bytes.one_in(2) ? 0 : bytes.between(1, 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    spec.pipes.push_back(pipe(bytes, spec));
    spec.pipes.back().name = "pipe" + std::to_string(i);
  }
}

}  // namespace nephoscope::fuzz
