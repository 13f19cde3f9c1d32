// The hypervisor of a pool of hosts: one of the schedulers, which all answer the same calls.
//
// Whoever uses it tells when a tenant wants more or fewer of its vCPUs to run, lets time pass until
// `next_event`, and looks at `changed` for the tenants whose rate is another one. The calls are
// those of fluid_hypervisor.hpp, where they are explained.

#pragma once

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "compute/hypervisor/credit_hypervisor.hpp"
#include "compute/hypervisor/fair_hypervisor.hpp"
#include "compute/hypervisor/fluid_hypervisor.hpp"
#include "compute/hypervisor/hypervisor_facts.hpp"
#include "compute/hypervisor/pinned_hypervisor.hpp"
#include "kernel/errors.hpp"

namespace nephoscope {

enum class SchedulerKind : std::uint8_t { fluid, fair, credit, pinned };

struct SchedulerFacts {
  SchedulerKind kind = SchedulerKind::fluid;
  bool core_scheduling = false;  // fair: siblings of a core belong to one tenant
  std::uint64_t seed = 0;        // of what a scheduler does at random
};

class Hypervisor {
  // Calls must be seen before they are used: what they return is deduced.
  template <class Call>
  decltype(auto) with(Call call) {
    return std::visit(std::move(call), scheduler_);
  }

 public:
  // Throws SpecError with the field's name when a fact is not legal.
  explicit Hypervisor(const SchedulerFacts& facts);

  std::uint32_t add_host(const HostFacts& facts) {
    return with([&](auto& it) { return it.add_host(facts); });
  }
  std::uint32_t add_tenant(std::uint32_t host, const TenantFacts& facts) {
    return with([&](auto& it) { return it.add_tenant(host, facts); });
  }
  // Whether a host would take a legal tenant, beside those it has. Where placement has found enough
  // threads for it, only reservations (fluid) and the number of vCPUs (credit) can be in the way.
  bool has_room(std::uint32_t host, const TenantFacts& facts) const {
    return std::visit(
        [&](const auto& it) {
          if constexpr (requires { it.has_room(host, facts); }) return it.has_room(host, facts);
          return true;
        },
        scheduler_);
  }
  // With its account and what is left of its cap.
  void move_tenant(std::uint32_t tenant, std::uint32_t host) {
    with([&](auto& it) { it.move_tenant(tenant, host); });
  }
  void remove_tenant(std::uint32_t tenant) {
    with([&](auto& it) { it.remove_tenant(tenant); });
  }
  void set_want(std::uint32_t tenant, std::uint32_t want) {
    with([&](auto& it) { it.set_want(tenant, want); });
  }
  // Throws SpecError where the scheduler has no limits.
  void set_limit(std::uint32_t tenant, double threads) {
    with([&](auto& it) {
      if constexpr (requires { it.set_limit(tenant, threads); }) {
        it.set_limit(tenant, threads);
      } else {
        throw SpecError("cpu_credits", "are of the scheduler fluid alone");
      }
    });
  }
  void advance(std::int64_t until) {
    with([&](auto& it) { it.advance(until); });
  }
  std::int64_t next_event() {
    return with([](auto& it) { return it.next_event(); });
  }
  const std::vector<std::uint32_t>& changed() {
    return with([](auto& it) -> const std::vector<std::uint32_t>& { return it.changed(); });
  }
  void clear_changed() {
    with([](auto& it) { it.clear_changed(); });
  }
  double share(std::uint32_t tenant) {
    return with([&](auto& it) -> double { return it.share(tenant); });
  }
  double rate(std::uint32_t tenant) {
    return with([&](auto& it) { return it.rate(tenant); });
  }
  std::int64_t now() const {
    return std::visit([](const auto& it) { return it.now(); }, scheduler_);
  }
  TenantAccount account(std::uint32_t tenant) const { return account(tenant, now()); }
  // No later than next_event().
  TenantAccount account(std::uint32_t tenant, std::int64_t time) const {
    return std::visit([&](const auto& it) { return it.account(tenant, time); }, scheduler_);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    with([&](auto& it) { it.serialize(archive); });
  }

 private:
  std::variant<FluidHypervisor, FairHypervisor, CreditHypervisor, PinnedHypervisor> scheduler_;
};

}  // namespace nephoscope
