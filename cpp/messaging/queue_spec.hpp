// What a queue is, in plain numbers. Times are in ns; limits of 0 are none.

#pragma once

#include <cstdint>

namespace nephoscope {

enum class QueueKind : std::uint32_t { standard, fifo };

struct QueueSpec {
  static constexpr bool plain_doubles = true;
  static constexpr std::int64_t second = 1'000'000'000;
  static constexpr std::int64_t visibility_max = 43'200 * second;
  static constexpr std::int64_t delay_max = 900 * second;
  static constexpr std::int64_t retention_min = 60 * second;
  static constexpr std::int64_t retention_max = 1'209'600 * second;
  static constexpr std::int64_t wait_max = 20 * second;
  static constexpr std::uint32_t receives_max = 1000;
  static constexpr std::uint32_t bytes_max = 1 << 20;       // of the messages of a call
  static constexpr std::uint32_t billed_bytes = 64 * 1024;  // are one request

  QueueKind kind = QueueKind::standard;
  std::uint32_t max_receives = 0;  // before the dead-letter queue; 0: there is none
  std::uint32_t in_flight_max = 120'000;
  std::uint32_t calls_per_second = 0;        // of one action
  std::uint32_t group_calls_per_second = 0;  // the same, for each message group
  std::uint32_t content_deduplication = 0;   // 1: the body is the id where none is given
  std::uint32_t group_deduplication = 0;     // 1: an id counts within its group
  std::uint32_t message_bytes = 0;           // of each; 0: so few that no call is billed for more
  std::int64_t visibility_ns = 30 * second;
  std::int64_t delay_ns = 0;
  std::int64_t retention_ns = 345'600 * second;
  double duplicates = 0.0;  // chance that a message is stored twice
  double sampled = 1.0;     // chance that a short poll sees a message
  double disorder = 0.0;    // chance that who receives gets the one behind the oldest

  // How many requests a call is billed for that holds so many messages.
  std::uint64_t requests(std::uint32_t messages) const {
    if (message_bytes == 0) [[likely]]
      return 1;
    const std::uint64_t bytes = std::uint64_t{message_bytes} * messages;
    return bytes <= billed_bytes ? 1 : (bytes + billed_bytes - 1) / billed_bytes;
  }

  // Throws SpecError.
  void check() const;
};

}  // namespace nephoscope
