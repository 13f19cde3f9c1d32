// Guests that drive a hypervisor by itself: what research into schedulers lets virtual machines do.
//
// A guest is one tenant. It wants to run
//   always:  all its vCPUs from its start on;
//   on_off:  one vCPU, on and off in turn: on for so much time of the CPU or by the clock, off by
//            the clock. One that is on 9.5 of every 10 ms, and asleep whenever a tick comes, dodges
//            the ticks of a scheduler that debits by them. Until its start it may run always, so
//            that the scheduler has come to know it;
//   poisson: one vCPU, whenever there is work. Work comes as a Poisson process, each piece of one
//            length, and is queued, first in first out.
// CPU time is time that the vCPU has a thread, at whatever speed.
//
// Of the last kind two histograms are kept: of the latency, from a wake-up (work comes and there
// was none) until the vCPU runs; and of the response, from the coming of a piece until it is done.
//
// The driver knows of a hypervisor only the calls that all schedulers answer. It stops at each of
// its own events and each of the hypervisor's, so latencies are exact to the nanosecond.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernel/distributions.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/histogram.hpp"

namespace nephoscope {

struct OnOff {
  std::int64_t on_ns = 0;
  std::int64_t off_ns = 0;
  std::int64_t start_ns = 0;  // of the first time that it is on
  bool by_the_clock = false;  // how time on is counted
  bool warm = false;          // runs always until the start
};

struct Poisson {
  double mean_gap_ns = 0.0;
  std::int64_t work_ns = 0;  // of a piece
  std::int64_t start_ns = 0;
  StreamKey key;
};

class Guests {
 public:
  // Throw SpecError with the field's name when something is not legal, or the tenant has a guest.
  void add_always(std::uint32_t tenant, std::uint32_t vcpus, std::int64_t start_ns);
  void add_on_off(std::uint32_t tenant, const OnOff& facts);
  void add_poisson(std::uint32_t tenant, const Poisson& facts);

  // Lets time pass on the hypervisor until `until`, with what the guests do. Nobody else may change
  // a want of these tenants.
  template <class Hypervisor>
  void advance(Hypervisor& hypervisor, std::int64_t until);

  // Since the guest was added or the records were cleared.
  const Histogram& latency(std::uint32_t tenant) const;
  const Histogram& response(std::uint32_t tenant) const;
  void clear_records();

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  static constexpr std::int64_t nowhen = -1;

  enum class Kind : std::uint8_t { always, on_off, poisson };

  struct Guest {
    std::uint32_t tenant = 0;
    std::uint32_t vcpus = 1;
    Kind kind = Kind::always;
    OnOff on_off;
    Sampler gaps;
    std::uint64_t drawn = 0;
    std::int64_t work_ns = 0;
    bool wants = false;
    // Of its run time: when the piece or the time on is over; found out when somebody looks.
    std::int64_t done_at_run_ns = nowhen;
    std::int64_t woken = nowhen;     // and has not run since
    std::vector<std::int64_t> came;  // pieces of work, from `first` on not done
    std::size_t first = 0;
    EventQueue::Handle completion = EventQueue::none;
    Histogram latency;
    Histogram response;
  };

  Guest& add(std::uint32_t tenant, std::int64_t start_ns);
  const Guest& of(std::uint32_t tenant) const;
  // What happens to a guest by the clock; returns when the next such thing does.
  std::int64_t on_clock(Guest& guest, std::int64_t now);
  // When its piece of work, or its time on, is over.
  std::int64_t on_completion(Guest& guest, std::int64_t now);

  template <class Hypervisor>
  void happen(Hypervisor& hypervisor, std::uint32_t event);
  template <class Hypervisor>
  void look_at(Hypervisor& hypervisor, std::uint32_t guest);

  // Events: 2 x guest by the clock, 2 x guest + 1 when it will be done.
  EventQueue calendar_;
  std::vector<Guest> guests_;
  std::vector<std::uint32_t> guest_of_;  // tenant
  std::int64_t now_ = 0;
};

template <class Hypervisor>
void Guests::advance(Hypervisor& hypervisor, std::int64_t until) {
  for (;;) {
    const std::int64_t next = std::min(calendar_.next_time(), hypervisor.next_event());
    const std::int64_t now = std::min(next, until);
    hypervisor.advance(now);
    now_ = now;
    while (calendar_.next_time() <= now) happen(hypervisor, calendar_.pop().payload);
    for (const std::uint32_t tenant : hypervisor.changed()) {
      if (tenant < guest_of_.size() && guest_of_[tenant] != none) {
        look_at(hypervisor, guest_of_[tenant]);
      }
    }
    hypervisor.clear_changed();
    if (next > until) return;
  }
}

template <class Hypervisor>
void Guests::happen(Hypervisor& hypervisor, std::uint32_t event) {
  const std::uint32_t number = event / 2;
  Guest& guest = guests_[number];
  const std::int64_t now = hypervisor.now();
  const bool wanted = guest.wants;
  std::int64_t next = EventQueue::never;
  if (event % 2 == 0) {
    next = on_clock(guest, now);
  } else {
    guest.completion = EventQueue::none;
    const bool done = hypervisor.account(guest.tenant).run_ns >= guest.done_at_run_ns;
    if (done) next = on_completion(guest, now);
  }
  if (next != EventQueue::never) calendar_.push(next, 2 * number);
  if (guest.wants != wanted) hypervisor.set_want(guest.tenant, guest.wants ? guest.vcpus : 0);
  look_at(hypervisor, number);
}

// After its want or its share may have changed.
template <class Hypervisor>
void Guests::look_at(Hypervisor& hypervisor, std::uint32_t number) {
  Guest& guest = guests_[number];
  if (guest.kind == Kind::always || guest.on_off.by_the_clock) return;
  if (guest.completion != EventQueue::none) calendar_.cancel(guest.completion);
  guest.completion = EventQueue::none;
  if (!guest.wants) return;
  const std::int64_t now = hypervisor.now();
  const std::int64_t run = hypervisor.account(guest.tenant).run_ns;
  if (guest.done_at_run_ns == nowhen) {
    guest.done_at_run_ns = run + (guest.kind == Kind::poisson ? guest.work_ns : guest.on_off.on_ns);
  }
  const auto share = static_cast<double>(hypervisor.share(guest.tenant));
  if (share <= 0.0) return;
  if (guest.woken != nowhen) guest.latency.record(now - guest.woken);
  guest.woken = nowhen;
  const auto left = static_cast<double>(std::max<std::int64_t>(guest.done_at_run_ns - run, 0));
  const auto wait = static_cast<std::int64_t>(left / share);
  const bool short_of = static_cast<double>(wait) * share < left;
  guest.completion = calendar_.push(now + wait + (short_of ? 1 : 0), 2 * number + 1);
}

}  // namespace nephoscope
