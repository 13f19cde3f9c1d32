// Fuzz target of the queues: any bytes become a queue, its dead-letter queue and what is done to
// them, with every invariant checked after every call. A violation, any exception but a refused
// spec, and a copy or a restored queue that goes another way are failures.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/bytes.hpp"
#include "kernel/errors.hpp"
#include "messaging/message_queue.hpp"
#include "world/archive.hpp"

namespace nephoscope::fuzz {
namespace {

constexpr int calls_max = 400;
constexpr std::int64_t second = QueueSpec::second;
constexpr std::int64_t spans[] = {0, 1, second, 2 * second, 5 * second, 60 * second, 900 * second};

QueueSpec queue_spec(Bytes& bytes, QueueKind kind) {
  QueueSpec spec;
  const bool fifo = kind == QueueKind::fifo;
  spec.kind = kind;
  spec.visibility_ns = bytes.any_of(spans);
  spec.delay_ns = bytes.one_in(4) ? bytes.any_of(spans) : 0;
  spec.retention_ns = bytes.any_of(spans);
  if (!bytes.one_in(16)) spec.retention_ns = std::max(spec.retention_ns, QueueSpec::retention_min);
  spec.max_receives = bytes.between(0, 3);
  spec.in_flight_max = bytes.one_in(16) ? 0 : bytes.between(1, 12);
  spec.calls_per_second = bytes.one_in(8) ? bytes.between(1, 9) : 0;
  spec.group_calls_per_second = bytes.one_in(8) ? bytes.between(1, 9) : 0;
  spec.message_bytes = bytes.one_in(4) ? bytes.between(1, 1U << 16) : 0;
  spec.content_deduplication = fifo && bytes.one_in(2) ? 1 : 0;
  spec.group_deduplication = fifo && bytes.one_in(2) ? 1 : 0;
  spec.duplicates = !fifo && bytes.one_in(4) ? 0.5 : 0.0;
  spec.sampled = !fifo && bytes.one_in(4) ? 0.5 : 1.0;
  spec.disorder = !fifo && bytes.one_in(4) ? 0.5 : 0.0;
  return spec;
}

std::string saved(const MessageQueue& queue) {
  MessageQueue copy = queue;
  StateWriter writer;
  copy.serialize(writer);
  return writer.take();
}

class Program {
 public:
  Program(const QueueSpec& spec, const QueueSpec& lost_spec)
      : queue_(spec, {1, 2}, {3, 4}, {9, 10}), lost_(lost_spec, {5, 6}, {7, 8}, {11, 12}) {}

  void call(Bytes& bytes) {
    if (bytes.one_in(3)) now_ += bytes.any_of(spans);
    switch (bytes.between(0, 9)) {
      case 0:
      case 1:
        send(bytes);
        break;
      case 2:
      case 3:
        receive(bytes);
        break;
      case 4:
        erase(bytes);
        break;
      case 5:
        queue_.change_visibility(now_, receipt(bytes), bytes.any_of(spans));
        break;
      case 6:
        queue_.cancel(now_, bytes.between(0, 1) == 1 ? ticket_ : bytes.raw<std::uint64_t>());
        break;
      case 7:
        change(bytes);
        break;
      case 8:
        lost_.start_redrive(now_, bytes.between(1, 500));
        break;
      default:
        resume();
        break;
    }
    settle();
    queue_.check();
    lost_.check();
  }

 private:
  void send(Bytes& bytes) {
    Outgoing out[MessageQueue::batch_max];
    SendResult sent[MessageQueue::batch_max];
    const std::uint32_t count = bytes.between(1, MessageQueue::batch_max);
    const bool fifo = queue_.spec().kind == QueueKind::fifo;
    for (std::uint32_t at = 0; at < count; ++at) {
      out[at].body = bytes.between(0, 99);
      if (fifo || bytes.one_in(2)) out[at].group = bytes.between(0, 3);
      if (!fifo && bytes.one_in(4)) out[at].delay = bytes.any_of(spans);
    }
    queue_.send(now_, out, count, sent);
  }

  void receive(Bytes& bytes) {
    Delivery out[MessageQueue::batch_max];
    const std::uint32_t max = bytes.between(1, MessageQueue::batch_max);
    Receive call{max, bytes.one_in(3) ? bytes.any_of(spans) : Receive::usual};
    if (queue_.spec().kind == QueueKind::fifo && bytes.one_in(2)) {
      call.attempt = bytes.between(0, 3);
      call.has_attempt = 1;
    }
    Received received;
    if (bytes.one_in(3)) {
      received = queue_.poll(now_, call, bytes.any_of(spans), out);
      if (received.ticket != 0) ticket_ = received.ticket;
    } else {
      received = queue_.receive(now_, call, out);
    }
    for (std::uint32_t at = 0; at < received.count; ++at) receipts_.push_back(out[at].receipt);
  }

  std::uint64_t receipt(Bytes& bytes) {
    if (receipts_.empty() || bytes.one_in(16)) return bytes.raw<std::uint64_t>();
    return receipts_[bytes.raw<std::uint16_t>() % receipts_.size()];
  }

  void erase(Bytes& bytes) {
    std::uint64_t receipts[MessageQueue::batch_max];
    ReceiptStatus results[MessageQueue::batch_max];
    const std::uint32_t count = bytes.between(1, MessageQueue::batch_max);
    for (std::uint32_t at = 0; at < count; ++at) receipts[at] = receipt(bytes);
    queue_.erase(now_, receipts, count, results);
  }

  void change(Bytes& bytes) {
    const std::uint32_t which = bytes.between(0, 3);
    const std::int64_t span = bytes.any_of(spans);
    queue_.advance(now_);
    if (which == 0)
      queue_.purge(now_, bytes.one_in(2) ? MessageQueue::never : now_ - bytes.between(0, 9));
    if (which == 1) queue_.set_delay(now_, span);
    if (which == 2) queue_.set_visibility(span);
    if (which == 3) queue_.set_retention(now_, std::max(span, QueueSpec::retention_min));
  }

  // What was saved goes on as the queue does.
  void resume() {
    const std::string before = saved(queue_);
    MessageQueue restored;
    StateReader reader(before);
    restored.serialize(reader);
    reader.finish();
    restored.advance(now_ + 7 * second);
    MessageQueue copy = queue_;
    copy.advance(now_ + 7 * second);
    if (saved(copy) != saved(restored)) throw std::logic_error("a restored queue differs");
  }

  void settle() {
    queue_.advance(now_);
    lost_.advance(now_);
    for (const Delivery& it : queue_.answered()) receipts_.push_back(it.receipt);
    for (const Moved& it : queue_.dead()) lost_.arrive(now_, it.message);
    for (const Moved& it : lost_.redriven()) queue_.admit(now_, it.message.body, it.message.group);
    queue_.forget_outcomes();
    lost_.forget_outcomes();
  }

  MessageQueue queue_;
  MessageQueue lost_;
  std::vector<std::uint64_t> receipts_;
  std::uint64_t ticket_ = 0;
  std::int64_t now_ = 0;
};

}  // namespace
}  // namespace nephoscope::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nephoscope;
  fuzz::Bytes bytes(data, size);
  const QueueKind kind = bytes.one_in(2) ? QueueKind::fifo : QueueKind::standard;
  const QueueSpec spec = fuzz::queue_spec(bytes, kind);
  QueueSpec lost = fuzz::queue_spec(bytes, kind);
  lost.max_receives = 0;
  try {
    spec.check();
    lost.check();
  } catch (const SpecError&) {
    return 0;
  }
  fuzz::Program program(spec, lost);
  for (int call = 0; call < fuzz::calls_max && !bytes.empty(); ++call) program.call(bytes);
  return 0;
}
