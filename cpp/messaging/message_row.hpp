// Messages that wait in the order of their age and have never been received: a body each, and once
// for each run what its messages share.
//
// A run is of messages that were sent at the same instant and numbered one after the other: those
// of one call, and of calls at the same time. A body is 8 bytes and a run 24, so that a long row is
// read and written with as few lines of the cache as can be.
//
// Invariants: the runs are in the order of the bodies; none is empty; their counts sum to size().

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernel/hot_path.hpp"
#include "messaging/message.hpp"
#include "messaging/ring_queue.hpp"

namespace nephoscope {

class MessageRow {
 public:
  bool empty() const { return bodies_.empty(); }
  std::uint64_t size() const { return bodies_.size(); }
  std::uint64_t runs() const { return runs_.size(); }

  // Precondition of these: !empty().
  std::int64_t first_sent() const { return runs_.front().sent; }
  NEPHOSCOPE_HOT Message front() const { return message(runs_.front(), bodies_.front()); }
  Message back() const {
    Message it = message(runs_.back(), bodies_.back());
    it.number += runs_.back().count - 1;
    return it;
  }
  NEPHOSCOPE_HOT Message pop() {
    const Message it = front();
    drop();
    return it;
  }
  NEPHOSCOPE_HOT void drop() {
    bodies_.drop();
    shorten(1);
  }

  void push(const Message& it) {
    extend(it.sent, it.number, it.group, 1);
    bodies_.push(it.body);
  }

  // At least one, of no group, numbered from `number` on; `body` of 0, 1, ... is called in that
  // order.
  template <class Body>
  NEPHOSCOPE_HOT void push_each(std::int64_t sent, std::uint64_t number, std::uint32_t count,
                                Body body) {
    extend(sent, number, Message::none, count);
    bodies_.push_each(count, body);
  }

  // Calls `take(message, i)` with the first so many, which leave. Precondition: there are as many.
  template <class Take>
  NEPHOSCOPE_HOT void pop_each(std::uint32_t count, Take take) {
    for (std::uint32_t done = 0; done < count;) {
      const Run& run = runs_.front();
      const std::int64_t sent = run.sent;
      const std::uint64_t number = run.number - done;
      const std::uint32_t group = run.group;
      const std::uint32_t end = done + bodies_.before_end(std::min(count - done, run.count));
      const std::uint64_t* const bodies = &bodies_.front() - done;
      for (std::uint32_t at = done; at < end; ++at) {
        take(Message{sent, number + at, bodies[at], 0, group}, at);
      }
      bodies_.drop(end - done);
      shorten(end - done);
      done = end;
    }
  }

  void clear() {
    bodies_.clear();
    runs_.clear();
  }

  // Calls `action` with the first message and the number of those of each run.
  template <class Action>
  void for_each_run(Action action) const {
    std::uint64_t body = 0;
    for (std::uint64_t at = 0; at < runs_.size(); ++at) {
      action(message(runs_[at], body < size() ? bodies_[body] : 0), runs_[at].count);
      body += runs_[at].count;
    }
  }

  template <class Archive>
  void serialize(Archive& archive) {
    bodies_.serialize(archive);
    runs_.serialize(archive);
  }

 private:
  struct Run {
    std::int64_t sent = 0;
    std::uint64_t number = 0;  // of the first
    std::uint32_t count = 0;
    std::uint32_t group = Message::none;
  };

  static constexpr std::uint32_t run_max = std::numeric_limits<std::uint32_t>::max();

  NEPHOSCOPE_HOT static Message message(const Run& run, std::uint64_t body) {
    return {run.sent, run.number, body, 0, run.group};
  }

  NEPHOSCOPE_HOT void extend(std::int64_t sent, std::uint64_t number, std::uint32_t group,
                             std::uint32_t count) {
    if (!runs_.empty()) {
      Run& last = runs_.back();
      if (last.sent == sent && last.number + last.count == number && last.group == group &&
          last.count <= run_max - count) {
        last.count += count;
        return;
      }
    }
    Run& run = runs_.push();
    run.sent = sent;
    run.number = number;
    run.count = count;
    run.group = group;
  }

  // The first run, of at least so many.
  NEPHOSCOPE_HOT void shorten(std::uint32_t count) {
    Run& first = runs_.front();
    first.number += count;
    first.count -= count;
    if (first.count == 0) runs_.drop();
  }

  RingQueue<std::uint64_t> bodies_;
  RingQueue<Run> runs_;
};

}  // namespace nephoscope
