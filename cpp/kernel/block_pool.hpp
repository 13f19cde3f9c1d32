// Blocks of 2^k elements in one array, addressed by offset: the storage of many small containers
// that grow and shrink, without a heap allocation each. A freed block is taken again by the next of
// its size.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nephoscope {

template <class Element>
class BlockPool {
 public:
  std::uint32_t take(std::uint32_t log2_size) {
    auto& free = free_[log2_size];
    if (!free.empty()) {
      const std::uint32_t offset = free.back();
      free.pop_back();
      return offset;
    }
    const auto offset = static_cast<std::uint32_t>(elements_.size());
    elements_.resize(elements_.size() + (std::size_t{1} << log2_size));
    return offset;
  }

  void release(std::uint32_t offset, std::uint32_t log2_size) {
    free_[log2_size].push_back(offset);
  }

  Element* at(std::uint32_t offset) { return elements_.data() + offset; }
  const Element* at(std::uint32_t offset) const { return elements_.data() + offset; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(elements_);
    for (auto& free : free_) archive(free);
  }

 private:
  std::vector<Element> elements_;
  std::array<std::vector<std::uint32_t>, 32> free_;
};

}  // namespace nephoscope
