#include "balancing/consistent_hash.hpp"

#include <algorithm>

namespace nephoscope {

// The first draw fell on a bucket of the top level that is not there. Each further one falls on one
// that is, or below the top level: then the key stays where it was before that level began.
std::uint32_t ConsistentHash::draw_again(std::uint64_t hash) const {
  std::uint64_t drawn = hash;
  for (int draw = 1; draw < draws; ++draw) {
    drawn = mix_bits(drawn + golden);
    const std::uint32_t bucket = static_cast<std::uint32_t>(drawn) & (2 * top_ - 1);
    if (bucket < top_) break;
    if (bucket < capacity()) return bucket;
  }
  return within_level(hash, top_ - 1);
}

std::uint32_t ConsistentHash::successor_of(std::uint32_t bucket, std::uint64_t hash) const {
  while (buckets_[bucket].size_when_removed != 0) {
    const std::uint32_t size = buckets_[bucket].size_when_removed;
    std::uint32_t next = scale(mix_bits(hash + (bucket + 1) * golden), size);
    // A bucket gone before this one stood, at that time, for its successor.
    while (buckets_[next].size_when_removed >= size) next = buckets_[next].successor;
    bucket = next;
  }
  return bucket;
}

// One more at the end, without a member.
void ConsistentHash::add_bucket() {
  const std::uint32_t bucket = capacity();
  buckets_.push_back({bucket, bucket, 0});
  at_.push_back(bucket);
  place_.push_back(bucket);
  removed_.push_back(bucket);
  top_ = std::max(1U, std::bit_floor(bucket));
}

// All buckets have members, so at_ and place_ are in order.
void ConsistentHash::remove_last_bucket() {
  buckets_.pop_back();
  at_.pop_back();
  place_.pop_back();
  --working_;
  top_ = capacity() < 2 ? 1U : std::bit_floor(capacity() - 1);
}

}  // namespace nephoscope
