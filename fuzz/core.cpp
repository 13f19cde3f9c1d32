// Fuzz target of the core: any bytes become a world and what is done to it while it runs, with
// every invariant checked after every event. A spec, an edit or a saved state may be refused; a
// violation, any other exception, and a copy or a restored world that goes another way are
// failures.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "fuzz/bytes.hpp"
#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"
#include "kernel/errors.hpp"
#include "world/world.hpp"

namespace nephoscope::fuzz {
namespace {

constexpr std::uint64_t events_max = 3000;
constexpr int slices = 16;

enum class Action : std::uint8_t { none, rate, count, routing, weight, resume, damage, act, group };

// Indices that mostly exist.
std::uint32_t index(Bytes& bytes, std::size_t size) {
  const std::uint32_t beyond = bytes.one_in(32) ? 1 : 0;
  return bytes.between(0, static_cast<std::uint32_t>(size) - 1 + beyond);
}

void edit(World& world, const WorldSpec& spec, Action action, Bytes& bytes) {
  // One statement a decision: the order in which arguments are evaluated is the compiler's.
  const std::uint32_t balancer = index(bytes, std::max<std::size_t>(spec.balancers.size(), 1));
  const std::uint32_t fleet = index(bytes, spec.fleets.size());
  const std::uint32_t source = index(bytes, spec.traffic.size());
  RoutingSpec routing = routing_spec(bytes);
  const double weight = odd_number(bytes, 0.0, 4.0);
  const double per_second = rate(bytes);
  const std::uint32_t count = bytes.between(0, 9);
  const auto kind = bytes.enumerator<ActionKind>(action_kinds);
  // Who restores a world has to bring its compiled policies, and `resume` brings the spec's.
  const bool brought = balancer < spec.balancers.size() &&
                       spec.balancers[balancer].routing.kind == RoutingKind::compiled;
  if (!brought && routing.kind == RoutingKind::compiled) routing.kind = RoutingKind::round_robin;
  try {
    if (action == Action::rate) world.set_rate(source, per_second);
    if (action == Action::count) world.set_count(fleet, count);
    if (action == Action::routing) world.set_routing(balancer, routing);
    if (action == Action::act) world.act(kind, fleet, count);
    if (action == Action::group) world.set_group_weight(balancer, count % 3, count * 111);
    if (action == Action::weight) world.set_weight(balancer, fleet, weight);
  } catch (const SpecError&) {
    // Refused, and the world must be as it was: the check after the next event sees to it.
  }
}

// Whether it gets there: a policy of its own may fail on the way.
bool gets_to(World& world, std::int64_t until) {
  try {
    world.advance_checked(until);
    return true;
  } catch (const PolicyError&) {
    return false;
  }
}

// What was saved now and resumed, and a copy made now, end in the same state.
void resume(const World& world, const WorldSpec& spec, std::int64_t until) {
  World original = world;
  World restored(spec);
  restored.restore(world.save());
  const bool there = gets_to(original, until);
  if (gets_to(restored, until) != there || (there && original.save() != restored.save())) {
    throw std::logic_error("a restored world differs");
  }
}

void damage(const World& world, const WorldSpec& spec, Bytes& bytes) {
  std::string saved = world.save();
  for (std::uint32_t left = bytes.between(1, 4); left > 0 && !saved.empty(); --left) {
    saved[bytes.raw<std::uint32_t>() % saved.size()] ^= static_cast<char>(bytes.between(1, 255));
  }
  if (bytes.one_in(4)) saved.resize(bytes.raw<std::uint32_t>() % (saved.size() + 1));
  try {
    World(spec).restore(saved);
  } catch (const StateError&) {
    // As it should be.
  }
}

// A spec that is legal is never refused later.
void run(World& world, const WorldSpec& spec, Bytes& bytes) {
  for (int slice = 1; slice <= slices && world.events() < events_max; ++slice) {
    const std::int64_t until = spec.duration_ns / slices * slice;
    const auto action = bytes.enumerator<Action>(9);
    edit(world, spec, action, bytes);
    if (action == Action::resume) resume(world, spec, until);
    if (action == Action::damage) damage(world, spec, bytes);
    world.advance_checked(until);
  }
  world.check();
  world.results();
}

}  // namespace
}  // namespace nephoscope::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nephoscope::fuzz::Bytes bytes(data, size);
  const auto spec = nephoscope::fuzz::world_spec(bytes);
  std::optional<nephoscope::World> world;
  try {
    world.emplace(spec);
  } catch (const nephoscope::SpecError&) {
    // A spec that is refused: as it should be.
    return 0;
  }
  try {
    nephoscope::fuzz::run(*world, spec, bytes);
  } catch (const nephoscope::PolicyError&) {
    // So it has said by itself, and a world says so again.
    try {
      world->results();
      throw std::logic_error("a world goes on whose policy has failed");
    } catch (const nephoscope::PolicyError&) {
      return 0;
    }
  }
  return 0;
}
