#include "kernel/distributions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

namespace {

std::string text_of(double x) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), x).ptr;
  return {buffer.data(), end};
}

[[noreturn]] void refuse(const char* field, const std::string& must, double value) {
  throw SpecError(std::string("distribution.") + field,
                  "must be " + must + ", not " + text_of(value));
}

void require_positive(const char* field, double value) {
  if (!(value > 0.0 && std::isfinite(value))) {
    refuse(field, "a finite number above 0", value);
  }
}

void require_not_negative(const char* field, double value) {
  if (!(value >= 0.0 && std::isfinite(value))) {
    refuse(field, "a finite number not below 0", value);
  }
}

// `least`: how many values the kind needs.
void require_values(const Distribution& d, std::size_t least) {
  if (d.values.size() < least) {
    throw SpecError("distribution.values", "must hold at least " + std::to_string(least) +
                                               (least == 1 ? " value" : " values"));
  }
  for (const double value : d.values) {
    require_not_negative("values", value);
  }
}

// The sum of the weights, which must be one a value.
double require_weights(const Distribution& d) {
  if (d.weights.size() != d.values.size()) {
    throw SpecError("distribution.weights", "must be one for each of the " +
                                                std::to_string(d.values.size()) + " values, not " +
                                                std::to_string(d.weights.size()));
  }
  double sum = 0.0;
  for (const double weight : d.weights) {
    require_not_negative("weights", weight);
    sum += weight;
  }
  if (!(sum > 0.0 && std::isfinite(sum))) {
    refuse("weights", "numbers with a finite sum above 0", sum);
  }
  return sum;
}

// log(1 + x) for x >= 0: the rounding of 1 + x is made good by the quotient.
double log_one_plus(double x) {
  const double y = 1.0 + x;
  return y == 1.0 ? x : log_(y) * (x / (y - 1.0));
}

// Up to this many phases, which need one block, an Erlang draw is the logarithm of a product.
constexpr double erlang_product_max = 4.0;

}  // namespace

Sampler::Sampler(const Distribution& distribution, StreamKey key)
    : kind_(distribution.kind), key_(key), block_(block_size) {
  prepare(distribution);
  for (const double derived : {mean_, a_, b_, c_}) {
    if (!std::isfinite(derived)) {
      refuse("shape", "less extreme: the law is out of reach of double precision",
             distribution.shape);
    }
  }
}

void Sampler::prepare(const Distribution& d) {
  mean_ = d.mean;
  switch (kind_) {
    case DistributionKind::constant:
      return require_not_negative("mean", d.mean);
    case DistributionKind::exponential:
      return require_positive("mean", d.mean);
    case DistributionKind::lognormal:
      return prepare_lognormal(d);
    case DistributionKind::gamma:
      return prepare_gamma(d);
    case DistributionKind::erlang:
      return prepare_erlang(d);
    case DistributionKind::weibull:
      return prepare_weibull(d);
    case DistributionKind::pareto:
      return prepare_pareto(d);
    case DistributionKind::uniform:
      return prepare_uniform(d);
    case DistributionKind::normal:
      return prepare_normal(d);
    case DistributionKind::hyperexponential:
      return prepare_hyperexponential(d);
    case DistributionKind::empirical:
      return prepare_empirical(d);
    case DistributionKind::replay:
      return prepare_replay(d);
  }
  throw SpecError("distribution.kind", "is unknown");
}

// a = mean of the logarithm, b = its standard deviation.
void Sampler::prepare_lognormal(const Distribution& d) {
  require_positive("mean", d.mean);
  require_not_negative("shape", d.shape);
  const double variance = log_one_plus(d.shape * d.shape);
  a_ = log_(d.mean) - 0.5 * variance;
  b_ = std::sqrt(variance);
}

// a = d of MarsagliaTsang, b = scale. Below shape 1 a draw of shape + 1 is multiplied by a uniform
// number to the power c = 1 / shape; c = 0 otherwise.
void Sampler::prepare_gamma(const Distribution& d) {
  require_positive("mean", d.mean);
  require_positive("shape", d.shape);
  if (d.shape > 1e5) {  // its draws would nearly all be below the least double
    refuse("shape", "at most 1e5", d.shape);
  }
  const double shape = 1.0 / (d.shape * d.shape);
  c_ = shape < 1.0 ? 1.0 / shape : 0.0;
  a_ = (shape < 1.0 ? shape + 1.0 : shape) - 1.0 / 3.0;
  b_ = d.mean / shape;
}

// As gamma; few phases are drawn as the logarithm of a product.
void Sampler::prepare_erlang(const Distribution& d) {
  require_positive("mean", d.mean);
  if (!(d.shape >= 1.0 && d.shape <= 0x1p53 && std::floor(d.shape) == d.shape)) {
    refuse("shape", "a whole number of phases, at least 1", d.shape);
  }
  phase_count_ = d.shape <= erlang_product_max ? static_cast<std::size_t>(d.shape) : 0;
  a_ = d.shape - 1.0 / 3.0;
  b_ = d.mean / d.shape;
}

// a = scale, b = 1 / shape; mean = scale * Gamma(1 + 1 / shape).
void Sampler::prepare_weibull(const Distribution& d) {
  require_positive("mean", d.mean);
  require_positive("shape", d.shape);
  b_ = 1.0 / d.shape;
  const double ratio = gamma_(1.0 + b_);
  a_ = std::isfinite(ratio) ? d.mean / ratio : ratio;
}

// a = least value, b = -1 / shape.
void Sampler::prepare_pareto(const Distribution& d) {
  require_positive("mean", d.mean);
  if (!(d.shape > 1.0 && std::isfinite(d.shape))) {
    refuse("shape", "a finite number above 1 (at 1 and below the mean is infinite)", d.shape);
  }
  a_ = d.mean * ((d.shape - 1.0) / d.shape);
  b_ = -1.0 / d.shape;
}

// a = least value, b = width.
void Sampler::prepare_uniform(const Distribution& d) {
  require_values(d, 2);
  if (d.values.size() != 2 || d.values[0] > d.values[1]) {
    throw SpecError("distribution.values", "must be two, the minimum and the maximum");
  }
  a_ = d.values[0];
  b_ = d.values[1] - d.values[0];
  mean_ = a_ + 0.5 * b_;
}

// a = mean and b = standard deviation before truncation, c = probability of not being below 0.
void Sampler::prepare_normal(const Distribution& d) {
  require_positive("mean", d.mean);
  require_not_negative("shape", d.shape);
  const double t = std::min(1.0 / d.shape, 1e3);
  constexpr double density_of_zero = 0.39894228040143267794;  // 1 / sqrt(2 pi)
  a_ = d.mean;
  b_ = d.mean * d.shape;
  c_ = 1.0 - normal_above(t);
  mean_ = a_ + b_ * (density_of_zero * exp_(-0.5 * t * t) / c_);
}

void Sampler::prepare_hyperexponential(const Distribution& d) {
  require_values(d, 1);
  const double sum = require_weights(d);
  double lower = 0.0;
  mean_ = 0.0;
  for (std::size_t i = 0; i < d.values.size(); ++i) {
    const double probability = d.weights[i] / sum;
    mean_ += probability * d.values[i];
    if (probability > 0.0) {
      phases_.push_back({lower, lower + probability, d.values[i]});
      lower += probability;
    }
  }
}

// The alias table of Vose, "A linear algorithm for generating random numbers with a given
// distribution" (1991): slot i is chosen evenly, then its own value or its alias.
void Sampler::prepare_empirical(const Distribution& d) {
  require_values(d, 1);
  const std::size_t n = d.values.size();
  const double sum = d.weights.empty() ? static_cast<double>(n) : require_weights(d);
  std::vector<double> share(n, 1.0);
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  mean_ = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double weight = d.weights.empty() ? 1.0 : d.weights[i];
    share[i] = weight / sum * static_cast<double>(n);
    mean_ += weight / sum * d.values[i];
    (share[i] < 1.0 ? small : large).push_back(i);
    slots_.push_back({~std::uint64_t{0}, d.values[i], d.values[i]});
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t i = small.back();
    const std::size_t j = large.back();
    small.pop_back();
    slots_[i].threshold = static_cast<std::uint64_t>(share[i] * 0x1p64);
    slots_[i].alias = d.values[j];
    share[j] -= 1.0 - share[i];
    if (share[j] < 1.0) {
      large.pop_back();
      small.push_back(j);
    }
  }
}

void Sampler::prepare_replay(const Distribution& d) {
  require_values(d, 1);
  values_ = d.values;
  double sum = 0.0;
  for (const double value : values_) {
    sum += value;
  }
  mean_ = sum / static_cast<double>(values_.size());
}

}  // namespace nephoscope
