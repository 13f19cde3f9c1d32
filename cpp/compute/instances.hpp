// Every instance of a world: workers that take jobs, a backlog for the jobs that wait for one, and
// vCPUs that the computing jobs share equally, none of them faster than one vCPU.
//
// An instance with one worker needs no clock: the completion of its job is known when the work
// begins, and nothing changes it. So its past can be told at any later time (`finish_before`), and
// whoever has no use for the instant of a completion need not be there when it comes.
//
// With several workers, jobs follow the rate by cumulative service: an instance keeps how much
// service each of its computing jobs has had since it was last idle (`clock`); a job that begins to
// compute is due when the clock has advanced by its work. So a change of rate touches one number,
// whatever the number of jobs, and an instance has one next completion. The clock runs in units of
// 2^-10 ns (of 2^-4 ns where the horizon is years), so the rounding of a rate change is far below a
// nanosecond.
//
// Invariants:
//   1. free workers <= kind.workers, computing <= busy workers, waiting <= kind.backlog.
//   2. waiting > 0 only when no worker is free.
//   3. run_ns + idle = vcpus x time, where running means min(computing, vcpus) vCPUs. Where they
//      are hosted, that many want to run, and the hypervisor knows how many do.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "compute/job_heap.hpp"
#include "compute/serving_state.hpp"
#include "kernel/block_pool.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

class Instances {
 public:
  static constexpr std::uint32_t none = ServingState::none;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // What may be answered in place of an instant (>= 0).
  static constexpr std::int64_t shared = -1;   // it computes; the next completion is a new one
  static constexpr std::int64_t waiting = -2;  // it is in the backlog
  static constexpr std::int64_t refused = -3;  // the backlog is full
  static constexpr std::int64_t held = -4;     // it has a worker and does not compute yet

  std::uint32_t add_kind(const InstanceKind& kind);
  // Of the same instances while they are so many times as slow.
  std::uint32_t add_slow_kind(std::uint32_t kind, double factor);
  std::uint32_t add(std::uint32_t kind, std::int64_t now);

  // Offers a job: it takes a free worker and begins, waits for one, or is refused. Returns when it
  // will complete if that is known, else what has become of it.
  NEPHOSCOPE_HOT std::int64_t offer(std::uint32_t instance, const Job& job, std::int64_t now) {
    Instance& it = instances_[instance];
    if (it.mode == ServingMode::several) return offer_shared(it, job, now);
    if (it.busy) return enqueue(it, job);
    it.busy = true;
    return begin_solo(it, job, now);
  }

  // A job that has a worker begins: it computes if its work is known, else it is `held`.
  NEPHOSCOPE_HOT std::int64_t begin(std::uint32_t instance, const Job& job, std::int64_t now) {
    Instance& it = instances_[instance];
    return it.mode == ServingMode::several ? begin_shared(it, job, now) : begin_solo(it, job, now);
  }

  // When the first of the computing jobs of an instance with several workers will complete, or
  // `never`.
  NEPHOSCOPE_HOT std::int64_t next_completion(std::uint32_t instance) const {
    const Instance& it = instances_[instance];
    const Sharing& sharing = it.sharing;
    return sharing.computing == 0 ? never : completion_of_first(it, sharing, kinds_[it.kind]);
  }

  // Of a hosted instance: what all its vCPUs together get done from now on, in reference vCPUs.
  void set_rate(std::uint32_t instance, double rate, std::int64_t now);

  // What a job that computed from one instant to another lost by its host's giving less than all
  // the vCPUs is the difference of this between them: ns of work that it would have got done alone.
  double lost_ns(std::uint32_t instance, std::int64_t now) const;

  // How many of its vCPUs want to run.
  NEPHOSCOPE_HOT std::uint32_t wanted_vcpus(std::uint32_t instance) const {
    const Instance& it = instances_[instance];
    return std::min(computing(it), kinds_[it.kind].vcpus);
  }

  // Ends the job of an instance with one worker, due now, and returns it. It keeps its worker.
  NEPHOSCOPE_HOT const Job& complete(std::uint32_t instance, std::int64_t now) {
    Instance& it = instances_[instance];
    it.run_ns += now - it.updated;
    it.updated = now;
    it.computing = false;
    return it.running;
  }

  // The same for the first of the computing jobs of an instance with several workers.
  NEPHOSCOPE_HOT Job complete_first(std::uint32_t instance, std::int64_t now) {
    Instance& it = instances_[instance];
    Sharing& sharing = it.sharing;
    const RatedKind& kind = kinds_[it.kind];
    it.run_ns += (now - it.updated) * std::min(sharing.computing, kind.vcpus);
    if (kind.hosted) note_lost(it, kind, now - it.updated);
    it.updated = now;
    return pop_computing(sharing);
  }

  // Gives the worker of a job that has left to the job that has waited longest, which is returned
  // and must begin, or to nobody (nullptr). What is returned is valid until the next call.
  NEPHOSCOPE_HOT const Job* release_worker(std::uint32_t instance) {
    Instance& it = instances_[instance];
    if (it.waiting != 0) return &pop_waiting(it);
    if (it.mode == ServingMode::several) {
      ++it.sharing.free_workers;
    } else {
      it.busy = false;
    }
    return nullptr;
  }

  // Does work at once that would be done before `until`, on an instance with one worker whose jobs
  // know their work and which nobody looks at before then. Returns when it will have been done.
  // Where it would be later, or the instance holds jobs, nothing changes and the answer is `never`.
  NEPHOSCOPE_HOT std::int64_t do_unseen(std::uint32_t instance, std::int64_t work, std::int64_t now,
                                        std::int64_t until);

  // Such an instance takes a job that is told later, by the next.
  NEPHOSCOPE_HOT void hold_unseen(std::uint32_t instance, const Job& job, std::int64_t now);

  // On such an instance: ends the running job if it is due before `until` and begins the next.
  // Returns false when there was none; else `finished` is the job and `time` when it was done.
  NEPHOSCOPE_HOT bool finish_before(std::uint32_t instance, std::int64_t until, Job& finished,
                                    std::int64_t& time);

  // Whether its jobs share one clock: there are several workers, or somebody tells its rate.
  bool is_shared(std::uint32_t instance) const {
    return instances_[instance].mode == ServingMode::several;
  }

  // When the job of an instance with one worker will complete, or `never`.
  std::int64_t completion(std::uint32_t instance) const {
    const Instance& it = instances_[instance];
    return it.computing ? it.updated + it.running.work : never;
  }

  // A count that its owner keeps beside the instance.
  NEPHOSCOPE_HOT void count(std::uint32_t instance) { ++instances_[instance].counted; }
  std::uint64_t counted(std::uint32_t instance) const { return instances_[instance].counted; }

  // When a job of so much work would be done if it were offered now: at the latest, for a job ahead
  // may be taken out of the backlog. `never` where nobody can tell, or not without a long look.
  NEPHOSCOPE_HOT std::int64_t done_by(std::uint32_t instance, std::int64_t work,
                                      std::int64_t now) const {
    const Instance& it = instances_[instance];
    if (it.mode == ServingMode::several) return never;
    const std::int64_t own = scaled(it, work);
    return it.busy ? add_ahead(it, own) : now + own;
  }

  // What work takes on an instance with one worker.
  NEPHOSCOPE_HOT std::int64_t time_for(std::uint32_t instance, std::int64_t work) const {
    return scaled(instances_[instance], work);
  }

  // When the next job that is offered gets a worker if none leaves the backlog, or any time after
  // `limit`; `refused` where there is no room, `never` where nobody can tell. O(waiting).
  std::int64_t turn_of_next(std::uint32_t instance, std::int64_t now, std::int64_t limit) const;

  // Takes a job out of the backlog, by its id. False when it does not wait there. O(waiting).
  bool remove_waiting(std::uint32_t instance, std::uint32_t id);

  // Takes every job from an instance and frees its workers, whoever holds them. Returns the jobs
  // that computed or waited.
  std::vector<Job> drop_all(std::uint32_t instance, std::int64_t now);
  // Takes the jobs that compute, with the work they have to come. They keep their workers.
  std::vector<Job> freeze(std::uint32_t instance, std::int64_t now);
  // One of them ends here and now, undone. False when it does not compute. O(computing).
  bool stop_computing(std::uint32_t instance, std::uint32_t id, std::int64_t now);

  // Lays the backlogs out anew: what is saved must not depend on how a run was cut. O(everything).
  void lay_out_backlogs();

  // An instance that is down, and had no jobs, refuses every job until it is brought up.
  void take_down(std::uint32_t instance);
  void bring_up(std::uint32_t instance, std::uint32_t kind, std::int64_t now);
  // From now on it is of this kind, slow or not, which changes when its jobs are done.
  void set_pace(std::uint32_t instance, std::uint32_t kind, std::int64_t now);

  // Calls `action` with each job that waits or computes (instances_jobs.hpp). O(instances + jobs).
  template <class Action>
  void for_each_job(Action action) const;

  // Brings an instance into the cache. Any number will do.
  NEPHOSCOPE_HOT void prefetch(std::uint32_t instance) const {
    NEPHOSCOPE_PREFETCH(instances_.data() + (instance < instances_.size() ? instance : 0));
  }

  // The same for both ends of what waits there, once the instance is in the cache.
  NEPHOSCOPE_HOT void prefetch_waiting(std::uint32_t instance) const {
    const Instance& it = instances_[instance < instances_.size() ? instance : 0];
    if (it.ring == none) return;
    const Job* const ring = waiting_blocks_.at(it.ring);
    const std::uint32_t mask = (1U << it.ring_log2) - 1;
    NEPHOSCOPE_PREFETCH(ring + (it.first & mask));
    NEPHOSCOPE_PREFETCH(ring + ((it.first + it.waiting) & mask));
  }

  std::size_t size() const { return instances_.size(); }
  std::uint32_t workers_busy(std::uint32_t instance) const {
    return workers_busy(instances_[instance]);
  }
  std::uint32_t waiting_jobs(std::uint32_t instance) const { return instances_[instance].waiting; }
  // The job that has waited longest, or nullptr. Valid until the next call that changes something.
  const Job* first_waiting(std::uint32_t instance) const {
    const Instance& it = instances_[instance];
    const std::uint32_t mask = (1U << it.ring_log2) - 1;
    return it.waiting == 0 ? nullptr : &waiting_blocks_.at(it.ring)[it.first & mask];
  }
  bool has_free_worker(std::uint32_t instance) const {
    return workers_busy(instance) < kind_of(instance).workers;
  }
  bool computes(std::uint32_t instance) const { return computing(instances_[instance]) != 0; }
  // Whether it would refuse a job.
  bool is_full(std::uint32_t instance) const {
    const InstanceKind& kind = kind_of(instance);
    return workers_busy(instance) >= kind.workers && waiting_jobs(instance) >= kind.backlog;
  }
  const InstanceKind& kind_of(std::uint32_t instance) const {
    return kinds_[instances_[instance].kind];
  }
  const InstanceKind& kind(std::uint32_t index) const { return kinds_[index]; }

  // vCPU time used until `now`, ns.
  std::int64_t run_ns(std::uint32_t instance, std::int64_t now) const {
    const Instance& it = instances_[instance];
    // Of what do_unseen() told done, some may be to come: until then it runs.
    const bool told_ahead = it.mode != ServingMode::several && it.updated > now;
    const std::uint32_t running = told_ahead ? 1 : computing(it);
    return it.run_ns + (now - it.updated) * std::min(running, kinds_[it.kind].vcpus);
  }

  // Throws InvariantError when one of the invariants above does not hold.
  void check(std::int64_t now) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(instances_, hosted_rates_, order_);
    waiting_blocks_.serialize(archive);
    computing_blocks_.serialize(archive);
  }

 private:
  using Instance = ServingState;
  using Sharing = SharedWork;
  static constexpr std::int64_t rebase_above = std::int64_t{1} << 60;
  static constexpr std::uint32_t smallest_block_log2 = 2;
  static constexpr std::uint32_t looked_at = 8;  // jobs ahead, see done_by()

  std::uint32_t workers_busy(const Instance& it) const {
    if (it.mode != ServingMode::several) return it.busy ? 1 : 0;
    return kinds_[it.kind].workers - it.sharing.free_workers;
  }
  std::uint32_t computing(const Instance& it) const {
    if (it.mode != ServingMode::several) return it.computing ? 1 : 0;
    return it.sharing.computing;
  }

  std::int64_t scaled(const Instance& it, std::int64_t work) const {
    return it.mode == ServingMode::solo ? work : kinds_[it.kind].time_for(work);
  }

  NEPHOSCOPE_HOT std::int64_t begin_solo(Instance& it, const Job& job, std::int64_t now) {
    if (job.work < 0) [[unlikely]]
      return held;
    it.running = job;
    it.running.work = scaled(it, job.work);
    it.updated = now;
    it.computing = true;
    return now + it.running.work;
  }

  NEPHOSCOPE_HOT std::int64_t offer_shared(Instance& it, const Job& job, std::int64_t now) {
    Sharing& sharing = it.sharing;
    if (sharing.free_workers == 0) return enqueue(it, job);
    --sharing.free_workers;
    return begin_shared(it, job, now);
  }

  NEPHOSCOPE_HOT std::int64_t begin_shared(Instance& it, const Job& job, std::int64_t now) {
    if (job.work < 0) [[unlikely]]
      return held;
    const RatedKind& kind = kinds_[it.kind];
    Sharing& sharing = it.sharing;
    settle(it, sharing, kind, now);
    const std::int64_t units = std::min(job.work, kind.work_max) << kind.unit_shift;
    push_computing(sharing, {sharing.clock + units, job.since, job.id, job.place, order_++, 0});
    return shared;
  }

  NEPHOSCOPE_HOT void settle(Instance& it, Sharing& sharing, const RatedKind& kind,
                             std::int64_t now) {
    if (sharing.computing != 0) {
      const std::int64_t elapsed = now - it.updated;
      const double rate = kind.hosted ? hosted_rate(it) : kind.rate(sharing.computing);
      sharing.clock += static_cast<std::int64_t>(static_cast<double>(elapsed) * rate + 0.5);
      it.run_ns += elapsed * std::min(sharing.computing, kind.vcpus);
      if (kind.hosted) note_lost(it, kind, elapsed);
      if (sharing.clock > rebase_above) [[unlikely]]
        rebase(sharing);
    }
    it.updated = now;
  }

  NEPHOSCOPE_HOT std::int64_t completion_of_first(const Instance& it, const Sharing& sharing,
                                                  const RatedKind& kind) const {
    const std::int64_t left = computing_blocks_.at(sharing.heap)->due - sharing.clock;
    if (left <= 0) return it.updated;
    if (kind.hosted) return hosted_completion(it, left);
    return it.updated +
           duration_ns(static_cast<double>(left) * kind.inverse_rate(sharing.computing));
  }

  NEPHOSCOPE_HOT void push_computing(Sharing& sharing, const ComputingJob& added) {
    if (sharing.heap == none || sharing.computing >> sharing.heap_log2 != 0) [[unlikely]]
      grow_computing(sharing);
    push_job(computing_blocks_.at(sharing.heap), sharing.computing++, added);
  }

  NEPHOSCOPE_HOT Job pop_computing(Sharing& sharing) {
    ComputingJob* heap = computing_blocks_.at(sharing.heap);
    const Job first{0, heap[0].since, heap[0].id, heap[0].place};
    const std::uint32_t size = --sharing.computing;
    sharing.clock = size == 0 ? 0 : heap[0].due;
    pop_job(heap, size);
    return first;
  }

  NEPHOSCOPE_HOT std::int64_t enqueue(Instance& it, const Job& job) {
    if (it.waiting >= kinds_[it.kind].backlog) return refused;
    if (it.ring == none || it.waiting >> it.ring_log2 != 0) [[unlikely]]
      grow_waiting(it);
    const std::uint32_t mask = (1U << it.ring_log2) - 1;
    waiting_blocks_.at(it.ring)[(it.first + it.waiting++) & mask] = job;
    return waiting;
  }

  NEPHOSCOPE_HOT const Job& pop_waiting(Instance& it) {
    const std::uint32_t mask = (1U << it.ring_log2) - 1;
    const Job& job = waiting_blocks_.at(it.ring)[it.first & mask];
    ++it.first;
    if (--it.waiting == 0 && it.ring_log2 > 6) [[unlikely]]
      shrink_waiting(it);
    return job;
  }

  // Clock units a ns that each job of a hosted instance gets.
  double hosted_rate(const Instance& it) const {
    return hosted_rates_[place_of(it)].rate / it.sharing.computing;
  }
  double lost_share(const Instance& it, const RatedKind& kind) const;
  void note_lost(const Instance& it, const RatedKind& kind, std::int64_t elapsed) {
    hosted_rates_[place_of(it)].lost_ns += static_cast<double>(elapsed) * lost_share(it, kind);
  }
  std::size_t place_of(const Instance& it) const {
    return static_cast<std::size_t>(&it - instances_.data());
  }
  std::int64_t hosted_completion(const Instance& it, std::int64_t left) const;
  std::int64_t add_ahead(const Instance& it, std::int64_t own) const;
  NEPHOSCOPE_COLD void rebase(Sharing& sharing);
  NEPHOSCOPE_COLD void grow_computing(Sharing& sharing);
  NEPHOSCOPE_COLD void grow_waiting(Instance& it);
  NEPHOSCOPE_COLD void shrink_waiting(Instance& it);

  std::vector<Instance> instances_;
  std::vector<HostedRate> hosted_rates_;  // by instance
  std::vector<RatedKind> kinds_;          // the first is that of instances that are down
  BlockPool<Job> waiting_blocks_;
  BlockPool<ComputingJob> computing_blocks_;
  std::uint32_t order_ = 0;
};

}  // namespace nephoscope

#include "compute/instances_jobs.hpp"
#include "compute/instances_unseen.hpp"
