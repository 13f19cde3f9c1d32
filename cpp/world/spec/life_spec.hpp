// What a scenario says of the life of instances: how long transitions take, how instances are
// bought, what an operator does to them, and what an account may launch. Part of
// world/spec/spec.hpp.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/lifecycle/lifecycle_facts.hpp"
#include "compute/lifecycle/provisioning.hpp"
#include "kernel/distributions.hpp"

namespace nephoscope {

// Of spot capacity, from an instant on: whether its price is one that the fleet pays.
struct SpotPrice {
  std::int64_t from_ns = 0;
  bool paid = true;
};

// Of the instances of a fleet. Durations in ns.
struct LifeSpec {
  static constexpr std::uint32_t unlimited = 0xFFFFFFFF;

  Distribution restart;  // of a start after a stop: from running until it serves
  Distribution resume;   // the same, after hibernation
  Distribution reboot;
  Distribution stop;
  Distribution hibernate;
  Distribution terminate;
  bool hibernation = false;  // whether it may hibernate

  bool spot = false;
  bool interrupted = false;   // spot: whether the provider ever takes it back
  Distribution interruption;  // spot: after that long from running
  Interruption behaviour = Interruption::terminate;
  Distribution outage;  // spot that stops: until the provider starts it again
  // Spot that terminates: another is launched when the provider recommends it, so long before the
  // notice.
  bool rebalances = false;
  Distribution recommendation;
  // Spot: so many instances on demand first, and of each hundred above so many.
  std::uint32_t on_demand_base = 0;
  std::uint32_t on_demand_percent = 0;

  std::vector<SpotPrice> prices;   // spot: ascending from 0; none: one for ever, which is paid
  std::int64_t encryption_ns = 0;  // of a launch: until an encrypted volume is there

  std::uint32_t quota = unlimited;  // of vCPUs, an index
  std::uint32_t api = unlimited;    // that its launches go through, an index
};

// vCPUs that the instances of some fleets may have, all together.
struct QuotaSpec {
  std::string name;
  std::uint32_t vcpus = 0;
};

enum class ActionKind : std::uint8_t {
  stop,
  start,
  reboot,
  hibernate,
  terminate,
  standby,     // it serves no more and is kept
  in_service,  // the reverse
  detach,      // it leaves its fleet, and runs on
  attach       // the reverse
};
inline constexpr std::size_t action_kinds = 9;

// What an operator does, at an instant, to so many instances of a fleet.
struct ActionSpec {
  static constexpr std::uint32_t all = 0xFFFFFFFF;

  std::int64_t at_ns = 0;
  ActionKind kind = ActionKind::stop;
  std::uint32_t fleet = 0;
  std::uint32_t count = all;
  bool replaced = false;  // standby, detach: others are launched, and the size stays
};

}  // namespace nephoscope
