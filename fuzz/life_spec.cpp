#include "fuzz/life_spec.hpp"

#include <cstdint>

#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"

namespace nephoscope::fuzz {
namespace {

LifeSpec life(Bytes& bytes, const WorldSpec& spec) {
  constexpr Distribution LifeSpec::* laws[] = {&LifeSpec::restart,   &LifeSpec::resume,
                                               &LifeSpec::reboot,    &LifeSpec::stop,
                                               &LifeSpec::hibernate, &LifeSpec::terminate};
  LifeSpec made;
  for (Distribution LifeSpec::* law : laws) {
    if (bytes.one_in(2)) made.*law = distribution(bytes, 20.0);
  }
  made.hibernation = bytes.one_in(2);
  made.spot = bytes.one_in(3);
  made.interrupted = bytes.one_in(2);
  made.interruption = distribution(bytes, 100.0);
  if (made.spot && bytes.one_in(2)) made.behaviour = bytes.enumerator<Interruption>(3);
  if (made.behaviour == Interruption::hibernate) made.hibernation = !bytes.one_in(odd_once_in);
  made.outage = distribution(bytes, 50.0);
  if (made.spot && bytes.one_in(2)) made.on_demand_base = bytes.between(0, 3);
  if (made.spot && bytes.one_in(2)) made.on_demand_percent = odd_count(bytes, 0, 100);
  made.encryption_ns = bytes.one_in(4) ? odd_time(bytes, 0, 2000) : 0;
  made.prices.resize(made.spot ? bytes.between(0, 3) : 0);
  std::int64_t from = 0;
  for (SpotPrice& price : made.prices) {
    price = {from, bytes.one_in(2)};
    from += std::int64_t{bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 200)} * millisecond;
  }
  if (!spec.quotas.empty() && bytes.one_in(3)) made.quota = odd_index(bytes, spec.quotas.size());
  if (!spec.apis.empty() && bytes.one_in(3)) made.api = odd_index(bytes, spec.apis.size());
  return made;
}

LaunchLimits api(Bytes& bytes) {
  const auto tokens = [&](std::uint32_t most) {
    return std::int64_t{bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, most)};
  };
  LaunchLimits made;
  made.instances = tokens(4);
  made.instances_per_s = tokens(20);
  made.requests = tokens(3);
  made.requests_per_s = tokens(20);
  return made;
}

ActionSpec action(Bytes& bytes, const WorldSpec& spec) {
  ActionSpec made;
  made.at_ns = std::int64_t{bytes.between(0, 1000)} * millisecond;
  if (bytes.one_in(odd_once_in)) made.at_ns = -1;
  made.kind = bytes.enumerator<ActionKind>(action_kinds);
  made.fleet = odd_index(bytes, spec.fleets.size());
  const bool able = made.fleet < spec.fleets.size() && spec.fleets[made.fleet].life.hibernation;
  if (made.kind == ActionKind::hibernate && !able && !bytes.one_in(odd_once_in)) {
    made.kind = ActionKind::stop;
  }
  if (bytes.one_in(2)) made.count = bytes.between(0, 4);
  made.replaced = bytes.one_in(2);
  return made;
}

}  // namespace

void add_lives(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  spec.quotas.resize(bytes.between(0, 2));
  for (QuotaSpec& quota : spec.quotas) quota = {"quota", bytes.between(0, 12)};
  spec.apis.resize(bytes.between(0, 1));
  for (LaunchLimits& limits : spec.apis) limits = api(bytes);
  for (FleetSpec& fleet : spec.fleets) fleet.life = life(bytes, spec);
  spec.actions.resize(bytes.between(0, 6));
  for (ActionSpec& made : spec.actions) made = action(bytes, spec);
}

}  // namespace nephoscope::fuzz
