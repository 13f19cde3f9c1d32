// The world: it owns every part and runs the one event loop.
//
// An event is an arrival, the completion of an instance's first computing job, the end of a sleep,
// a caller's oldest deadline, or a user who has thought. The loop takes the next one in the order
// (time, sequence), calls one part, looks at what came back and calls the next. The way of a
// request through the house is written in requests.hpp and nowhere else.
//
// Completions that change nothing for anybody else are not waited for: a fleet that nobody looks at
// is `unwatched` and has no entry in the calendar (docs/decisions/0006-plain-requests.md).
//
// Instances on shared hosts run at the rate that the hypervisor gives them: whenever the number of
// vCPUs that one wants to run has changed, the hypervisor is told, and whose rate is another one
// now is followed up (hosting.cpp). The life of instances is in launching.cpp.
//
// A world is a value: copying it (state.hpp) forks the simulation. Two worlds share nothing.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/hot_path.hpp"
#include "world/calendar_entries.hpp"
#include "world/spec/spec.hpp"
#include "world/view.hpp"

namespace nephoscope {

class World : public WorldView {
  friend class Messaging;  // the queues and their consumers
  friend class Tracing;    // where the time of requests goes
  friend class SpotMarket;

 public:
  // Throws SpecError, with the path of the field, when the spec cannot be simulated.
  explicit World(const WorldSpec& spec);

  // Runs every event before `until` (exclusive), at most to the end of the run. How a run is cut
  // into calls changes nothing.
  void advance(std::int64_t until);

  // The same with `check` after every event. For tests.
  void advance_checked(std::int64_t until);

  std::int64_t now() const { return now_; }
  std::int64_t duration() const { return duration_; }
  std::uint64_t events() const { return events_; }

  // What an operator does from outside, now, to instances of a fleet (ActionSpec). Returns how many
  // there were to do it to.
  std::uint32_t act(ActionKind kind, std::uint32_t fleet, std::uint32_t count,
                    bool replaced = false);

  // Lets an instance go on on that host of its pool, or on any, and 1; 0 where it has to stay.
  std::uint32_t migrate_now(std::uint32_t instance, std::uint32_t host, std::int64_t pause_ns);
  // Whether scale-ins spare one that serves, from now on, and 1; 0 where it does not serve.
  std::uint32_t protect(std::uint32_t instance, bool on);

  // Changes from this instant on. Throw SpecError when the value or the index is not legal.
  void set_rate(std::uint32_t traffic, double per_second);
  void set_count(std::uint32_t fleet, std::uint32_t count);
  // Another make for instances of a fleet; its number there. And a refresh that begins now.
  std::uint32_t add_make(std::uint32_t fleet, const FleetSpec& make);
  void begin_refresh(std::uint32_t fleet, const RefreshSpec& refresh);
  void set_routing(std::uint32_t balancer, const RoutingSpec& routing);
  void set_weight(std::uint32_t balancer, std::uint32_t fleet, double weight);
  void set_group_weight(std::uint32_t balancer, std::uint32_t group, std::uint32_t weight);

  // The state as bytes, and a world of the same spec brought to a saved state (StateError if they
  // do not fit). What resumes is the same to the bit.
  std::string save() const;
  void restore(std::string_view bytes);

 private:
  // Building (build.cpp, build_traffic.cpp).
  void build_services(const WorldSpec& spec);
  void build_hosts(const WorldSpec& spec);
  void build_fleets(const WorldSpec& spec);
  void build_make(const FleetSpec& from, std::uint32_t fleet, const std::string& path);
  void require_alike(const Make& make, const Make& first, const std::string& path) const;
  void build_devices(const FleetSpec& from, Make& make);
  void build_launches(const FleetSpec& from, std::uint32_t fleet, Make& make);
  void build_membership(const WorldSpec& spec, std::uint32_t fleet);
  void build_lives(const FleetSpec& from, std::uint32_t fleet, Make& make);
  void build_life(const FleetSpec& from, std::uint32_t fleet);
  void build_accounts(const WorldSpec& spec);
  void build_actions(const WorldSpec& spec);
  void own_hosts(const FleetSpec& from, Make& make);
  void check_burst(const FleetSpec& from, std::uint32_t pool) const;
  void build_balancers(const WorldSpec& spec);
  void build_cells(const WorldSpec& spec, std::size_t index, const std::vector<double>& weights);
  void build_health(const BalancerSpec& from, std::size_t index);
  void build_anomalies(const BalancerSpec& from, std::size_t index);
  void build_capacity(const WorldSpec& spec, std::size_t index);
  void build_slow_starts(const BalancerSpec& from, std::size_t index);
  void build_cookies(const WorldSpec& spec);
  void build_reception(const WorldSpec& spec);
  void build_dns(const WorldSpec& spec);
  std::vector<std::uint64_t> clients_of(const WorldSpec& spec, std::uint32_t balancer,
                                        const std::string& path) const;
  std::uint32_t cell_of(const Balancer& balancer, std::uint32_t of_class,
                        std::uint32_t instance) const;
  void build_faults(const WorldSpec& spec);
  void build_metering(const WorldSpec& spec);
  void build_refresh(const FleetSpec& from, std::uint32_t at);
  void build_callers(const WorldSpec& spec);
  void build_errands(const WorldSpec& spec);
  void add_backoff(std::uint32_t caller, const std::string& name);
  void build_sources(const WorldSpec& spec);
  void build_samplers(const WorldSpec& spec);
  void build_series();
  void add_caller(const Destination& to, std::int64_t timeout_ns, bool abandons,
                  const std::string& path);
  void add_checker(std::uint32_t balancer);
  void add_route(std::uint32_t caller, std::uint32_t fleet);
  void find_first_samplers();
  void refuse_endless_calls(const WorldSpec& spec) const;
  std::vector<std::uint32_t> services_behind(const WorldSpec& spec, const Destination& to) const;
  std::vector<bool> services_reached(const WorldSpec& spec, const Destination& from) const;
  static Sampler client_sampler(const ClientSpec& clients, StreamKey key);

  // Running (run.cpp, requests.hpp, requests.cpp, deadlines.cpp).
  template <bool checked>
  void run_to(std::int64_t until);
  void run_in_shape(std::int64_t until);
  bool run_in_known_shape(std::int64_t until);
  template <class Shape, bool checked>
  bool run_events(std::int64_t until);
  void look();
  void control();
  template <class Shape>
  void fetch_ahead() const;
  template <class Shape>
  void fetch_for_arrivals(std::uint64_t serial) const;
  template <class Shape>
  void handle(const EventQueue::Event& event);
  void handle_other(const EventQueue::Event& event);
  template <class Shape>
  bool arrive();
  NEPHOSCOPE_COLD void swap_arrival();
  void add_arrival(const Arrival& arrival);
  void send_of_user(std::uint32_t user);
  void think_again(std::uint32_t user, std::int64_t took_ns);
  template <class Shape>
  std::uint32_t send_new(std::uint32_t caller, const Request& request);
  template <class Shape>
  std::uint32_t send(Caller& caller, const Request& request);
  template <class Shape>
  bool send_unseen(const Caller& caller, const Sent& sent, std::uint32_t instance,
                   std::int64_t work);
  // Somebody late where nobody watches (going_back.cpp).
  bool holds_in_time(std::uint32_t instance, std::int64_t work, std::int64_t deadline);
  NEPHOSCOPE_COLD bool watch_from_here(std::uint32_t fleet);
  std::int64_t book_ahead(std::optional<World>& earlier) const;
  void go_back(std::optional<World>& earlier);
  void tell_held();
  void send_plain(std::uint32_t instance, const Job& job);
  std::uint32_t send_visit(const Sent& sent, std::uint32_t instance, std::int64_t work,
                           const Request& request);
  NEPHOSCOPE_COLD void refuse(const Sent& sent, const Request& request);
  std::uint32_t take_visit(const Sent& sent, const Request& request);
  template <class Shape>
  void complete(std::uint32_t instance);
  template <class Shape>
  void complete_first(std::uint32_t instance);
  template <class Shape>
  std::uint32_t finish(std::uint32_t instance, const Job& job);
  template <class Shape>
  std::uint32_t hand_over(std::uint32_t instance);
  bool lets_in(std::uint32_t instance, const Sent& sent, bool is_check);
  NEPHOSCOPE_COLD Outcome refused_by(const Sent& sent, std::uint32_t instance);
  void count_broken(const Sent& sent);
  void run(std::uint32_t visit);
  std::uint32_t run_program(std::uint32_t visit);
  void call(std::uint32_t visit, std::uint32_t call);
  // Devices (devices.cpp).
  bool use_device(std::uint32_t visit, const Programs::Step& step);
  std::int64_t touch(std::uint32_t instance, std::int64_t bytes);
  void use_accelerator(std::uint32_t visit, const Programs::Step& step);
  void add_devices(std::uint32_t instance);
  void finish_devices();
  void follow_devices();
  void begin(std::uint32_t instance, const Job& job);
  void compute(std::uint32_t visit, std::int64_t work);
  void expect_completion(std::uint32_t instance, std::int64_t due);
  void reschedule(std::uint32_t instance);
  void retime(std::uint32_t instance);
  void follow(std::uint32_t instance);
  void follow_hosts();
  std::uint32_t conclude(std::uint32_t visit, Outcome outcome);
  bool conclude_apart(std::uint32_t visit, Outcome outcome);
  void answer(std::uint32_t visit, Outcome outcome);
  void answer_waiting(std::uint32_t visit, Outcome outcome);
  void wake(const Awaiting& awaiting, Outcome outcome);
  void run_ready();
  template <class Shape>
  void account(const Sent& sent, std::uint32_t instance, Outcome outcome, std::int64_t now);
  void expect_deadline(std::uint32_t visit, Caller& caller);
  void unlink(std::uint32_t visit);
  void expire(std::uint32_t caller);
  void expect_late(std::uint32_t visit, Caller& caller);
  void expire_late(std::uint32_t caller);
  void give_no_more_time(std::uint32_t visit);
  void leave(std::uint32_t visit, Outcome outcome = Outcome::timed_out);
  void part(std::uint32_t visit, bool takes_back, Outcome outcome = Outcome::timed_out);
  void set_cookie(const Visit& visit);
  std::uint32_t offer_visit(std::uint32_t visit, std::int64_t work);
  // Requests that wait at their balancer (surges.cpp, reception.cpp).
  void note_load(std::uint32_t instance);
  void expect_flow(std::uint32_t balancer);
  void flow(std::uint32_t balancer);
  void place(std::uint32_t visit, Balancer& balancer, std::uint32_t target);
  void keep(std::uint32_t balancer, const Sent& sent, const Request& request);
  void let_in(std::uint32_t visit);
  void turn_down(std::uint32_t visit);
  NEPHOSCOPE_COLD void queue_up(std::uint32_t balancer, Sent sent, const Request& request);
  void leave_queue(std::uint32_t visit, Outcome outcome);
  std::uint32_t drop_late(std::uint32_t instance, std::uint32_t visit);
  // Requests that are sent more than once (errands.cpp).
  std::uint32_t begin_errand(std::uint32_t caller, const Request& request);
  std::uint32_t send_attempt(std::uint32_t errand);
  void end_attempt(std::uint32_t visit, Outcome outcome);
  bool try_again(std::uint32_t errand);
  void go_on(std::uint32_t due);
  std::uint32_t send_further(std::uint32_t errand);
  void give_up(std::uint32_t errand);
  void end_errand(std::uint32_t errand, Outcome outcome);
  bool is_for_nobody(const Errand& errand) const;
  void forget_timer(EventQueue::Handle& timer);
  template <class Shape>
  void bring_up_to_date(std::uint32_t instance, std::int64_t until);
  NEPHOSCOPE_COLD void bring_all_up_to_date(std::int64_t until);
  bool may_be_unwatched(std::uint32_t fleet) const;
  void watch_instance(std::uint32_t instance);
  void watch(std::uint32_t fleet);
  void tell_routes();
  Sampler& sampler(std::uint32_t traffic, std::uint32_t draw) {
    return samplers_[sampler_of_[traffic * programs_.draws().size() + draw]];
  }
  double draw(const Visit& visit, const Programs::Step& step) {
    return sampler(visit.traffic, step.draw).at(visit.serial, visit.path);
  }
  double draw_of_trial(const Visit& visit, const Programs::Step& step) {
    const std::uint32_t path = path_of_trial(visit.path, visit.trial);
    return sampler(visit.traffic, step.draw).at(visit.serial, path);
  }
  using WorldView::caller_of;
  Caller& caller_of(const Sent& sent) { return callers_[routes_[sent.route].caller]; }

  // Which instances a fleet has (launching.cpp).
  void scale(std::uint32_t fleet);
  void grow(std::uint32_t fleet, ZoneBalance balance);
  void count_reached();
  std::uint32_t launch(std::uint32_t fleet, std::vector<ZoneCount>& zones, ZoneBalance balance);
  std::uint32_t find_zone(std::uint32_t fleet, std::vector<ZoneCount>& zones, ZoneBalance balance);
  std::uint32_t find_make(std::uint32_t fleet, std::uint64_t zones);
  std::uint32_t find_room(const Make& make, std::uint64_t zones, std::uint32_t stopped);
  void give_room(std::uint32_t instance, bool stops);
  void add_instance(std::uint32_t machine, std::uint32_t at, std::uint32_t place,
                    std::uint32_t before = none);
  void number_machine(std::uint32_t instance, std::uint32_t machine);
  void enter_service(std::uint32_t instance);
  void withdraw(std::uint32_t instance);
  void dismiss(std::uint32_t instance);
  void leave_service(std::uint32_t instance, Standing standing);
  void begin_draining(std::uint32_t instance);
  void end_at_once(std::uint32_t instance);
  void drop_booting(std::uint32_t fleet);
  void drop(std::uint32_t instance);
  void give_up_aside(std::uint32_t machine);
  void end_if_drained(std::uint32_t instance);
  void terminate(std::uint32_t machine);
  void end(std::uint32_t instance);
  // Which it keeps (membership.cpp).
  void expect_look(std::uint32_t fleet);
  void look_at_members(std::uint32_t fleet);
  bool remove_some(std::uint32_t fleet, std::uint32_t count);
  void keep_member(std::uint32_t instance);
  void give_up_stopped(std::uint32_t fleet);
  // Warm pools and hooks (warm_pool.cpp, hooks.cpp).
  void keep_warm(std::uint32_t fleet);
  bool launch_warm(std::uint32_t fleet);
  void keep_from_service(std::uint32_t machine, Phase phase);
  void put_by(std::uint32_t machine);
  void settle_in(std::uint32_t machine);
  void send_back(std::uint32_t instance);
  bool take_warm(std::uint32_t fleet);
  void leave_pool(std::uint32_t machine);
  void give_up_warm(std::uint32_t machine);
  void build_hooks(const FleetSpec& from, Fleet& fleet, const std::string& path);
  void begin_service(std::uint32_t instance);
  void end_launch_hook(std::uint32_t instance);
  bool lingers(std::uint32_t instance);
  void end_terminate_hook(std::uint32_t instance);
  void replace_members(std::uint32_t fleet);
  void level_zones(std::uint32_t fleet);
  // What becomes of them (lives.cpp, actions.cpp, failing.cpp).
  void follow_lives();
  void follow_life(const LifecycleChange& change);
  void expect_interruption(std::uint32_t machine);
  void replace_at_risk(std::uint32_t machine);
  void let_go_at_risk(std::uint32_t fleet);
  void count_out(std::uint32_t machine, Standing standing);
  void guest_serves(std::uint32_t machine);
  void guest_is_down(std::uint32_t machine);
  void set_aside(std::uint32_t machine, Phase phase);
  void take_back_in(std::uint32_t machine);
  void begin_stop(std::uint32_t machine, StateReason reason);
  void finish_stop(std::uint32_t machine, StateReason reason);
  void begin_end(std::uint32_t machine, StateReason reason);
  void try_start(std::uint32_t machine);
  bool request(ActionKind kind, std::uint32_t machine);
  std::uint32_t count_act(ActionKind kind, std::uint32_t fleet, std::uint32_t count,
                          std::uint32_t done);
  void fail_work(std::uint32_t instance);
  void forget_completion(std::uint32_t instance);
  std::vector<std::uint32_t> drop_devices(std::uint32_t instance);
  void lose_held(std::uint32_t instance);
  void lose(std::uint32_t visit);
  // Standby (standby.cpp).
  std::uint32_t put_on_standby(ActionKind kind, std::uint32_t fleet, std::uint32_t count,
                               bool replaced);
  std::uint32_t bring_back(ActionKind kind, std::uint32_t fleet, std::uint32_t count);
  void return_to_service(std::uint32_t machine);
  void stay(std::uint32_t instance);
  // Instance refresh (refresh.cpp).
  RefreshCount look_at_refresh(std::uint32_t fleet);
  void refresh(std::uint32_t fleet);
  void start_refresh(std::uint32_t fleet);
  void begin_round(std::uint32_t fleet, std::uint32_t make);
  void fail_refresh(std::uint32_t fleet);
  void roll_back(std::uint32_t fleet);
  void replace_some(std::uint32_t fleet, std::uint32_t ready);
  void retire(std::uint32_t machine);
  // Metering (metering.cpp) and series (results.cpp).
  void meter();
  void sample_series();
  // Health checks (health.cpp).
  void look_after_health();
  void check_target(std::uint32_t balancer, std::uint32_t slot);
  void send_check(const Balancer& balancer, std::uint32_t slot);
  void break_checks(std::uint32_t instance);
  void check_answered(const Visit& check, bool success);
  void follow_health(std::uint32_t balancer);
  void end_drain(std::uint32_t instance);
  // Scaling (scaling.cpp).
  void build_scaling(const WorldSpec& spec, std::uint32_t fleet);
  void expect(std::size_t scaled, std::uint32_t due, std::int64_t time);
  void follow_scaling(std::uint32_t due);
  void begin_warmup(std::uint32_t instance);
  void add_predictive(ScaledFleet& it, const PredictiveSpec& spec);
  void look_ahead(ScaledFleet& it, std::int64_t hour);
  void measure(ScaledFleet& it);
  Datapoint datapoint(const ScaledFleet& it, Metric metric, std::int64_t warmup);
  void evaluate(ScaledFleet& it);
  // Faults (faults.cpp).
  void check_fault(const FaultSpec& fault, const std::string& path) const;
  void expect_fault(std::uint32_t fault, std::int64_t time);
  void strike(std::uint32_t fault);
  std::vector<Struck> victims(std::uint32_t fault, std::uint32_t strike);
  std::vector<Struck> each_instance(const std::vector<Struck>& hosts) const;
  void hit(const Struck& struck);
  std::vector<std::uint16_t>& lost_checks(const FaultSpec& fault);
  void mend(std::uint32_t strike);
  void open_if_well(const Struck& host);
  // Maintenance of hosts (maintenance.cpp).
  void check_maintenance(const FaultSpec& fault, const std::string& path) const;
  void announce(std::uint32_t fault);
  std::vector<Struck> take_announced(std::uint32_t fault);
  bool get_off(std::uint32_t instance, Fault& fault);
  bool move_off(std::uint32_t instance, MoveBy by);
  // Live migration (migration.cpp).
  bool is_migrated(const WorldSpec& spec, std::uint32_t pool) const;
  bool migrate(std::uint32_t instance, std::uint32_t host, std::int64_t pause_ns);
  void heal(const Struck& struck);
  void follow_faults(std::uint32_t instance);
  void add_slow_kinds(double factor);
  void add_slow_kind(std::uint32_t of, double factor);
  void follow_slowness(std::uint32_t instance);
  void fall(std::uint32_t instance);
  void rise(std::uint32_t instance);
  void kill(std::uint32_t instance);
  // Instances that hang (hanging.cpp).
  void park(std::uint32_t visit, std::int64_t work);
  std::vector<Parked> take_parked(std::uint32_t instance);
  void hang(std::uint32_t instance);
  void go_on_from_hanging(std::uint32_t instance);
  // Balancers that connect (connecting.cpp).
  bool waits_to_connect(std::uint32_t visit, std::int64_t work);
  void expect_connection(std::uint32_t visit);
  void try_to_connect(std::uint32_t visit);
  void note_hosted_at_warmup();
  template <class Archive>
  void serialize(Archive& archive);
};

}  // namespace nephoscope
