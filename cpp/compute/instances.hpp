// Every instance of a world: workers that take jobs, a backlog for the jobs that wait for one, and
// vCPUs that the computing jobs share equally, none of them faster than one vCPU.
//
// A job is a number that means nothing here. Work is ns of one reference vCPU.
//
// Jobs follow the rate by cumulative service: an instance keeps how much service each of its
// computing jobs has had since it was last idle (`clock`); a job that begins to compute is due when
// the clock has advanced by its work. So a change of rate touches one number, whatever the number
// of jobs, and an instance has one next completion. The clock runs in units of 2^-10 ns (of 2^-4 ns
// where the horizon is years), so the rounding of a rate change is far below a nanosecond. An
// instance with one worker needs no clock: its completion is known when the work begins, and
// nothing changes it.
//
// Invariants:
//   1. free workers <= kind.workers, computing <= busy workers, waiting <= kind.backlog.
//   2. waiting > 0 only when no worker is free.
//   3. run_ns + idle = vcpus x time, where running means min(computing, vcpus) vCPUs.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/block_pool.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

class Instances {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::int64_t shared = -1;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // What the instances of a fleet have in common.
  struct Kind {
    std::uint32_t vcpus = 1;
    double speed = 1.0;                               // of a vCPU; the reference is 1
    std::uint32_t workers = 1;                        // jobs served at once
    std::uint32_t backlog = unlimited;                // jobs that may wait for a worker
    std::int64_t horizon_ns = std::int64_t{1} << 50;  // no job has to complete after that long
  };

  enum class Admission : std::uint8_t { started, waiting, refused };

  std::uint32_t add_kind(const Kind& kind);
  std::uint32_t add(std::uint32_t kind, std::int64_t now);

  // Offers a job: it takes a free worker, waits for one, or is refused because the backlog is full.
  NEPHOSCOPE_HOT Admission admit(std::uint32_t instance, std::uint32_t job) {
    Instance& it = instances_[instance];
    if (it.free_workers > 0) {
      --it.free_workers;
      return Admission::started;
    }
    if (it.waiting >= kinds_[it.kind].backlog) return Admission::refused;
    push_waiting(it, job);
    return Admission::waiting;
  }

  // A job that holds a worker begins to compute. Returns when it will complete, if the instance has
  // one worker, and `shared` otherwise: then the instance has a new next completion.
  NEPHOSCOPE_HOT std::int64_t compute(std::uint32_t instance, std::uint32_t job, std::int64_t work,
                                      std::int64_t now) {
    Instance& it = instances_[instance];
    if (it.mode != Mode::solo) [[unlikely]]
      return compute_shared(it, job, work, now);
    it.computing = 1;
    it.running = job;
    it.updated = now;
    return now + work;
  }

  // When the first of the computing jobs of an instance with several workers will complete, or
  // `never`.
  std::int64_t next_completion(std::uint32_t instance) const {
    const Instance& it = instances_[instance];
    return it.computing == 0 ? never : completion_of_first(it, kinds_[it.kind]);
  }

  // Ends the job of an instance with one worker, due now, and returns it. It keeps its worker.
  NEPHOSCOPE_HOT std::uint32_t complete(std::uint32_t instance, std::int64_t now) {
    Instance& it = instances_[instance];
    it.run_ns += now - it.updated;
    it.updated = now;
    it.computing = 0;
    return it.running;
  }

  // The same for the first of the computing jobs of an instance with several workers.
  std::uint32_t complete_first(std::uint32_t instance, std::int64_t now) {
    Instance& it = instances_[instance];
    it.run_ns += (now - it.updated) * std::min(it.computing, kinds_[it.kind].vcpus);
    it.updated = now;
    return pop_computing(it);
  }

  // Gives the worker of a job that has left to the job that has waited longest, which is returned,
  // or to nobody (`none`).
  NEPHOSCOPE_HOT std::uint32_t release_worker(std::uint32_t instance) {
    Instance& it = instances_[instance];
    if (it.waiting == 0) {
      ++it.free_workers;
      return none;
    }
    return pop_waiting(it);
  }

  // Takes a job out of the backlog. Returns false when it does not wait there. O(waiting).
  bool remove_waiting(std::uint32_t instance, std::uint32_t job);

  // Brings an instance into the cache. Any number will do.
  NEPHOSCOPE_HOT void prefetch(std::uint32_t instance) const {
    NEPHOSCOPE_PREFETCH(instances_.data() + (instance < instances_.size() ? instance : 0));
  }

  // The job that will complete first on an instance with one worker, as a hint. Any number will do.
  NEPHOSCOPE_HOT std::uint32_t running_hint(std::uint32_t instance) const {
    return instance < instances_.size() ? instances_[instance].running : 0;
  }

  std::size_t size() const { return instances_.size(); }
  std::uint32_t workers_busy(std::uint32_t instance) const { return busy(instances_[instance]); }
  std::uint32_t computing(std::uint32_t instance) const { return instances_[instance].computing; }
  std::uint32_t waiting(std::uint32_t instance) const { return instances_[instance].waiting; }
  const Kind& kind_of(std::uint32_t instance) const { return kinds_[instances_[instance].kind]; }

  // vCPU time used until `now`, ns.
  std::int64_t run_ns(std::uint32_t instance, std::int64_t now) const {
    const Instance& it = instances_[instance];
    return it.run_ns + (now - it.updated) * std::min(it.computing, kinds_[it.kind].vcpus);
  }

  // Throws InvariantError when one of the invariants above does not hold.
  void check(std::int64_t now) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(instances_, order_);
    waiting_blocks_.serialize(archive);
    computing_blocks_.serialize(archive);
  }

 private:
  static constexpr unsigned finest_unit =
      10;  // clock units are 2^-10 ns, coarser for a horizon of days
  static constexpr std::int64_t rebase_above = std::int64_t{1} << 60;
  static constexpr std::uint32_t inline_log2 = 2;  // waiting jobs kept within the instance

  // One worker at reference speed; one at another; or several, who share.
  enum class Mode : std::uint8_t { solo, solo_scaled, several };

  struct alignas(64) Instance {
    std::int64_t clock = 0;    // units of service since idle; unused with one worker
    std::int64_t updated = 0;  // when clock and run_ns were last brought up to date
    std::int64_t run_ns = 0;
    std::uint32_t computing = 0;
    std::uint32_t free_workers = 0;
    std::uint32_t running = none;  // with one worker its job, else the block of the computing jobs
    std::uint32_t first = 0;       // of the waiting jobs, in the ring
    std::uint32_t waiting = 0;
    std::uint16_t kind = 0;
    std::uint8_t waiting_log2 = inline_log2;
    std::uint8_t computing_log2 : 6 = 0;
    Mode mode : 2 = Mode::solo;
    std::array<std::uint32_t, 4> slots{};  // the ring, or in slots[0] the block that holds it
  };
  static_assert(sizeof(Instance) == 64);

  struct Computing {
    std::int64_t due;  // on the instance's clock
    std::uint32_t job;
    std::uint32_t order;  // of beginning, for jobs due at the same instant
  };

  // A kind with its rates: clock units a ns with so many jobs computing, and the inverse.
  struct KindState : Kind {
    Mode mode = Mode::solo;
    unsigned unit_shift = finest_unit;  // clock units a ns, as a power of two
    std::int64_t work_max = 0;          // ns: more than could be done before the horizon
    std::array<double, 64> units_per_time{};
    std::array<double, 64> time_per_unit{};

    double rate(std::uint32_t jobs) const {
      return jobs < units_per_time.size() ? units_per_time[jobs] : rate_of(jobs);
    }
    double inverse_rate(std::uint32_t jobs) const {
      return jobs < time_per_unit.size() ? time_per_unit[jobs] : 1.0 / rate_of(jobs);
    }
    double rate_of(std::uint32_t jobs) const {
      const double full = speed * static_cast<double>(std::uint64_t{1} << unit_shift);
      return jobs <= vcpus ? full : full * vcpus / jobs;
    }
  };

  std::uint32_t busy(const Instance& it) const { return kinds_[it.kind].workers - it.free_workers; }

  static bool before(const Computing& a, const Computing& b) {
    if (a.due != b.due) return a.due < b.due;
    return static_cast<std::int32_t>(a.order - b.order) < 0;
  }

  void settle(Instance& it, const KindState& kind, std::int64_t now) {
    if (it.computing != 0) {
      const std::int64_t elapsed = now - it.updated;
      it.clock +=
          static_cast<std::int64_t>(static_cast<double>(elapsed) * kind.rate(it.computing) + 0.5);
      it.run_ns += elapsed * std::min(it.computing, kind.vcpus);
      if (it.clock > rebase_above) [[unlikely]]
        rebase(it);
    }
    it.updated = now;
  }

  std::int64_t completion_of_first(const Instance& it, const KindState& kind) const {
    const std::int64_t left = computing_blocks_.at(it.running)->due - it.clock;
    if (left <= 0) return it.updated;
    return it.updated + duration_ns(static_cast<double>(left) * kind.inverse_rate(it.computing));
  }

  void push_computing(Instance& it, std::int64_t due, std::uint32_t job) {
    if (it.computing >> it.computing_log2 != 0 || it.running == none) [[unlikely]]
      grow_computing(it);
    Computing* heap = computing_blocks_.at(it.running);
    const Computing added{due, job, order_++};
    std::uint32_t hole = it.computing++;
    while (hole > 0) {
      const std::uint32_t parent = (hole - 1) / 2;
      if (!before(added, heap[parent])) break;
      heap[hole] = heap[parent];
      hole = parent;
    }
    heap[hole] = added;
  }

  std::uint32_t pop_computing(Instance& it) {
    Computing* heap = computing_blocks_.at(it.running);
    const Computing first = heap[0];
    const std::uint32_t size = --it.computing;
    it.clock = size == 0 ? 0 : first.due;
    const Computing last = heap[size];
    std::uint32_t hole = 0;
    for (std::uint32_t child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && before(heap[child + 1], heap[child])) ++child;
      if (!before(heap[child], last)) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = last;
    return first.job;
  }

  std::uint32_t* ring(Instance& it) {
    return it.waiting_log2 == inline_log2 ? it.slots.data() : waiting_blocks_.at(it.slots[0]);
  }
  const std::uint32_t* ring(const Instance& it) const {
    return it.waiting_log2 == inline_log2 ? it.slots.data() : waiting_blocks_.at(it.slots[0]);
  }

  std::int64_t compute_shared(Instance& it, std::uint32_t job, std::int64_t work, std::int64_t now);

  void push_waiting(Instance& it, std::uint32_t job) {
    if (it.waiting >> it.waiting_log2 != 0) [[unlikely]]
      grow_waiting(it);
    const std::uint32_t mask = (1U << it.waiting_log2) - 1;
    ring(it)[(it.first + it.waiting++) & mask] = job;
  }

  std::uint32_t pop_waiting(Instance& it) {
    const std::uint32_t mask = (1U << it.waiting_log2) - 1;
    const std::uint32_t job = ring(it)[it.first & mask];
    ++it.first;
    if (--it.waiting == 0 && it.waiting_log2 > 6) [[unlikely]]
      shrink_waiting(it);
    return job;
  }

  NEPHOSCOPE_COLD void rebase(Instance& it);
  NEPHOSCOPE_COLD void grow_computing(Instance& it);
  NEPHOSCOPE_COLD void grow_waiting(Instance& it);
  NEPHOSCOPE_COLD void shrink_waiting(Instance& it);

  std::vector<Instance> instances_;
  std::vector<KindState> kinds_;
  BlockPool<std::uint32_t> waiting_blocks_;
  BlockPool<Computing> computing_blocks_;
  std::uint32_t order_ = 0;
};

}  // namespace nephoscope
