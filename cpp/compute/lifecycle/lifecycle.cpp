// Requests and what they begin; lifecycle_due.cpp has what happens when something is due.

#include "compute/lifecycle/lifecycle.hpp"

#include <algorithm>
#include <string>

#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

namespace {

constexpr AssetMask given_at_start = mask_of(Asset::host) | mask_of(Asset::public_address) |
                                     mask_of(Asset::instance_store) | mask_of(Asset::memory);

bool final_state(InstanceState state) {
  return state == InstanceState::shutting_down || state == InstanceState::terminated;
}

// Everything that the instance may hold.
AssetMask owned(const LaunchFacts& facts) {
  const Asset root = facts.root == RootDevice::ebs ? Asset::root_volume : Asset::instance_store;
  return static_cast<AssetMask>(facts.assets | mask_of(root) | mask_of(Asset::host) |
                                mask_of(Asset::private_address) | mask_of(Asset::memory));
}

// Whether the user may stop it, or have it hibernate.
Answer stop_refused(const LaunchFacts& facts, bool hibernate) {
  if (facts.root != RootDevice::ebs) return Answer::unsupported;
  const Interruption needed = hibernate ? Interruption::hibernate : Interruption::stop;
  if (facts.purchase == Purchase::spot && facts.interruption != needed) return Answer::unsupported;
  return hibernate && !facts.hibernation ? Answer::hibernation_off : Answer::accepted;
}

bool is_launch_failure(StateReason reason) {
  return reason > StateReason::none && reason < StateReason::scheduled_stop;
}

}  // namespace

std::uint32_t Lifecycle::add_system(const SystemFacts& facts, std::uint64_t seed,
                                    std::uint64_t replication, std::string_view name) {
  nephoscope::check(facts);
  System system{facts, {}};
  for (std::size_t law = 0; law < law_count; ++law) {
    const std::string stream = std::string(name) + "/" + std::string(law_words[law]);
    system.samplers[law] = Sampler(facts.laws[law], stream_key(seed, replication, stream));
  }
  systems_.push_back(std::move(system));
  return static_cast<std::uint32_t>(systems_.size() - 1);
}

std::uint32_t Lifecycle::count_of(std::uint32_t system) const {
  std::uint32_t count = 0;
  for (std::size_t at = 0; at < series_.size(); ++at) {
    const std::size_t next = at + 1 < series_.size() ? series_[at + 1].first : count_;
    if (series_[at].facts.system != system) continue;
    count += static_cast<std::uint32_t>(next) - series_[at].first;
  }
  return count;
}

// A number for an instance, which has no record yet.
std::uint32_t Lifecycle::enlist(const LaunchFacts& facts) {
  nephoscope::check(facts);
  require(facts.system < systems_.size(), "system", "is not there");
  require(count_ < most_instances, "count", "makes more than 2^30");
  const std::uint32_t number = count_++;
  if (series_.empty()) {
    series_.push_back({number, facts});
    return number;
  }
  LaunchFacts expected = series_.back().facts;
  expected.serial += number - series_.back().first;
  if (!(expected == facts)) series_.push_back({number, facts});
  return number;
}

// As it was added.
LaunchFacts Lifecycle::facts_of(std::uint32_t instance) const {
  const auto after = [](std::uint32_t number, const Series& it) { return number < it.first; };
  const Series& it = *(std::upper_bound(series_.begin(), series_.end(), instance, after) - 1);
  LaunchFacts facts = it.facts;
  facts.serial += instance - it.first;
  return facts;
}

std::uint32_t Lifecycle::launch(const LaunchFacts& facts) {
  const std::uint32_t number = enlist(facts);
  Instance& it = record(number, {});
  it.facts = facts;
  it.number = number;
  it.held = static_cast<AssetMask>(owned(facts) & ~given_at_start);
  begin_start(it, Law::boot);
  return number;
}

std::uint32_t Lifecycle::add_running(const LaunchFacts& facts) {
  const std::uint32_t number = enlist(facts);
  Instance it = running_guest(facts, number, now_);
  if (now_ != 0) record(number, it);
  tell(it, LifecycleChange::What::state);
  tell(it, LifecycleChange::What::serving);
  return number;
}

Lifecycle::Instance Lifecycle::running_guest(const LaunchFacts& facts, std::uint32_t number,
                                             std::int64_t since) {
  Instance it;
  it.facts = facts;
  it.number = number;
  it.held = owned(facts);
  it.starts = 1;
  it.meter.start(since);
  it.state = InstanceState::running;
  it.state_since = it.running_since = it.ready_at = since;
  it.system_check = it.instance_check = CheckResult::ok;
  it.guest_on = it.serving = true;
  return it;
}

Lifecycle::Instance& Lifecycle::at(std::uint32_t instance) {
  require(instance < count_, "instance", "is not there");
  const bool has = instance < record_of_.size() && record_of_[instance] != no_record;
  return has ? records_[record_of_[instance]] : record(instance, look(instance));
}

Lifecycle::Instance& Lifecycle::record(std::uint32_t instance, const Instance& it) {
  if (instance >= record_of_.size()) record_of_.resize(instance + 1U, no_record);
  record_of_[instance] = static_cast<std::uint32_t>(records_.size());
  return records_.emplace_back(it);
}

Lifecycle::Instance Lifecycle::look(std::uint32_t instance) const {
  require(instance < count_, "instance", "is not there");
  const bool has = instance < record_of_.size() && record_of_[instance] != no_record;
  return has ? records_[record_of_[instance]] : running_guest(facts_of(instance), instance, 0);
}

Answer Lifecycle::stop_or_hibernate(Instance& it, bool hibernate, bool skip_os_shutdown) {
  if (const Answer refused = stop_refused(it.facts, hibernate); refused != Answer::accepted) {
    return refused;
  }
  if (it.state == InstanceState::stopping || it.state == InstanceState::stopped) {
    return Answer::unchanged;
  }
  if (it.state != InstanceState::running) return Answer::incorrect_state;
  if (hibernate && !it.serving) return Answer::incorrect_state;
  begin_stop(it, hibernate ? StateReason::user_hibernate : StateReason::user_shutdown, hibernate,
             skip_os_shutdown);
  return Answer::accepted;
}

Answer Lifecycle::stop(std::uint32_t instance, bool skip_os_shutdown) {
  return stop_or_hibernate(at(instance), false, skip_os_shutdown);
}

Answer Lifecycle::hibernate(std::uint32_t instance) {
  return stop_or_hibernate(at(instance), true, false);
}

Answer Lifecycle::start(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state == InstanceState::pending || it.state == InstanceState::running) {
    return Answer::unchanged;
  }
  if (it.state != InstanceState::stopped || it.interrupted) return Answer::incorrect_state;
  begin_start(it, it.hibernating ? Law::resume : Law::restart);
  return Answer::accepted;
}

Answer Lifecycle::resume(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state != InstanceState::stopped || !it.interrupted) return Answer::incorrect_state;
  begin_start(it, it.hibernating ? Law::resume : Law::restart);
  return Answer::accepted;
}

Answer Lifecycle::reboot(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state != InstanceState::running) return Answer::incorrect_state;
  begin_reboot(it);
  expect_check(it, now_ + 1);
  return Answer::accepted;
}

void Lifecycle::terminate(const std::uint32_t* instances, std::size_t n, Answer* answers) {
  const auto unknown = [&](std::uint32_t instance) { return instance >= count_; };
  if (std::any_of(instances, instances + n, unknown)) {
    std::fill_n(answers, n, Answer::not_found);
    return;
  }
  std::vector<std::uint32_t> spared;  // zones
  for (std::size_t i = 0; i < n; ++i) {
    const Instance it = look(instances[i]);
    if (it.facts.termination_protection && !final_state(it.state)) {
      spared.push_back(it.facts.zone);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    Instance& it = at(instances[i]);
    answers[i] = Answer::accepted;
    if (std::find(spared.begin(), spared.end(), it.facts.zone) != spared.end()) {
      answers[i] = Answer::not_permitted;
    } else if (final_state(it.state)) {
      answers[i] = Answer::unchanged;
    } else {
      begin_terminate(it, StateReason::user_shutdown);
    }
  }
}

void Lifecycle::terminate_at_once(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state == InstanceState::terminated) return;
  if (it.state != InstanceState::shutting_down) begin_terminate(it, StateReason::user_shutdown);
  cancel_all(it);
  lose(it, Transition::terminate);
  enter(it, InstanceState::terminated, it.reason);
}

Answer Lifecycle::modifiable(std::uint32_t instance) const {
  const bool stopped = look(instance).state == InstanceState::stopped;
  return stopped ? Answer::accepted : Answer::incorrect_state;
}

Answer Lifecycle::change_type(std::uint32_t instance, bool metal, bool efa) {
  const Answer answer = modifiable(instance);
  if (answer != Answer::accepted) return answer;
  Instance& it = at(instance);
  it.facts.metal = metal;
  it.facts.efa = efa;
  return answer;
}

Answer Lifecycle::shut_down(std::uint32_t instance) {
  Instance& it = at(instance);
  if (!it.guest_on) return Answer::incorrect_state;
  if (it.facts.guest_shutdown == GuestShutdown::terminate ||
      stop_refused(it.facts, false) != Answer::accepted) {
    begin_terminate(it, StateReason::guest_shutdown);
  } else {
    begin_stop(it, StateReason::guest_shutdown, false, false);
  }
  return Answer::accepted;
}

Answer Lifecycle::break_guest(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state != InstanceState::running) return Answer::incorrect_state;
  if (it.guest_broken) return Answer::unchanged;
  it.guest_broken = true;
  it.guest_on = false;
  it.ready_at = never;
  cancel(it, Timer::transition);
  refresh(it);
  expect_check(it, now_ + 1);
  return Answer::accepted;
}

Answer Lifecycle::break_host(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state != InstanceState::running) return Answer::incorrect_state;
  if (it.host_broken) return Answer::unchanged;
  it.host_broken = true;
  it.guest_on = false;
  it.ready_at = never;
  cancel(it, Timer::transition);
  refresh(it);
  expect_check(it, now_ + 1);
  return Answer::accepted;
}

Answer Lifecycle::repair(std::uint32_t instance) {
  Instance& it = at(instance);
  if (it.state != InstanceState::running) return Answer::incorrect_state;
  if (!it.host_broken && !it.guest_broken) return Answer::unchanged;
  it.host_broken = false;
  begin_reboot(it);
  expect_check(it, now_ + 1);
  return Answer::accepted;
}

Answer Lifecycle::fail_launch(std::uint32_t instance, StateReason reason) {
  if (!is_launch_failure(reason)) throw SpecError("reason", "is not a failure of a launch");
  Instance& it = at(instance);
  if (it.state != InstanceState::pending) return Answer::incorrect_state;
  cancel_all(it);
  if (it.boot_law == Law::boot) {
    it.held = 0;
    enter(it, InstanceState::terminated, reason);
  } else {
    it.hibernating = it.boot_law == Law::resume;
    const AssetMask had = it.hibernating ? mask_of(Asset::memory) : AssetMask{0};
    it.held = static_cast<AssetMask>((it.held & ~given_at_start) | had);
    enter(it, InstanceState::stopped, reason);
  }
  return Answer::accepted;
}

Answer Lifecycle::interrupt(std::uint32_t instance, std::int64_t at_time,
                            std::int64_t rebalance_at) {
  Instance& it = at(instance);
  if (at_time < now_ || at_time > horizon) throw SpecError("at_ns", "must not be in the past");
  if (it.facts.purchase != Purchase::spot) return Answer::unsupported;
  if (it.state != InstanceState::pending && it.state != InstanceState::running) {
    return Answer::incorrect_state;
  }
  const std::int64_t notice = notice_at(it, at_time);
  if (rebalance_at != never && (rebalance_at < now_ || rebalance_at > notice)) {
    throw SpecError("rebalance_at_ns", "must be from now to the notice");
  }
  it.interrupted_at = at_time;
  it.spot_stage = rebalance_at == never ? SpotStage::notice : SpotStage::rebalance;
  set(it, Timer::spot, rebalance_at == never ? notice : rebalance_at);
  return Answer::accepted;
}

Answer Lifecycle::schedule(std::uint32_t instance, ScheduledEvent event, std::int64_t at_time,
                           std::int64_t lasts) {
  Instance& it = at(instance);
  const bool maintenance = event == ScheduledEvent::system_maintenance;
  if (event == ScheduledEvent::none) throw SpecError("event", "is none");
  if (at_time < now_ || at_time > horizon) throw SpecError("at_ns", "must not be in the past");
  if (maintenance ? lasts <= 0 || lasts > horizon : lasts != 0) {
    throw SpecError("lasts_ns", "must be above 0 for system-maintenance, and is for nothing else");
  }
  if (event == ScheduledEvent::instance_stop && it.facts.root != RootDevice::ebs) {
    return Answer::unsupported;
  }
  if (it.state != InstanceState::running || it.in_maintenance) return Answer::incorrect_state;
  it.scheduled = event;
  it.maintenance_lasts = lasts;
  set(it, Timer::scheduled, at_time);
  tell(it, LifecycleChange::What::scheduled);
  return Answer::accepted;
}

void Lifecycle::begin_start(Instance& it, Law boot_law) {
  it.boot_law = boot_law;
  it.held = static_cast<AssetMask>(it.held | (owned(it.facts) & given_at_start));
  it.hibernating = false;
  it.guest_broken = it.host_broken = false;
  ++it.starts;
  enter(it, InstanceState::pending, StateReason::none);
  const std::int64_t encryption =
      boot_law == Law::boot ? systems_[it.facts.system].facts.encryption_ns : 0;
  set(it, Timer::transition, now_ + encryption + draw(it, Law::pending, it.starts - 1));
}

// The guest is off and boots, unless its host is broken.
void Lifecycle::begin_boot(Instance& it, Law law, std::uint32_t nth) {
  it.guest_on = it.guest_broken = false;
  refresh(it);
  cancel(it, Timer::transition);
  it.ready_at = never;
  if (it.host_broken) return;
  it.ready_at = now_ + draw(it, law, nth);
  set(it, Timer::transition, it.ready_at);
}

void Lifecycle::begin_reboot(Instance& it) {
  lose(it, Transition::reboot);
  it.held |= mask_of(Asset::memory);
  ++it.reboots;
  begin_boot(it, Law::reboot, it.reboots - 1);
}

void Lifecycle::begin_stop(Instance& it, StateReason reason, bool hibernate, bool at_once) {
  cancel_all(it);
  it.interrupted = reason == StateReason::spot_shutdown;
  it.hibernating = hibernate;
  if (!hibernate) it.meter.stop(now_, rule(it), it.interrupted);
  ++it.stops;
  enter(it, InstanceState::stopping, reason);
  const std::int64_t limit = systems_[it.facts.system].facts.stop_limit_ns;
  std::int64_t lasts = draw(it, hibernate ? Law::hibernate : Law::stop, it.stops - 1);
  if (!hibernate) lasts = at_once ? 0 : std::min(lasts, limit);
  set(it, Timer::transition, now_ + lasts);
}

void Lifecycle::begin_terminate(Instance& it, StateReason reason) {
  cancel_all(it);
  if (it.meter.running()) it.meter.stop(now_, rule(it), reason == StateReason::spot_termination);
  it.hibernating = it.interrupted = false;
  enter(it, InstanceState::shutting_down, reason);
  set(it, Timer::transition, now_ + draw(it, Law::terminate, 0));
}

}  // namespace nephoscope
