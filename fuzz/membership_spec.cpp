#include "fuzz/membership_spec.hpp"

#include <cstdint>

#include "fuzz/odd.hpp"
#include "fuzz/world_spec.hpp"

namespace nephoscope::fuzz {
namespace {

HookSpec hook(Bytes& bytes) {
  HookSpec made;
  made.active = true;
  made.continues = bytes.one_in(2);
  made.duration = distribution(bytes, 50.0);
  made.timeout_ns = odd_time(bytes, 1000, 2000);
  return made;
}

MembershipSpec membership(Bytes& bytes) {
  MembershipSpec made;
  made.termination = bytes.enumerator<TerminationPolicy>(termination_policies);
  made.balance = bytes.enumerator<ZoneBalance>(3);
  made.asks_balancers = bytes.one_in(4);
  if (bytes.one_in(4)) made.impaired_ns = odd_time(bytes, 1, 5000);
  if (bytes.one_in(2)) made.grace_ns = odd_time(bytes, 0, 2000);
  made.launches_first = bytes.one_in(2);
  if (bytes.one_in(3)) made.protect = bytes.one_in(2) ? MembershipSpec::all : bytes.between(1, 3);
  if (bytes.one_in(odd_once_in)) made.lifetime_ns = bytes.any_of(odd_times);
  if (bytes.one_in(3)) {
    made.pool.active = true;
    made.pool.state = bytes.enumerator<WarmState>(3);
    made.pool.reuse = bytes.one_in(2);
    made.pool.min = odd_count(bytes, 0, 3);
    made.pool.prepared = odd_count(bytes, 0, 8);
  }
  if (bytes.one_in(3)) made.launch = hook(bytes);
  if (bytes.one_in(3)) made.terminate = hook(bytes);
  return made;
}

}  // namespace

void add_membership(Bytes& bytes, WorldSpec& spec) {
  if (!bytes.one_in(2)) return;
  for (FleetSpec& fleet : spec.fleets) {
    if (bytes.one_in(2)) fleet.membership = membership(bytes);
  }
}

}  // namespace nephoscope::fuzz
