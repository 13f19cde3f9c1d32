// Consistent hashing to a set that changes: every member has the same share of the keys, and a key
// moves only when it must. A member that comes takes an even part from each of the others, one that
// leaves spreads its own keys evenly over them, whatever the size and whatever happened before.
//
// Members have buckets, numbered from 0. Two known methods meet here:
//
//   - from a key to a bucket, as the number of buckets grows and shrinks at its end: as
//   BinomialHash
//     does (Coluzzi, Brocco, Antonucci and Leidi, "BinomialHash: A Constant Time, Minimal Memory
//     Consistent Hash Algorithm", 2024). Buckets 2^j .. 2^(j+1) - 1 are level j. The low bits of
//     the hash name a bucket of the next power of two and with it a level; the bucket within the
//     level is drawn anew, independently. If it does not exist yet, further draws decide between
//     the top level and where the key was before that level began. One draw in two succeeds or
//     better;
//   - from the bucket of a member that has gone to one that is there: as AnchorHash does
//     (Mendelson, Vargaftik, Barabash, Lorenz, Keslassy and Orda, "AnchorHash: A Scalable
//     Consistent Hash", IEEE/ACM Trans. Networking 2021). It knows in which order buckets were left
//     and sends a key to one of those that were still taken then.
//
// A look-up costs a constant number of expected steps, and 1 + ln(buckets / members) more while
// members are missing; a change costs O(1).

#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/hot_path.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

// A 64-bit mix in which every input bit reaches every output bit (the finaliser of SplitMix64).
inline std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

class ConsistentHash {
 public:
  std::uint32_t size() const { return working_; }

  // The member a key belongs to. Precondition: size() > 0.
  NEPHOSCOPE_HOT std::uint32_t find(std::uint64_t key) const {
    const std::uint64_t hash = mix_bits(key + golden);
    std::uint32_t bucket = within_level(hash, 2 * top_ - 1);
    if (bucket >= capacity()) [[unlikely]]
      bucket = draw_again(hash);
    if (in_order_ != 0) [[likely]]
      return bucket;
    return buckets_[successor_of(bucket, hash)].member;
  }

  void add(std::uint32_t member) {
    if (removed_.empty()) add_bucket();
    const std::uint32_t bucket = removed_.back();
    removed_.pop_back();
    buckets_[bucket].size_when_removed = 0;
    place_[at_[working_]] = working_;
    at_[place_[bucket]] = bucket;
    buckets_[bucket].successor = bucket;
    ++working_;
    buckets_[bucket].member = member;
    if (member != bucket) in_order_ = 0;
    if (member >= bucket_of_.size()) bucket_of_.resize(member + 1);
    bucket_of_[member] = bucket;
  }

  void remove(std::uint32_t member) {
    const std::uint32_t bucket = bucket_of_[member];
    if (removed_.empty() && bucket + 1 == capacity()) return remove_last_bucket();
    removed_.push_back(bucket);
    in_order_ = 0;
    --working_;
    const std::uint32_t last = at_[working_];
    buckets_[bucket].size_when_removed = working_;
    buckets_[bucket].successor = last;
    at_[place_[bucket]] = last;
    place_[last] = place_[bucket];
    // Nobody is left, so nobody can be moved.
    if (working_ == 0) *this = ConsistentHash();
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(buckets_, at_, place_, bucket_of_, removed_, working_, top_, in_order_);
  }

 private:
  struct Bucket {
    std::uint32_t size_when_removed = 0;  // 0: a member has it (A of the AnchorHash paper)
    std::uint32_t successor = 0;          // K
    std::uint32_t member = 0;
  };

  static constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;
  static constexpr int draws = 64;  // after which the chance that none has succeeded is 2^-64

  static std::uint32_t scale(std::uint64_t hash, std::uint32_t n) {
    return static_cast<std::uint32_t>((static_cast<uint128>(hash) * n) >> 64);
  }

  std::uint32_t capacity() const { return static_cast<std::uint32_t>(buckets_.size()); }

  // The level of the bucket that `mask` leaves of the hash, and any bucket of that level.
  NEPHOSCOPE_HOT static std::uint32_t within_level(std::uint64_t hash, std::uint32_t mask) {
    const auto level = static_cast<std::uint32_t>(std::bit_width(hash & mask));
    const std::uint32_t begin = (1U << level) >> 1;
    return begin +
           (static_cast<std::uint32_t>(mix_bits(hash + level * golden)) & (begin - (level != 0)));
  }

  std::uint32_t draw_again(std::uint64_t hash) const;
  std::uint32_t successor_of(std::uint32_t bucket, std::uint64_t hash) const;
  void add_bucket();
  void remove_last_bucket();

  std::vector<Bucket> buckets_;
  std::vector<std::uint32_t> at_;  // W: the working buckets, in the order that makes removal O(1)
  std::vector<std::uint32_t> place_;      // L: where a bucket is, or was, in at_
  std::vector<std::uint32_t> bucket_of_;  // by member
  std::vector<std::uint32_t> removed_;    // R: buckets without a member, the latest removed last
  std::uint32_t working_ = 0;
  std::uint32_t top_ = 1;  // the first bucket of the top level, a power of two; capacity <= 2 top_
  std::uint32_t in_order_ = 1;  // every bucket has a member, its own number
};

}  // namespace nephoscope
