// A source of decisions made of bytes, so that a fuzzer's input stands for a structured value.
//
// When the bytes are used up every answer is 0, which is the plainest choice everywhere.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nephoscope::fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  bool empty() const { return left_ == 0; }

  template <class T>
  T raw() {
    T value{};
    const std::size_t size = left_ < sizeof(T) ? left_ : sizeof(T);
    if (size > 0) std::memcpy(&value, data_, size);
    data_ += size;
    left_ -= size;
    return value;
  }

  // A number in [low, high].
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + raw<std::uint16_t>() % (high - low + 1);
  }

  // True once in `n`, never when the bytes are used up.
  bool one_in(std::uint32_t n) { return raw<std::uint8_t>() % n == n - 1; }

  // One of a fixed list.
  template <class T, std::size_t n>
  T any_of(const T (&list)[n]) {
    return list[raw<std::uint8_t>() % n];
  }

  // The enumerators of our enums count up from 0; now and then one that does not exist.
  template <class Enum>
  Enum enumerator(std::uint8_t count) {
    const auto value = one_in(64) ? raw<std::uint8_t>() : raw<std::uint8_t>() % count;
    return static_cast<Enum>(value);
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

}  // namespace nephoscope::fuzz
