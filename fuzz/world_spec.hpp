// Any bytes as a WorldSpec: small worlds, mostly legal, with every field now and then absurd.

#pragma once

#include "fuzz/bytes.hpp"
#include "world/spec/spec.hpp"

namespace nephoscope::fuzz {

// The rates and sizes are such that a legal world has some thousands of events a simulated second.
WorldSpec world_spec(Bytes& bytes);

RoutingSpec routing_spec(Bytes& bytes);

// Times in ns of about `mean_ms`.
Distribution distribution(Bytes& bytes, double mean_ms);

// Requests per second, also absurd, but never so many that a legal world has no end.
double rate(Bytes& bytes);

}  // namespace nephoscope::fuzz
