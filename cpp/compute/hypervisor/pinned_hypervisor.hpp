// The hypervisor that shares nothing: every vCPU has a hardware thread of its own for as long as
// its tenant is there (Xen's null scheduler; instances of fixed performance).
//
// A tenant takes whole cores, as many as its vCPUs need, so that hardware siblings are its own: it
// runs at full speed while it keeps them idle, slower when it uses them, and never notices a
// neighbour. Cores are counted, not numbered: which ones a tenant has makes no difference. What
// does not fit is refused.
//
// A quota is a bucket, as everywhere (fluid_hypervisor.hpp). Each tenant's cores are a host of
// their own for the arithmetic of the fluid, with room for all its vCPUs, so that the level of
// nobody else is in it.
//
// Invariants, for each tenant and to the nanosecond:
//   run + steal by quota + idle = vcpus x (now - start); steal by contention = 0;
//   nothing depends on the other tenants.

#pragma once

#include <cstdint>
#include <vector>

#include "compute/hypervisor/fluid_hypervisor.hpp"
#include "compute/hypervisor/hypervisor_facts.hpp"

namespace nephoscope {

class PinnedHypervisor {
 public:
  // Throw SpecError with the field's name when a fact is not legal; with "vcpus" when the cores
  // that are free on the host do not suffice, and then nothing has changed.
  std::uint32_t add_host(const HostFacts& facts);
  std::uint32_t add_tenant(std::uint32_t host, const TenantFacts& facts);
  void move_tenant(std::uint32_t tenant, std::uint32_t host);
  // Its cores are free again; its account stays.
  void remove_tenant(std::uint32_t tenant);

  // Of a tenant that wants k vCPUs those with the numbers below k run, on as many cores as there
  // are before two of them share one.
  void set_want(std::uint32_t tenant, std::uint32_t want) { each_.set_want(tenant, want); }
  void advance(std::int64_t until) { each_.advance(until); }
  // Quotas that run out or are renewed; without them nothing ever happens.
  std::int64_t next_event() { return each_.next_event(); }
  const std::vector<std::uint32_t>& changed() { return each_.changed(); }
  void clear_changed() { each_.clear_changed(); }

  std::int64_t now() const { return each_.now(); }
  std::size_t hosts() const { return hosts_.size(); }
  std::size_t tenants() const { return each_.tenants(); }
  double share(std::uint32_t tenant) { return each_.share(tenant); }
  double rate(std::uint32_t tenant) { return each_.rate(tenant); }
  // The mean of the busy threads; of one alone on its core when none is.
  double speed(std::uint32_t host);
  TenantAccount account(std::uint32_t tenant) const { return each_.account(tenant); }
  TenantAccount account(std::uint32_t tenant, std::int64_t time) const {
    return each_.account(tenant, time);
  }
  std::uint64_t decisions() const { return each_.solves(); }
  std::uint32_t free_cores(std::uint32_t host) const;

  template <class Archive, class Fluid = FluidHypervisor>
  void serialize(Archive& archive) {
    static_cast<Fluid&>(each_).serialize(archive);
    std::uint64_t hosts = hosts_.size();
    archive(hosts);
    hosts_.resize(static_cast<std::size_t>(hosts));
    for (Host& host : hosts_) {
      archive(host.facts.cores, host.facts.threads_per_core, host.facts.smt_gain, host.facts.speed,
              host.free_cores);
    }
    archive(places_, free_rooms_);
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  struct Host {
    HostFacts facts;
    std::uint32_t free_cores = 0;
  };

  struct Place {
    std::uint32_t host = none;
    std::uint32_t room = none;
    std::uint32_t vcpus = 1;
    std::uint32_t cores = 1;
  };

  // A host of the fluid for one tenant.
  struct Room {
    static constexpr bool plain_doubles = true;
    double smt_gain = 0.0;
    double speed = 1.0;
    std::uint32_t cores = 1;
    std::uint32_t threads_per_core = 1;
    std::uint32_t number = 0;
    std::uint32_t unused = 0;  // no padding
  };

  void require_host(std::uint32_t host) const;
  void require_present(std::uint32_t tenant) const;
  std::uint32_t cores_for(std::uint32_t host, std::uint32_t vcpus) const;
  std::uint32_t take_room(std::uint32_t host, std::uint32_t cores);
  void give_room(const Place& place);

  std::vector<Host> hosts_;
  std::vector<Place> places_;     // of the tenants
  std::vector<Room> free_rooms_;  // of tenants that have gone
  FluidHypervisor each_;
};

}  // namespace nephoscope
