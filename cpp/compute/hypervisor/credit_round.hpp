// What a host knows of a round (credit_round.cpp), beside the columns of its pCPUs.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "compute/hypervisor/byte_lanes.hpp"
#include "compute/hypervisor/credit_rows.hpp"
#include "kernel/vector_path.hpp"

namespace nephoscope {

class CreditRound {
 public:
  static constexpr std::size_t most_cpus = 64;
  // Times of timers are below it, so that a time and a pCPU are a number of 32 bits.
  static constexpr std::int64_t latest = std::int64_t{1} << 26;

  std::uint64_t high = 0;                   // pCPUs: somebody above OVER is in the queue
  std::uint64_t unsorted = 0;               // and behind somebody who is not
  std::uint64_t switched = 0;               // pCPUs, since who runs there was told
  std::uint64_t over = 0;                   // pCPUs, at the accounting: who runs is
  std::array<std::uint64_t, 2> inactive{};  // vCPUs, at the accounting
  std::uint32_t next = 0;                   // of the order of timers
  std::uint16_t calm = 0;                   // accountings since the last change from outside
  std::uint8_t on = 0;
  std::uint8_t is_full = 0;  // a queue

  struct Columns {
    CreditRows::Cpu* cpu;
    std::int32_t* since;
    const std::int32_t* counted;
    const std::int32_t* lag;
    std::uint64_t* queue;
    std::uint8_t* runs;
    CreditRows::Index* at;
  };

  struct Timers {
    const std::int32_t* due;
    std::size_t cpus;
    std::size_t rows;  // whole lanes of them
  };
  using Ranks = std::array<std::uint8_t, most_cpus>;

  // How many are before each. REQUIRES: times are from 0 to below `latest`.
  NEPHOSCOPE_INLINE static void rank(const Timers& timers, std::uint8_t* ranks) {
    std::array<std::int32_t, most_cpus> keys;
    for (std::size_t at = 0; at < timers.rows; ++at) {
      // From the least number on, so that signed comparisons will do.
      keys[at] = static_cast<std::int32_t>(
          (static_cast<std::uint32_t>(timers.due[at]) * most_cpus + at) ^ 0x8000'0000U);
    }
    for (std::size_t first = 0; first < timers.rows; first += CreditRows::lanes) {
      count_before(timers.cpus, keys.data(), first, ranks);
    }
  }

 private:
  NEPHOSCOPE_INLINE static void count_before(std::size_t cpus, const std::int32_t* keys,
                                             std::size_t first, std::uint8_t* ranks) {
#if NEPHOSCOPE_VECTOR_PATHS
    // What compilers keep in registers is this, not an array of numbers.
    detail::Ints mine[CreditRows::lanes / 4];
    detail::Ints before[CreditRows::lanes / 4] = {};
    std::memcpy(mine, keys + first, sizeof(mine));
    for (std::size_t other = 0; other < cpus; ++other) {
      for (std::size_t k = 0; k < CreditRows::lanes / 4; ++k) before[k] -= keys[other] < mine[k];
    }
    std::array<std::int32_t, CreditRows::lanes> sum;
    std::memcpy(sum.data(), before, sizeof(before));
#else
    std::array<std::int32_t, CreditRows::lanes> sum{};
    for (std::size_t other = 0; other < cpus; ++other) {
      for (std::size_t k = 0; k < CreditRows::lanes; ++k) {
        sum[k] += keys[other] < keys[first + k] ? 1 : 0;
      }
    }
#endif
    for (std::size_t k = 0; k < CreditRows::lanes; ++k) {
      ranks[first + k] = static_cast<std::uint8_t>(sum[k]);
    }
  }
};

}  // namespace nephoscope
