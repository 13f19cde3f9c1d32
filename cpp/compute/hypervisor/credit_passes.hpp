// The passes of an accounting over the columns of vCPUs and pCPUs, sixteen rows at a time, without
// branches on who has run and who is below 0, which nobody could foretell.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "compute/hypervisor/byte_lanes.hpp"
#include "compute/hypervisor/credit_options.hpp"
#include "compute/hypervisor/credit_rows.hpp"
#include "kernel/vector_path.hpp"

namespace nephoscope::credit_passes {

// That make one word of a bit each.
constexpr std::size_t rows_together = 64;
static_assert(rows_together % byte_lanes == 0 && CreditRows::lanes == byte_lanes);

// Some vCPUs, as accounting sees them.
struct Rows {
  std::size_t count;
  std::int32_t* credit;
  std::uint32_t* owed;
  std::uint32_t* paid;
  CreditRows::Priority* priority;
  const CreditRows::Flags* flags;
  const CreditRows::Index* tier;
  const std::int32_t* by_tier;  // what they get
  const std::int32_t* each;     // or, unless it is null, one by one
  std::int32_t most;            // that one keeps
  std::uint32_t debited;        // all bits of what was paid, or none
};

// What has become of them; a bit for each row.
struct Verdict {
  std::int32_t sum = 0;    // of credits
  std::uint64_t rich = 0;  // has more than it may keep
  std::uint64_t high = 0;  // is in a queue and above OVER
  std::uint64_t low = 0;   // is in a queue and OVER
};

using Numbers = std::array<std::int32_t, byte_lanes>;

// What is owed becomes credits; who is active has what it is given.
NEPHOSCOPE_INLINE inline Numbers pay(const Rows& rows, std::size_t first, const Numbers& given,
                                     Verdict& verdict) {
  constexpr auto unit = static_cast<std::uint32_t>(CreditOptions::credit_ns);
  auto owed = load_lanes(rows.owed + first);
  auto paid = load_lanes(rows.paid + first);
  Numbers credit = load_lanes(rows.credit + first);
  Numbers spare;
  for (std::size_t k = 0; k < byte_lanes; ++k) {
    const std::uint32_t whole = owed[k] / unit;
    owed[k] -= whole * unit;
    paid[k] += whole;
    const std::int32_t judged = ~(given[k] >> 31);  // all bits of who is active
    const std::int32_t had = credit[k] - static_cast<std::int32_t>(whole & rows.debited);
    const std::int32_t has = std::max(had + given[k], -rows.most);
    credit[k] = (has & judged) | (had & ~judged);
    spare[k] = rows.most - (has & judged);
    verdict.sum += has & judged;
  }
  store_lanes(owed, rows.owed + first);
  store_lanes(paid, rows.paid + first);
  store_lanes(credit, rows.credit + first);
  verdict.rich |= bits_of(signs_of(spare)) << first;
  return credit;
}

// And its priority by what it has.
NEPHOSCOPE_INLINE inline void judge_lanes(const Rows& rows, std::size_t first, const Numbers& given,
                                          const Numbers& credit, Verdict& verdict) {
  const ByteLanes bad = signs_of(credit);
  const ByteLanes kept = signs_of(given);
  ByteLanes priority;
  ByteLanes waits;
  std::memcpy(priority.data(), rows.priority + first, byte_lanes);
  std::memcpy(waits.data(), rows.flags + first, byte_lanes);
  ByteLanes high;
  ByteLanes low;
  for (std::size_t k = 0; k < byte_lanes; ++k) {
    const auto now = static_cast<std::int8_t>(CreditVcpu::under + bad[k]);
    const auto then = static_cast<std::int8_t>((priority[k] & kept[k]) | (now & ~kept[k]));
    priority[k] = then;
    const auto waiting = static_cast<std::int8_t>((waits[k] & CreditVcpu::queued) != 0 ? -1 : 0);
    const auto good = static_cast<std::int8_t>(then > CreditVcpu::over ? -1 : 0);
    high[k] = static_cast<std::int8_t>(waiting & good);
    low[k] = static_cast<std::int8_t>(waiting & ~good);
  }
  std::memcpy(rows.priority + first, priority.data(), byte_lanes);
  verdict.high |= bits_of(high) << first;
  verdict.low |= bits_of(low) << first;
}

NEPHOSCOPE_INLINE inline Verdict judge_rows(const Rows& rows) {
  // All at once, for what has just been stored one by one is not yet there to be loaded together.
  std::array<std::int32_t, rows_together> given;
  if (rows.each != nullptr) {
    std::copy_n(rows.each, rows.count, given.data());
  } else {
    for (std::size_t k = 0; k < rows.count; ++k) given[k] = rows.by_tier[rows.tier[k]];
  }
  Verdict verdict;
  for (std::size_t first = 0; first < rows.count; first += byte_lanes) {
    const Numbers some = load_lanes(&given[first]);
    const Numbers credit = pay(rows, first, some, verdict);
    judge_lanes(rows, first, some, credit, verdict);
  }
  return verdict;
}

// Turns under way at an accounting: column by column.
struct Turns {
  std::size_t count;
  std::int32_t* since;
  std::int32_t* counted;
  const std::int32_t* lag;
  std::int32_t period;
};

// Whoever runs pays until the last tick, which is in `ran`; time goes on from here.
NEPHOSCOPE_INLINE inline void close(const Turns& turns, std::int32_t* ran) {
  constexpr std::int32_t long_ago = std::numeric_limits<std::int32_t>::min() / 2;
  for (std::size_t at = 0; at < turns.count; ++at) {
    const std::int32_t more = turns.period - turns.lag[at] - turns.counted[at];
    const std::int32_t paid = more > 0 ? more : 0;
    const std::int32_t since = turns.since[at] - turns.period;
    ran[at] = paid;
    turns.counted[at] += paid - turns.period;
    turns.since[at] = since < long_ago ? long_ago : since;
  }
}

}  // namespace nephoscope::credit_passes
