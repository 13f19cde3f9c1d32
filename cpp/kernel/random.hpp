// Random streams: one per named purpose and entity, counter-based, so that word i of a stream is a
// pure function of (seed, replication, name, i) and no stream can disturb another.
//
// The generator is Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", 2011). Word i of a stream is lane i % 4 of the block at counter (i / 4 + 1, 0, 0,
// 0), which makes it equal to numpy.random.Philox(key=[k0, k1]).random_raw(): NumPy raises its
// counter before each block.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/hot_path.hpp"

namespace nephoscope {

__extension__ typedef unsigned __int128 uint128;

struct StreamKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;

  friend bool operator==(const StreamKey&, const StreamKey&) = default;
};

// The key of a named stream. Each of its words is a chain of the finaliser mix64 of SplitMix64:
//
//   k = mix64(mix64(mix64(salt + seed) + replication) + fnv1a(basis, name))
//
// with salt and the FNV-1a basis differing between k0 and k1, so that two names collide only when
// two 64-bit hashes do. Golden values in the tests keep it from ever changing.
StreamKey stream_key(std::uint64_t seed, std::uint64_t replication, std::string_view name);

struct Philox4x64 {
  using Block = std::array<std::uint64_t, 4>;

  static constexpr std::uint64_t multiplier0 = 0xD2E7470EE14C6C93;
  static constexpr std::uint64_t multiplier1 = 0xCA5A826395121157;
  static constexpr std::uint64_t weyl0 = 0x9E3779B97F4A7C15;
  static constexpr std::uint64_t weyl1 = 0xBB67AE8584CAA73B;
  static constexpr int rounds = 10;

  // The four words at one counter.
  static Block block(const Block& counter, StreamKey key) {
    Block words;
    write(counter, key, words.data());
    return words;
  }

  // The same, to out[0..3]. Scalars, stored one by one: as an array the block goes through the
  // stack at twice the price.
  static void write(const Block& counter, StreamKey key, std::uint64_t* out) {
    auto [c0, c1, c2, c3] = counter;
    for (int r = 0; r < rounds; ++r) {
      const uint128 p0 = static_cast<uint128>(multiplier0) * c0;
      const uint128 p1 = static_cast<uint128>(multiplier1) * c2;
      c0 = static_cast<std::uint64_t>(p1 >> 64) ^ c1 ^ key.k0;
      c1 = static_cast<std::uint64_t>(p1);
      c2 = static_cast<std::uint64_t>(p0 >> 64) ^ c3 ^ key.k1;
      c3 = static_cast<std::uint64_t>(p0);
      key.k0 += weyl0;
      key.k1 += weyl1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
  }
};

// Words [first_word, first_word + n) of a stream.
void philox_words(StreamKey key, std::uint64_t first_word, std::uint64_t* out, std::size_t n);

// A word as a uniform number in the open interval (0, 1): (k + 1/2) / 2^52 with k the upper 52
// bits. Every value is exact, neither end can occur, and u and 1 - u are equally likely. Written so
// that it vectorises without an integer-to-double instruction.
inline double unit_open(std::uint64_t word) {
  return std::bit_cast<double>((word >> 12) | 0x3FF0000000000000) - (1.0 - 0x1p-53);
}

// The words of a stream in order, made 256 at a time.
class WordStream {
 public:
  static constexpr std::size_t block_size = 256;

  WordStream() = default;
  explicit WordStream(StreamKey key, std::uint64_t first_word = 0) : key_(key) { seek(first_word); }

  NEPHOSCOPE_HOT std::uint64_t next() {
    if (position_ == block_size) [[unlikely]] {
      refill();
    }
    return words_[position_++];
  }

  // Uniform on [0, n), exactly, for n >= 1; one word a call but for a chance of n / 2^32 (Lemire,
  // "Fast random integer generation in an interval", 2019).
  NEPHOSCOPE_HOT std::uint32_t below(std::uint32_t n) {
    const std::uint64_t product = (next() >> 32) * n;
    if (static_cast<std::uint32_t>(product) < n) [[unlikely]] {
      return below_again(product, n);
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  // What below(n) will most likely give after `ahead` more calls, or 0.
  NEPHOSCOPE_HOT std::uint32_t foreseen_below(std::uint32_t n, std::uint64_t ahead) const {
    if (position_ + ahead >= block_size) return 0;
    return static_cast<std::uint32_t>((words_[position_ + ahead] >> 32) * n >> 32);
  }

  // Uniform on (0, 1), see unit_open.
  double unit() { return unit_open(next()); }

  // The index of the word that next() will return.
  std::uint64_t index() const { return base_ + position_; }

  void seek(std::uint64_t index) {
    base_ = index - block_size;
    position_ = block_size;
  }

  // The words are a function of key and index, so the buffer is not saved. A reader may say that
  // the stream keeps its own key: it goes on at the saved place of another stream. Returns whether
  // it does.
  template <class Archive>
  bool serialize(Archive& archive) {
    std::uint64_t index = base_ + position_;
    StreamKey key = key_;
    archive(key.k0, key.k1, index);
    seek(index);
    if constexpr (requires { archive.keeps_keys(); }) {
      if (archive.keeps_keys()) return key != key_;
    }
    key_ = key;
    return false;
  }

  friend bool operator==(const WordStream& a, const WordStream& b) {
    return a.key_ == b.key_ && a.index() == b.index();
  }

 private:
  NEPHOSCOPE_COLD void refill();
  NEPHOSCOPE_COLD std::uint32_t below_again(std::uint64_t product, std::uint32_t n);

  StreamKey key_;
  std::uint64_t base_ = 0 - block_size;  // index of words_[0]; wraps while nothing was drawn
  std::uint64_t position_ = block_size;
  std::array<std::uint64_t, block_size> words_{};
};

}  // namespace nephoscope
