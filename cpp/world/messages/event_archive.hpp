// What buses keep of the events that were put, and the replays of it. What becomes of it is in
// messaging.hpp.
//
// All replays are known before the run, and so is which events one will want: those of its time. A
// bus keeps no others, and lets all go with the last replay; what is archived beyond is a count.
//
// A replay takes events by the minutes in which they were put, counted from its first instant, and
// those of one minute in an order that is drawn. It puts as many in a second as the bus takes puts,
// beside those; without a limit all at once.

#pragma once

#include <cstdint>
#include <vector>

#include "kernel/distributions.hpp"
#include "messaging/held_time.hpp"
#include "messaging/invocation_limit.hpp"
#include "world/spec/topic_specs.hpp"

namespace nephoscope {

struct KeptEvent {
  std::int64_t time = 0;  // at which it was put
  std::uint64_t body = 0;
};

// Of one bus.
struct EventArchive {
  bool active = false;              // immutable, as the next three
  std::int64_t retention_ns = 0;    // 0: for ever
  std::int64_t lag_ns = 0;          // what was put since so long is not there yet
  std::vector<std::uint8_t> takes;  // by kind; empty: all

  std::uint64_t archived = 0;  // in the whole run, as the next
  std::uint64_t replayed = 0;
  std::uint64_t refused = 0;    // replays
  HeldTime held;                // bytes where sizes are known, else events
  std::vector<KeptEvent> kept;  // in the order of time

  bool takes_kind(std::uint32_t kind) const { return takes.empty() || takes[kind] != 0; }
};

struct Replay {
  static constexpr std::int64_t minute_ns = 60'000'000'000;
  static constexpr std::size_t at_once_max = 10;  // in the whole world, as in an account

  ReplaySpec rules;       // immutable, as the next two
  std::uint32_t bus = 0;  // among topics
  Sampler order;

  InvocationLimit pace;
  std::uint32_t begun = 0;
  std::uint32_t has_turn = 0;  // the next one has, when its entry of the calendar is due
  std::uint64_t next = 0;
  std::vector<std::uint64_t> bodies;  // of what it replays, in its order

  std::uint64_t left() const { return bodies.size() - next; }
  // Whether it replays what was put then: that is there by now, and still is.
  bool wants(std::int64_t time, const EventArchive& archive) const {
    const bool in_time = rules.since_ns <= time && time < rules.until_ns;
    const std::int64_t age = rules.at_ns - time;
    return in_time && age >= archive.lag_ns &&
           (archive.retention_ns == 0 || age < archive.retention_ns);
  }
  bool serves(std::uint32_t rule) const { return rules.rules.empty() || rules.rules[rule] != 0; }
};

}  // namespace nephoscope
