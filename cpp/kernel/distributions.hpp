// Distributions as plain data, and the sampler that draws from one.
//
// Draw k of a stream is a pure function of k: it never depends on who drew before or on what else
// was drawn. So two runs that differ in anything but the law of a demand give request k the same
// demand, which is what makes comparisons sharp.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/random.hpp"

namespace nephoscope {

enum class DistributionKind : std::uint8_t {
  constant,          // mean >= 0
  exponential,       // mean
  lognormal,         // mean, shape = coefficient of variation >= 0
  gamma,             // mean, shape = coefficient of variation
  erlang,            // mean, shape = number of phases, an integer >= 1
  weibull,           // mean, shape = Weibull shape
  pareto,            // mean, shape = tail index > 1; type I, least value mean * (shape - 1) / shape
  uniform,           // values = {min, max}
  normal,            // mean, shape = coefficient of variation >= 0, both before the values below 0
                     // are drawn again, which raises the mean of what is drawn
  hyperexponential,  // values = means of the phases, weights = their probabilities
  empirical,         // values, weights; no weights: all alike
  replay,            // values: draw k is values[k % n]
};

// Weights need not add up to 1. Unless said otherwise parameters are finite and above 0; values are
// finite and not below 0. The unit is that of `mean` or `values`: nanoseconds in a world.
struct Distribution {
  DistributionKind kind = DistributionKind::constant;
  double mean = 0.0;
  double shape = 0.0;
  std::vector<double> values;
  std::vector<double> weights;

  friend bool operator==(const Distribution&, const Distribution&) = default;
};

// A number on (0, 1).
inline const Distribution unit_uniform{DistributionKind::uniform, 0.0, 0.0, {0.0, 1.0}, {}};

// Draws from one distribution on one stream.
//
// Laws of one word a draw: draw `serial` of visit v uses lane serial % 4 of the Philox block at
// counter (serial / 4 + 1, 0, v, 0), so that the draws of visit 0 use the words of the stream in
// order. gamma and erlang need a varying number of words: draw `serial` of visit v uses the blocks
// at counters (1, serial + 1, v, 0), (2, serial + 1, v, 0), ... in order.
class Sampler {
 public:
  static constexpr std::uint64_t block_size = 256;

  // The constant 0.
  Sampler() = default;

  // Throws SpecError with path "distribution.<field>" when a parameter is not legal.
  Sampler(const Distribution& distribution, StreamKey key);

  // Draw `serial` of the given visit: any serial below 2^62, in any order.
  double at(std::uint64_t serial, std::uint32_t visit) const;

  // at(serial, 0), fast when the serials of successive calls ascend and never wrong otherwise.
  NEPHOSCOPE_HOT double next_in_order(std::uint64_t serial) {
    const std::uint64_t offset = serial - block_start_;
    if (offset < block_size) [[likely]] {
      return block_[offset];
    }
    return out_of_block(serial);
  }

  // What next_in_order(serial) will give if that is at hand, else 0.
  NEPHOSCOPE_HOT double foreseen(std::uint64_t serial) const {
    const std::uint64_t offset = serial - block_start_;
    return offset < block_size ? block_[offset] : 0.0;
  }

  // The mean of what is drawn; for replay of one round through the values.
  double mean() const { return mean_; }

  // The block is recomputed, not saved: `archive` is given the state that changes, and the sampler
  // must have been made of the same distribution and key.
  template <class Archive>
  void serialize(Archive& archive) {
    const std::uint64_t before = block_start_;
    archive(block_start_, last_ahead_);
    if (block_start_ != before && block_start_ != no_block) {
      fill(block_start_);
    }
  }

 private:
  struct Slot {  // of the alias table
    std::uint64_t threshold;
    double value;
    double alias;
  };
  struct Phase {  // of a hyperexponential, the interval of uniform numbers that select it
    double lower;
    double upper;
    double mean;
  };

  static constexpr std::uint64_t no_block = std::uint64_t{1} << 63;

  void prepare(const Distribution& distribution);
  void prepare_lognormal(const Distribution& distribution);
  void prepare_gamma(const Distribution& distribution);
  void prepare_erlang(const Distribution& distribution);
  void prepare_weibull(const Distribution& distribution);
  void prepare_pareto(const Distribution& distribution);
  void prepare_uniform(const Distribution& distribution);
  void prepare_normal(const Distribution& distribution);
  void prepare_hyperexponential(const Distribution& distribution);
  void prepare_empirical(const Distribution& distribution);
  void prepare_replay(const Distribution& distribution);

  double of_word(std::uint64_t word) const;
  double of_phase(double u) const;
  double of_slot(std::uint64_t word) const;
  double of_blocks(std::uint64_t serial, std::uint32_t visit) const;
  double out_of_block(std::uint64_t serial);  // the slow path of next_in_order
  void fill(std::uint64_t start);
  void fill_of_words(std::uint64_t start);
  void fill_of_blocks(std::uint64_t start);
  void fill_lognormal(const std::uint64_t* words);

  // Immutable after construction; a_, b_, c_ and what follows as the kind needs them.
  DistributionKind kind_ = DistributionKind::constant;
  StreamKey key_;
  double mean_ = 0.0;
  double a_ = 0.0;
  double b_ = 0.0;
  double c_ = 0.0;
  std::size_t phase_count_ = 0;  // erlang drawn as a product
  std::vector<double> values_;
  std::vector<Slot> slots_;
  std::vector<Phase> phases_;

  // Draws [block_start_, block_start_ + 256) of visit 0; the last serial that was ahead of them.
  std::uint64_t block_start_ = no_block;
  std::uint64_t last_ahead_ = no_block;
  std::vector<double> block_;
};

}  // namespace nephoscope
