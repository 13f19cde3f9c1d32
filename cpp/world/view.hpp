// What can be said of a world at an instant: whether its laws hold, its results, and the questions
// that both ask. Nothing here changes anything (results.cpp, host_results.cpp, check.cpp, and the
// checks beside what they are about).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "world/results/results.hpp"
#include "world/state.hpp"

namespace nephoscope {

inline void add(OutcomeCounts& to, const OutcomeCounts& from) {
  for (std::size_t kind = 0; kind < to.size(); ++kind) to[kind] += from[kind];
}

inline void merge_route(Account& to, const Route& route) {
  to.latency.merge(route.latency);
  add(to.ended, route.ended);
}

class WorldView : protected WorldState {
 public:
  // Throws InvariantError, with seed and instant, when a conservation law does not hold.
  // O(everything).
  void check() const;

  // Checks, then gathers what is known at this instant.
  Results results() const;

  // What an observer may look at: instances in the order of launch, queues, and the sources.
  std::vector<InstanceView> instances() const;
  std::vector<QueueView> queues() const;
  std::vector<std::int64_t> next_arrivals() const;  // by traffic; `never` for closed sources
  std::uint64_t in_flight(std::uint32_t traffic) const;

 protected:
  explicit WorldView(const WorldSpec& spec) : WorldState(spec) {}

  std::string where() const;
  const Caller& caller_of(const Sent& sent) const { return callers_[routes_[sent.route].caller]; }
  // Measured requests so far.
  std::uint64_t offered(const Caller& caller) const {
    return warm_ ? caller.sent - caller.sent_at_warmup : 0;
  }
  // Who and how many.
  struct Through {
    std::uint64_t sent = 0;
    OutcomeCounts ended{};
  };
  Through through(std::uint32_t balancer) const;
  OutcomeCounts without_foretold(OutcomeCounts ended) const;
  // When somebody looks (run.cpp).
  std::int64_t next_sample() const;
  std::int64_t next_reckoning() const;
  std::int64_t next_look() const;
  std::int64_t next_check() const;
  std::int64_t next_control() const;
  std::int64_t next_sight() const;
  bool asks_without_visits(const Route& route) const;
  bool has_one_plain_caller() const;
  bool may_foretell() const;
  bool may_be_foretold(const Fleet& fleet) const;
  bool sends_checks(std::uint32_t balancer) const;
  bool answers_in_time(const Route& route, std::uint32_t instance, std::int64_t work,
                       std::int64_t deadline) const;
  bool may_be_late() const;
  bool holds_unseen(std::uint32_t instance) const;
  bool must_go_back() const { return late_at_ == now_ && unseen_until_ > now_; }
  std::uint32_t machine_of(std::uint32_t instance) const;
  const Make& make_of(std::uint32_t instance) const {
    return fleets_[fleet_of_[instance]].make_at(index_in_fleet_[instance]);
  }
  std::uint32_t make_number(std::uint32_t instance) const {
    return fleets_[fleet_of_[instance]].make_number(index_in_fleet_[instance]);
  }
  std::uint32_t vcpus_of(std::uint32_t instance) const {
    return make_of(instance).guest.tenant.vcpus;
  }
  // Calls action(machine, its present instance) for each that counts for the size of a fleet.
  template <class Action>
  void for_each_alive(const Fleet& fleet, Action action) const {
    for (const std::uint32_t instance : fleet.members) action(machine_of(instance), instance);
    for (const std::uint32_t machine : fleet.aside) action(machine, machines_[machine].instance);
    if (fleet.booting == 0) return;
    for (const std::uint32_t instance : fleet.launching) {
      if (phase_[instance] == Phase::booting) action(machine_of(instance), instance);
    }
  }
  bool uses_devices(std::uint32_t fleet) const;
  std::vector<std::uint32_t> outstanding(std::uint32_t balancer) const;
  void count_instances(Fleet& fleet) const;
  void restart_count(Fleet& fleet) const;
  // Whether the instances of a fleet are on hosts that the scenario names.
  bool is_on_hosts(const Fleet& fleet) const {
    return fleet.makes.front().request.pool < host_names_.size();
  }
  // What an instance used of its vCPUs, in all or since the warm-up.
  TenantAccount used(std::uint32_t instance, HostPools& hosts) const;
  std::int64_t run_at_warmup(std::uint32_t instance) const;
  TenantAccount used_since_warmup(std::uint32_t instance, HostPools& hosts) const;
  // Faults, refreshes and scaling.
  std::vector<std::uint32_t> instances_of(const Struck& struck) const;
  bool is_full(std::uint32_t instance) const;
  std::vector<std::uint32_t> flows_to_ill(std::uint32_t balancer) const;
  bool is_struck(std::uint32_t instance) const;
  std::uint32_t code_of_checks(std::uint32_t instance, std::uint32_t node) const;
  bool holds(const Struck& struck, std::uint32_t instance) const;
  double slowness(std::uint32_t instance) const;
  bool is_well(std::uint32_t instance) const;
  bool is_ready(const Refresh& refresh, std::uint32_t instance) const;
  std::uint32_t replaced(std::uint32_t fleet) const;
  bool has_served_since(const ScaledFleet& it, std::uint32_t instance, std::int64_t time) const;
  Datapoint backlog_per_instance(const ScaledFleet& it, std::uint32_t queue) const;
  double requests_per_target(const ScaledFleet& it) const;
  std::uint64_t sent_to(const Attachment& attachment) const;
  GroupView group_view(const ScaledFleet& it, std::uint32_t policy) const;
  std::vector<std::uint32_t> out_of_service(std::uint32_t fleet, Standing standing) const;
  // Which instances a fleet keeps.
  struct ToReplace {
    std::vector<std::uint32_t> instances;
    std::size_t unhealthy = 0;  // the first of them
  };
  ToReplace to_replace(const Fleet& fleet) const;
  bool is_member(std::uint32_t instance) const {
    return phase_[instance] == Phase::serving || phase_[instance] == Phase::down;
  }
  std::uint32_t zone_of(std::uint32_t instance) const;
  std::vector<ZoneCount> zone_counts(const Fleet& fleet) const;
  std::int64_t rank_to_go(const Fleet& fleet, std::uint32_t instance) const;
  void check_window(const WorldSpec& spec) const;
  LaunchFacts facts_of_next(Fleet& fleet) const;
  void count_on_spot(Fleet& fleet) const;
  void rate_misfits(const Fleet& fleet, std::vector<Candidate>& candidates) const;
  std::vector<std::uint32_t> who_goes(const Fleet& fleet, std::uint32_t count) const;
  std::vector<std::uint32_t> split_to_go(const Fleet& fleet, const std::vector<Candidate>& all,
                                         std::uint32_t count) const;
  std::uint32_t count_on_demand(const Fleet& fleet) const;
  bool is_unhealthy(const Fleet& fleet, std::uint32_t instance) const;
  std::uint32_t margin_of(const Fleet& fleet) const;
  std::uint32_t pool_size(const Fleet& fleet) const;
  std::int64_t hook_ns(const Hook& hook, std::uint32_t instance, bool& late) const;
  // Of the requests whose caller still waits, in no order that means anything.
  template <class Action>
  void for_each_request(Action action) const {
    visits_.for_each([&](const Visit& it) {
      if ((it.flags & Visit::left) == 0) action(it);
    });
    instances_.for_each_job([&](const Job& job) {
      if (!is_visit(job)) action(sent_of(job));
    });
  }

  // The parts of the results.
  std::vector<Column> series() const;
  std::vector<std::int64_t> busy_ns() const;
  std::int64_t stolen_ns(std::uint32_t fleet) const;
  std::vector<InFlight> count_in_flight() const;
  template <class Chosen>
  Account account_of(Chosen chosen, const std::vector<InFlight>& in_flight) const;
  TrafficAccount traffic_account(std::uint32_t traffic,
                                 const std::vector<InFlight>& in_flight) const;
  void tell_requests(TrafficAccount& account, std::uint32_t traffic) const;
  void tell_choice(BalancerAccount& account, std::size_t balancer,
                   const std::vector<InFlight>& in_flight) const;
  std::vector<TargetAccount> targets_of(std::size_t balancer, HostPools& hosts) const;
  std::vector<HourOfUse> use_of(std::uint32_t balancer) const;
  FleetAccount fleet_account(std::size_t fleet, const std::vector<InFlight>& in_flight,
                             HostPools& hosts) const;
  QueueAccount queue_account(const WorldQueue& it) const;
  PipeAccount pipe_account(const Pipe& it) const;
  TopicAccount topic_account(const Topic& it) const;
  ScalingAccount scaling_account(const ScaledFleet& it) const;
  std::vector<HostPoolAccount> host_accounts(HostPools& hosts,
                                             std::vector<FleetAccount>& fleets) const;
  void split_between_hosts(std::vector<HostPoolAccount>& pools) const;
  // Whether it can be told when a plain request of a fleet has been answered what it waited for: it
  // computed alone on its instance, at one speed.
  bool is_told_afterwards(std::uint32_t fleet) const;
  std::uint32_t link_of(std::uint32_t pool, std::uint32_t host) const;
  InstanceDevices::SharedLink shared_link(std::uint32_t instance, Device way) const;
  void bill(std::vector<FleetAccount>& accounts) const;
  std::uint64_t lived_ns(std::uint32_t machine) const;
  void add_credits(std::uint32_t instance, CreditTotals& totals) const;

  // Laws of one concern.
  void check_policies() const;
  void check_devices() const;
  void check_errands() const;
  void check_lives() const;
  void check_admission() const;
  void check_refresh() const;
  void check_membership() const;
  void check_pools() const;
  void check_standby() const;
  void check_health() const;
  void check_scaling() const;
  void check_faults() const;
  void check_hosts() const;
  void check_migrations() const;
  void check_surges() const;
  bool is_kept(std::uint32_t visit) const {
    return visit < kept_.size() && kept_[visit].timer != EventQueue::none;
  }
  void check_kept() const;
  void check_hanging() const;
  bool is_silent(std::uint32_t instance) const;
  void check_connecting() const;
  void check_queues() const;
  void check_topics() const;
  bool archives_agree() const;
  std::uint64_t pending_of(const Topic& topic) const;
  void check_traces() const;
  void check_held() const;
};

}  // namespace nephoscope
