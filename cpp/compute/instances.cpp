#include "compute/instances.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr std::uint16_t down = 0;

}  // namespace

// Down: its one worker is busy, and nobody may wait for it.
std::uint32_t Instances::add_kind(const InstanceKind& kind) {
  if (kinds_.empty()) kinds_.emplace_back(InstanceKind{1, 1.0, 1, 0, kind.horizon_ns, false});
  kinds_.emplace_back(kind);
  return static_cast<std::uint32_t>(kinds_.size() - 1);
}

std::uint32_t Instances::add_slow_kind(std::uint32_t kind, double factor) {
  kinds_.push_back(kinds_[kind].slowed(factor));
  return static_cast<std::uint32_t>(kinds_.size() - 1);
}

std::uint32_t Instances::add(std::uint32_t kind, std::int64_t now) {
  Instance& it = instances_.emplace_back();
  it.kind = static_cast<std::uint16_t>(kind);
  it.mode = kinds_[kind].mode;
  it.updated = now;
  if (it.mode == ServingMode::several) {
    it.sharing = Sharing{};
    it.sharing.free_workers = kinds_[kind].workers;
  }
  if (kinds_[kind].hosted) hosted_rates_.resize(instances_.size());
  return static_cast<std::uint32_t>(instances_.size() - 1);
}

void Instances::set_rate(std::uint32_t instance, double rate, std::int64_t now) {
  Instance& it = instances_[instance];
  const RatedKind& kind = kinds_[it.kind];
  settle(it, it.sharing, kind, now);
  hosted_rates_[instance].rate = rate * kind.units_per_work() * kind.pace;
}

double Instances::lost_ns(std::uint32_t instance, std::int64_t now) const {
  const Instance& it = instances_[instance];
  const RatedKind& kind = kinds_[it.kind];
  if (!kind.hosted || it.mode != ServingMode::several) return 0.0;
  const double lost = hosted_rates_[instance].lost_ns;
  if (it.sharing.computing == 0) return lost;
  return lost + static_cast<double>(now - it.updated) * lost_share(it, kind);
}

// Of the time of each of its jobs, while it computes.
double Instances::lost_share(const Instance& it, const RatedKind& kind) const {
  return (kind.rate(it.sharing.computing) - hosted_rate(it)) / kind.rate(1);
}

std::int64_t Instances::hosted_completion(const Instance& it, std::int64_t left) const {
  const double rate = hosted_rate(it);
  return rate > 0.0 ? it.updated + duration_ns(static_cast<double>(left) / rate) : never;
}

// The end of all jobs ahead, and `own` ns more. A job may last 2^62 ns; the sum stays below 2^63.
std::int64_t Instances::add_ahead(const Instance& it, std::int64_t own) const {
  if (!it.computing || it.waiting > looked_at) return never;
  const std::uint32_t mask = (1U << it.ring_log2) - 1;
  std::int64_t end = it.updated + it.running.work;
  for (std::uint32_t place = 0; place < it.waiting; ++place) {
    const std::int64_t work = waiting_blocks_.at(it.ring)[(it.first + place) & mask].work;
    if (work < 0 || end > rebase_above) return never;
    end += scaled(it, work);
  }
  return end > rebase_above ? never : end + own;
}

std::int64_t Instances::turn_of_next(std::uint32_t instance, std::int64_t now,
                                     std::int64_t limit) const {
  const Instance& it = instances_[instance];
  const RatedKind& kind = kinds_[it.kind];
  if (workers_busy(it) < kind.workers) {
    // Where nobody looks, the last job may be booked though it is not done yet: do_unseen().
    return it.mode == ServingMode::several ? now : std::max(now, it.updated);
  }
  if (it.waiting >= kind.backlog) return refused;
  if (it.mode == ServingMode::several || !it.computing) return never;
  std::int64_t turn = it.updated + it.running.work;
  const std::uint32_t mask = (1U << it.ring_log2) - 1;
  for (std::uint32_t place = 0; place < it.waiting && turn <= limit; ++place) {
    const std::int64_t work = waiting_blocks_.at(it.ring)[(it.first + place) & mask].work;
    if (work < 0) return never;
    turn += scaled(it, work);
  }
  return turn;
}

bool Instances::remove_waiting(std::uint32_t instance, std::uint32_t id) {
  Instance& it = instances_[instance];
  if (it.waiting == 0) return false;
  Job* ring = waiting_blocks_.at(it.ring);
  const std::uint32_t mask = (1U << it.ring_log2) - 1;
  for (std::uint32_t place = 0; place < it.waiting; ++place) {
    if (ring[(it.first + place) & mask].id != id) continue;
    for (; place > 0; --place) {
      ring[(it.first + place) & mask] = ring[(it.first + place - 1) & mask];
    }
    ++it.first;
    --it.waiting;
    return true;
  }
  return false;
}

std::vector<Job> Instances::drop_all(std::uint32_t instance, std::int64_t now) {
  Instance& it = instances_[instance];
  std::vector<Job> dropped;
  while (it.waiting != 0) dropped.push_back(pop_waiting(it));
  if (it.ring != none) shrink_waiting(it);
  if (it.mode != ServingMode::several) {
    if (it.computing) {
      it.run_ns += now - it.updated;
      dropped.push_back(it.running);
    }
    it.updated = std::max(it.updated, now);
    it.computing = it.busy = false;
    it.running = Job{};
    return dropped;
  }
  settle(it, it.sharing, kinds_[it.kind], now);
  while (it.sharing.computing != 0) dropped.push_back(pop_computing(it.sharing));
  if (it.sharing.heap != none) computing_blocks_.release(it.sharing.heap, it.sharing.heap_log2);
  it.sharing = Sharing{};
  it.sharing.free_workers = kinds_[it.kind].workers;
  return dropped;
}

std::vector<Job> Instances::freeze(std::uint32_t instance, std::int64_t now) {
  Instance& it = instances_[instance];
  const RatedKind& kind = kinds_[it.kind];
  std::vector<Job> frozen;
  if (it.mode == ServingMode::several) {
    settle(it, it.sharing, kind, now);
    const std::int64_t clock = it.sharing.clock;
    while (it.sharing.computing != 0) {
      const std::int64_t left = computing_blocks_.at(it.sharing.heap)->due - clock;
      frozen.push_back(pop_computing(it.sharing));
      const std::int64_t half = std::int64_t{1} << kind.unit_shift >> 1;
      frozen.back().work = (std::max<std::int64_t>(left, 0) + half) >> kind.unit_shift;
    }
    return frozen;
  }
  if (!it.computing) return frozen;
  const std::int64_t left = it.updated + it.running.work - now;
  frozen.push_back(it.running);
  frozen.back().work =
      it.mode == ServingMode::solo ? left : duration_ns(static_cast<double>(left) * kind.speed);
  it.run_ns += now - it.updated;
  it.updated = now;
  it.computing = false;
  it.running = Job{};
  return frozen;
}

bool Instances::stop_computing(std::uint32_t instance, std::uint32_t id, std::int64_t now) {
  Instance& it = instances_[instance];
  if (it.mode != ServingMode::several) {
    if (!it.computing || it.running.id != id) return false;
    it.run_ns += now - it.updated;
    it.updated = now;
    it.computing = false;
    it.running = Job{};
    return true;
  }
  Sharing& sharing = it.sharing;
  if (sharing.computing == 0) return false;
  ComputingJob* const heap = computing_blocks_.at(sharing.heap);
  ComputingJob* const end = heap + sharing.computing;
  ComputingJob* const found =
      std::find_if(heap, end, [id](const ComputingJob& job) { return job.id == id; });
  if (found == end) return false;
  settle(it, sharing, kinds_[it.kind], now);
  *found = *(end - 1);
  if (--sharing.computing == 0) {
    sharing.clock = 0;
  } else {
    std::make_heap(heap, end - 1,
                   [](const ComputingJob& a, const ComputingJob& b) { return comes_before(b, a); });
  }
  return true;
}

void Instances::take_down(std::uint32_t instance) {
  Instance& it = instances_[instance];
  it.kind = down;
  if (it.mode == ServingMode::several) {
    it.sharing = Sharing{};
  } else {
    it.busy = true;
  }
}

void Instances::bring_up(std::uint32_t instance, std::uint32_t kind, std::int64_t now) {
  Instance& it = instances_[instance];
  it.kind = static_cast<std::uint16_t>(kind);
  it.updated = std::max(it.updated, now);
  if (it.mode == ServingMode::several) {
    it.sharing.free_workers = kinds_[kind].workers;
  } else {
    it.busy = false;
  }
}

void Instances::set_pace(std::uint32_t instance, std::uint32_t kind, std::int64_t now) {
  Instance& it = instances_[instance];
  const RatedKind& before = kinds_[it.kind];
  const RatedKind& after = kinds_[kind];
  it.kind = static_cast<std::uint16_t>(kind);
  if (it.mode == ServingMode::several) {
    settle(it, it.sharing, before, now);
    if (!after.hosted) return;
    double& rate = hosted_rates_[instance].rate;
    rate = rate / before.pace * after.pace;
    return;
  }
  it.mode = after.mode;
  if (!it.computing) return;
  const std::int64_t left = it.updated + it.running.work - now;
  it.run_ns += now - it.updated;
  it.updated = now;
  it.running.work = duration_ns(static_cast<double>(left) * (before.speed / after.speed));
}

void Instances::rebase(Sharing& sharing) {
  ComputingJob* heap = computing_blocks_.at(sharing.heap);
  for (std::uint32_t at = 0; at < sharing.computing; ++at) heap[at].due -= sharing.clock;
  sharing.clock = 0;
}

void Instances::grow_computing(Sharing& sharing) {
  const bool first = sharing.heap == none;
  const std::uint32_t log2_size = first ? smallest_block_log2 : sharing.heap_log2 + 1;
  const std::uint32_t block = computing_blocks_.take(log2_size);
  if (!first) {
    std::copy_n(computing_blocks_.at(sharing.heap), sharing.computing, computing_blocks_.at(block));
    computing_blocks_.release(sharing.heap, sharing.heap_log2);
  }
  sharing.heap = block;
  sharing.heap_log2 = log2_size;
}

void Instances::grow_waiting(Instance& it) {
  const bool first = it.ring == none;
  const std::uint32_t log2_size = first ? smallest_block_log2 : it.ring_log2 + 1U;
  const std::uint32_t block = waiting_blocks_.take(log2_size);
  if (!first) {
    Job* to = waiting_blocks_.at(block);
    const Job* from = waiting_blocks_.at(it.ring);
    const std::uint32_t mask = (1U << it.ring_log2) - 1;
    for (std::uint32_t place = 0; place < it.waiting; ++place) {
      to[place] = from[(it.first + place) & mask];
    }
    waiting_blocks_.release(it.ring, it.ring_log2);
  }
  it.ring = block;
  it.first = 0;
  it.ring_log2 = static_cast<std::uint8_t>(log2_size);
}

// An emptied backlog gives a large block back, so that one bad minute does not hold memory for
// ever.
void Instances::shrink_waiting(Instance& it) {
  waiting_blocks_.release(it.ring, it.ring_log2);
  it.ring = none;
  it.ring_log2 = 0;
  it.first = 0;
}

void Instances::lay_out_backlogs() {
  BlockPool<Job> blocks;
  for (Instance& it : instances_) {
    if (it.waiting == 0) {
      it.ring = none;
      it.ring_log2 = 0;
      it.first = 0;
      continue;
    }
    std::uint32_t log2_size = smallest_block_log2;
    while (1U << log2_size < it.waiting) ++log2_size;
    const std::uint32_t block = blocks.take(log2_size);
    const std::uint32_t mask = (1U << it.ring_log2) - 1;
    for (std::uint32_t place = 0; place < it.waiting; ++place) {
      blocks.at(block)[place] = waiting_blocks_.at(it.ring)[(it.first + place) & mask];
    }
    it.ring = block;
    it.ring_log2 = static_cast<std::uint8_t>(log2_size);
    it.first = 0;
  }
  waiting_blocks_ = std::move(blocks);
}

void Instances::check(std::int64_t now) const {
  for (std::size_t index = 0; index < instances_.size(); ++index) {
    const Instance& it = instances_[index];
    const RatedKind& kind = kinds_[it.kind];
    const std::uint32_t busy = workers_busy(it);
    const bool counts = busy <= kind.workers && computing(it) <= busy &&
                        it.waiting <= kind.backlog && (it.waiting == 0 || busy == kind.workers);
    const bool times = it.updated <= now && it.run_ns >= 0 &&
                       (it.mode != ServingMode::several || it.sharing.clock >= 0);
    if (!counts || !times) {
      throw InvariantError("instance " + std::to_string(index) + " at " + std::to_string(now) +
                           " ns: workers, backlog or vCPU time do not add up");
    }
  }
}

}  // namespace nephoscope
