// A host shared as a fluid, and nothing but the shares: plain columns, one loop over the tenants a
// pass, doubles one by one. `limit_fluid` and `limit_booking` return seconds of this thread.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common.hpp"

namespace limits {
namespace {

// Weighted max-min of one host: the level from below, as long as more are filled.
[[gnu::noinline]] void share_out(const double* weight, const double* ceiling, double* share,
                                 std::uint32_t size, double capacity) {
  double wanted = 0.0;
  double all = 0.0;
  for (std::uint32_t i = 0; i < size; ++i) {
    wanted += ceiling[i];
    all += weight[i];
  }
  double level = wanted > capacity ? capacity / all : 1e300;
  while (wanted > capacity) {
    double taken = 0.0;
    double open = 0.0;
    for (std::uint32_t i = 0; i < size; ++i) {
      const bool full = weight[i] * level >= ceiling[i];
      taken += full ? ceiling[i] : 0.0;
      open += full ? 0.0 : weight[i];
    }
    const double next = open == 0.0 ? level : (capacity - taken) / open;
    if (next <= level) break;
    level = next;
  }
  for (std::uint32_t i = 0; i < size; ++i) share[i] = std::min(weight[i] * level, ceiling[i]);
}

}  // namespace
}  // namespace limits

extern "C" {

// Tenant t is on host t / size. Every event is a want that changes, and the shares of that host.
double limit_fluid(const double* weight, double* ceiling, double* share, std::uint32_t size,
                   double capacity, const std::uint32_t* tenant, const std::uint32_t* want,
                   std::size_t count) {
  const double start = limits::thread_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    ceiling[tenant[i]] = want[i];
    const std::size_t first = std::size_t{tenant[i] / size} * size;
    limits::share_out(weight + first, ceiling + first, share + first, size, capacity);
  }
  return limits::thread_seconds() - start;
}

// Where there is room for all, the share is the want; what ran is booked as it changes.
double limit_booking(double* share, double* run, double* since, double now,
                     const std::uint32_t* tenant, const std::uint32_t* want, std::size_t count) {
  const double start = limits::thread_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t t = tenant[i];
    run[t] += share[t] * (now - since[t]);
    since[t] = now;
    share[t] = want[i];
  }
  return limits::thread_seconds() - start;
}
}
