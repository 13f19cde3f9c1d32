// Deliveries that were given up, and why.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nephoscope {

// Why the last attempt at a delivery was in vain.
enum class DeliveryFailure : std::uint8_t {
  client_error,
  server_error,
  throttled,  // by what takes messages
  rejected,   // by who answers, as the next
  failed,
  timed_out,
};

// Why there was no further one.
enum class DeliveryEnd : std::uint8_t {
  for_good,  // there was no use in it
  attempts,  // there had been as many as may be
  age,
};

// Both in one number.
inline constexpr std::size_t delivery_causes = 6 * 3;
inline std::size_t cause_of(DeliveryFailure failure, DeliveryEnd end) {
  return static_cast<std::size_t>(failure) * 3 + static_cast<std::size_t>(end);
}

// Deliveries that became dead letters or were dropped.
struct GivenUp {
  std::array<std::uint64_t, 6> failures{};  // by DeliveryFailure
  std::array<std::uint64_t, 3> ends{};      // by DeliveryEnd
  std::uint64_t retries = 0;                // attempts beyond the first

  void count(DeliveryFailure failure, DeliveryEnd end, std::uint32_t attempts) {
    ++failures[static_cast<std::size_t>(failure)];
    ++ends[static_cast<std::size_t>(end)];
    retries += attempts - 1;
  }
};

}  // namespace nephoscope
