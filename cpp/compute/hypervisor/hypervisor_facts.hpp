// What every scheduler of the hypervisor is told of a host and of a tenant, and what it tells in
// return. The schedulers answer the same calls (fluid_hypervisor.hpp has the contract in words), so
// that whoever uses one can use another.

#pragma once

#include <cstdint>

namespace nephoscope {

struct HostFacts {
  std::uint32_t cores = 1;
  std::uint32_t threads_per_core = 1;
  double smt_gain = 0.25;  // of a core, by a thread beyond the first
  double speed = 1.0;      // of a core with one busy thread; the reference vCPU is 1

  std::uint32_t threads() const { return cores * threads_per_core; }
  // Of each busy thread when so many are busy, in reference vCPUs.
  double speed_with(double busy) const {
    if (busy <= cores) return speed;
    return speed * (cores + smt_gain * (busy - cores)) / busy;
  }
};

struct TenantFacts {
  std::uint32_t vcpus = 1;
  double weight = 256.0;
  double reservation = 0.0;   // threads
  std::int64_t quota_ns = 0;  // vCPU time a period; 0: none
  std::int64_t period_ns = 100'000'000;
  std::int64_t phase_ns = 0;  // a period begins at phase_ns + k x period_ns
};

// What became of a tenant's vCPU time, ns, and the work done, ns of a reference vCPU.
//   run + contention + quota + forced_idle + paused + idle = vcpus x time.
struct TenantAccount {
  std::int64_t run_ns = 0;
  std::int64_t contention_ns = 0;   // wanted, and others ran
  std::int64_t quota_ns = 0;        // wanted, and its cap forbade it
  std::int64_t forced_idle_ns = 0;  // wanted, and a thread stayed idle for the sake of isolation
  std::int64_t paused_ns = 0;       // wanted, while it went from one host to another
  std::int64_t idle_ns = 0;         // not wanted
  std::int64_t work_ns = 0;
  std::int64_t slowed_ns = 0;  // of run: lost to tenants that fill caches and memory bandwidth

  std::int64_t steal_ns() const { return contention_ns + quota_ns + forced_idle_ns + paused_ns; }
  TenantAccount& operator+=(const TenantAccount& other) { return add(other, 1); }
  TenantAccount& operator-=(const TenantAccount& other) { return add(other, -1); }

 private:
  TenantAccount& add(const TenantAccount& other, std::int64_t times) {
    run_ns += times * other.run_ns;
    contention_ns += times * other.contention_ns;
    quota_ns += times * other.quota_ns;
    forced_idle_ns += times * other.forced_idle_ns;
    paused_ns += times * other.paused_ns;
    idle_ns += times * other.idle_ns;
    work_ns += times * other.work_ns;
    slowed_ns += times * other.slowed_ns;
    return *this;
  }
};

// Throw SpecError with the field's name when a fact is not legal.
void check(const HostFacts& facts);
void check(const TenantFacts& facts);

// Of a tenant's quota: the first end of a period after `time`.
std::int64_t period_end(const TenantFacts& facts, std::int64_t time);

}  // namespace nephoscope
