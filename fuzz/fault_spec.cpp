#include "fuzz/fault_spec.hpp"

#include <cstdint>

#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"

namespace nephoscope::fuzz {
namespace {

HealthSpec health(Bytes& bytes) {
  HealthSpec made;
  made.interval_ns = odd_time(bytes, 20, 300);
  made.timeout_ns = bytes.one_in(odd_once_in) ? odd_time(bytes, 0, 500) : made.interval_ns / 2;
  if (bytes.one_in(3)) made.work_ns = odd_time(bytes, 0, 30);
  made.healthy_threshold = odd_count(bytes, 1, 4);
  made.unhealthy_threshold = odd_count(bytes, 1, 3);
  made.minimum_healthy = bytes.between(0, 4);
  made.dns_healthy = bytes.between(0, 4);
  made.dns_share = bytes.one_in(3) ? odd_number(bytes, 0.0, 1.0) : 0.0;
  made.minimum_share = bytes.one_in(3) ? odd_number(bytes, 0.0, 1.0) : 0.0;
  made.sends_to_new = bytes.one_in(4);
  made.resets = bytes.one_in(4);
  return made;
}

FaultSpec fault(Bytes& bytes, const WorldSpec& spec) {
  FaultSpec made;
  made.kind = bytes.enumerator<FaultKind>(6);
  const std::uint8_t scopes = spec.hosts.empty() ? 1 : 4;
  made.scope = bytes.enumerator<FaultScope>(scopes);
  const bool on_hosts = made.scope == FaultScope::host || made.scope == FaultScope::rack;
  made.index = odd_index(bytes, on_hosts ? spec.hosts.size() : spec.fleets.size());
  if (made.scope == FaultScope::zone) made.index = bytes.between(0, 3);
  if (bytes.one_in(2)) made.unit = bytes.one_in(odd_once_in) ? bytes.raw<std::uint32_t>() : 0;
  made.count = odd_count(bytes, 1, 4);
  made.random = bytes.one_in(3);
  made.at_ns = odd_time(bytes, 0, 1000);
  made.every = distribution(bytes, 60.0);
  made.ends = made.kind != FaultKind::kill && !bytes.one_in(4);
  if (bytes.one_in(odd_once_in)) made.ends = true;
  made.lasts = distribution(bytes, 60.0);
  if (made.kind == FaultKind::maintain) {
    if (made.scope == FaultScope::fleet && !bytes.one_in(odd_once_in)) made.kind = FaultKind::fail;
    made.by = bytes.enumerator<MoveBy>(bytes.one_in(odd_once_in) ? 4 : 3);
    if (bytes.one_in(2)) made.otherwise = bytes.enumerator<MoveBy>(2);
    if (bytes.one_in(odd_once_in)) made.otherwise = MoveBy::migrate;
    if (bytes.one_in(2)) made.pause = distribution(bytes, 5.0);
    if (made.kind == FaultKind::maintain) made.notice_ns = odd_time(bytes, 0, 200);
  }
  const bool loses = made.kind == FaultKind::lose_health_checks;
  if (loses && bytes.one_in(4)) made.node = bytes.between(0, 3);
  if (loses && bytes.one_in(3)) made.code = bytes.one_in(odd_once_in) ? 77 : 503;
  if (made.kind == FaultKind::slow) made.factor = odd_number(bytes, 1.0, 20.0);
  return made;
}

}  // namespace

void add_faults(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  for (BalancerSpec& balancer : spec.balancers) {
    if (bytes.one_in(2)) balancer.health = health(bytes);
    if (bytes.one_in(2)) balancer.drain_ns = odd_time(bytes, 0, 300);
  }
  spec.faults.resize(bytes.between(0, 4));
  for (FaultSpec& made : spec.faults) made = fault(bytes, spec);
}

}  // namespace nephoscope::fuzz
