#include "compute/hypervisor/credit_rows.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace nephoscope {

namespace {

std::size_t words_for(std::size_t bytes) {
  return (bytes + 7) / 8;
}

template <class Element>
void copy(const void* from, std::size_t count, Element* to) {
  if (count != 0) std::memcpy(to, from, count * sizeof(Element));
}

}  // namespace

// Columns one behind the other, each from a whole word on.
void CreditRows::place() {
  std::uint64_t* word = block_.data();
  const auto put = [&](auto*& column, std::size_t count) {
    column = reinterpret_cast<std::remove_reference_t<decltype(column)>>(word);
    word += words_for(count * sizeof(*column));
  };
  put(touched, touched_words());
  for_each_of_cpus([&](auto*& column) { put(column, cpu_rows()); });
  for_each_of_vcpus([&](auto*& column) { put(column, rows()); });
  words_played_ =
      static_cast<std::uint64_t>(reinterpret_cast<std::uint64_t*>(priority) - block_.data());
  words_decided_ =
      static_cast<std::uint64_t>(reinterpret_cast<std::uint64_t*>(credit) - block_.data());
  words_accounted_ =
      static_cast<std::uint64_t>(reinterpret_cast<std::uint64_t*>(member) - block_.data());
}

void CreditRows::resize(std::size_t size) {
  const std::vector<std::uint64_t> old = std::move(block_);
  std::vector<const void*> from;
  for_each_of_cpus([&](auto*& column) { from.push_back(column); });
  for_each_of_vcpus([&](auto*& column) { from.push_back(column); });
  const std::uint64_t* const was_touched = touched;
  const std::size_t kept_words = std::min(touched_words(), words_of(size));
  const std::size_t kept = std::min(rows(), rows_of(size));

  size_ = size;
  std::size_t words = touched_words();
  for_each_of_cpus([&](auto*& column) { words += words_for(cpu_rows() * sizeof(*column)); });
  for_each_of_vcpus([&](auto*& column) { words += words_for(rows() * sizeof(*column)); });
  block_.assign(words, 0);
  place();
  if (old.empty()) return;
  std::copy_n(was_touched, kept_words, touched);
  const void* const* column_from = from.data();
  for_each_of_cpus([&](auto*& column) { copy(*column_from++, cpu_rows(), column); });
  for_each_of_vcpus([&](auto*& column) { copy(*column_from++, kept, column); });
}

void CreditRows::erase(std::size_t first, std::size_t count) {
  for_each_of_vcpus([&](auto*& column) {
    std::copy(column + first + count, column + rows(), column + first);
    std::memset(column + rows() - count, 0, count * sizeof(*column));
  });
  resize(size_ - count);
}

}  // namespace nephoscope
