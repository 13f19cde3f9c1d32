// How far a policy would change a capacity. Pure functions of numbers; the rules are those of
// Amazon EC2 Auto Scaling.

#pragma once

#include <cstdint>
#include <vector>

#include "scaling/scaling_spec.hpp"

namespace nephoscope {

// The capacity that brings a metric which falls as capacity grows to its target: what is missing is
// rounded up, and of what is too much the fraction stays. At most 2^32 - 1.
std::uint32_t proportional_capacity(std::uint32_t capacity, double metric, double target);

// The step whose bounds hold a distance from the threshold, or nullptr. Above the threshold the
// lower bound belongs to a step, below it the upper one.
const StepAdjustment* step_at(const std::vector<StepAdjustment>& steps, double distance,
                              bool above);

// The capacity after a step. A percentage that is no whole number of instances is rounded towards
// 0, but moves by one at least, and by `least_change` at least.
std::uint32_t adjusted_capacity(std::uint32_t capacity, Adjustment adjustment, double change,
                                std::uint32_t least_change);

}  // namespace nephoscope
