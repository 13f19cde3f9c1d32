// A balancer as the world keeps it: its routers, and which instance each of its targets is.
//
// Most balancers have one router, which is all there is to their choice (`alone`; and `plain`, if
// it chooses by a policy of ours). Target groups have one each, and so have the nodes of the zones
// where a node sends to its own zone alone: the cells of the balancer, each with the turn, the slow
// starts and the minimum of healthy targets of its own. A target is in one cell, and known to the
// routers of the others as one that has left, so that a slot means the same to all of them.
//
// A balancer may have several nodes that send to all targets: these are its cells, and a target has
// a slot in each, one after the other. So every node has its own turn, its own view of who is well
// and its own count of what is outstanding.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "balancing/anomalies.hpp"
#include "balancing/capacity.hpp"
#include "balancing/connections.hpp"
#include "balancing/draining.hpp"
#include "balancing/health.hpp"
#include "balancing/own_answers.hpp"
#include "balancing/router.hpp"
#include "balancing/slow_start.hpp"
#include "balancing/split.hpp"
#include "balancing/stickiness.hpp"
#include "balancing/surge_queue.hpp"
#include "kernel/event_queue.hpp"
#include "world/requests/callers.hpp"

namespace nephoscope {

// A target of a balancer.
struct Slot {
  std::uint64_t completed = 0;  // measured requests, where they are counted here
  std::uint32_t instance = 0;
  std::uint16_t of_class = 0;
  std::uint16_t cell = 0;
};

// Requests that came with a cookie, in the whole run.
struct CookieCounts {
  std::uint64_t followed = 0;
  std::uint64_t moved = 0;    // the target it names takes none any more
  std::uint64_t grouped = 0;  // went to the group that its cookie names
};

// What clients made of answers of the DNS, in the whole run.
struct DnsCounts {
  std::uint64_t answers = 0;
  std::uint64_t stale = 0;  // requests to a node that had left the DNS
};

// How long a balancer keeps a request before it chooses, and what it then answers by itself.
struct Reception {
  std::int64_t wait_ns = 0;
  std::uint32_t answer = OwnAnswers::none;
};

// Of a visit that its balancer keeps.
struct Kept {
  EventQueue::Handle timer = EventQueue::none;
  std::uint32_t answer = OwnAnswers::none;
};

struct Balancer {
  Balancer(Router first, std::vector<std::uint32_t> of_classes)
      : router(std::move(first)), fleets(std::move(of_classes)) {}

  Router router;                      // of the first cell
  std::vector<std::uint32_t> fleets;  // by class
  std::vector<Slot> slots;
  std::uint32_t first_instance =
      Visit::none;                      // slot i is instance first + i, of class 0; else none
  std::vector<OutcomeCounts> unserved;  // by slot: the measured requests that did not complete
  Health health;                        // its domains are the cells
  std::uint32_t checker = 0;            // the caller that sends its checks, if it is active
  std::int64_t drain_ns = 0;            // that a target which leaves has for what it holds
  Draining draining;                    // targets, by their machines
  std::uint64_t broken = 0;             // measured requests whose target was down or went down

  std::int64_t idle_ns = 0;        // that a target has for its answer; 0: any time
  std::int64_t connect_ns = 0;     // that a target has to take a connection; 0: it does, or refuses
  std::uint64_t out_of_time = 0;   // measured requests whose target took longer
  std::vector<std::uint32_t> ill;  // slots: what is under way there is to be reset at this instant
  std::uint64_t reset = 0;         // measured requests that were

  bool alone = true;                          // its router is all there is
  bool plain = true;                          // and chooses by a policy of ours
  std::vector<Router> others;                 // of the other cells
  std::vector<std::string> group_names;       // by cell, of a balancer with target groups
  std::vector<std::uint32_t> group_weights;   // the same
  std::vector<std::uint16_t> group_of_class;  // the same
  std::vector<std::uint32_t> zones;           // by cell, of a balancer with a node in each zone
  std::uint32_t nodes = 1;                    // that each send to all targets
  WordStream draws;                           // of the cell
  std::vector<SlowStart> slow_starts;         // by cell, where it has any
  SurgeQueue surge;
  std::uint64_t spilled = 0;       // measured requests that found it full
  std::uint64_t flows = 0;         // what waits will be sent, or is reset, at this instant
  std::vector<std::uint8_t> full;  // by slot, of a balancer with such a queue
  Stickiness cookies;
  Stickiness group_cookies;  // by which a client comes back to its group
  CookieCounts cookie_counts;
  Stickiness dns;  // in the place of cookies, answers of the DNS: the node that a client knows
  DnsCounts dns_counts;
  Anomalies anomalies;  // its domains are the cells
  Capacity capacity;
  std::uint32_t whole = 0;                // whose capacity counts: of a listener, its balancer's
  bool awaits_capacity = false;           // what is beyond that waits
  std::uint64_t over_capacity = 0;        // measured requests that were turned away
  std::vector<std::uint64_t> group_sent;  // by cell, of a balancer with target groups: requests
  OwnAnswers own;
  Connections connections;
  Split split;
  bool receives = false;  // one of these, or a capacity: it does more than choose
  Reception reception;    // of the request that came last

  std::uint32_t cells() const { return 1 + static_cast<std::uint32_t>(others.size()); }
  Router& router_in(std::uint32_t cell) { return cell == 0 ? router : others[cell - 1]; }
  const Router& router_in(std::uint32_t cell) const {
    return cell == 0 ? router : others[cell - 1];
  }
  Router& router_of(std::uint32_t slot) { return router_in(slots[slot].cell); }
  const Router& router_of(std::uint32_t slot) const { return router_in(slots[slot].cell); }

  // In the place of a target: there is no capacity for the request.
  static constexpr std::uint32_t turned_away = Router::none - 1;

  // The same: it keeps the request, or answers it, as `reception` says.
  static constexpr std::uint32_t kept = turned_away - 1;

  // The target of a request, or one of these, or Router::none; what route() is to a plain balancer.
  // `all` are the balancers of its world.
  std::uint32_t choose(const Asked& asked, std::vector<Balancer>& all);
  // The target of one that it has kept.
  std::uint32_t choose_target(const Asked& asked);

  // Whether it may keep requests for a while.
  bool keeps() const { return awaits_capacity || connections.active() || own.may_wait(); }

  // A request that came then is sent to a target, or has been answered: all its parts but the one
  // that its policy knows of.
  void send_parts(std::uint32_t slot, std::int64_t arrival) {
    for (std::uint32_t more = split.parts(arrival); more > 1; --more) router_of(slot).sent(slot);
  }
  void end_parts(std::uint32_t slot, std::int64_t arrival, std::int64_t response_ns) {
    for (std::uint32_t more = split.parts(arrival); more > 1; --more)
      router_of(slot).answered(slot, response_ns);
  }

  // Its routing has changed, or been restored.
  void note_routing() { plain = alone && !router.is_compiled(); }

  // A compiled policy sees the zone of each target's instance.
  template <class ZoneOf>
  void tell_zones(std::uint32_t from, ZoneOf zone_of) {
    if (!router.is_compiled()) return;
    for (std::uint32_t slot = from; slot < slots.size(); ++slot) {
      router_of(slot).set_zone(slot, zone_of(slots[slot].instance));
    }
  }

  // A target comes, and is healthy already or has to show it; a target goes. Of its slots the first
  // is meant.
  std::uint32_t add_target(std::uint32_t instance, std::uint32_t of_class, std::uint32_t cell,
                           std::int64_t now);
  void remove_target(std::uint32_t slot, std::int64_t now);

  // Whether requests that are under way at a target are reset: it is ill, and nothing is sent
  // there.
  bool resets(std::uint32_t slot) const {
    return health.spec().resets && health.state(slot) == TargetHealth::unhealthy &&
           !health.takes_requests(slot);
  }

  std::uint32_t first_slot(std::uint32_t slot) const {
    return nodes == 1 ? slot : slot - slots[slot].cell;
  }

  // Targets by what all nodes have found: healthy are those that all hold to be so, unhealthy those
  // that some node does.
  struct Tally {
    std::uint32_t healthy = 0;
    std::uint32_t unhealthy = 0;
    std::uint32_t initial = 0;
  };
  Tally tally() const;

  // Who may get requests now gets them, and nobody else.
  void follow_health(std::int64_t now);

  // What there is to do at set instants: checks, looks at what targets have answered and at what
  // has been sent.
  std::int64_t next_event() const {
    return std::min({health.next_event(), anomalies.next_event(), capacity.next_event()});
  }
  void look_for_anomalies();
  void renew_shares();

  // Whether a target has no room, of a balancer with a surge queue.
  void set_full(std::uint32_t slot, bool is);
  bool is_full(std::uint32_t slot) const { return slot < full.size() && full[slot] != 0; }

  // Whether a target gets requests, and gets a share that grows.
  bool takes(std::uint32_t slot) const;
  bool is_ramping(std::uint32_t slot) const {
    return !slow_starts.empty() && slow_starts[slots[slot].cell].is_ramping(slot);
  }

  // The counts of one cell, by slot, and none for the other targets.
  std::vector<std::uint32_t> of_cell(std::uint32_t cell, std::vector<std::uint32_t> counts) const;

  template <class Archive>
  void serialize(Archive& archive) {
    router.serialize(archive);
    for (Router& each : others) each.serialize(archive);
    for (SlowStart& each : slow_starts) each.serialize(archive);
    health.serialize(archive);
    draws.serialize(archive);
    cookies.serialize(archive);
    group_cookies.serialize(archive);
    dns.serialize(archive);
    draining.serialize(archive);
    surge.serialize(archive);
    anomalies.serialize(archive);
    capacity.serialize(archive);
    own.serialize(archive);
    connections.serialize(archive);
    split.serialize(archive);
    archive(over_capacity, group_sent);
    archive(full, spilled, flows);
    archive(slots, first_instance, unserved, broken, out_of_time, group_weights, cookie_counts,
            dns_counts, ill, reset);
    note_routing();
  }

 private:
  std::uint32_t receive(const Asked& asked, std::vector<Balancer>& all);
  void add_slot(std::uint32_t instance, std::uint32_t of_class, std::uint32_t cell,
                std::int64_t now);
  void remove_slot(std::uint32_t slot, std::int64_t now);
  std::uint32_t draw_cell();
  std::uint32_t ask_dns(const Asked& asked);
  bool has_left_dns(std::uint32_t cell) const;
  std::uint32_t draw_group();
  std::uint32_t choose_cell(const Asked& asked, std::uint32_t node);
  void settle(std::uint32_t cell, std::int64_t now);
};

}  // namespace nephoscope
