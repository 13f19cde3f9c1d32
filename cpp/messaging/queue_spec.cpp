#include "messaging/queue_spec.hpp"

#include "kernel/errors.hpp"
#include "messaging/call_limit.hpp"

namespace nephoscope {

void QueueSpec::check() const {
  const bool fifo = kind == QueueKind::fifo;
  require(static_cast<unsigned>(kind) <= 1, "type", "is not known");
  require(visibility_ns >= 0 && visibility_ns <= visibility_max, "visibility_timeout",
          "must be 0s to 12h");
  require(delay_ns >= 0 && delay_ns <= delay_max, "delay", "must be 0s to 15m");
  require(retention_ns >= retention_min && retention_ns <= retention_max, "retention",
          "must be 60s to 14d");
  require(max_receives <= receives_max, "dead_letter.max_receives", "must be 1 to 1000");
  require(in_flight_max >= 1 && in_flight_max <= (1U << 29), "in_flight", "must be 1 to 2^29");
  require(message_bytes <= bytes_max, "message_size", "must be 0B to 1MiB");
  require(group_calls_per_second <= CallLimit::group_limit_max, "group_calls_per_second",
          "must be below 2^16");
  require(duplicates >= 0.0 && duplicates <= 1.0, "duplicates", "must be 0 to 1");
  require(!fifo || duplicates == 0.0, "duplicates", "is of standard queues only");
  require(sampled > 0.0 && sampled <= 1.0, "sampled", "must be above 0, at most 1");
  require(!fifo || sampled == 1.0, "sampled", "is of standard queues only");
  require(disorder >= 0.0 && disorder <= 1.0, "disorder", "must be 0 to 1");
  require(!fifo || disorder == 0.0, "disorder", "is of standard queues only");
  require(fifo || content_deduplication + group_deduplication == 0, "deduplication",
          "is of FIFO queues only");
}

}  // namespace nephoscope
