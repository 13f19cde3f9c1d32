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
  send,     // to, delay_ns, group, says: a message, whose being taken is all that is waited for
  network,  // bytes, inward: through the interface of the instance, the worker held
  disk,     // bytes and ops: on the disks of the instance, the worker held
  memory,   // bytes: held from here to the end; the request fails if there is not so much
  gpu,      // demand: time on one reference accelerator, ns; batch, marginal: taken up together
};

// Where a request or a message can be sent: an index into the world's balancers, fleets, queues,
// topics or buses.
struct Destination {
  enum class Kind : std::uint8_t { balancer, fleet, queue, topic, bus };
  Kind kind = Kind::balancer;
  std::uint32_t index = 0;
};

// What a message says: one of some kinds of events, by weights; without any, what led to it. Kinds
// are numbered from 1; 0 is what says nothing.
struct EventChoice {
  std::vector<std::uint32_t> kinds;
  std::vector<double> weights;
  std::vector<std::uint32_t> by_serial;  // of a trace, in their place: the kind of each arrival
};

struct StepSpec {
  static constexpr std::uint32_t plain = 0xFFFFFFFF;

  StepKind kind = StepKind::compute;
  Distribution demand;
  Destination to;
  std::int64_t timeout_ns = 0;       // 0: none
  std::uint32_t resilience = plain;  // call: by which of the world's rules, or sent once
  std::int64_t delay_ns = -1;        // send: of this message; -1: that of its queue
  std::uint32_t group = plain;       // send: of messages, or none
  EventChoice says;                  // send
  double probability = 0.0;
  std::int64_t bytes = 0;
  std::int64_t ops = 0;
  bool inward = false;
  std::uint32_t batch = 1;  // gpu: requests taken up at once, at most; send: messages of the call
  double marginal = 0.0;    // what each one beyond the first adds, as a share of the work
  std::vector<double> weights;
  std::vector<std::vector<StepSpec>> branches;
};

}  // namespace nephoscope
