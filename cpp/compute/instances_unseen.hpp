// Instances that nobody looks at: their past is told at any later time. The part of instances.hpp,
// which includes it, for fleets whose completions are not in the calendar.

#pragma once

#include "compute/instances.hpp"

namespace nephoscope {

NEPHOSCOPE_HOT std::int64_t Instances::do_unseen(std::uint32_t instance, std::int64_t work,
                                                 std::int64_t now, std::int64_t until) {
  Instance& it = instances_[instance];
  const std::int64_t own = scaled(it, work);
  const std::int64_t due = std::max(now, it.updated) + own;
  if (it.busy || due >= until) [[unlikely]]
    return never;
  it.run_ns += own;
  it.updated = due;
  return due;
}

NEPHOSCOPE_HOT void Instances::hold_unseen(std::uint32_t instance, const Job& job,
                                           std::int64_t now) {
  Instance& it = instances_[instance];
  if (it.busy) {
    enqueue(it, job);
    return;
  }
  it.busy = true;
  begin_solo(it, job, std::max(now, it.updated));
}

NEPHOSCOPE_HOT bool Instances::finish_before(std::uint32_t instance, std::int64_t until,
                                             Job& finished, std::int64_t& time) {
  Instance& it = instances_[instance];
  const std::int64_t due = it.updated + it.running.work;
  if (!it.computing || due >= until) return false;
  finished = it.running;
  time = due;
  it.run_ns += it.running.work;
  it.updated = due;
  if (it.waiting == 0) {
    it.computing = it.busy = false;
    it.running = Job{};
  } else {
    begin_solo(it, pop_waiting(it), due);
  }
  return true;
}

}  // namespace nephoscope
