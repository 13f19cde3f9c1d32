// Saving a world's state to bytes and reading it back. A part lists its fields once, in `serialize`, and
// both directions use the list.

#pragma once

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

class StateWriter {
 public:
  template <class... Fields>
  void operator()(Fields&... fields) {
    (write(fields), ...);
  }

  std::string take() { return std::move(bytes_); }

 private:
  template <class Field>
  void write(const Field& field) {
    static_assert(std::is_trivially_copyable_v<Field>);
    bytes_.append(reinterpret_cast<const char*>(&field), sizeof(field));
  }

  template <class Element>
  void write(const std::vector<Element>& elements) {
    static_assert(std::is_trivially_copyable_v<Element>);
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
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (read(fields), ...);
  }

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
    static_assert(std::is_trivially_copyable_v<Field>);
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
};

}  // namespace nephoscope
