// The drawing half of kernel/distributions.hpp; distributions.cpp checks and prepares.

#include <algorithm>
#include <array>
#include <cmath>

#include "kernel/distributions.hpp"
#include "kernel/math.hpp"
#include "kernel/vector_path.hpp"

namespace nephoscope {

namespace {

using Reals = std::array<double, Sampler::block_size>;

// Serials no further apart than this are taken to go on as densely.
constexpr std::uint64_t close_serials = 4;

// The words of one draw that may need many.
class DrawWords {
 public:
  DrawWords(StreamKey key, std::uint64_t serial, std::uint32_t visit)
      : key_(key), serial_(serial), visit_(visit) {}

  double unit() {
    if (lane_ == words_.size()) {
      words_ = Philox4x64::block({++counter_, serial_ + 1, visit_, 0}, key_);
      lane_ = 0;
    }
    return unit_open(words_[lane_++]);
  }

 private:
  StreamKey key_;
  std::uint64_t serial_;
  std::uint64_t visit_;
  std::uint64_t counter_ = 0;
  std::size_t lane_ = 4;
  Philox4x64::Block words_{};
};

// Gamma variables of shape d + 1/3 and scale 1 (Marsaglia and Tsang, "A simple method for
// generating gamma variables", 2000). attempt() makes one of a normal and a uniform number, or
// something negative when they are to be rejected.
class MarsagliaTsang {
 public:
  explicit MarsagliaTsang(double d) : d_(d), c_(1.0 / std::sqrt(9.0 * d)) {}

  double attempt(double normal, double u) const {
    const double root = 1.0 + c_ * normal;
    const double v = root * root * root;
    const double square = normal * normal;
    if (root > 0.0 &&
        (u < 1.0 - 0.0331 * square * square || log_(u) < 0.5 * square + d_ * (1.0 - v + log_(v)))) {
      return d_ * v;
    }
    return -1.0;
  }

 private:
  double d_;
  double c_;
};

}  // namespace

double Sampler::at(std::uint64_t serial, std::uint32_t visit) const {
  switch (kind_) {
    case DistributionKind::constant:
      return mean_;
    case DistributionKind::replay:
      return values_[serial % values_.size()];
    case DistributionKind::gamma:
    case DistributionKind::erlang:
      return of_blocks(serial, visit);
    default:
      return of_word(Philox4x64::block({serial / 4 + 1, 0, visit, 0}, key_)[serial % 4]);
  }
}

double Sampler::of_word(std::uint64_t word) const {
  const double u = unit_open(word);
  switch (kind_) {
    case DistributionKind::exponential:
      return mean_ * nlog(u);
    case DistributionKind::lognormal:
      return exp_(a_ + b_ * normal_quantile(u));
    case DistributionKind::weibull:
      return a_ * pow_(nlog(u), b_);
    case DistributionKind::pareto:
      return a_ * pow_(u, b_);
    case DistributionKind::uniform:
      return a_ + b_ * u;
    // By the upper tail, so that the resolution is best where the values are large.
    case DistributionKind::normal:
      return std::max(0.0, a_ - b_ * normal_quantile(u * c_));
    case DistributionKind::hyperexponential:
      return of_phase(u);
    default:
      return of_slot(word);
  }
}

// The interval of the phase is stretched to (0, 1) and used again for the draw from the phase.
double Sampler::of_phase(double u) const {
  std::size_t i = 0;
  while (i + 1 < phases_.size() && u >= phases_[i].upper) {
    ++i;
  }
  const Phase& phase = phases_[i];
  const double rest = (u - phase.lower) / (phase.upper - phase.lower);
  return phase.mean * nlog(std::clamp(rest, 0x1p-53, 1.0));
}

// The whole part of word * n / 2^64 chooses the slot, the fraction between value and alias.
double Sampler::of_slot(std::uint64_t word) const {
  const uint128 product = static_cast<uint128>(word) * slots_.size();
  const Slot& slot = slots_[static_cast<std::size_t>(product >> 64)];
  return static_cast<std::uint64_t>(product) < slot.threshold ? slot.value : slot.alias;
}

double Sampler::of_blocks(std::uint64_t serial, std::uint32_t visit) const {
  DrawWords words(key_, serial, visit);
  if (phase_count_ > 0) {
    double product = words.unit();
    for (std::size_t i = 1; i < phase_count_; ++i) {
      product *= words.unit();
    }
    return b_ * nlog(product);
  }
  const MarsagliaTsang gamma(a_);
  double draw = -1.0;
  while (draw < 0.0) {
    const double normal = normal_quantile(words.unit());
    draw = gamma.attempt(normal, words.unit());
  }
  return c_ > 0.0 ? b_ * draw * pow_(words.unit(), c_) : b_ * draw;
}

double Sampler::out_of_block(std::uint64_t serial) {
  const bool behind = block_start_ != no_block && serial < block_start_;
  if (behind) {
    return at(serial, 0);
  }
  // A block pays from a few dozen draws on: one is made only where serials follow closely.
  const bool close = serial - last_ahead_ <= close_serials;
  last_ahead_ = serial;
  if (!close) {
    return at(serial, 0);
  }
  fill(serial - serial % block_size);
  return block_[serial - block_start_];
}

// Every draw of a block is at(serial, 0) to the bit, made in loops that vectorise where it pays.
void Sampler::fill(std::uint64_t start) {
  block_start_ = start;
  block_.resize(block_size);
  switch (kind_) {
    case DistributionKind::constant:
    case DistributionKind::replay:
      for (std::size_t i = 0; i < block_size; ++i) {
        block_[i] = at(start + i, 0);
      }
      return;
    case DistributionKind::gamma:
    case DistributionKind::erlang:
      return fill_of_blocks(start);
    default:
      return fill_of_words(start);
  }
}

void Sampler::fill_of_words(std::uint64_t start) {
  std::array<std::uint64_t, block_size> block;
  philox_words(key_, start, block.data(), block_size);
  const std::uint64_t* const words = block.data();
  double* const out = block_.data();
  const double a = a_;
  const double b = b_;
  const double mean = mean_;
  switch (kind_) {
    case DistributionKind::exponential:
      return run_on(VectorPath::automatic, [=]() NEPHOSCOPE_INLINE {
        for (std::size_t i = 0; i < block_size; ++i) {
          out[i] = mean * nlog(unit_open(words[i]));
        }
      });
    case DistributionKind::weibull:
      return run_on(VectorPath::automatic, [=]() NEPHOSCOPE_INLINE {
        for (std::size_t i = 0; i < block_size; ++i) {
          out[i] = a * pow_(nlog(unit_open(words[i])), b);
        }
      });
    case DistributionKind::pareto:
      return run_on(VectorPath::automatic, [=]() NEPHOSCOPE_INLINE {
        for (std::size_t i = 0; i < block_size; ++i) {
          out[i] = a * pow_(unit_open(words[i]), b);
        }
      });
    case DistributionKind::lognormal:
      return fill_lognormal(words);
    default:
      for (std::size_t i = 0; i < block_size; ++i) {
        out[i] = of_word(words[i]);
      }
  }
}

void Sampler::fill_lognormal(const std::uint64_t* words) {
  Reals u;
  Reals normals;
  for (std::size_t i = 0; i < block_size; ++i) {
    u[i] = unit_open(words[i]);
  }
  normal_quantile_many(u.data(), normals.data(), block_size);
  const double* const x = normals.data();
  double* const out = block_.data();
  run_on(VectorPath::automatic, [=, a = a_, b = b_]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < block_size; ++i) {
      out[i] = exp_(a + b * x[i]);
    }
  });
}

// The first Philox block of every draw at once; the few draws that need a second start again.
void Sampler::fill_of_blocks(std::uint64_t start) {
  std::array<std::uint64_t, 4 * block_size> block;
  std::uint64_t* const words = block.data();
  run_on(VectorPath::automatic, [=, key = key_]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < block_size; ++i) {
      Philox4x64::write({1, start + i + 1, 0, 0}, key, words + 4 * i);
    }
  });
  Reals u;
  for (std::size_t i = 0; i < block_size; ++i) {
    u[i] = unit_open(words[4 * i]);
  }
  if (phase_count_ > 0) {
    for (std::size_t i = 0; i < block_size; ++i) {
      for (std::size_t j = 1; j < phase_count_; ++j) {
        u[i] *= unit_open(words[4 * i + j]);
      }
    }
    nlog_many(u.data(), block_.data(), block_size);
    for (double& draw : block_) {
      draw = b_ * draw;
    }
    return;
  }
  Reals normals;
  normal_quantile_many(u.data(), normals.data(), block_size);
  Reals boosts;
  boosts.fill(1.0);
  if (c_ > 0.0) {
    for (std::size_t i = 0; i < block_size; ++i) {
      u[i] = unit_open(words[4 * i + 2]);
    }
    pow_many(u.data(), c_, boosts.data(), block_size);
  }
  const MarsagliaTsang gamma(a_);
  for (std::size_t i = 0; i < block_size; ++i) {
    const double draw = gamma.attempt(normals[i], unit_open(words[4 * i + 1]));
    block_[i] = draw < 0.0 ? of_blocks(start + i, 0) : b_ * draw * boosts[i];
  }
}

}  // namespace nephoscope
