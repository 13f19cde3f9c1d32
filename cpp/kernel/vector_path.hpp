// Loops compiled once for each vector width, chosen at run time: the wheels are built for plain
// x86-64-v2 and still use what the machine has. Element by element arithmetic without contraction
// gives the same bits at any width; the tests hold every path to that.

#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#define NEPHOSCOPE_VECTOR_PATHS 1
#else
#define NEPHOSCOPE_VECTOR_PATHS 0
#endif

// Marks a function, or a lambda after its parameters, that must become part of the version it is
// called from.
#if defined(__GNUC__)
#define NEPHOSCOPE_INLINE __attribute__((always_inline))
#else
#define NEPHOSCOPE_INLINE
#endif

namespace nephoscope {

enum class VectorPath : std::uint8_t {
  automatic,  // the widest this machine has
  baseline,   // what the build is for
  avx2,
  avx512,
};

inline bool has_vector_path(VectorPath path) {
#if NEPHOSCOPE_VECTOR_PATHS
  if (path == VectorPath::avx2) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  }
  if (path == VectorPath::avx512) {
    return __builtin_cpu_supports("avx512f") && has_vector_path(VectorPath::avx2);
  }
#endif
  return path == VectorPath::automatic || path == VectorPath::baseline;
}

namespace detail {

#if NEPHOSCOPE_VECTOR_PATHS
template <class Loop>
__attribute__((target("avx2,bmi2"), noinline)) void run_avx2(Loop loop) {
  loop();
}

template <class Loop>
__attribute__((target("avx512f,bmi2"), noinline)) void run_avx512(Loop loop) {
  loop();
}
#endif

}  // namespace detail

// Runs `loop`, a NEPHOSCOPE_INLINE lambda without parameters. REQUIRES: has_vector_path(path).
template <class Loop>
void run_on(VectorPath path, Loop loop) {
#if NEPHOSCOPE_VECTOR_PATHS
  const bool widest = path == VectorPath::automatic;
  if (path == VectorPath::avx512 || (widest && has_vector_path(VectorPath::avx512))) {
    return detail::run_avx512(loop);
  }
  if (path == VectorPath::avx2 || (widest && has_vector_path(VectorPath::avx2))) {
    return detail::run_avx2(loop);
  }
#endif
  loop();
}

}  // namespace nephoscope
