// Logarithm, exponential, power and normal quantile in nothing but IEEE 754 double arithmetic.
//
// The C library's differ in their last bits from one system to the next, and so would every draw.
// These use + - * /, sqrt and bit operations in a fixed order, so that with contraction to fused
// multiply-add off (-ffp-contract=off) their bits are the same for any compiler, optimisation level
// and vector width. Round to nearest is assumed.

#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernel/vector_path.hpp"

namespace nephoscope {

namespace detail {

inline constexpr double ln2_high = 0x1.62e42fee00000p-1;  // low bits 0: exact times an exponent
inline constexpr double ln2_low = 0x1.a39ef35793c76p-33;

// x = 2^exponent * (1 + fraction), 1 + fraction in [sqrt(1/2), sqrt(2)), for normal x > 0. The
// exponent is made a double by way of its bits, for want of vector instructions that convert.
struct Parts {
  double exponent;
  double fraction;
};

inline Parts split(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t raised = (bits - 0x3FE6A09E667F3BCD) & 0xFFF0000000000000;
  const std::uint64_t biased = (raised >> 52) ^ (0x800 | 0x4330000000000000);
  return {std::bit_cast<double>(biased) - (0x1p52 + 2048.0),
          std::bit_cast<double>(bits - raised) - 1.0};
}

// (log(1 + f) - 2 s) / s for s = f / (2 + f), z = s * s: a minimax polynomial in z for |s| < 0.172,
// absolute error 3e-18. Odd and even terms apart, so that they overlap.
inline double log_tail(double z) {
  const double w = z * z;
  const double even =
      w * (0x1.9999999985317p-2 + w * (0x1.c71c54e32c920p-3 + w * 0x1.39ae1cc31b69dp-3));
  const double odd =
      z * (0x1.555555555557ep-1 +
           w * (0x1.2492493df2210p-2 + w * (0x1.7465b85d8e11cp-3 + w * 0x1.2e921b8c706cfp-3)));
  return odd + even;
}

// An unevaluated sum: high holds the number to double precision, low what is missing.
struct Pair {
  double high;
  double low;
};

// The product of two doubles without rounding (Dekker, "A floating-point technique for extending
// the available precision", 1971); |a|, |b| < 2^990.
inline Pair exact_product(double a, double b) {
  constexpr double splitter = 0x1p27 + 1.0;
  const double a_split = splitter * a;
  const double b_split = splitter * b;
  const double a1 = a_split - (a_split - a);
  const double b1 = b_split - (b_split - b);
  const double a2 = a - a1;
  const double b2 = b - b1;
  const double high = a * b;
  return {high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2};
}

// log(x) for normal x > 0. The quotient s = f / (2 + f) is carried to twice the precision, the tail
// of its series, at most 1 % of the whole, is not.
inline Pair log_pair(double x) {
  const auto [exponent, f] = split(x);
  const double t = 2.0 + f;
  const double t_rest = f - (t - 2.0);
  const double inverse = 1.0 / t;
  const double s = f * inverse;
  const Pair st = exact_product(s, t);
  const double s_rest = (((f - st.high) - st.low) - s * t_rest) * inverse;
  // The exact sum of two numbers of which the larger is not known (Knuth).
  const double whole = exponent * ln2_high;
  const double high = whole + 2.0 * s;
  const double back = high - whole;
  const double rest = (whole - (high - back)) + (2.0 * s - back);
  const double low = rest + (s * log_tail(s * s) + (2.0 * s_rest + exponent * ln2_low));
  const double sum = high + low;
  return {sum, (high - sum) + low};
}

// sum of c[i] x^i.
template <std::size_t n>
inline double polynomial(double x, const double (&c)[n]) {
  double sum = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) {
    sum = sum * x + c[i];
  }
  return sum;
}

// exp(high + low) for |high| < 1e15 and low tiny beside high.
inline double exp_pair(Pair x) {
  // Adding the shifter rounds to an integer and leaves it in the low bits.
  constexpr double shifter = 0x1.8p52;
  const double shifted = x.high * 0x1.71547652b82fep+0 + shifter;
  const double k = shifted - shifter;
  const double r_high = x.high - k * ln2_high;
  const double r_low = x.low - k * ln2_low;
  const double r = r_high + r_low;
  const double r_rest = (r_high - r) + r_low;
  // 1 / j! from j = 2, even and odd apart; |r| <= 0.3466 leaves 1e-18.
  constexpr double even[] = {1.0 / 2.0,     1.0 / 24.0,      1.0 / 720.0,
                             1.0 / 40320.0, 1.0 / 3628800.0, 1.0 / 479001600.0};
  constexpr double odd[] = {1.0 / 6.0,      1.0 / 120.0,      1.0 / 5040.0,
                            1.0 / 362880.0, 1.0 / 39916800.0, 1.0 / 6227020800.0};
  const double square = r * r;
  const double series = polynomial(square, even) + r * polynomial(square, odd);
  const double y = 1.0 + (r + (square * series + r_rest * (1.0 + r)));
  // 2^k as two factors, so that what lies between is normal where the result is not. Beyond the
  // limits the result is infinite or 0 all the same; integers are compared because compilers do
  // not vectorise a choice between doubles that could trap.
  const auto exponent = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(shifted) -
                                                  std::bit_cast<std::uint64_t>(shifter));
  const std::int64_t at_least = exponent < -1100 ? -1100 : exponent;
  const auto biased = static_cast<std::uint64_t>((at_least > 1100 ? 1100 : at_least) + 2046);
  const std::uint64_t half = biased >> 1;
  return y * std::bit_cast<double>(half << 52) * std::bit_cast<double>((biased - half) << 52);
}

}  // namespace detail

// -log(x) for normal x > 0; within 1 ulp. log(1 + f) = f - (f^2/2 - s (f^2/2 + tail)).
inline double nlog(double x) {
  const auto [exponent, f] = detail::split(x);
  const double s = f / (2.0 + f);
  const double half = 0.5 * f * f;
  const double tail = s * (half + detail::log_tail(s * s)) + exponent * detail::ln2_low;
  return ((half - tail) - f) - exponent * detail::ln2_high;
}

// log(x); -infinity at 0, NaN below; within 1 ulp.
double log_(double x);

// exp(x) for |x| < 1e15; within 1 ulp where the result is normal.
inline double exp_(double x) {
  return detail::exp_pair({x, 0.0});
}

// x^y for normal x > 0 and |y| < 1e12; within 1 ulp where the result is normal.
inline double pow_(double x, double y) {
  const detail::Pair log = detail::log_pair(x);
  const detail::Pair product = detail::exact_product(log.high, y);
  return detail::exp_pair({product.high, product.low + log.low * y});
}

// Gamma(x) for x > 0, within 50 ulp; infinity above 171.6.
double gamma_(double x);

// The probability that a standard normal variable exceeds x >= 0, to an absolute error of 1e-16.
double normal_above(double x);

// The x a standard normal variable falls below with probability 1/2 + q. Algorithm AS 241 (Wichura,
// "The percentage points of the normal distribution", 1988), routine PPND16: for |q| <= 0.425, and
// for the tails with u = 1/2 + q.
inline constexpr double normal_centre_max = 0.425;

inline double normal_centre(double q) {
  constexpr double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                          1.9715909503065514427e+3, 1.3731693765509461125e+4,
                          4.5921953931549871457e+4, 6.7265770927008700853e+4,
                          3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr double b[] = {1.0,
                          4.2313330701600911252e+1,
                          6.8718700749205790830e+2,
                          5.3941960214247511077e+3,
                          2.1213794301586595867e+4,
                          3.9307895800092710610e+4,
                          2.8729085735721942674e+4,
                          5.2264952788528545610e+3};
  const double r = normal_centre_max * normal_centre_max - q * q;
  return q * detail::polynomial(r, a) / detail::polynomial(r, b);
}

double normal_tail(double u);

// The x a standard normal variable falls below with probability u, 0 < u < 1; within 4 ulp.
inline double normal_quantile(double u) {
  const double q = u - 0.5;
  return std::fabs(q) <= normal_centre_max ? normal_centre(q) : normal_tail(u);
}

// out[i] = f(x[i]), the arrays apart. Every path gives the bits of the function for one number.
void nlog_many(const double* x, double* out, std::size_t n,
               VectorPath path = VectorPath::automatic);
void exp_many(const double* x, double* out, std::size_t n, VectorPath path = VectorPath::automatic);
void pow_many(const double* x, double y, double* out, std::size_t n,
              VectorPath path = VectorPath::automatic);
void normal_quantile_many(const double* u, double* out, std::size_t n,
                          VectorPath path = VectorPath::automatic);

// Nanoseconds, rounded to nearest (halves away from 0), saturating at 2^62 either way; what is not
// a number saturates as well.
inline std::int64_t to_ns(double x) {
  constexpr double limit = 0x1p62;
  if (!(x < limit)) [[unlikely]] {
    return std::int64_t{1} << 62;
  }
  if (x <= -limit) [[unlikely]] {
    return -(std::int64_t{1} << 62);
  }
  const auto whole = static_cast<std::int64_t>(x);
  const double rest = x - static_cast<double>(whole);
  return whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0);
}

// The same for a duration, which is not below 0: rounded to nearest, saturating at 2^62.
inline std::int64_t duration_ns(double x) {
  return x < 0x1p62 ? static_cast<std::int64_t>(x + 0.5) : std::int64_t{1} << 62;
}

}  // namespace nephoscope
