# nephoscope-flags: how every line of ours is compiled. A target so that it cannot be forgotten.

add_library(nephoscope-flags INTERFACE)
target_compile_features(nephoscope-flags INTERFACE cxx_std_20)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# The results are the same bits for any compiler and level: no fused multiply-add, no fast maths.
target_compile_options(nephoscope-flags INTERFACE
  -ffp-contract=off -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# Clang takes the names of other files for shadowed ones where files are compiled together.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(nephoscope-flags INTERFACE -Wno-shadow)
endif()
if(NEPHOSCOPE_WERROR)
  target_compile_options(nephoscope-flags INTERFACE -Werror)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NEPHOSCOPE_BASELINE)
  target_compile_options(nephoscope-flags INTERFACE -march=${NEPHOSCOPE_BASELINE})
endif()

if(NEPHOSCOPE_SANITIZE)
  set(sanitize -fsanitize=${NEPHOSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(nephoscope-flags INTERFACE ${sanitize})
  target_link_options(nephoscope-flags INTERFACE ${sanitize})
endif()

if(NEPHOSCOPE_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT lto OUTPUT why LANGUAGES CXX)
  if(lto)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  else()
    message(STATUS "No link-time optimisation: ${why}")
  endif()
else()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)  # else pybind11 has its own way for the module
endif()
