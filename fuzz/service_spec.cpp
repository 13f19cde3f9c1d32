#include "fuzz/service_spec.hpp"

#include <cstdint>

#include "fuzz/odd.hpp"

namespace nephoscope::fuzz {
namespace {

AdmissionRules admission(Bytes& bytes) {
  AdmissionRules made;
  if (bytes.one_in(2)) {
    made.burst = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 20);
    made.refill = odd_time(bytes, 0, 1000);  // up to 1000 tokens a second
    made.limits_checks = bytes.one_in(2);
  }
  if (bytes.one_in(2)) made.queue_delay_ns = odd_time(bytes, 0, 20);
  if (bytes.one_in(2)) made.in_flight = bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 6);
  made.sheds_checks = bytes.one_in(2);
  return made;
}

RefreshSpec refresh(Bytes& bytes) {
  RefreshSpec made;
  made.at_ns = odd_time(bytes, 0, 600);
  made.min_healthy = odd_count(bytes, 0, 100);
  if (bytes.one_in(2)) made.max_healthy = odd_count(bytes, 100, 200);
  made.warmup_ns = odd_time(bytes, 0, 100);
  made.checkpoint_delay_ns = odd_time(bytes, 0, 100);
  std::uint32_t percent = 0;
  for (std::uint32_t left = bytes.between(0, 3); left != 0; --left) {
    percent += bytes.between(bytes.one_in(odd_once_in) ? 0 : 1, 33);
    made.checkpoints.push_back(percent);
  }
  made.protected_ones = static_cast<ProtectedOnes>(bytes.between(0, 2));
  made.standby_ones = static_cast<StandbyOnes>(bytes.between(0, 2));
  made.skip_matching = bytes.one_in(4);
  return made;
}

// Its refresh looks at the alarms among its policies, and at one that is none.
void watch_alarms(Bytes& bytes, FleetSpec& fleet) {
  for (std::uint32_t at = 0; at < fleet.scaling.policies.size(); ++at) {
    const bool is_one = fleet.scaling.policies[at].kind == PolicyKind::alarm;
    if (is_one || bytes.one_in(odd_once_in)) fleet.refresh.alarms.push_back(at);
  }
}

FleetSpec other(Bytes& bytes, const FleetSpec& fleet) {
  FleetSpec made = fleet;
  made.vcpus = bytes.one_in(odd_once_in) ? 0 : bytes.between(1, 4);
  made.speed = odd_number(bytes, 0.5, 4.0);
  made.memory = bytes.one_in(2) ? odd_time(bytes, 0, 32) : 0;
  made.burst = BurstFacts{};
  made.reservation = 0.0;
  if (bytes.one_in(odd_once_in)) made.hosts = bytes.between(0, 3);
  return made;
}

}  // namespace

void add_services(Bytes& bytes, WorldSpec& spec) {
  for (ServiceSpec& service : spec.services) {
    if (bytes.one_in(3)) service.admission = admission(bytes);
  }
  for (FleetSpec& fleet : spec.fleets) {
    if (bytes.one_in(3)) fleet.refresh = refresh(bytes);
    if (bytes.one_in(2)) watch_alarms(bytes, fleet);
    if (bytes.one_in(3)) fleet.makes.push_back(other(bytes, fleet));
    if (!fleet.makes.empty()) fleet.refresh.make = bytes.one_in(odd_once_in) ? 2 : 1;
  }
  for (BalancerSpec& balancer : spec.balancers) balancer.metered = bytes.one_in(2);
}

}  // namespace nephoscope::fuzz
