#include "compute/hypervisor/hypervisor.hpp"

#include "kernel/errors.hpp"

namespace nephoscope {

Hypervisor::Hypervisor(const SchedulerFacts& facts) {
  const bool fair = facts.kind == SchedulerKind::fair;
  if (facts.core_scheduling && !fair) {
    throw SpecError("core_scheduling", "is of the scheduler fair alone");
  }
  switch (facts.kind) {
    case SchedulerKind::fluid:
      return;
    case SchedulerKind::fair: {
      FairOptions options;
      options.seed = facts.seed;
      options.core_scheduling = facts.core_scheduling;
      scheduler_.emplace<FairHypervisor>(options);
      return;
    }
    case SchedulerKind::credit: {
      CreditOptions options;
      options.seed = facts.seed;
      scheduler_.emplace<CreditHypervisor>(options);
      return;
    }
    case SchedulerKind::pinned:
      scheduler_.emplace<PinnedHypervisor>();
      return;
  }
  throw SpecError("scheduler", "is not known");
}

}  // namespace nephoscope
