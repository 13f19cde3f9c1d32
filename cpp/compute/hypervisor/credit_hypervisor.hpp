// Hosts under the credit scheduler of Xen, quantum by quantum (credit_host.hpp has the rules).
//
// It answers the calls of FluidHypervisor. A tenant has whole pCPUs, one for each vCPU that runs,
// and rates change when a pCPU switches. Wanting k means that its first k vCPUs want to run: when k
// falls the highest-numbered of them block, when it grows those that come back wake, in the order
// of their numbers, and BOOST is theirs if the rules give it.
//
// Weights are whole numbers from 1 to 65,535. A cap is a percentage of a pCPU, as credit1 has it,
// given out 30 ms by 30 ms: a quota must be a whole percentage of its period, and of the period
// nothing but this ratio counts. What credit1 has not is refused: reservations, and a phase of the
// quota.
//
// Hosts do not depend on each other between calls, so each is brought up to the present by itself.
// A host with no more runnable vCPUs than pCPUs and no cap at work has no events at all.
//
// Invariant, for each tenant, exactly:
//   run + contention + quota + forced idle (never) + idle = vcpus x (now - start).

#pragma once

#include <cstdint>
#include <vector>

#include "compute/hypervisor/credit_host.hpp"
#include "compute/hypervisor/credit_options.hpp"
#include "compute/hypervisor/due_tree.hpp"
#include "compute/hypervisor/hypervisor_facts.hpp"

namespace nephoscope {

class CreditHypervisor {
 public:
  using Options = CreditOptions;

  // Throws SpecError with the field's name when an option is not legal.
  explicit CreditHypervisor(const CreditOptions& options = {});

  // As FluidHypervisor has them. A tenant moves with its account, its credits and its place in the
  // active set, and its vCPUs are not boosted when they arrive.
  std::uint32_t add_host(const HostFacts& facts);
  std::uint32_t add_tenant(std::uint32_t host, const TenantFacts& facts);
  // Whether a host can number the vCPUs of a legal tenant.
  bool has_room(std::uint32_t host, const TenantFacts& facts) const {
    return hosts_[host].has_room(facts.vcpus);
  }
  void move_tenant(std::uint32_t tenant, std::uint32_t host);
  void remove_tenant(std::uint32_t tenant);
  void set_want(std::uint32_t tenant, std::uint32_t want);
  void advance(std::int64_t until);

  // The next timer or accounting of a host where any is at work; DueTree::never if there is none.
  std::int64_t next_event() const { return due_.next_time(); }

  // In ascending order.
  const std::vector<std::uint32_t>& changed();
  void clear_changed();

  std::int64_t now() const { return now_; }
  std::size_t hosts() const { return hosts_.size(); }
  std::size_t tenants() const { return tenants_.size(); }
  // vCPUs that run at this instant.
  std::uint32_t share(std::uint32_t tenant) const;
  double rate(std::uint32_t tenant) const;
  double speed(std::uint32_t host) const;
  TenantAccount account(std::uint32_t tenant) const { return account(tenant, now_); }
  TenantAccount account(std::uint32_t tenant, std::int64_t time) const;
  // Scheduling decisions so far, for a sense of cost.
  std::uint64_t decisions() const;

  // For research: the vCPUs of a tenant as the scheduler knows them, with credits as of the last
  // debit; none once it has been removed. And the timers of a host.
  std::vector<CreditHost::Vcpu> vcpus(std::uint32_t tenant) const;
  const CreditHost& host(std::uint32_t host) const;
  const CreditOptions& options() const { return options_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(options_.slice_ns, options_.ratelimit_ns, options_.dither_ns, options_.seed);
    archive(options_.boost, options_.exact_debit, options_.activate_at_decision, options_.aligned);
    std::uint64_t size = hosts_.size();
    archive(size);
    hosts_.resize(static_cast<std::size_t>(size));
    for (CreditHost& host : hosts_) host.serialize(archive);
    archive(tenants_, touched_hosts_, touched_, changed_, now_);
    due_.serialize(archive);
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  struct Tenant {
    static constexpr bool plain_doubles = true;

    std::uint32_t host = none;
    std::uint32_t member = 0;  // its number there
    std::uint32_t vcpus = 0;
    std::uint32_t want = 0;
    std::uint32_t listed = 0;  // in changed_
    std::uint32_t spare = 0;
    double told = 0.0;  // the rate when it was listed last
    std::int64_t started = 0;
    std::int64_t counted_to = 0;
    std::int64_t wanted_ns = 0;
    // When it was removed.
    std::int64_t run_ns = 0;
    std::int64_t quota_ns = 0;
    std::int64_t work_ns = 0;
  };

  Tenant& present(std::uint32_t tenant);
  static void count(Tenant& it, std::int64_t time);
  void enter(std::uint32_t tenant, std::uint32_t host, const CreditHost::Parcel& parcel);
  CreditHost::Parcel leave(std::uint32_t tenant);
  void done(std::uint32_t host);

  CreditOptions options_;
  std::vector<CreditHost> hosts_;
  std::vector<Tenant> tenants_;
  std::vector<std::uint32_t> touched_hosts_;
  std::vector<std::uint32_t> touched_;  // tenants whose rates may have changed
  std::vector<std::uint32_t> changed_;
  DueTree due_;  // hosts
  std::int64_t now_ = 0;
};

}  // namespace nephoscope
