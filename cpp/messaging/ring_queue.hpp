// A first-in first-out queue in a ring buffer: records of one type in an array of 2^k places that
// doubles when it is full and never shrinks.
//
// Invariant: record i in the order of coming is at (first_ + i) & mask_, for i below size_.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/hot_path.hpp"

namespace nephoscope {

template <class Element>
class RingQueue {
 public:
  RingQueue() = default;
  // With room for so many before it has to grow.
  explicit RingQueue(std::uint64_t room) { resize(room); }

  bool empty() const { return size_ == 0; }
  std::uint64_t size() const { return size_; }
  std::uint64_t room() const { return elements_.size(); }

  NEPHOSCOPE_HOT void push(const Element& element) { push() = element; }

  // One that is yet to be filled in.
  NEPHOSCOPE_HOT Element& push() {
    if (size_ == elements_.size()) [[unlikely]]
      resize(2 * size_);
    const std::uint64_t at = first_ + size_++;
    NEPHOSCOPE_PREFETCH(elements_.data() + ((at + ahead) & mask_));
    return elements_.data()[at & mask_];
  }

  // The one that came first. Precondition: !empty().
  NEPHOSCOPE_HOT Element pop() {
    const Element element = front();
    drop();
    return element;
  }

  NEPHOSCOPE_HOT void drop() {
    NEPHOSCOPE_PREFETCH(elements_.data() + ((first_ + ahead) & mask_));
    first_ = (first_ + 1) & mask_;
    --size_;
  }

  NEPHOSCOPE_HOT const Element& front() const { return elements_.data()[first_]; }
  NEPHOSCOPE_HOT Element& front() { return elements_.data()[first_]; }
  NEPHOSCOPE_HOT const Element& back() const { return (*this)[size_ - 1]; }
  NEPHOSCOPE_HOT Element& back() { return (*this)[size_ - 1]; }
  const Element& operator[](std::uint64_t at) const {
    return elements_.data()[(first_ + at) & mask_];
  }
  Element& operator[](std::uint64_t at) { return elements_.data()[(first_ + at) & mask_]; }

  // Many at a time, in at most two runs.
  void push(const Element* from, std::uint64_t count) {
    if (size_ + count > elements_.size()) resize(size_ + count);
    if (count == 0) return;
    const std::uint64_t start = (first_ + size_) & mask_;
    const std::uint64_t run = std::min(count, elements_.size() - start);
    std::copy_n(from, run, elements_.data() + start);
    std::copy_n(from + run, count - run, elements_.data());
    size_ += count;
  }

  // The same, of what `make` returns for 0, 1, ... in this order.
  template <class Make>
  NEPHOSCOPE_HOT void push_each(std::uint32_t count, Make make) {
    if (size_ + count > elements_.size()) [[unlikely]]
      resize(size_ + count);
    Element* const elements = elements_.data();
    const std::uint64_t mask = mask_;
    const std::uint64_t start = first_ + size_;
    NEPHOSCOPE_PREFETCH(elements + ((start + ahead) & mask));
    for (std::uint32_t at = 0; at < count; ++at) elements[(start + at) & mask] = make(at);
    size_ += count;
  }

  // How many of the first so many are in one piece, from front() on.
  NEPHOSCOPE_HOT std::uint32_t before_end(std::uint32_t count) const {
    NEPHOSCOPE_PREFETCH(elements_.data() + ((first_ + ahead) & mask_));
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, elements_.size() - first_));
  }

  // The first so many leave. Precondition: there are as many.
  NEPHOSCOPE_HOT void drop(std::uint64_t count) {
    first_ = (first_ + count) & mask_;
    size_ -= count;
  }

  // Precondition: there are as many.
  void pop(Element* to, std::uint64_t count) {
    if (count == 0) return;
    const std::uint64_t run = std::min(count, elements_.size() - first_);
    std::copy_n(elements_.data() + first_, run, to);
    std::copy_n(elements_.data(), count - run, to + run);
    first_ = (first_ + count) & mask_;
    size_ -= count;
  }

  void clear() { first_ = size_ = 0; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(elements_, first_, size_, mask_);
  }

 private:
  NEPHOSCOPE_COLD void resize(std::uint64_t room) {
    std::vector<Element> wider(std::bit_ceil(std::max<std::uint64_t>(room, 16)));
    for (std::uint64_t at = 0; at < size_; ++at) wider[at] = (*this)[at];
    elements_.swap(wider);
    first_ = 0;
    mask_ = elements_.size() - 1;
  }

  // How far ahead a long ring is fetched: it is read and written where no cache has it.
  static constexpr std::uint64_t ahead = sizeof(Element) < 1024 ? 1024 / sizeof(Element) : 1;

  std::vector<Element> elements_;
  std::uint64_t first_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t mask_ = 0;
};

}  // namespace nephoscope
