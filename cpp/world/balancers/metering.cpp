// Metering: a look at the balancers once a minute, where any of them is billed by its use.

#include "world/balancers/metering.hpp"

#include <algorithm>

#include "world/world.hpp"

namespace nephoscope {

void World::build_metering(const WorldSpec& spec) {
  for (const BalancerSpec& balancer : spec.balancers) {
    metering_.all.emplace_back().on = balancer.metered;
    if (balancer.metered) metering_.next = Metering::minute_ns;
  }
}

// Requests sent and ended through a balancer since the start.
WorldView::Through WorldView::through(std::uint32_t balancer) const {
  Through all;
  for (const Caller& caller : callers_) {
    if (caller.to_balancer == 0 || caller.to != balancer) continue;
    all.sent += caller.sent;
    for (std::size_t kind = 0; kind < all.ended.size(); ++kind)
      all.ended[kind] += caller.ended[kind];
  }
  return all;
}

// At the end of a minute.
void World::meter() {
  const bool hour_is_over = now_ % Metering::hour_ns == 0;
  for (std::uint32_t at = 0; at < balancers_.size(); ++at) {
    Meter& meter = metering_.all[at];
    if (!meter.on) continue;
    const Through now = through(at);
    const Connections& connections = balancers_[at].connections;
    meter.hours.back().active +=
        connections.active() ? connections.open(now_) : now.sent - total(now.ended);
    if (!hour_is_over) continue;
    meter.hours.back().requests = now.sent - meter.requests_before;
    meter.hours.back().connections = connections.opened() - meter.opened_before;
    meter.requests_before = now.sent;
    meter.opened_before = connections.opened();
    meter.hours.emplace_back();
  }
  metering_.next += Metering::minute_ns;
}

// Of every hour that has begun: a run that has not begun has one.
std::vector<HourOfUse> WorldView::use_of(std::uint32_t balancer) const {
  const Meter& meter = metering_.all[balancer];
  if (!meter.on) return {};
  std::vector<HourOfUse> hours = meter.hours;
  if (now_ % Metering::hour_ns == 0 && hours.size() > 1) {
    hours.pop_back();
  } else {
    hours.back().requests = through(balancer).sent - meter.requests_before;
    hours.back().connections = balancers_[balancer].connections.opened() - meter.opened_before;
  }
  return hours;
}

}  // namespace nephoscope
