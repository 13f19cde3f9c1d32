#include "balancing/anchor_hash.hpp"

#include <numeric>

namespace nephoscope {

void AnchorHash::rebuild(std::uint32_t capacity) {
  std::vector<std::uint32_t> members;
  members.reserve(working_);
  for (std::uint32_t place = 0; place < working_; ++place)
    members.push_back(buckets_[at_[place]].member);

  buckets_.assign(capacity, {});
  at_.resize(capacity);
  std::iota(at_.begin(), at_.end(), 0U);
  place_ = at_;
  removed_.clear();
  for (std::uint32_t bucket = capacity; bucket-- > 0;) {
    buckets_[bucket] = {bucket, bucket, 0};
    removed_.push_back(bucket);
  }
  working_ = 0;
  for (const std::uint32_t member : members) add(member);
}

}  // namespace nephoscope
