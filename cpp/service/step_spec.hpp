// What an instance does with a request, as plain data: a tree of steps.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/distributions.hpp"

namespace nephoscope {

enum class StepKind : std::uint8_t {
  compute,  // demand: CPU time on one reference vCPU, ns
  sleep,    // demand: ns during which the worker is held and no CPU is used
  call,     // to, timeout_ns: wait for the answer; a call that does not succeed fails the request
  choose,   // weights, branches: one branch is drawn
  fail,     // probability: the request fails here
};

// Where a request can be sent: an index into the world's balancers or fleets.
struct Destination {
  enum class Kind : std::uint8_t { balancer, fleet };
  Kind kind = Kind::balancer;
  std::uint32_t index = 0;
};

struct StepSpec {
  StepKind kind = StepKind::compute;
  Distribution demand;
  Destination to;
  std::int64_t timeout_ns = 0;  // 0: none
  double probability = 0.0;
  std::vector<double> weights;
  std::vector<std::vector<StepSpec>> branches;
};

}  // namespace nephoscope
