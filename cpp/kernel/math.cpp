#include "kernel/math.hpp"

#include <limits>

namespace nephoscope {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

double log_(double x) {
  if (!(x > 0.0)) {
    return x == 0.0 ? -infinity : std::numeric_limits<double>::quiet_NaN();
  }
  if (x == infinity) {
    return x;
  }
  if (x < std::numeric_limits<double>::min()) {
    constexpr double lift = 54.0;
    return (-nlog(x * 0x1p54) - lift * detail::ln2_low) - lift * detail::ln2_high;
  }
  return -nlog(x);
}

double gamma_(double x) {
  if (x > 171.7) {
    return infinity;
  }
  double divisor = 1.0;
  while (x < 16.0) {
    divisor *= x;
    x += 1.0;
  }
  // Stirling's series.
  constexpr double series[] = {1.0 / 12.0,   -1.0 / 360.0,      1.0 / 1260.0, -1.0 / 1680.0,
                               1.0 / 1188.0, -691.0 / 360360.0, 1.0 / 156.0};
  constexpr double root_two_pi = 2.5066282746310005024;
  const double rest = detail::polynomial(1.0 / (x * x), series) / x;
  // The power is taken in two halves: whole it overflows before the result does.
  const double half = pow_(x, 0.5 * (x - 0.5));
  return root_two_pi * half * exp_(-x) * half * exp_(rest) / divisor;
}

double normal_above(double x) {
  const double density = 0.39894228040143267794 * exp_(-0.5 * x * x);
  if (x < 2.5) {
    double term = x;
    double sum = x;
    for (double k = 3.0; k < 100.0; k += 2.0) {
      term *= x * x / k;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // Laplace's continued fraction.
  double fraction = x;
  for (double k = 150.0; k >= 1.0; k -= 1.0) {
    fraction = x + k / fraction;
  }
  return density / fraction;
}

double normal_tail(double u) {
  constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                          5.76949722146069140550e0,  3.64784832476320460504e0,
                          1.27045825245236838258e0,  2.41780725177450611770e-1,
                          2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr double d[] = {1.0,
                          2.05319162663775882187e0,
                          1.67638483018380384940e0,
                          6.89767334985100004550e-1,
                          1.48103976427480074590e-1,
                          1.51986665636164571966e-2,
                          5.47593808499534494600e-4,
                          1.05075007164441684324e-9};
  constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                          1.78482653991729133580e0,  2.96560571828504891230e-1,
                          2.65321895265761230930e-2, 1.24266094738807843860e-3,
                          2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr double f[] = {1.0,
                          5.99832206555887937690e-1,
                          1.36929880922735805310e-1,
                          1.48753612908506148525e-2,
                          7.86869131145613259100e-4,
                          1.84631831751005468180e-5,
                          1.42151175831644588870e-7,
                          2.04426310338993978564e-15};
  const double r = std::sqrt(nlog(u < 0.5 ? u : 1.0 - u));
  const double x = r <= 5.0 ? detail::polynomial(r - 1.6, c) / detail::polynomial(r - 1.6, d)
                            : detail::polynomial(r - 5.0, e) / detail::polynomial(r - 5.0, f);
  return u < 0.5 ? -x : x;
}

void nlog_many(const double* x, double* out, std::size_t n, VectorPath path) {
  run_on(path, [=]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = nlog(x[i]);
    }
  });
}

void exp_many(const double* x, double* out, std::size_t n, VectorPath path) {
  run_on(path, [=]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = exp_(x[i]);
    }
  });
}

void pow_many(const double* x, double y, double* out, std::size_t n, VectorPath path) {
  run_on(path, [=]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = pow_(x[i], y);
    }
  });
}

void normal_quantile_many(const double* u, double* out, std::size_t n, VectorPath path) {
  run_on(path, [=]() NEPHOSCOPE_INLINE {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = normal_centre(u[i] - 0.5);
    }
  });
  for (std::size_t i = 0; i < n; ++i) {
    if (std::fabs(u[i] - 0.5) > normal_centre_max) {
      out[i] = normal_tail(u[i]);
    }
  }
}

}  // namespace nephoscope
