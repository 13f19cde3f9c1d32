// Histograms as bytes: numbers of seven bits a byte, the least first, the top bit set in all but
// the last byte of each (LEB128). They are the count and, unless it is 0, the limbs of sum and sum
// of squares, the least and the greatest value, how many buckets are not empty, and of each of
// these how many empty ones are before it and its count.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/errors.hpp"
#include "kernel/histogram.hpp"

namespace nephoscope {

namespace {

constexpr unsigned bits_a_byte = 7;
constexpr std::size_t longest = (64 + bits_a_byte - 1) / bits_a_byte;

char* put(std::uint64_t number, char* to) {
  for (; number >> bits_a_byte != 0; number >>= bits_a_byte) {
    *to++ = static_cast<char>(number | 0x80U);
  }
  *to++ = static_cast<char>(number);
  return to;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::uint64_t next() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += bits_a_byte) {
      if (left_.empty()) break;
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      number |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80U) return number;
    }
    throw StateError("a packed histogram is damaged");
  }

  bool is_empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace

std::string Histogram::pack() const {
  std::uint64_t filled = 0;
  for (const std::uint64_t count : counts_) filled += count != 0 ? 1 : 0;
  std::string bytes((9 + 2 * filled) * longest, '\0');
  char* const begin = bytes.data();
  char* end = put(count_, begin);
  if (count_ != 0) {
    for (const uint128 sum : {sum_, squares_low_}) {
      end = put(static_cast<std::uint64_t>(sum), end);
      end = put(static_cast<std::uint64_t>(sum >> 64), end);
    }
    end = put(squares_high_, end);
    end = put(static_cast<std::uint64_t>(min_), end);
    end = put(static_cast<std::uint64_t>(max_), end);
    end = put(filled, end);
    std::size_t next = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      end = put(first_ + i - next, end);
      end = put(counts_[i], end);
      next = first_ + i + 1;
    }
  }
  bytes.resize(static_cast<std::size_t>(end - begin));
  return bytes;
}

Histogram Histogram::unpack(std::string_view bytes) {
  Reader reader(bytes);
  Histogram made;
  made.count_ = reader.next();
  if (made.count_ != 0) {
    for (uint128* const sum : {&made.sum_, &made.squares_low_}) {
      *sum = reader.next();
      *sum |= static_cast<uint128>(reader.next()) << 64;
    }
    made.squares_high_ = reader.next();
    made.min_ = static_cast<std::int64_t>(reader.next());
    made.max_ = static_cast<std::int64_t>(reader.next());
    const bool ordered = 0 <= made.min_ && made.min_ <= made.max_;
    if (!ordered) throw StateError("a packed histogram is damaged");
    made.cover(bucket_of(made.min_));
    made.cover(bucket_of(made.max_));
    std::uint64_t next = 0;
    for (std::uint64_t left = reader.next(); left != 0; --left) {
      const std::uint64_t bucket = next + reader.next();
      // Below the first it is a great number, too.
      if (bucket - made.first_ >= made.counts_.size()) {
        throw StateError("a packed histogram is damaged");
      }
      made.counts_[bucket - made.first_] = reader.next();
      next = bucket + 1;
    }
  }
  if (!reader.is_empty()) throw StateError("a packed histogram is damaged");
  made.check();
  return made;
}

}  // namespace nephoscope
