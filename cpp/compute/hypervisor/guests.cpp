#include "compute/hypervisor/guests.hpp"

#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

namespace {

constexpr std::int64_t longest_ns = 1'000'000'000'000'000;  // eleven days

}  // namespace

Guests::Guest& Guests::add(std::uint32_t tenant, std::int64_t start_ns) {
  require(start_ns >= now_, "start_ns", "is in the past");
  require(tenant < none, "tenant", "is too large a number");
  if (guest_of_.size() <= tenant) guest_of_.resize(std::size_t{tenant} + 1, none);
  require(guest_of_[tenant] == none, "tenant", "has a guest already");
  const auto number = static_cast<std::uint32_t>(guests_.size());
  guest_of_[tenant] = number;
  Guest& guest = guests_.emplace_back();
  guest.tenant = tenant;
  calendar_.push(start_ns, 2 * number);
  return guest;
}

void Guests::add_always(std::uint32_t tenant, std::uint32_t vcpus, std::int64_t start_ns) {
  add(tenant, start_ns).vcpus = vcpus;
}

void Guests::add_on_off(std::uint32_t tenant, const OnOff& facts) {
  require(facts.on_ns > 0 && facts.on_ns <= longest_ns, "on_ns", "must be from 1 ns to 11 days");
  require(facts.start_ns >= now_, "start_ns", "is in the past");
  require(facts.off_ns > 0 && facts.off_ns <= longest_ns, "off_ns", "must be from 1 ns to 11 days");
  Guest& guest = add(tenant, facts.warm ? now_ : facts.start_ns);
  guest.kind = Kind::on_off;
  guest.on_off = facts;
}

void Guests::add_poisson(std::uint32_t tenant, const Poisson& facts) {
  require(facts.mean_gap_ns >= 1.0 && facts.mean_gap_ns <= static_cast<double>(longest_ns),
          "mean_gap_ns", "must be from 1 ns to 11 days");
  require(facts.work_ns > 0 && facts.work_ns <= longest_ns, "work_ns",
          "must be from 1 ns to 11 days");
  Distribution law;
  law.kind = DistributionKind::exponential;
  law.mean = facts.mean_gap_ns;
  Guest& guest = add(tenant, facts.start_ns);
  guest.kind = Kind::poisson;
  guest.gaps = Sampler(law, facts.key);
  guest.work_ns = facts.work_ns;
}

std::int64_t Guests::on_clock(Guest& guest, std::int64_t now) {
  if (guest.kind == Kind::always) {
    guest.wants = true;
    return EventQueue::never;
  }
  if (guest.kind == Kind::poisson) {
    // The first event is the start of the process; each other brings a piece.
    if (guest.drawn > 0) {
      guest.came.push_back(now);
      if (!guest.wants) {
        guest.wants = true;
        guest.woken = now;
        guest.done_at_run_ns = nowhen;
      }
    }
    return now + duration_ns(guest.gaps.next_in_order(guest.drawn++));
  }
  const OnOff& facts = guest.on_off;
  if (facts.warm && now < facts.start_ns) {
    guest.wants = true;
    guest.done_at_run_ns = EventQueue::never;
    return facts.start_ns;
  }
  const bool warmed = facts.warm && now == facts.start_ns;
  guest.wants = warmed || !guest.wants;
  if (facts.by_the_clock) return now + (guest.wants ? facts.on_ns : facts.off_ns);
  guest.done_at_run_ns = nowhen;
  return EventQueue::never;
}

std::int64_t Guests::on_completion(Guest& guest, std::int64_t now) {
  if (guest.kind == Kind::on_off) {
    guest.wants = false;
    return now + guest.on_off.off_ns;
  }
  guest.response.record(now - guest.came[guest.first++]);
  guest.wants = guest.first < guest.came.size();
  if (guest.wants) guest.done_at_run_ns = nowhen;
  if (2 * guest.first >= guest.came.size()) {
    guest.came.erase(guest.came.begin(),
                     guest.came.begin() + static_cast<std::ptrdiff_t>(guest.first));
    guest.first = 0;
  }
  return EventQueue::never;
}

const Guests::Guest& Guests::of(std::uint32_t tenant) const {
  require(tenant < guest_of_.size() && guest_of_[tenant] != none, "tenant", "has no guest");
  return guests_[guest_of_[tenant]];
}

const Histogram& Guests::latency(std::uint32_t tenant) const {
  return of(tenant).latency;
}

const Histogram& Guests::response(std::uint32_t tenant) const {
  return of(tenant).response;
}

void Guests::clear_records() {
  for (Guest& guest : guests_) guest.latency = guest.response = Histogram();
}

}  // namespace nephoscope
