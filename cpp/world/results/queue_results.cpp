// What queues have to tell, and their laws.

#include <algorithm>
#include <vector>

#include "world/world.hpp"

namespace nephoscope {

QueueAccount WorldView::queue_account(const WorldQueue& it) const {
  QueueAccount account;
  account.name = it.name;
  account.fifo = it.queue.spec().kind == QueueKind::fifo;
  account.counts = it.queue.counts();
  account.visible = it.queue.visible();
  account.delayed = it.queue.delayed();
  account.in_flight = it.queue.in_flight();
  account.in_vain = it.in_vain;
  account.refused_redrives = it.refused_redrives;
  account.depth_min = it.least;
  account.depth_max = it.most;
  account.age = it.age;
  const double measured = static_cast<double>(now_ - warmup_);
  const double since = static_cast<double>(now_ - it.counted_to);
  if (warm_ && measured > 0.0)
    account.depth_mean = (it.depth_ns + static_cast<double>(it.depth) * since) / measured;
  const std::int64_t oldest = it.queue.oldest();
  if (oldest != MessageQueue::never) account.oldest_ns = now_ - oldest;
  return account;
}

PipeAccount WorldView::pipe_account(const Pipe& it) const {
  PipeAccount account{it.rules.name, it.counts, 0};
  for (std::uint32_t each = 0; each < it.rules.pollers; ++each) {
    const Poller& poller = queues_.pollers[it.first_poller + each];
    account.under_way += poller.count - poller.at;
  }
  return account;
}

std::vector<QueueView> WorldView::queues() const {
  std::vector<QueueView> views;
  for (const WorldQueue& it : queues_.all) {
    views.push_back({it.queue.visible(), it.queue.delayed(), it.queue.in_flight()});
  }
  return views;
}

// See the invariants of queues.hpp.
void WorldView::check_queues() const {
  if (queues_.none()) return;
  std::vector<std::vector<std::uint64_t>> held(queues_.all.size());
  std::vector<std::uint64_t> waiting(queues_.all.size());
  std::uint64_t worked = 0;
  bool agree = true;
  for (std::uint32_t poller = 0; poller < queues_.pollers.size(); ++poller) {
    const Poller& it = queues_.pollers[poller];
    const std::uint32_t queue = queues_.consumers[it.consumer].rules.queue;
    waiting[queue] += it.ticket != 0 ? 1 : 0;
    const bool works = it.instance == Poller::none ? it.count != 0 : it.visit != Poller::none;
    worked += works ? 1 : 0;
    agree = agree && (it.count != 0) == works;
    agree = agree && (it.ticket != 0 ? 1U : 0U) + (it.count != 0 ? 1U : 0U) + it.rests <= 1;
    agree = agree && (it.polls != 0 || (it.ticket == 0 && it.rests == 0));
    agree =
        agree && (it.visit == Poller::none || visits_[it.visit].parent == poller_parent + poller);
    for (std::uint32_t at = it.at; at < it.count; ++at)
      held[queue].push_back(queues_.hand(poller)[at].receipt);
  }
  visits_.for_each([&](const Visit& it) {
    const bool works = (it.flags & (Visit::left | Visit::tried)) == 0 && is_of_poller(it.parent) &&
                       (it.flags & Visit::awaited) != 0;
    worked -= works ? 1 : 0;
  });
  for (const Pipe& it : queues_.pipes) {
    const PipeAccount account = pipe_account(it);
    const PipeCounts& counts = account.counts;
    agree = agree && counts.received ==
                         counts.filtered + counts.delivered + counts.failed + account.under_way;
  }
  agree = agree && worked == 0 && !queues_.following && queues_.pending.empty();
  for (std::size_t at = 0; at < queues_.all.size(); ++at) {
    const WorldQueue& it = queues_.all[at];
    std::sort(held[at].begin(), held[at].end());
    agree = agree && std::adjacent_find(held[at].begin(), held[at].end()) == held[at].end();
    agree = agree && held[at].size() <= it.queue.counts().received;
    agree = agree && waiting[at] == it.queue.waiting_receivers() && it.depth == it.messages();
    agree = agree && (!it.queue.redriving() || it.redrives_to != WorldQueue::none);
    const std::int64_t next = it.queue.next_event();
    agree = agree && (next >= duration_ || (it.timer != EventQueue::none && it.due <= next));
    try {
      it.queue.check();
    } catch (const InvariantError& error) {
      throw InvariantError("queue " + it.name + ": " + error.what() + where());
    }
  }
  if (!agree) throw InvariantError("queues and their consumers do not agree" + where());
}

}  // namespace nephoscope
