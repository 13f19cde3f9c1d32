// What happens when a timer of an instance is due, and the timers themselves.

#include <algorithm>

#include "compute/lifecycle/lifecycle.hpp"
#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

namespace {

using What = LifecycleChange::What;

// Recovery keeps everything but host and memory, so it is for those whose data are elsewhere.
bool recoverable(const LaunchFacts& facts, AssetMask held) {
  return facts.automatic_recovery && facts.root == RootDevice::ebs && !facts.group_member &&
         !facts.metal && !facts.efa && (held & mask_of(Asset::instance_store)) == 0;
}

}  // namespace

void Lifecycle::advance(std::int64_t until) {
  if (until < now_) throw SpecError("until_ns", "must not be in the past");
  if (until > horizon) throw SpecError("until_ns", "must be at most 2^61");
  while (calendar_.next_time() <= until) {
    const EventQueue::Event event = calendar_.pop();
    now_ = event.time;
    Instance& it = at(event.payload / timer_count);
    const auto timer = static_cast<Timer>(event.payload % timer_count);
    it.timers[event.payload % timer_count] = EventQueue::none;
    fire(it, timer);
  }
  now_ = until;
}

void Lifecycle::fire(Instance& it, Timer timer) {
  switch (timer) {
    case Timer::transition:
      return fire_transition(it);
    case Timer::check:
      return fire_check(it);
    case Timer::spot:
      return fire_spot(it);
    case Timer::scheduled:
      return fire_scheduled(it);
  }
}

void Lifecycle::fire_transition(Instance& it) {
  switch (it.state) {
    case InstanceState::pending:
      return begin_running(it);
    case InstanceState::running:
      it.guest_on = true;
      refresh(it);
      return expect_check(it, now_);
    case InstanceState::stopping:
      if (it.hibernating) it.meter.stop(now_, rule(it), it.interrupted);
      lose(it, it.hibernating ? Transition::hibernate : Transition::stop_start);
      return enter(it, InstanceState::stopped, it.reason);
    case InstanceState::shutting_down:
      lose(it, Transition::terminate);
      return enter(it, InstanceState::terminated, it.reason);
    default:
      throw InvariantError("an instance at rest had a transition");
  }
}

void Lifecycle::begin_running(Instance& it) {
  it.meter.start(now_);
  it.interrupted = false;
  it.running_since = now_;
  enter(it, InstanceState::running, StateReason::none);
  it.system_check = it.instance_check = CheckResult::initializing;
  begin_boot(it, it.boot_law, it.starts - 1);
  expect_check(it, now_);
}

void Lifecycle::fire_check(Instance& it) {
  const CheckResult before = overall_check(it);
  const bool system_fails = it.host_broken || it.in_maintenance;
  const bool first_boot = it.instance_check == CheckResult::initializing && !it.guest_broken;
  it.system_check = system_fails ? CheckResult::impaired : CheckResult::ok;
  if (it.serving) {
    it.instance_check = CheckResult::ok;
  } else if (system_fails || !first_boot) {
    it.instance_check = CheckResult::impaired;
  }
  if (overall_check(it) != before) tell(it, What::check);
  if (it.host_broken && it.scheduled == ScheduledEvent::none && recoverable(it.facts, it.held)) {
    recover(it);
  }
}

void Lifecycle::recover(Instance& it) {
  lose(it, Transition::recovery);
  it.held = static_cast<AssetMask>(it.held | mask_of(Asset::host) | mask_of(Asset::memory));
  ++it.recoveries;
  ++it.reboots;
  it.host_broken = false;
  tell(it, What::recovery);
  begin_boot(it, Law::reboot, it.reboots - 1);
  expect_check(it, now_ + 1);  // the new host passes
}

std::int64_t Lifecycle::notice_at(const Instance& it, std::int64_t taken_at) const {
  const bool at_once = it.facts.interruption == Interruption::hibernate;
  return at_once ? taken_at : std::max(now_, taken_at - notice_ns);
}

void Lifecycle::fire_spot(Instance& it) {
  if (it.spot_stage == SpotStage::rebalance) {
    it.at_risk = true;
    tell(it, What::rebalance);
    it.spot_stage = SpotStage::notice;
    return set(it, Timer::spot, notice_at(it, it.interrupted_at));
  }
  if (it.spot_stage == SpotStage::notice) {
    tell(it, What::notice);
    it.spot_stage = SpotStage::taking;
    return set(it, Timer::spot, it.interrupted_at);
  }
  take_back(it);
}

// One that is pending cannot be stopped; a guest that is not up has no memory to save.
void Lifecycle::take_back(Instance& it) {
  if (it.state == InstanceState::pending || it.facts.interruption == Interruption::terminate) {
    return begin_terminate(it, StateReason::spot_termination);
  }
  const bool hibernate = it.facts.interruption == Interruption::hibernate && it.serving;
  begin_stop(it, StateReason::spot_shutdown, hibernate, false);
}

void Lifecycle::fire_scheduled(Instance& it) {
  if (it.in_maintenance) {
    it.in_maintenance = false;
    it.scheduled = ScheduledEvent::none;
    refresh(it);
    return expect_check(it, now_);
  }
  const ScheduledEvent event = it.scheduled;
  if (event == ScheduledEvent::system_maintenance) {
    it.in_maintenance = true;
    it.maintenance_ends = std::min(now_ + it.maintenance_lasts, horizon);
    set(it, Timer::scheduled, it.maintenance_ends);
    refresh(it);
    return expect_check(it, now_);
  }
  it.scheduled = ScheduledEvent::none;
  if (event == ScheduledEvent::instance_reboot || event == ScheduledEvent::system_reboot) {
    if (event == ScheduledEvent::system_reboot) it.host_broken = false;
    begin_reboot(it);
    return expect_check(it, now_);
  }
  if (it.facts.root != RootDevice::ebs) return begin_terminate(it, StateReason::scheduled_stop);
  begin_stop(it, StateReason::scheduled_stop, false, false);
}

void Lifecycle::expect_check(Instance& it, std::int64_t from) {
  const std::int64_t since = from - it.running_since;
  const std::int64_t number = (since + check_period_ns - 1) / check_period_ns;
  // Before the second minute a check changes nothing, unless it began with results.
  const bool young = it.system_check == CheckResult::initializing;
  const std::int64_t due = std::max<std::int64_t>(young ? 2 : 1, number);
  set(it, Timer::check, it.running_since + due * check_period_ns);
}

// Tells whether the guest serves, when that is news.
void Lifecycle::refresh(Instance& it) {
  const bool serving = it.state == InstanceState::running && it.guest_on && !it.in_maintenance;
  if (serving == it.serving) return;
  it.serving = serving;
  if (serving) it.ready_at = now_;
  tell(it, serving ? What::serving : What::down);
}

void Lifecycle::enter(Instance& it, InstanceState state, StateReason reason) {
  it.state = state;
  it.reason = reason;
  it.state_since = now_;
  if (state != InstanceState::running) {
    it.running_since = it.ready_at = never;
    it.serving = it.guest_on = false;
    it.system_check = it.instance_check = CheckResult::not_applicable;
  }
  tell(it, What::state);
}

void Lifecycle::lose(Instance& it, Transition transition) {
  for (std::size_t index = 0; index < asset_count; ++index) {
    const auto asset = static_cast<Asset>(index);
    const AssetMask bit = mask_of(asset);
    bool kept = keeps(transition, asset);
    const bool volume = asset == Asset::root_volume || asset == Asset::other_volumes;
    if (transition == Transition::terminate && volume) kept = (it.facts.deleted & bit) == 0;
    if (kept || (it.held & bit) == 0) continue;
    it.held = static_cast<AssetMask>(it.held & ~bit);
    ++it.lost[index];
  }
}

void Lifecycle::set(Instance& it, Timer timer, std::int64_t time) {
  cancel(it, timer);
  const auto kind = static_cast<std::uint32_t>(timer);
  const std::uint32_t payload = it.number * static_cast<std::uint32_t>(timer_count) + kind;
  it.timers[kind] =
      timer == Timer::check ? calendar_.push_last(time, payload) : calendar_.push(time, payload);
}

void Lifecycle::cancel(Instance& it, Timer timer) {
  EventQueue::Handle& handle = it.timers[static_cast<std::size_t>(timer)];
  if (handle != EventQueue::none) calendar_.cancel(handle);
  handle = EventQueue::none;
}

void Lifecycle::cancel_all(Instance& it) {
  for (std::size_t kind = 0; kind < timer_count; ++kind) cancel(it, static_cast<Timer>(kind));
  it.spot_stage = SpotStage::none;
  it.interrupted_at = never;
  it.at_risk = false;
  it.scheduled = ScheduledEvent::none;
  it.in_maintenance = false;
}

void Lifecycle::tell(const Instance& it, What what) {
  changes_.push_back({now_, it.number, what, it.state, it.reason, overall_check(it)});
}

std::int64_t Lifecycle::draw(const Instance& it, Law law, std::uint32_t nth) const {
  const Sampler& sampler = systems_[it.facts.system].samplers[static_cast<std::size_t>(law)];
  return std::min(duration_ns(sampler.at(it.facts.serial, nth)), horizon);
}

std::int64_t Lifecycle::ready_at(std::uint32_t instance) const {
  const Instance it = look(instance);
  return it.in_maintenance ? std::max(it.ready_at, it.maintenance_ends) : it.ready_at;
}

CheckResult Lifecycle::overall_check(const Instance& it) {
  const bool failed =
      it.system_check == CheckResult::impaired || it.instance_check == CheckResult::impaired;
  return failed ? CheckResult::impaired : std::min(it.system_check, it.instance_check);
}

bool Lifecycle::visible(std::uint32_t instance) const {
  const Instance it = look(instance);
  return it.state != InstanceState::terminated || now_ - it.state_since < visible_ns;
}

std::int64_t Lifecycle::billed_until_s(std::uint32_t instance, std::int64_t now) const {
  const Instance it = look(instance);
  return it.meter.billed_s(now, rule(it));
}

void Lifecycle::check() const {
  for (const Instance& it : records_) {
    const bool running = it.state == InstanceState::running;
    const bool saving = it.state == InstanceState::stopping && it.hibernating;
    if (it.meter.running() != (running || saving)) {
      throw InvariantError("the meter of an instance does not run as its state has it");
    }
    const bool may_serve = running && it.guest_on && !it.in_maintenance && !it.host_broken;
    if (it.serving != may_serve) throw InvariantError("an instance serves and cannot");
    const auto pending = [](EventQueue::Handle handle) { return handle != EventQueue::none; };
    const bool timed = std::any_of(it.timers.begin(), it.timers.end(), pending);
    if (it.state == InstanceState::terminated && timed) {
      throw InvariantError("a terminated instance has a timer");
    }
  }
}

}  // namespace nephoscope
