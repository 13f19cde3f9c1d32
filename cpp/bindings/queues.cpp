// nephoscope._core.queues: message queues, alone.

#include "bindings/pybind11.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "bindings/queue_accounts.hpp"
#include "bindings/queue_columns.hpp"
#include "bindings/state.hpp"
#include "kernel/errors.hpp"
#include "messaging/message_queue.hpp"

namespace nephoscope {

namespace {

void in_order(const MessageQueue& queue, std::int64_t now) {
  require(now >= queue.now(), "at", "must not be before the call before");
  require(now <= (std::int64_t{1} << 61), "at", "is too late");
}

// -1 is none, which a FIFO queue does not take.
std::uint32_t group_of(const MessageQueue& queue, std::int64_t group) {
  require(group >= 0 || queue.spec().kind == QueueKind::standard, "group",
          "is required by a FIFO queue");
  require(group >= -1 && group < Message::none, "group", "must be 0 to 2^32 - 2");
  return group < 0 ? Message::none : static_cast<std::uint32_t>(group);
}

// Ten, or as many as one call has room for.
py::ssize_t messages_of_a_send(const QueueSpec& spec) {
  constexpr std::uint32_t most = MessageQueue::batch_max;
  return spec.message_bytes == 0 ? most : std::min(most, QueueSpec::bytes_max / spec.message_bytes);
}

py::tuple send(MessageQueue& queue, std::int64_t now, const Array<std::uint64_t>& bodies,
               const Array<std::int64_t>& groups, const Array<std::int64_t>& delays,
               const Array<std::uint64_t>& ids) {
  in_order(queue, now);
  const py::ssize_t size = bodies.size();
  const Parcels parcels{
      bodies, {groups, size, "group"}, {delays, size, "delay"}, {ids, size, "deduplication_id"}};
  parcels.check(queue.spec());
  Array<std::uint64_t> numbers(size);
  Array<std::uint8_t> statuses(size);
  std::uint64_t* number = numbers.mutable_data();
  std::uint8_t* status = statuses.mutable_data();
  {
    const py::gil_scoped_release release;
    Outgoing out[MessageQueue::batch_max];
    SendResult results[MessageQueue::batch_max];
    const py::ssize_t most = messages_of_a_send(queue.spec());
    for (py::ssize_t at = 0; at < size; at += most) {
      const auto count = static_cast<std::uint32_t>(std::min(size - at, most));
      for (std::uint32_t i = 0; i < count; ++i) out[i] = parcels.at(at + i);
      queue.send(now, out, count, results);
      for (std::uint32_t i = 0; i < count; ++i) {
        number[at + i] = results[i].number;
        status[at + i] = static_cast<std::uint8_t>(results[i].status);
      }
    }
  }
  return py::make_tuple(numbers, statuses);
}

// The id of a receive, which is not for several of them.
using Attempt = std::optional<std::uint64_t>;

Receive receive_of(const MessageQueue& queue, std::uint64_t max, std::int64_t visibility,
                   Attempt attempt) {
  require(!attempt || queue.spec().kind == QueueKind::fifo, "attempt_id", "is of FIFO queues only");
  require(!attempt || max <= MessageQueue::batch_max, "max", "must be 1 to 10 with an attempt_id");
  require(visibility >= -1 && visibility <= QueueSpec::visibility_max, "visibility_timeout",
          "must be 0s to 12h");
  Receive call{static_cast<std::uint32_t>(std::min<std::uint64_t>(max, MessageQueue::batch_max)),
               visibility};
  call.attempt = attempt.value_or(0);
  call.has_attempt = attempt ? 1 : 0;
  return call;
}

// Receives until there are so many, or one comes back with less than it asked for.
py::tuple receive(MessageQueue& queue, std::int64_t now, std::uint64_t count,
                  std::int64_t visibility, Attempt attempt) {
  in_order(queue, now);
  require(count >= 1, "max", "must be at least 1");
  Receive call = receive_of(queue, count, visibility, attempt);
  std::vector<Delivery> out;
  out.reserve(std::min<std::uint64_t>(count, queue.visible()));
  CallStatus status = CallStatus::done;
  {
    const py::gil_scoped_release release;
    Delivery batch[MessageQueue::batch_max];
    while (count > 0) {
      call.max = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, call.max));
      const Received received = queue.receive(now, call, batch);
      status = received.status;
      out.insert(out.end(), batch, batch + received.count);
      count -= received.count;
      if (received.count < call.max) break;
    }
  }
  return py::make_tuple(static_cast<int>(status), columns(out));
}

py::tuple poll(MessageQueue& queue, std::int64_t now, std::uint32_t max, std::int64_t visibility,
               std::int64_t wait, Attempt attempt) {
  in_order(queue, now);
  require(max >= 1 && max <= MessageQueue::batch_max, "max", "must be 1 to 10");
  const Receive call = receive_of(queue, max, visibility, attempt);
  require(wait >= 0 && wait <= QueueSpec::wait_max, "wait", "must be 0s to 20s");
  std::vector<Delivery> out(max);
  const Received received = queue.poll(now, call, wait, out.data());
  out.resize(received.count);
  return py::make_tuple(static_cast<int>(received.status), received.ticket, columns(out));
}

Array<std::uint8_t> erase(MessageQueue& queue, std::int64_t now,
                          const Array<std::uint64_t>& receipts) {
  in_order(queue, now);
  const py::ssize_t size = receipts.size();
  Array<std::uint8_t> statuses(size);
  std::uint8_t* status = statuses.mutable_data();
  const std::uint64_t* receipt = receipts.data();
  const py::gil_scoped_release release;
  ReceiptStatus results[MessageQueue::batch_max];
  for (py::ssize_t at = 0; at < size; at += MessageQueue::batch_max) {
    const auto count =
        static_cast<std::uint32_t>(std::min<py::ssize_t>(size - at, MessageQueue::batch_max));
    queue.erase(now, receipt + at, count, results);
    std::transform(results, results + count, status + at,
                   [](ReceiptStatus it) { return static_cast<std::uint8_t>(it); });
  }
  return statuses;
}

int change_visibility(MessageQueue& queue, std::int64_t now, std::uint64_t receipt,
                      std::int64_t timeout) {
  in_order(queue, now);
  require(timeout >= 0 && timeout <= QueueSpec::visibility_max, "visibility_timeout",
          "must be 0s to 12h");
  return static_cast<int>(queue.change_visibility(now, receipt, timeout));
}

// Rounds of `batch` messages sent, received and deleted in calls of ten: for benchmarks, where
// arrays would cost as much as the queue. Returns how many were deleted.
std::uint64_t churn(MessageQueue& queue, std::int64_t now, std::int64_t gap, std::uint32_t batch,
                    std::uint32_t rounds) {
  in_order(queue, now);
  require(batch % MessageQueue::batch_max == 0, "batch", "must be a multiple of 10");
  const py::gil_scoped_release release;
  const std::uint64_t before = queue.counts().deleted;
  std::vector<Delivery> received(batch);
  Outgoing out[MessageQueue::batch_max];
  SendResult sent[MessageQueue::batch_max];
  std::uint64_t receipts[MessageQueue::batch_max];
  ReceiptStatus statuses[MessageQueue::batch_max];
  constexpr std::uint32_t ten = MessageQueue::batch_max;
  for (std::uint32_t round = 0; round < rounds; ++round, now += gap) {
    for (std::uint32_t at = 0; at < batch; at += ten) {
      for (std::uint32_t i = 0; i < ten; ++i) out[i].body = at + i;
      queue.send(now, out, ten, sent);
    }
    std::uint32_t count = 0;
    for (std::uint32_t at = 0; at < batch; at += ten) {
      count += queue.receive(now, {ten, Receive::usual}, received.data() + count).count;
    }
    for (std::uint32_t at = 0; at + ten <= count; at += ten) {
      for (std::uint32_t i = 0; i < ten; ++i) receipts[i] = received[at + i].receipt;
      queue.erase(now, receipts, ten, statuses);
    }
  }
  return queue.counts().deleted - before;
}

// What has come out of the queue by itself, once.
py::tuple outcomes(MessageQueue& queue) {
  py::list answers;
  for (const PollAnswer& it : queue.answers()) {
    answers.append(py::make_tuple(it.ticket, it.time, it.first, it.count));
  }
  const py::tuple out = py::make_tuple(answers, columns(queue.answered()), columns(queue.dead()),
                                       columns(queue.redriven()));
  queue.forget_outcomes();
  return out;
}

py::dict counts(const MessageQueue& queue) {
  py::dict out;
  add_counts(out, queue.counts());
  out["visible"] = queue.visible();
  out["delayed"] = queue.delayed();
  out["in_flight"] = queue.in_flight();
  return out;
}

void change_settings(MessageQueue& queue, std::int64_t now, std::int64_t visibility,
                     std::int64_t delay, std::int64_t retention) {
  in_order(queue, now);
  QueueSpec changed = queue.spec();
  changed.visibility_ns = visibility;
  changed.delay_ns = delay;
  changed.retention_ns = retention;
  changed.check();
  queue.advance(now);
  queue.set_visibility(visibility);
  if (delay != queue.spec().delay_ns) queue.set_delay(now, delay);
  if (retention != queue.spec().retention_ns) queue.set_retention(now, retention);
}

using QueueClass = py::class_<MessageQueue>;

void arrive(MessageQueue& queue, std::int64_t now, std::uint64_t number, std::uint64_t body,
            std::int64_t sent, std::int64_t group) {
  in_order(queue, now);
  queue.arrive(now, {sent, number, body, 0, group_of(queue, group)});
}

void admit(MessageQueue& queue, std::int64_t now, std::uint64_t body, std::int64_t group) {
  in_order(queue, now);
  queue.admit(now, body, group_of(queue, group));
}

std::uint64_t purge(MessageQueue& queue, std::int64_t now) {
  in_order(queue, now);
  return queue.purge(now);
}

bool start_redrive(MessageQueue& queue, std::int64_t now, std::uint32_t per_second) {
  in_order(queue, now);
  require(per_second >= 1 && per_second <= MessageQueue::redrive_max, "rate", "must be 1 to 500");
  return queue.start_redrive(now, per_second);
}

// A method of the queue that is told the time first.
template <auto Method, class... Rest>
auto timed() {
  return [](MessageQueue& queue, std::int64_t now, Rest... rest) {
    in_order(queue, now);
    return (queue.*Method)(now, rest...);
  };
}

void bind_calls(QueueClass& queue) {
  queue
      .def(py::init([](const QueueSpec& spec, std::uint64_t seed, std::uint64_t replication,
                       const std::string& name) {
             return MessageQueue(spec, stream_key(seed, replication, name + "/duplicates"),
                                 stream_key(seed, replication, name + "/short_polls"),
                                 stream_key(seed, replication, name + "/order"));
           }),
           py::arg("spec"), py::arg("seed"), py::arg("replication"), py::arg("name"))
      .def("advance", timed<&MessageQueue::advance>(), py::arg("now_ns"))
      .def("send", &send, py::arg("now_ns"), py::arg("bodies"), py::arg("groups"),
           py::arg("delays"), py::arg("ids"))
      .def("arrive", &arrive, py::arg("now_ns"), py::arg("number"), py::arg("body"),
           py::arg("sent_ns"), py::arg("group"))
      .def("admit", &admit, py::arg("now_ns"), py::arg("body"), py::arg("group"))
      .def("receive", &receive, py::arg("now_ns"), py::arg("count"), py::arg("visibility_ns"),
           py::arg("attempt") = py::none())
      .def("poll", &poll, py::arg("now_ns"), py::arg("max"), py::arg("visibility_ns"),
           py::arg("wait_ns"), py::arg("attempt") = py::none())
      .def("cancel", timed<&MessageQueue::cancel, std::uint64_t>(), py::arg("now_ns"),
           py::arg("ticket"))
      .def("delete", &erase, py::arg("now_ns"), py::arg("receipts"))
      .def("change_visibility", &change_visibility, py::arg("now_ns"), py::arg("receipt"),
           py::arg("timeout_ns"))
      .def("change_settings", &change_settings, py::arg("now_ns"), py::arg("visibility_ns"),
           py::arg("delay_ns"), py::arg("retention_ns"))
      .def("purge", &purge, py::arg("now_ns"))
      .def("start_redrive", &start_redrive, py::arg("now_ns"), py::arg("per_second"))
      .def("cancel_redrive", &MessageQueue::cancel_redrive)
      .def("churn", &churn, py::arg("now_ns"), py::arg("gap_ns"), py::arg("batch"),
           py::arg("rounds"));
}

void bind_looks(QueueClass& queue) {
  queue.def("next_event", &MessageQueue::next_event)
      .def_property_readonly("redriving", &MessageQueue::redriving)
      .def_property_readonly(
          "has_outcomes",
          [](const MessageQueue& it) {
            return !(it.answers().empty() && it.dead().empty() && it.redriven().empty());
          })
      .def("outcomes", &outcomes)
      .def("counts", &counts)
      .def("oldest", &MessageQueue::oldest)
      .def("check", &MessageQueue::check)
      .def_property_readonly("waiting_receivers", &MessageQueue::waiting_receivers)
      .def_property_readonly("now_ns", &MessageQueue::now)
      .def(by_state<MessageQueue>([] { return MessageQueue(); }));
}

}  // namespace

void bind_queue_spec(py::module_& m);

void bind_queues(py::module_& core) {
  py::module_ m = core.def_submodule("queues", "Ring buffers and message queues.");
  bind_queue_spec(m);
  bind_queue_specs(m);
  QueueClass queue(m, "MessageQueue", "Times in ns; receipts and tickets as numbers.");
  bind_calls(queue);
  bind_looks(queue);
}

}  // namespace nephoscope
