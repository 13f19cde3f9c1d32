// What receives of a FIFO queue came to that were given an id: the same receipts are the answer
// again for five minutes, which a repetition does not extend.
//
// Invariant: ids_ has the number of the latest answer under each id; forgotten_ answers are gone
// from the ring.

#pragma once

#include <array>
#include <cstdint>

#include "messaging/key_table.hpp"
#include "messaging/ring_queue.hpp"

namespace nephoscope {

class ReceiveAttempts {
 public:
  static constexpr std::int64_t window_ns = 300'000'000'000;
  static constexpr std::uint32_t receipts_max = 10;

  struct Answer {
    std::uint64_t id = 0;
    std::int64_t at = 0;
    std::uint64_t count = 0;
    std::array<std::uint64_t, receipts_max> receipts{};
  };

  // The answer under this id, or none; valid until one is remembered.
  const Answer* find(std::uint64_t id, std::int64_t now) {
    while (!answers_.empty() && answers_.front().at + window_ns <= now) {
      if (ids_.find(answers_.front().id) == forgotten_) ids_.erase(answers_.front().id);
      answers_.drop();
      ++forgotten_;
    }
    const std::uint64_t number = ids_.find(id);
    return number == KeyTable::absent ? nullptr : &answers_[number - forgotten_];
  }

  // In the place of what there is under its id.
  void remember(const Answer& answer) {
    ids_.set(answer.id, forgotten_ + answers_.size());
    answers_.push(answer);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    ids_.serialize(archive);
    answers_.serialize(archive);
    archive(forgotten_);
  }

 private:
  KeyTable ids_;
  RingQueue<Answer> answers_;  // in the order of time
  std::uint64_t forgotten_ = 0;
};

}  // namespace nephoscope
