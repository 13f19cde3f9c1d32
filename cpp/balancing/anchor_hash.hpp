// Consistent hashing to a set that changes: AnchorHash (Mendelson, Vargaftik, Barabash, Lorenz,
// Keslassy and Orda, "AnchorHash: A Scalable Consistent Hash", IEEE/ACM Trans. Networking 2021).
//
// Every member has the same share of the keys. A key moves only when it must: a member that leaves
// spreads its own keys evenly over the others, and one that comes takes an even part from each. A
// look-up costs 1 + ln(capacity / members) expected steps whatever the size; a change costs O(1).
//
// The capacity is twice the members at the time the table is made. A set that outgrows it gets a
// table of twice the capacity, and then most keys move, once.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernel/random.hpp"

namespace nephoscope {

// A 64-bit mix in which every input bit reaches every output bit (the finaliser of SplitMix64).
inline std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

class AnchorHash {
 public:
  std::uint32_t size() const { return working_; }

  // The member a key belongs to. Precondition: size() > 0.
  std::uint32_t find(std::uint64_t key) const {
    const std::uint64_t hash = mix_bits(key + golden);
    std::uint32_t bucket = scale(hash, capacity());
    while (buckets_[bucket].size_when_removed != 0) {
      const std::uint32_t size = buckets_[bucket].size_when_removed;
      std::uint32_t next = scale(mix_bits(hash + (bucket + 1) * golden), size);
      // A bucket gone before this one stood, at that time, for its successor.
      while (buckets_[next].size_when_removed >= size) next = buckets_[next].successor;
      bucket = next;
    }
    return buckets_[bucket].member;
  }

  // Room for `members` and as many again before the table has to be made anew.
  void reserve(std::uint32_t members) {
    if (capacity() < 2 * members) rebuild(2 * members);
  }

  void add(std::uint32_t member) {
    if (removed_.empty()) rebuild(capacity() == 0 ? 16 : 2 * capacity());
    const std::uint32_t bucket = removed_.back();
    removed_.pop_back();
    buckets_[bucket].size_when_removed = 0;
    place_[at_[working_]] = working_;
    at_[place_[bucket]] = bucket;
    buckets_[bucket].successor = bucket;
    ++working_;
    assign(bucket, member);
  }

  void remove(std::uint32_t member) {
    const std::uint32_t bucket = bucket_of_[member];
    removed_.push_back(bucket);
    --working_;
    const std::uint32_t last = at_[working_];
    buckets_[bucket].size_when_removed = working_;
    buckets_[bucket].successor = last;
    at_[place_[bucket]] = last;
    place_[last] = place_[bucket];
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(buckets_, at_, place_, bucket_of_, removed_, working_);
  }

 private:
  struct Bucket {
    std::uint32_t size_when_removed = 0;  // 0: a member has it (A of the paper)
    std::uint32_t successor = 0;          // K
    std::uint32_t member = 0;
  };

  static constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;

  static std::uint32_t scale(std::uint64_t hash, std::uint32_t n) {
    return static_cast<std::uint32_t>((static_cast<uint128>(hash) * n) >> 64);
  }

  std::uint32_t capacity() const { return static_cast<std::uint32_t>(buckets_.size()); }

  void assign(std::uint32_t bucket, std::uint32_t member) {
    buckets_[bucket].member = member;
    if (member >= bucket_of_.size()) bucket_of_.resize(member + 1);
    bucket_of_[member] = bucket;
  }

  void rebuild(std::uint32_t capacity);

  std::vector<Bucket> buckets_;
  std::vector<std::uint32_t> at_;  // W: the working buckets, in the order that makes removal O(1)
  std::vector<std::uint32_t> place_;      // L: where a bucket is, or was, in at_
  std::vector<std::uint32_t> bucket_of_;  // by member
  std::vector<std::uint32_t> removed_;    // R: buckets without a member, the latest removed last
  std::uint32_t working_ = 0;
};

}  // namespace nephoscope
