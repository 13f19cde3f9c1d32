#include "compute/hypervisor/hypervisor_facts.hpp"

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::uint32_t most_threads = 4096;
constexpr double most_weight = 65'536.0;

}  // namespace

void check(const HostFacts& facts) {
  require(facts.cores >= 1 && facts.cores <= most_threads, "cores", "must be from 1 to 4096");
  require(facts.threads_per_core >= 1 && facts.threads_per_core <= 8, "threads_per_core",
          "must be from 1 to 8");
  require(facts.threads() <= most_threads, "cores", "make more than 4096 threads");
  require(facts.smt_gain >= 0.0 && facts.smt_gain <= 1.0, "smt_gain", "must be from 0 to 1");
  require(facts.speed >= 1e-6 && facts.speed <= 1e6, "speed", "must be from 1e-6 to 1e6");
}

void check(const TenantFacts& facts) {
  require(facts.vcpus >= 1 && facts.vcpus <= most_threads, "vcpus", "must be from 1 to 4096");
  require(facts.weight > 0.0 && facts.weight <= most_weight, "weight",
          "must be above 0 and at most 65,536");
  require(facts.reservation >= 0.0 && facts.reservation <= facts.vcpus, "reservation",
          "must be from 0 to the vCPUs");
  require(facts.quota_ns >= 0, "quota", "must not be below 0");
  require(facts.period_ns >= 1'000'000 && facts.period_ns <= 1'000'000'000, "period",
          "must be from 1 ms to 1 s");
  require(facts.phase_ns >= 0 && facts.phase_ns < facts.period_ns, "phase",
          "must be from 0 to below the period");
}

std::int64_t period_end(const TenantFacts& facts, std::int64_t time) {
  const std::int64_t since = (time - facts.phase_ns) % facts.period_ns;
  return time + facts.period_ns - (since < 0 ? since + facts.period_ns : since);
}

}  // namespace nephoscope
