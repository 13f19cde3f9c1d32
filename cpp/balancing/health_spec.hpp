// How a balancer checks the health of its targets, as plain data.

#pragma once

#include <cstdint>

namespace nephoscope {

struct HealthSpec {
  std::int64_t interval_ns = 0;  // from one check of a target to its next; 0: nobody checks
  std::int64_t timeout_ns = 0;   // an answer that takes longer is a failure; below the interval
  std::int64_t work_ns = 0;      // what a check computes at its target
  std::uint32_t healthy_threshold = 5;  // successes in a row after ill health
  std::uint32_t unhealthy_threshold = 2;
  std::uint32_t minimum_healthy = 1;  // fewer healthy targets, and all get requests
  double minimum_share = 0.0;         // the same as a share of those registered; 0: none
  std::uint32_t dns_healthy = 1;      // a node that knows of fewer is not in the DNS
  double dns_share = 0.0;             // the same as a share of those registered; 0: none
  std::uint32_t first_code = 200;     // of those that tell of success
  std::uint32_t last_code = 200;
  bool sends_to_new = false;  // a target gets requests before its first check
  bool resets = false;        // what is under way at one that turns unhealthy fails at once
};

}  // namespace nephoscope
