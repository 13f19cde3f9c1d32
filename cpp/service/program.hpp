// Step programs: what a service does with a request, flattened so that a step is an index.
//
// All services share one array of steps. A visit of a request keeps the index of its current step
// and moves to `next`; at `end` the program is over. What a step draws it draws by its number
// (`draw`), and a call by its number (`call`): who draws and who calls is the world's business.

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "service/step_spec.hpp"

namespace nephoscope {

class Programs {
 public:
  using Place = std::uint16_t;
  static constexpr Place end = std::numeric_limits<Place>::max();
  static constexpr std::uint32_t batch_max = 10;  // messages of one call

  struct Step {
    StepKind kind = StepKind::compute;
    bool inward = false;  // network
    Place next = end;
    std::uint32_t draw = 0;          // compute, sleep, choose, fail, gpu
    std::uint32_t call = 0;          // call, send: its number
    std::uint32_t first_branch = 0;  // choose
    std::uint32_t branches = 0;
    std::uint32_t batch = 1;   // gpu
    double probability = 0.0;  // fail
    double marginal = 0.0;     // gpu
    std::int64_t bytes = 0;    // network, disk, memory
    std::int64_t ops = 0;      // disk
  };

  struct Branch {
    double up_to;  // probability of this branch and those before it
    Place first;
  };

  struct Draw {
    std::uint32_t service;
    std::string path;  // of the step in its service: "0", "1.2.0" (step, branch, step)
    Distribution law;  // choose and fail: uniform on (0, 1)
  };

  struct Call {
    std::uint32_t service;
    std::string path;
    Destination to;
    std::int64_t timeout_ns;
    std::uint32_t resilience;  // StepSpec::resilience
    double probability;        // that a visit of the service makes it, as far as its choices tell
  };

  struct Send {
    std::uint32_t service;
    std::string path;
    Destination to;  // a queue, a topic or a bus
    std::uint32_t group;
    std::int64_t delay_ns;  // -1: that of the queue
    double probability;     // as that of a call
    EventChoice says;       // each of its messages
    std::uint32_t batch;    // messages that it sends, in one call
  };

  // Adds the program of the next service. Throws SpecError with the path of the step within it.
  void add(const std::vector<StepSpec>& steps);

  Place entry(std::uint32_t service) const { return entries_[service]; }
  const Step& operator[](Place place) const { return steps_[place]; }

  // Where a choose goes on for a uniform draw u in (0, 1).
  Place branch(const Step& step, double u) const {
    const Branch* branch = branches_.data() + step.first_branch;
    for (std::uint32_t left = step.branches; left > 1 && u >= branch->up_to; --left) ++branch;
    return branch->first;
  }

  const std::vector<Draw>& draws() const { return draws_; }
  const std::vector<Call>& calls() const { return calls_; }
  const std::vector<Send>& sends() const { return sends_; }

 private:
  // Lays out `steps` so that after the last one the program goes on at `after`; returns where it
  // begins.
  Place lay_out(const std::vector<StepSpec>& steps, Place after, const std::string& prefix,
                double probability);
  void lay_out_step(const StepSpec& spec, Place place, Place after, const std::string& path,
                    double probability);
  void lay_out_device(const StepSpec& spec, Place place, const std::string& path);
  void lay_out_choose(const StepSpec& spec, Place place, Place after, const std::string& path,
                      double probability);
  std::uint32_t add_draw(const std::string& path, const Distribution& law);

  std::vector<Step> steps_;
  std::vector<Branch> branches_;
  std::vector<Place> entries_;
  std::vector<Draw> draws_;
  std::vector<Call> calls_;
  std::vector<Send> sends_;
};

}  // namespace nephoscope
