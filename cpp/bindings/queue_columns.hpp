// Messages of a queue as arrays: those that are sent, and those that come out.

#pragma once

#include "bindings/pybind11.hpp"

#include <vector>

#include "kernel/errors.hpp"
#include "messaging/message_queue.hpp"

namespace nephoscope {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;

// Columns of messages: number, body, sent, receives, group (-1: none), and one more of the caller.
template <class Records, class Of, class Last>
py::tuple columns(const Records& records, Of message_of, Last last) {
  const auto size = static_cast<py::ssize_t>(records.size());
  Array<std::uint64_t> numbers(size);
  Array<std::uint64_t> bodies(size);
  Array<std::int64_t> sent(size);
  Array<std::uint32_t> receives(size);
  Array<std::int64_t> groups(size);
  Array<decltype(last(records[0]))> lasts(size);
  auto* const number = numbers.mutable_data();
  auto* const body = bodies.mutable_data();
  auto* const since = sent.mutable_data();
  auto* const received = receives.mutable_data();
  auto* const group = groups.mutable_data();
  auto* const other = lasts.mutable_data();
  for (py::ssize_t at = 0; at < size; ++at) {
    const auto& record = records[static_cast<std::size_t>(at)];
    const Message& it = message_of(record);
    number[at] = it.number;
    body[at] = it.body;
    since[at] = it.sent;
    received[at] = it.receives;
    group[at] = it.group == Message::none ? std::int64_t{-1} : std::int64_t{it.group};
    other[at] = last(record);
  }
  return py::make_tuple(numbers, bodies, sent, receives, groups, lasts);
}

inline py::tuple columns(const std::vector<Delivery>& deliveries) {
  return columns(
      deliveries, [](const Delivery& it) -> const Message& { return it.message; },
      [](const Delivery& it) { return it.receipt; });
}

inline py::tuple columns(const std::vector<Moved>& moved) {
  return columns(
      moved, [](const Moved& it) -> const Message& { return it.message; },
      [](const Moved& it) { return it.time; });
}

// An array of the caller that may be left out, of one value for all or one each.
template <class Number>
class MessageColumn {
 public:
  MessageColumn(const Array<Number>& values, py::ssize_t size, const char* name)
      : data_(values.data()), step_(values.size() == 1 ? 0 : 1), there_(values.size() != 0) {
    require(values.size() <= 1 || values.size() == size, name, "must be as long as the bodies");
  }

  bool there() const { return there_; }
  Number operator[](py::ssize_t at) const { return data_[at * step_]; }

 private:
  const Number* data_;
  py::ssize_t step_;
  bool there_;
};

struct Parcels {
  const Array<std::uint64_t>& bodies;
  MessageColumn<std::int64_t> groups;
  MessageColumn<std::int64_t> delays;
  MessageColumn<std::uint64_t> ids;

  void check(const QueueSpec& spec) const {
    const bool fifo = spec.kind == QueueKind::fifo;
    require(!fifo || groups.there(), "group", "is required by a FIFO queue");
    require(!fifo || !delays.there(), "delay", "is the queue's in a FIFO queue");
    require(!fifo || ids.there() || spec.content_deduplication != 0, "deduplication_id",
            "is required by a FIFO queue that does not go by content");
    require(fifo || !ids.there(), "deduplication_id", "is of FIFO queues only");
    for (py::ssize_t at = 0; at < bodies.size(); ++at) {
      if (groups.there()) {
        require(groups[at] >= 0 && groups[at] < Message::none, "group", "must be 0 to 2^32 - 2");
      }
      if (delays.there()) {
        require(delays[at] >= 0 && delays[at] <= QueueSpec::delay_max, "delay",
                "must be 0s to 15m");
      }
    }
  }

  Outgoing at(py::ssize_t at) const {
    Outgoing it;
    it.body = bodies.data()[at];
    if (groups.there()) it.group = static_cast<std::uint32_t>(groups[at]);
    if (delays.there()) it.delay = delays[at];
    it.has_deduplication = ids.there() ? 1 : 0;
    if (ids.there()) it.deduplication = ids[at];
    return it;
  }
};

}  // namespace nephoscope
