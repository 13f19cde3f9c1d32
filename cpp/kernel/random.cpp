#include "kernel/random.hpp"

#include <algorithm>

#include "kernel/vector_path.hpp"

namespace nephoscope {

namespace {

std::uint64_t fnv1a(std::uint64_t hash, std::string_view text) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x00000100000001B3;
  }
  return hash;
}

// The output function of SplitMix64 (Steele, Lea and Flood 2014).
std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::uint64_t chain(std::uint64_t salt, std::uint64_t seed, std::uint64_t replication,
                    std::uint64_t name) {
  return mix64(mix64(mix64(salt + seed) + replication) + name);
}

}  // namespace

StreamKey stream_key(std::uint64_t seed, std::uint64_t replication, std::string_view name) {
  constexpr std::uint64_t basis = 0xCBF29CE484222325;  // of FNV-1a
  return {chain(0x9E3779B97F4A7C15, seed, replication, fnv1a(basis, name)),
          chain(0xD1B54A32D192ED03, seed, replication, fnv1a(mix64(basis), name))};
}

void philox_words(StreamKey key, std::uint64_t first_word, std::uint64_t* out, std::size_t n) {
  std::uint64_t counter = first_word / 4 + 1;
  if (const std::size_t skip = first_word % 4; skip != 0) {
    const Philox4x64::Block block = Philox4x64::block({counter, 0, 0, 0}, key);
    const std::size_t take = std::min(n, 4 - skip);
    std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(skip), take, out);
    out += take;
    n -= take;
    ++counter;
  }
  // Multiplications are the whole cost; BMI2 has one that leaves the registers free. The processor
  // overlaps the blocks by itself: several at once by hand run short of registers and are slower.
  const std::size_t whole = n / 4;
  run_on(VectorPath::automatic, [=]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < whole; ++i) {
      Philox4x64::write({counter + i, 0, 0, 0}, key, out + 4 * i);
    }
  });
  if (const std::size_t rest = n % 4; rest != 0) {
    const Philox4x64::Block block = Philox4x64::block({counter + whole, 0, 0, 0}, key);
    std::copy_n(block.begin(), rest, out + 4 * whole);
  }
}

void WordStream::refill() {
  const std::uint64_t index = base_ + position_;
  position_ = index % block_size;
  base_ = index - position_;
  philox_words(key_, base_, words_.data(), block_size);
}

// Whether the first product has to be drawn again is decided here, because the division that
// decides it is hardly ever needed.
std::uint32_t WordStream::below_again(std::uint64_t product, std::uint32_t n) {
  const std::uint32_t threshold = (0U - n) % n;
  while (static_cast<std::uint32_t>(product) < threshold) {
    product = (next() >> 32) * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace nephoscope
