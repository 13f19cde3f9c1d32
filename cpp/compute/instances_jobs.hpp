// The jobs of all instances, one after the other: the part of instances.hpp, which includes it,
// that no request meets.

#pragma once

#include "compute/instances.hpp"

namespace nephoscope {

template <class Action>
void Instances::for_each_job(Action action) const {
  for (const Instance& it : instances_) {
    for (std::uint32_t place = 0; place < it.waiting; ++place) {
      action(waiting_blocks_.at(it.ring)[(it.first + place) & ((1U << it.ring_log2) - 1)]);
    }
    if (it.computing) action(it.running);
    if (it.mode != ServingMode::several) continue;
    const Sharing& sharing = it.sharing;
    for (std::uint32_t place = 0; place < sharing.computing; ++place) {
      const ComputingJob& job = computing_blocks_.at(sharing.heap)[place];
      action(Job{0, job.since, job.id, job.place});
    }
  }
}

}  // namespace nephoscope
