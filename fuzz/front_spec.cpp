#include "fuzz/front_spec.hpp"

#include <string>

#include "fuzz/odd.hpp"

namespace nephoscope::fuzz {
namespace {

void group(Bytes& bytes, BalancerSpec& made) {
  made.groups.resize(bytes.between(1, 3));
  for (std::size_t i = 0; i < made.groups.size(); ++i) {
    made.groups[i].name = "group" + std::to_string(i);
    made.groups[i].weight = odd_count(bytes, 0, 9);
  }
  for (TargetSpec& target : made.targets) target.group = odd_index(bytes, made.groups.size());
}

}  // namespace

void add_fronts(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  for (BalancerSpec& made : spec.balancers) {
    if (bytes.one_in(3)) made.cross_zone = false;
    if (bytes.one_in(3) && (made.cross_zone || bytes.one_in(odd_once_in))) group(bytes, made);
    if (bytes.one_in(2)) {
      made.slow_start_ns = odd_time(bytes, 0, 300);
      if (!bytes.one_in(odd_once_in)) made.routing.kind = RoutingKind::round_robin;
    }
    if (bytes.one_in(3) && made.cross_zone) {
      made.stickiness_ns = odd_time(bytes, 0, 300);
      if (bytes.one_in(3)) made.group_stickiness_ns = odd_time(bytes, 0, 300);
      made.cookie_renewed = bytes.one_in(2);
      if (made.groups.empty() || bytes.one_in(odd_once_in)) made.application_cookie = true;
    }
    const bool whole = made.cross_zone && made.groups.empty();
    if (bytes.one_in(3) && (whole || bytes.one_in(odd_once_in)))
      made.nodes = odd_count(bytes, 1, 4);
    const bool alone = whole && made.nodes == 1 && made.slow_start_ns == 0;
    if (bytes.one_in(2) && alone) {
      made.surge_queue = odd_count(bytes, 1, 4);
      if (!bytes.one_in(odd_once_in)) made.stickiness_ns = 0;
    }
    if (bytes.one_in(3)) {
      made.capacity.start = odd_number(bytes, 1.0, 500.0);
      made.capacity.minimum = made.capacity.start / 2.0;
    }
    if (bytes.one_in(3)) made.idle_timeout_ns = odd_time(bytes, 0, 100);
    if (bytes.one_in(3)) made.connect_timeout_ns = odd_time(bytes, 0, 100);
    const bool named = made.nodes != 1 || !made.cross_zone;
    if (bytes.one_in(3) && (named || bytes.one_in(odd_once_in)))
      made.dns_ttl_ns = odd_time(bytes, 0, 300);
  }
  for (std::size_t at = 1; at < spec.balancers.size(); ++at) {
    if (!bytes.one_in(3)) continue;
    spec.balancers[at].listener_of = odd_index(bytes, at);
    if (!bytes.one_in(odd_once_in)) spec.balancers[at].capacity = {};
  }
}

}  // namespace nephoscope::fuzz
