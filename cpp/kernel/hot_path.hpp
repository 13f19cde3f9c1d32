// Marks the few functions that the event loop must have in its body, the paths it hardly ever
// takes, and those it never does.

#pragma once

#if defined(__GNUC__)
#define NEPHOSCOPE_HOT inline __attribute__((always_inline))
#define NEPHOSCOPE_COLD __attribute__((noinline, cold))
#define NEPHOSCOPE_UNREACHABLE() __builtin_unreachable()
#define NEPHOSCOPE_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define NEPHOSCOPE_HOT inline
#define NEPHOSCOPE_COLD
#define NEPHOSCOPE_UNREACHABLE() ((void)0)
#define NEPHOSCOPE_PREFETCH(address) ((void)0)
#endif
