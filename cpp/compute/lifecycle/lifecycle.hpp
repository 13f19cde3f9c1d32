// The life of every instance: its state as the provider has it, whether its guest serves, what the
// status checks say, what it holds, and the meter of its bill.
//
//   launch -> pending -> running -> stopping -> stopped -> (start) pending -> running
//   any of these -> shutting-down -> terminated;  a launch that fails: pending -> terminated
//
// `running` is the provider's word. The guest serves only when it has booted, and not while it
// reboots, is broken or out of reach; all that happens within `running`. Requests happen at now(),
// which `advance` moves; what follows from them and from time is told in `changes()`, in order.
// A request that is not legal changes nothing and says why. Where the provider decides (capacity,
// interruption, failure), the owner calls.
//
// Durations are draws: the n-th start of an instance takes draw n - 1 of its own, the n-th stop and
// the n-th reboot likewise. So no other instance and no other kind of request moves them.
//
// Status checks are made every minute from the instant an instance is running, after everything
// else of that instant; results are `initializing` before the second and, for the instance, until
// the guest has served once. A failed system check starts automatic recovery, where that applies:
// a reboot on another host. Only the checks that may change a result cost anything.
//
// Invariants:
//   1. The guest serves only in `running`; a meter runs in `running`, and in `stopping` when the
//      memory is being saved, never else.
//   2. An instance has one pending timer of each kind at most, and none once it is terminated.
//   3. How time is cut into calls of `advance` changes nothing.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

#include "compute/lifecycle/billing.hpp"
#include "compute/lifecycle/lifecycle_facts.hpp"
#include "kernel/distributions.hpp"
#include "kernel/event_queue.hpp"

namespace nephoscope {

// Something that happened to an instance, and how it stood afterwards.
struct LifecycleChange {
  enum class What : std::uint8_t {
    state,
    serving,    // the guest serves
    down,       // the guest serves no more, while the state stays running
    check,      // the result of the status checks is another
    notice,     // a spot instance will be interrupted
    rebalance,  // it is at an elevated risk of that
    scheduled,  // an event is announced
    recovery,   // it recovers on another host
  };

  std::int64_t time = 0;
  std::uint32_t instance = 0;
  What what = What::state;
  InstanceState state = InstanceState::pending;
  StateReason reason = StateReason::none;
  CheckResult check = CheckResult::not_applicable;
};
inline constexpr std::array<std::string_view, 8> change_words = {
    "state", "serving", "down", "check", "notice", "rebalance", "scheduled", "recovery"};

class Lifecycle {
 public:
  static constexpr std::int64_t never = EventQueue::never;
  static constexpr std::int64_t check_period_ns = 60'000'000'000;
  static constexpr std::int64_t notice_ns = 120'000'000'000;
  static constexpr std::int64_t visible_ns = 3'600'000'000'000;  // after termination

  // Throw SpecError with the field's name. The streams are called `name`/pending, `name`/boot, ...
  std::uint32_t add_system(const SystemFacts& facts, std::uint64_t seed, std::uint64_t replication,
                           std::string_view name);
  // An instance, pending or already running with its guest serving.
  std::uint32_t launch(const LaunchFacts& facts);
  std::uint32_t add_running(const LaunchFacts& facts);

  // Lets time pass until `until`, not before now; what is due at that very instant has happened
  // then.
  void advance(std::int64_t until);
  std::int64_t now() const { return now_; }
  // When something will happen by itself, or `never`.
  std::int64_t next_event() const { return calendar_.next_time(); }
  // What has happened since the list was cleared.
  const std::vector<LifecycleChange>& changes() const { return changes_; }
  void clear_changes() { changes_.clear(); }

  // Requests of the user.
  Answer stop(std::uint32_t instance, bool skip_os_shutdown = false);
  Answer hibernate(std::uint32_t instance);
  Answer start(std::uint32_t instance);
  Answer reboot(std::uint32_t instance);
  // Of several instances in one call, an answer each. An unknown number spares all of them,
  // a protected one all in its zone.
  void terminate(const std::uint32_t* instances, std::size_t n, Answer* answers);
  // Terminates one that has nothing left to shut down: it takes no time, and no timer is set.
  void terminate_at_once(std::uint32_t instance);
  void protect(std::uint32_t instance, bool on) { at(instance).facts.termination_protection = on; }
  // Whether the type and the user data may be changed; and the same, with what a type decides here.
  Answer modifiable(std::uint32_t instance) const;
  Answer change_type(std::uint32_t instance, bool metal, bool efa);

  // From within: the guest shuts down, or it is broken until a reboot or a stop and start.
  Answer shut_down(std::uint32_t instance);
  Answer break_guest(std::uint32_t instance);

  // Of the provider. `fail_launch` takes one of the reasons that are failures of a launch.
  Answer fail_launch(std::uint32_t instance, StateReason reason);
  Answer break_host(std::uint32_t instance);
  // Mends what is broken, where nothing else has; the guest reboots.
  Answer repair(std::uint32_t instance);
  // Takes a spot instance back at an instant, two minutes after the notice, or as soon as that
  // leaves; a hibernation begins with the notice. A recommendation may come before (or `never`).
  Answer interrupt(std::uint32_t instance, std::int64_t at_time, std::int64_t rebalance_at = never);
  // Starts a spot instance that was stopped by an interruption, which a user cannot.
  Answer resume(std::uint32_t instance);
  // `lasts` is of a system_maintenance, during which the instance is out of reach.
  Answer schedule(std::uint32_t instance, ScheduledEvent event, std::int64_t at_time,
                  std::int64_t lasts);

  std::size_t size() const { return count_; }
  // Instances of a system so far. O(instances).
  std::uint32_t count_of(std::uint32_t system) const;
  LaunchFacts facts(std::uint32_t instance) const { return look(instance).facts; }
  InstanceState state(std::uint32_t instance) const { return look(instance).state; }
  StateReason reason(std::uint32_t instance) const { return look(instance).reason; }
  std::int64_t state_since(std::uint32_t instance) const { return look(instance).state_since; }
  // Since when it is running, and when its guest serves or will; `never` if that is not known.
  std::int64_t running_since(std::uint32_t instance) const { return look(instance).running_since; }
  std::int64_t ready_at(std::uint32_t instance) const;
  bool serving(std::uint32_t instance) const { return look(instance).serving; }
  CheckResult system_check(std::uint32_t instance) const { return look(instance).system_check; }
  CheckResult instance_check(std::uint32_t instance) const { return look(instance).instance_check; }
  CheckResult overall_check(std::uint32_t instance) const { return overall_check(look(instance)); }
  ScheduledEvent scheduled(std::uint32_t instance) const { return look(instance).scheduled; }
  // Terminated instances are listed for an hour.
  bool visible(std::uint32_t instance) const;
  bool holds(std::uint32_t instance, Asset asset) const {
    return (look(instance).held & mask_of(asset)) != 0;
  }
  // How often it has lost something that it held.
  std::uint32_t lost(std::uint32_t instance, Asset asset) const {
    return look(instance).lost[static_cast<std::size_t>(asset)];
  }
  std::uint32_t starts(std::uint32_t instance) const { return look(instance).starts; }
  std::uint32_t reboots(std::uint32_t instance) const { return look(instance).reboots; }
  std::uint32_t recoveries(std::uint32_t instance) const { return look(instance).recoveries; }

  // While it stops with its memory saved, and then until the next start.
  bool hibernating(std::uint32_t instance) const { return look(instance).hibernating; }
  // A spot instance of which the provider has said that it may be taken soon.
  bool at_risk(std::uint32_t instance) const { return look(instance).at_risk; }
  // Stopped by the provider, and not running since.
  bool interrupted(std::uint32_t instance) const { return look(instance).interrupted; }

  std::int64_t billed_s(std::uint32_t instance) const { return billed_until_s(instance, now_); }
  // The same at an instant from now on, if nothing happens until then.
  std::int64_t billed_until_s(std::uint32_t instance, std::int64_t now) const;
  std::int64_t spared_s(std::uint32_t instance) const { return look(instance).meter.spared_s(); }
  std::int64_t metered_ns(std::uint32_t instance) const {
    return look(instance).meter.running_ns(now_);
  }

  // Throws InvariantError when one of the first two invariants does not hold. O(instances).
  void check() const;

  // What changes; the systems must have been added alike.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(series_, count_, record_of_, records_, changes_, now_);
    calendar_.serialize(archive);
  }

 private:
  // Durations and instants beyond are as good as never; sums of two do not overflow.
  static constexpr std::int64_t horizon = std::int64_t{1} << 61;

  enum class Timer : std::uint8_t { transition, check, spot, scheduled };
  static constexpr std::size_t timer_count = 4;
  static constexpr std::uint32_t most_instances = std::uint32_t{1} << 30;

  enum class SpotStage : std::uint8_t { none, rebalance, notice, taking };

  struct Instance {
    LaunchFacts facts;
    std::int64_t state_since = 0;
    std::int64_t running_since = never;
    std::int64_t ready_at = never;
    std::int64_t interrupted_at = never;  // when a spot instance will be taken
    std::int64_t maintenance_lasts = 0;
    std::int64_t maintenance_ends = 0;
    BillingMeter meter;
    std::array<std::uint32_t, asset_count> lost{};
    std::array<EventQueue::Handle, timer_count> timers{};
    std::uint32_t number = 0;
    std::uint32_t unused = 0;  // no padding
    std::uint32_t starts = 0;
    std::uint32_t stops = 0;
    std::uint32_t reboots = 0;
    std::uint32_t recoveries = 0;
    AssetMask held = 0;
    InstanceState state = InstanceState::pending;
    StateReason reason = StateReason::none;
    Law boot_law = Law::boot;  // of the present start
    CheckResult system_check = CheckResult::not_applicable;
    CheckResult instance_check = CheckResult::not_applicable;
    ScheduledEvent scheduled = ScheduledEvent::none;
    SpotStage spot_stage = SpotStage::none;
    bool serving = false;   // as told
    bool guest_on = false;  // booted and not broken
    bool guest_broken = false;
    bool host_broken = false;
    bool in_maintenance = false;
    bool hibernating = false;  // while stopping, and then until the next start
    bool interrupted = false;  // the last stop was the provider's, until it runs again
    bool at_risk = false;      // a recommendation has come
  };
  static_assert(std::has_unique_object_representations_v<Instance>);

  // Instances that were added one after the other, alike but for their serials, which go up by one.
  struct Series {
    std::uint32_t first = 0;  // instance
    LaunchFacts facts;        // its own
  };
  static_assert(std::has_unique_object_representations_v<Series>);
  static constexpr std::uint32_t no_record = std::numeric_limits<std::uint32_t>::max();

  struct System {
    SystemFacts facts;
    std::array<Sampler, law_count> samplers;
  };

  // Its record, which is made if there is none. Valid until the next one is made.
  Instance& at(std::uint32_t instance);
  // What its record says, or would.
  Instance look(std::uint32_t instance) const;
  std::uint32_t enlist(const LaunchFacts& facts);
  LaunchFacts facts_of(std::uint32_t instance) const;
  Instance& record(std::uint32_t instance, const Instance& it);
  static Instance running_guest(const LaunchFacts& facts, std::uint32_t number, std::int64_t since);
  const BillingRule& rule(const Instance& it) const {
    return systems_[it.facts.system].facts.billing;
  }
  std::int64_t draw(const Instance& it, Law law, std::uint32_t nth) const;
  void tell(const Instance& it, LifecycleChange::What what);
  void enter(Instance& it, InstanceState state, StateReason reason);
  static void lose(Instance& it, Transition transition);
  void set(Instance& it, Timer timer, std::int64_t time);
  void cancel(Instance& it, Timer timer);
  void cancel_all(Instance& it);

  // Requests that have been found legal.
  void begin_start(Instance& it, Law boot_law);
  void begin_running(Instance& it);
  void begin_reboot(Instance& it);
  void begin_stop(Instance& it, StateReason reason, bool hibernate, bool at_once);
  void begin_terminate(Instance& it, StateReason reason);
  void begin_boot(Instance& it, Law law, std::uint32_t nth);
  void refresh(Instance& it);
  Answer stop_or_hibernate(Instance& it, bool hibernate, bool skip_os_shutdown);

  static CheckResult overall_check(const Instance& it);

  // What is due.
  void fire(Instance& it, Timer timer);
  void fire_transition(Instance& it);
  void fire_check(Instance& it);
  void fire_spot(Instance& it);
  void fire_scheduled(Instance& it);
  std::int64_t notice_at(const Instance& it, std::int64_t taken_at) const;
  void take_back(Instance& it);
  void expect_check(Instance& it, std::int64_t from);
  void recover(Instance& it);

  std::vector<System> systems_;
  std::vector<Series> series_;
  std::uint32_t count_ = 0;  // of instances
  // By instance, its record. What was running when the clock started, and has been left alone
  // since, has none: all there is to tell of it are its facts. Nor has what is beyond the end.
  std::vector<std::uint32_t> record_of_;
  std::vector<Instance> records_;
  std::vector<LifecycleChange> changes_;
  EventQueue calendar_;  // payload: instance x timer_count + timer
  std::int64_t now_ = 0;
};

}  // namespace nephoscope
