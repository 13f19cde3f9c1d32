// The pCPUs and vCPUs of a host under the credit scheduler, a column for each fact, so that
// accounting is a few straight passes. All columns are in one block of memory: with thousands of
// hosts, looking at one of them costs what it takes to bring its block near.
//
// What a vCPU has run is `paid` whole credits and `owed` ns since it came to the host or its member
// was told; a debit adds to `owed`, an accounting moves whole credits from there to `paid`.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "compute/hypervisor/credit_options.hpp"
#include "kernel/hot_path.hpp"

namespace nephoscope {

// A vCPU by itself: between hosts, and for whoever asks.
struct CreditVcpu {
  enum Flag : std::uint8_t { wanting = 1, active = 2, parked = 4, queued = 8, running = 16 };
  enum Priority : std::int8_t { nobody = -64, over = -2, under = -1, boosted = 0 };

  std::int32_t credit = 0;
  std::uint32_t residual_ns = 0;  // ran, and not yet a whole credit
  std::uint16_t member = 0;
  std::uint16_t cpu = 0;  // where it runs, is queued or was last
  Priority priority = under;
  std::uint8_t flags = 0;

  bool is(unsigned flag) const { return (flags & flag) != 0; }
};

class CreditRows {
 public:
  using Index = std::uint16_t;
  using Priority = CreditVcpu::Priority;
  static constexpr Index none = 0xFFFF;
  // Columns are as long as whole lanes; the rest is of vCPUs that never want anything and of pCPUs
  // where nobody is.
  static constexpr std::size_t lanes = 16;

  // A byte of flags that is no char, so that what is stored there cannot be anything else.
  enum class Flags : std::uint8_t {};

  struct Cpu {
    Index current = none;
    Index head = none;  // of the queue
  };

  explicit CreditRows(std::size_t cpus = 0) : cpus_(cpus) {
    resize(0);
    std::fill_n(cpu, cpu_rows(), Cpu{});
    std::fill_n(queue, cpu_rows(), ~std::uint64_t{0});
  }
  CreditRows(const CreditRows& other)
      : cpus_(other.cpus_), size_(other.size_), block_(other.block_) {
    place();
  }
  CreditRows(CreditRows&&) noexcept = default;
  CreditRows& operator=(const CreditRows& other) { return *this = CreditRows(other); }
  CreditRows& operator=(CreditRows&&) noexcept = default;
  ~CreditRows() = default;

  // Of pCPUs.
  Cpu* cpu = nullptr;
  std::int32_t* since = nullptr;    // `current` was switched in
  std::int32_t* counted = nullptr;  // `current` has been debited until then
  std::int32_t* lag = nullptr;      // ticks are at k x tick - lag; from 0 to below a tick
  std::int32_t* due = nullptr;      // in a round: its timer
  std::uint64_t* queue = nullptr;   // in a round, as credit_queue.hpp has it
  std::uint8_t* runs = nullptr;     // in a round: `current`, and the top bit if it is OVER
  std::int32_t* slice = nullptr;    // in a round: that its next decision begins
  std::uint8_t* order = nullptr;    // in a round: pCPUs by their timers
  std::int32_t* ran = nullptr;      // scratch
  // Of vCPUs.
  std::uint32_t* owed = nullptr;  // ns
  Index* at = nullptr;            // the pCPU where it runs, is queued or was last
  Priority* priority = nullptr;
  Index* tier = nullptr;             // of its weight; 0 while it is not active
  Index* next = nullptr;             // behind it in its queue
  Flags* flags = nullptr;            // wanting, parked, queued
  std::int32_t* credit = nullptr;    // but for what is owed
  std::uint32_t* paid = nullptr;     // credits
  std::uint64_t* touched = nullptr;  // by 64 of them a word: whether it has been switched in or out
  Index* member = nullptr;
  std::int64_t* parked_since = nullptr;  // while it is and wants to run

  std::size_t cpus() const { return cpus_; }
  std::size_t cpu_rows() const { return rows_of(cpus_); }
  std::size_t size() const { return size_; }  // vCPUs
  std::size_t rows() const { return rows_of(size_); }
  std::size_t touched_words() const { return words_of(size_); }

  unsigned flags_of(std::size_t vcpu) const { return static_cast<unsigned>(flags[vcpu]); }
  bool is(std::size_t vcpu, unsigned flag) const { return (flags_of(vcpu) & flag) != 0; }
  void put(std::size_t vcpu, unsigned flag) { flags[vcpu] = Flags(flags_of(vcpu) | flag); }
  void drop(std::size_t vcpu, unsigned flag) { flags[vcpu] = Flags(flags_of(vcpu) & ~flag); }
  void touch(std::size_t vcpu) { touched[vcpu / 64] |= std::uint64_t{1} << (vcpu % 64); }

  // What it has run since its member was told.
  std::int64_t run_ns(std::size_t vcpu) const {
    return paid[vcpu] * CreditOptions::credit_ns + std::int64_t{owed[vcpu]};
  }

  // New ones are all zeros.
  void resize(std::size_t size);

  // The numbers of those behind go down. REQUIRES: nobody is touched.
  void erase(std::size_t first, std::size_t count);

  // Brings the columns nearer that decisions look at, and those of accountings if one is due.
  void fetch(bool in_round, bool accounting) const {
    const std::size_t decided = in_round ? words_played_ : words_decided_;
    const std::size_t words = accounting ? words_accounted_ : decided;
    for (std::size_t word = 0; word < words; word += 8) NEPHOSCOPE_PREFETCH(&block_[word]);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(cpus_, size_, block_);
    place();
  }

 private:
  template <class Visit>
  void for_each_of_cpus(Visit visit) {
    visit(cpu);
    visit(since);
    visit(counted);
    visit(lag);
    visit(due);
    visit(queue);
    visit(runs);
    visit(slice);
    visit(order);
    visit(ran);
  }
  template <class Visit>
  void for_each_of_vcpus(Visit visit) {
    visit(owed);
    visit(at);
    visit(priority);
    visit(tier);
    visit(next);
    visit(flags);
    visit(credit);
    visit(paid);
    visit(member);
    visit(parked_since);
  }

  static std::size_t rows_of(std::size_t size) { return (size + lanes - 1) / lanes * lanes; }
  static std::size_t words_of(std::size_t size) { return (size + 63) / 64; }
  void place();

  std::uint64_t cpus_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t words_played_ = 0;     // of the block that rounds look at
  std::uint64_t words_decided_ = 0;    // that other decisions do
  std::uint64_t words_accounted_ = 0;  // and that accountings do
  std::vector<std::uint64_t> block_;
};

}  // namespace nephoscope
