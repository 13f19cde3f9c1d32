// What topics have to tell, and their laws.

#include <algorithm>
#include <numeric>
#include <vector>

#include "world/world.hpp"

namespace nephoscope {

TopicAccount WorldView::topic_account(const Topic& it) const {
  TopicAccount account;
  account.name = it.name;
  account.fifo = it.fifo;
  account.rules = it.rules;
  account.published = it.published;
  account.deduplicated = it.deduplicated;
  account.throttled = it.throttled;
  account.calls = it.calls;
  account.archives = it.archive.active;
  account.archived = it.archive.archived;
  account.replayed = it.archive.replayed;
  account.refused_replays = it.archive.refused;
  account.held_s = it.archive.held.total(now_);
  account.sizes = !it.sizes.empty();
  account.refuses = !it.malformed.empty();
  account.entries = it.entries;
  for (const Replay& replay : topics_.replays)
    account.replaying += &topics_.all[replay.bus] == &it ? replay.left() : 0;
  account.limits_invocations = it.invocations.active() || (it.bus && topics_.invocations.active());
  for (std::uint32_t each = it.first; each < it.first + it.count; ++each) {
    const Subscription& from = topics_.subscriptions[each];
    account.subscriptions.push_back({from.counts, 0, from.rules.rule, from.scheduled});
    account.limits_invocations = account.limits_invocations || from.receives.active();
    account.duplicates = account.duplicates || from.rules.duplicates > 0.0;
    account.errs = account.errs || from.rules.may_err();
    account.confirms = account.confirms || from.rules.confirmed_ns != 0;
  }
  topics_.pending.for_each([&](const TopicDelivery& delivery) {
    if (&topics_.all[topics_.subscriptions[delivery.subscription].topic] == &it)
      ++account.subscriptions[delivery.subscription - it.first].pending;
  });
  return account;
}

// Deliveries of a topic that are neither at their end nor dropped.
std::uint64_t WorldView::pending_of(const Topic& it) const {
  std::uint64_t pending = 0;
  for (std::uint32_t each = it.first; each < it.first + it.count; ++each) {
    const DeliveryCounts& counts = topics_.subscriptions[each].counts;
    pending += it.published + counts.scheduled + counts.replayed + counts.duplicated -
               counts.unconfirmed - counts.filtered - counts.delivered - counts.dead_lettered -
               counts.dropped;
  }
  return pending;
}

// What is kept was put, in the order of time and for a replay to come; who has not begun has not
// chosen yet.
bool WorldView::archives_agree() const {
  for (std::size_t bus = 0; bus < topics_.all.size(); ++bus) {
    const EventArchive& archive = topics_.all[bus].archive;
    if (archive.kept.size() > archive.archived || archive.archived > topics_.all[bus].published)
      return false;
    for (std::size_t at = 1; at < archive.kept.size(); ++at) {
      if (archive.kept[at].time < archive.kept[at - 1].time) return false;
    }
    const auto to_come = [&](const Replay& it) { return it.bus == bus && it.begun == 0; };
    const auto& replays = topics_.replays;
    if (!archive.kept.empty() && std::none_of(replays.begin(), replays.end(), to_come))
      return false;
  }
  for (const Replay& it : topics_.replays) {
    const bool chosen = it.begun != 0;
    if (it.next > it.bodies.size() || (!chosen && it.left() + it.has_turn != 0)) return false;
    if (it.has_turn != 0 && it.left() == 0) return false;
  }
  return true;
}

// See the invariants of topics.hpp.
void WorldView::check_topics() const {
  if (topics_.none()) return;
  std::vector<std::uint64_t> pending(topics_.subscriptions.size());
  std::vector<std::uint8_t> waits(topics_.pending.size());  // by delivery, for how many things
  std::vector<std::uint8_t> answers(topics_.pending.size());
  bool agree = true;
  topics_.pending.for_each([&](const TopicDelivery& it) {
    const auto at = static_cast<std::size_t>(&it - &topics_.pending[0]);
    ++pending[it.subscription];
    waits[at] += static_cast<std::uint8_t>(it.under_way + (it.timer != EventQueue::none ? 1U : 0U));
    answers[at] += static_cast<std::uint8_t>(it.under_way);
    agree = agree && (it.has_turn == 0 || it.timer != EventQueue::none);
    const std::uint64_t last = topics_.last_in_group.find(key_of(it.subscription, it.group));
    if (it.next != TopicDelivery::none) {
      ++waits[it.next];
      const TopicDelivery& next = topics_.pending[it.next];
      agree = agree && next.subscription == it.subscription && next.group == it.group;
    } else if (topics_.all[topics_.subscriptions[it.subscription].topic].fifo) {
      agree = agree && last == at;
    }
  });
  topics_.pending.for_each([&](const TopicDelivery& it) {
    agree = agree && waits[static_cast<std::size_t>(&it - &topics_.pending[0])] == 1;
  });
  visits_.for_each([&](const Visit& it) {
    const bool waited_for = (it.flags & (Visit::left | Visit::tried)) == 0 &&
                            is_of_delivery(it.parent) && (it.flags & Visit::awaited) != 0;
    if (waited_for) --answers[it.parent - delivery_parent];
  });
  for (const std::uint8_t missing : answers) agree = agree && missing == 0;
  for (std::size_t at = 0; at < topics_.subscriptions.size(); ++at) {
    const Subscription& it = topics_.subscriptions[at];
    const DeliveryCounts& counts = it.counts;
    const std::uint64_t known = counts.unconfirmed + counts.filtered + counts.delivered +
                                counts.dead_lettered + counts.dropped + pending[at];
    const Topic& topic = topics_.all[it.topic];
    const std::uint64_t again = counts.scheduled + counts.replayed + counts.duplicated;
    agree = agree && topic.published + again == known;
    agree = agree && (it.rules.confirmed_ns != 0 || counts.unconfirmed == 0);
    agree = agree && (it.scheduled || counts.scheduled == 0);
    agree = agree && (it.rules.duplicates > 0.0 || counts.duplicated == 0);
    agree = agree && counts.client_errors <= counts.dead_lettered + counts.dropped;
    agree = agree && counts.replayed <= topic.archive.replayed;
    const auto sum = [](const auto& of) { return std::accumulate(of.begin(), of.end(), 0ULL); };
    const std::uint64_t given_up = counts.dead_lettered + counts.dropped;
    agree = agree && sum(counts.given_up.failures) == given_up;
    agree = agree && sum(counts.given_up.ends) == given_up;
    agree = agree && counts.given_up.retries <= counts.retried;
  }
  for (const Topic& it : topics_.all) {
    std::uint64_t taken = 0;
    for (std::size_t at = 0; at < it.calls.size(); ++at) taken += it.calls[at] * (at + 1);
    agree = agree && taken == it.published + it.deduplicated;
  }
  agree = agree && archives_agree();
  if (!agree) throw InvariantError("messages of topics were lost or doubled" + where());
}

}  // namespace nephoscope
