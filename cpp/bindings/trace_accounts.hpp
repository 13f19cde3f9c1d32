// What the time of followed requests went to, as arrays.

#pragma once

#include "bindings/pybind11.hpp"

#include "world/tracing/traces.hpp"

namespace nephoscope {

// The names of the spans, in their order: those at an instance, then those elsewhere.
inline constexpr const char* span_names[] = {"waiting",       "work",     "sharing", "steal",
                                             "sleeping",      "network",  "disk",    "accelerator",
                                             "not_answering", "balancer", "retry"};
static_assert(std::size(span_names) == Traces::spans);

py::list span_list();

// One entry a request, in order of arrival; its parts end where `end` says.
py::dict trace_dict(const Traced& traced);

}  // namespace nephoscope
