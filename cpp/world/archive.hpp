// Saving a world's state to bytes and reading it back. A part lists its fields once, in
// `serialize`, and both directions use the list.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernel/errors.hpp"

namespace nephoscope {

// FNV-1a over 64-bit words, the last one filled up with zeros.
inline std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = 0xCBF29CE484222325U;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    sum = (sum ^ word) * 0x100000001B3U;
    sum ^= sum >> 29;
  }
  return sum ^ bytes.size();
}

// Padding would be saved as it happens to be, so the types saved have none; doubles count as they
// are. A struct with doubles and no padding says so by a member `plain_doubles`.
template <class Field>
inline constexpr bool has_plain_doubles = requires { Field::plain_doubles; };

template <class Field>
inline constexpr bool is_plain = std::is_trivially_copyable_v<Field> &&
                                 (std::has_unique_object_representations_v<Field> ||
                                  std::is_floating_point_v<Field> || has_plain_doubles<Field>);

class StateWriter {
 public:
  template <class... Fields>
  void operator()(Fields&... fields) {
    (write(fields), ...);
  }

  // The bytes, with a checksum at their end.
  std::string take();

 private:
  template <class Field>
  void write(const Field& field) {
    static_assert(is_plain<Field>);
    bytes_.append(reinterpret_cast<const char*>(&field), sizeof(field));
  }

  template <class Element>
  void write(const std::vector<Element>& elements) {
    static_assert(is_plain<Element>);
    const std::uint64_t size = elements.size();
    write(size);
    if (size != 0) {
      bytes_.append(reinterpret_cast<const char*>(elements.data()), size * sizeof(Element));
    }
  }

  std::string bytes_;
};

// Throws StateError when the bytes end too early; `finish` when some are left.
class StateReader {
 public:
  // With `keeps_keys`, streams of random words go on in their own keys, whatever was saved.
  explicit StateReader(std::string_view bytes, bool keeps_keys = false)
      : bytes_(bytes), keeps_keys_(keeps_keys) {
    std::uint64_t sum = 0;
    if (bytes.size() < sizeof(sum)) throw StateError("saved state ends too early");
    bytes_.remove_suffix(sizeof(sum));
    std::memcpy(&sum, bytes.data() + bytes_.size(), sizeof(sum));
    if (sum != checksum(bytes_)) throw StateError("saved state is damaged");
  }

  template <class... Fields>
  void operator()(Fields&... fields) {
    (read(fields), ...);
  }

  bool keeps_keys() const { return keeps_keys_; }

  void finish() const {
    if (!bytes_.empty()) throw StateError("saved state is longer than this world's");
  }

 private:
  void copy(void* to, std::size_t size) {
    if (size > bytes_.size()) throw StateError("saved state ends too early");
    if (size != 0) std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  template <class Field>
  void read(Field& field) {
    static_assert(is_plain<Field>);
    copy(&field, sizeof(field));
  }

  template <class Element>
  void read(std::vector<Element>& elements) {
    std::uint64_t size = 0;
    read(size);
    if (size > bytes_.size() / sizeof(Element)) throw StateError("saved state ends too early");
    elements.resize(static_cast<std::size_t>(size));
    copy(elements.data(), elements.size() * sizeof(Element));
  }

  std::string_view bytes_;
  bool keeps_keys_ = false;
};

}  // namespace nephoscope
