// How a balancer that is not plain chooses: by the client's cookie; else first the cell, then a
// target in it, those in slow start beside the round of the others.

#include "world/balancers/balancer.hpp"

#include <numeric>

namespace nephoscope {

std::uint32_t Balancer::choose(const Asked& asked, std::vector<Balancer>& all) {
  if (!receives) return choose_target(asked);
  const std::uint32_t said = receive(asked, all);
  if (said != Router::none) return said;
  const std::uint32_t target = choose_target(asked);
  if (target != Router::none && split.active()) send_parts(target, asked.now_ns);
  return target;
}

// What is to be done with a request before there is a target for it; Router::none if nothing is.
std::uint32_t Balancer::receive(const Asked& asked, std::vector<Balancer>& all) {
  reception = {};
  if (connections.active()) {
    const auto client = static_cast<std::uint32_t>(asked.client);
    reception.wait_ns = connections.wait(asked.source, client, asked.now_ns);
  }
  if (own.active()) reception.answer = own.draw();
  if (reception.answer != OwnAnswers::none) {
    if (own.waits(reception.answer)) reception.wait_ns = idle_ns;
    return kept;
  }
  if (Capacity& shared = all[whole].capacity; shared.active()) {
    const std::int64_t wait = shared.admit(asked.now_ns);
    if (wait == Capacity::never) return turned_away;
    reception.wait_ns += wait;
  }
  return reception.wait_ns == 0 ? Router::none : kept;
}

std::uint32_t Balancer::choose_target(const Asked& asked) {
  const std::int64_t now = asked.now_ns;
  if (!surge.empty()) return Router::none;  // who has come before goes before
  const std::uint32_t node = nodes == 1 ? 0 : ask_dns(asked);
  if (cookies.active()) {
    const auto client = static_cast<std::uint32_t>(asked.client);
    std::uint32_t slot = cookies.target_of(asked.source, client, now);
    if (slot != Stickiness::none) slot += node;
    if (slot != Stickiness::none && takes(slot)) {
      router_of(slot).sent(slot);
      ++cookie_counts.followed;
      if (!group_sent.empty()) ++group_sent[slots[slot].cell];
      return slot;
    }
    cookie_counts.moved += slot != Stickiness::none ? 1 : 0;
  }
  const std::uint32_t cell = choose_cell(asked, node);
  if (cell == cells()) return Router::none;
  if (!group_sent.empty()) ++group_sent[cell];
  Router& from = router_in(cell);
  if (!slow_starts.empty()) {
    settle(cell, now);
    if (!slow_starts[cell].empty()) {
      const std::uint32_t slot = slow_starts[cell].take(
          now, from.total_weight(), [&](std::uint32_t ramping) { return from.weight_of(ramping); });
      if (slot != SlowStart::none) return slot;
    }
  }
  return from.route(asked);
}

// A group by the client's cookie, if that lives and the group has a weight; else as it is drawn.
std::uint32_t Balancer::choose_cell(const Asked& asked, std::uint32_t node) {
  if (group_weights.empty() && zones.empty()) return node;
  if (group_cookies.active()) {
    const auto client = static_cast<std::uint32_t>(asked.client);
    const std::uint32_t group = group_cookies.target_of(asked.source, client, asked.now_ns);
    if (group != Stickiness::none && group_weights[group] != 0) {
      ++cookie_counts.grouped;
      return group;
    }
  }
  return ask_dns(asked);
}

// The node that the client's answer names, for as long as that lives; who is no client, or has
// none, asks.
std::uint32_t Balancer::ask_dns(const Asked& asked) {
  if (!dns.active()) return draw_cell();
  const auto client = static_cast<std::uint32_t>(asked.client);
  const std::uint32_t known = dns.target_of(asked.source, client, asked.now_ns);
  if (known != Stickiness::none) {
    dns_counts.stale += has_left_dns(known) ? 1 : 0;
    return known;
  }
  ++dns_counts.answers;
  const std::uint32_t cell = draw_cell();
  dns.renew(asked.source, client, cell, asked.now_ns);
  return cell;
}

bool Balancer::has_left_dns(std::uint32_t cell) const {
  return health.active() && health.domains_in_dns() != 0 && !health.in_dns(cell);
}

// A group by its weight, whether or not it has targets; none (cells()) if no group has any. A node
// of those that are in the DNS, each as likely: those with enough healthy targets; where there is
// none, all that have targets.
std::uint32_t Balancer::draw_cell() {
  if (!group_weights.empty()) return draw_group();
  std::uint32_t in_dns = 0;
  const bool healthy = health.active() && health.domains_in_dns() != 0;
  const auto is_in = [&](std::uint32_t cell) {
    if (healthy) return health.in_dns(cell);
    return router_in(cell).size() != 0 || (!slow_starts.empty() && !slow_starts[cell].empty());
  };
  for (std::uint32_t cell = 0; cell < cells(); ++cell) in_dns += is_in(cell) ? 1 : 0;
  if (in_dns == 0) return 0;
  std::uint32_t left = draws.below(in_dns);
  for (std::uint32_t cell = 0;; ++cell) {
    if (is_in(cell) && left-- == 0) return cell;
  }
}

std::uint32_t Balancer::draw_group() {
  const std::uint32_t total = std::accumulate(group_weights.begin(), group_weights.end(), 0U);
  if (total == 0) return cells();
  std::uint32_t left = draws.below(total);
  std::uint32_t cell = 0;
  while (left >= group_weights[cell]) left -= group_weights[cell++];
  return cell;
}

void Balancer::settle(std::uint32_t cell, std::int64_t now) {
  slow_starts[cell].settle(now, [&](std::uint32_t slot) { router_in(cell).resume(slot); });
}

std::uint32_t Balancer::add_target(std::uint32_t instance, std::uint32_t of_class,
                                   std::uint32_t cell, std::int64_t now) {
  const std::uint32_t first = router.slots();
  if (nodes == 1) add_slot(instance, of_class, cell, now);
  for (std::uint32_t node = 0; node < nodes && nodes != 1; ++node) {
    add_slot(instance, of_class, node, now);
  }
  return first;
}

void Balancer::add_slot(std::uint32_t instance, std::uint32_t of_class, std::uint32_t cell,
                        std::int64_t now) {
  const std::uint32_t slot = router.slots();
  for (std::uint32_t at = 0; at < cells(); ++at) {
    router_in(at).add(of_class);
    if (at != cell) router_in(at).remove(slot);
  }
  slots.push_back(
      {0, instance, static_cast<std::uint16_t>(of_class), static_cast<std::uint16_t>(cell)});
  if (slot == 0) first_instance = instance;
  if (of_class != 0 || instance != first_instance + slot) first_instance = Visit::none;
  unserved.push_back({});
  if (surge.active()) full.push_back(0);
  if (anomalies.active()) anomalies.add(slot);
  if (!slow_starts.empty()) slow_starts[cell].add(slot, now);
  if (health.active()) {
    health.add(slot, now, now == 0, cell);
    follow_health(now);
  } else if (!slow_starts.empty()) {
    settle(cell, now);
    slow_starts[cell].enter(slot, now);
    if (is_ramping(slot)) router_in(cell).suspend(slot);
  }
}

void Balancer::remove_target(std::uint32_t first, std::int64_t now) {
  for (std::uint32_t node = 0; node < nodes; ++node) remove_slot(first + node, now);
}

void Balancer::remove_slot(std::uint32_t slot, std::int64_t now) {
  if (!slow_starts.empty()) {
    settle(slots[slot].cell, now);
    slow_starts[slots[slot].cell].remove(slot);
  }
  router_of(slot).remove(slot);
  if (anomalies.active()) {
    anomalies.remove(slot);
    router_of(slot).set_share(slot, anomalies.share(slot));
  }
  if (!health.active()) return;
  health.remove(slot, now);
  follow_health(now);
}

Balancer::Tally Balancer::tally() const {
  if (nodes == 1 || !health.active())
    return {health.healthy(), health.unhealthy(), health.initial()};
  Tally tally;
  for (std::uint32_t first = 0; first < slots.size(); first += nodes) {
    std::uint32_t healthy = 0;
    std::uint32_t unhealthy = 0;
    for (std::uint32_t slot = first; slot < first + nodes; ++slot) {
      healthy += health.state(slot) == TargetHealth::healthy ? 1 : 0;
      unhealthy += health.state(slot) == TargetHealth::unhealthy ? 1 : 0;
    }
    if (health.state(first) == TargetHealth::unused) continue;
    ++(healthy == nodes ? tally.healthy : unhealthy != 0 ? tally.unhealthy : tally.initial);
  }
  return tally;
}

void Balancer::follow_health(std::int64_t now) {
  for (const std::uint32_t slot : health.changed()) {
    Router& of = router_of(slot);
    if (!of.present(slot)) continue;
    if (resets(slot)) ill.push_back(slot);
    if (!slow_starts.empty()) {
      SlowStart& slow_start = slow_starts[slots[slot].cell];
      settle(slots[slot].cell, now);
      const bool healthy = health.state(slot) == TargetHealth::healthy;
      healthy ? slow_start.enter(slot, now) : slow_start.leave(slot);
    }
    const bool in_round = health.takes_requests(slot) && !is_ramping(slot) && !is_full(slot);
    if (in_round && of.suspended(slot)) of.resume(slot);
    if (!in_round && !of.suspended(slot)) of.suspend(slot);
  }
  health.clear_changed();
}

// The peers of a target are the healthy ones of its cell, where it is known who is.
void Balancer::look_for_anomalies() {
  std::vector<std::uint32_t> cell_of(slots.size(), Anomalies::aside);
  for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
    const bool well = !health.active() || health.state(slot) == TargetHealth::healthy;
    if (well && router_of(slot).present(slot)) cell_of[slot] = slots[slot].cell;
  }
  anomalies.look(cell_of);
  renew_shares();
}

void Balancer::renew_shares() {
  for (std::uint32_t slot = 0; slot < slots.size() && anomalies.active(); ++slot) {
    Router& of = router_of(slot);
    if (of.share_of(slot) != anomalies.share(slot)) of.set_share(slot, anomalies.share(slot));
  }
}

void Balancer::set_full(std::uint32_t slot, bool is) {
  full[slot] = is ? 1 : 0;
  if (!router.present(slot)) return;
  const bool in_round = !is && (!health.active() || health.takes_requests(slot));
  if (in_round && router.suspended(slot)) router.resume(slot);
  if (!in_round && !router.suspended(slot)) router.suspend(slot);
}

bool Balancer::takes(std::uint32_t slot) const {
  const Router& of = router_of(slot);
  if (!of.present(slot) || (of.suspended(slot) && !is_ramping(slot))) return false;
  return group_weights.empty() || group_weights[slots[slot].cell] != 0;
}

std::vector<std::uint32_t> Balancer::of_cell(std::uint32_t cell,
                                             std::vector<std::uint32_t> counts) const {
  for (std::size_t slot = 0; slot < counts.size(); ++slot) {
    if (slots[slot].cell != cell) counts[slot] = 0;
  }
  return counts;
}

}  // namespace nephoscope
