// How many calls of one kind are let through in a second, altogether and for each message group.
// Seconds are those of the clock: all that is known of one is forgotten at the next.

#pragma once

#include <cstdint>

#include "messaging/key_table.hpp"

namespace nephoscope {

class CallLimit {
 public:
  static constexpr std::uint32_t group_limit_max = 65'535;

  CallLimit() = default;
  // 0 is no limit.
  CallLimit(std::uint32_t calls, std::uint32_t group_calls)
      : limit_(calls), group_limit_(group_calls) {}

  // Whether a call might be made now.
  bool has_room(std::int64_t now) {
    if (limit_ == 0) return true;
    begin_second(now);
    return calls_ != limit_;
  }

  // Whether a call may be made now; if so, it is one.
  bool allow(std::int64_t now) {
    if ((limit_ | group_limit_) == 0) return true;
    begin_second(now);
    if (limit_ != 0 && calls_ == limit_) return false;
    ++calls_;
    ++call_;
    return true;
  }

  // Whether the call that was let through last may touch this group: it counts once for each.
  bool allow(std::int64_t now, std::uint32_t group) {
    if (group_limit_ == 0) return true;
    begin_second(now);
    const std::uint64_t known = groups_.find(group);
    const std::uint64_t calls = known == KeyTable::absent ? 0 : known & group_limit_max;
    if (calls != 0 && known >> 16 == call_) return true;
    if (calls == group_limit_) return false;
    groups_.set(group, call_ << 16 | (calls + 1));
    return true;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(limit_, group_limit_, second_, calls_, call_);
    groups_.serialize(archive);
  }

 private:
  void begin_second(std::int64_t now) {
    const std::int64_t second = now / 1'000'000'000;
    if (second == second_) return;
    second_ = second;
    calls_ = 0;
    groups_.clear();
  }

  std::uint32_t limit_ = 0;
  std::uint32_t group_limit_ = 0;
  std::int64_t second_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t call_ = 0;  // the number of the latest
  KeyTable groups_;         // number of the latest call << 16 | calls of this second
};

}  // namespace nephoscope
