#include "service/program.hpp"

#include <cmath>

#include "kernel/errors.hpp"

namespace nephoscope {

void Programs::add(const std::vector<StepSpec>& steps) {
  entries_.push_back(end);
  entries_.back() = lay_out(steps, end, "", 1.0);
}

Programs::Place Programs::lay_out(const std::vector<StepSpec>& steps, Place after,
                                  const std::string& prefix, double probability) {
  if (steps.empty()) return after;
  if (steps_.size() + steps.size() >= end) {
    throw SpecError("steps", "all services together may have 65,534 steps");
  }
  const auto first = static_cast<Place>(steps_.size());
  steps_.resize(steps_.size() + steps.size());
  for (std::size_t at = 0; at < steps.size(); ++at) {
    const auto place = static_cast<Place>(first + at);
    const bool last = at + 1 == steps.size();
    const Place next = last ? after : static_cast<Place>(place + 1);
    lay_out_step(steps[at], place, next, prefix + std::to_string(at), probability);
  }
  return first;
}

void Programs::lay_out_step(const StepSpec& spec, Place place, Place after, const std::string& path,
                            double probability) {
  steps_[place].kind = spec.kind;
  steps_[place].next = after;
  switch (spec.kind) {
    case StepKind::compute:
    case StepKind::sleep:
      steps_[place].draw = add_draw(path, spec.demand);
      break;
    case StepKind::call:
      if (spec.to.kind != Destination::Kind::balancer && spec.to.kind != Destination::Kind::fleet) {
        throw SpecError("steps." + path + ".call", "must go to a balancer or a fleet");
      }
      if (spec.timeout_ns < 0) throw SpecError("steps." + path + ".call.timeout", "is below 0");
      steps_[place].call = static_cast<std::uint32_t>(calls_.size());
      calls_.push_back({static_cast<std::uint32_t>(entries_.size() - 1), path, spec.to,
                        spec.timeout_ns, spec.resilience, probability});
      break;
    case StepKind::send:
      if (spec.to.kind < Destination::Kind::queue) {
        throw SpecError("steps." + path + ".send", "must go to a queue, a topic or a bus");
      }
      if (spec.batch < 1 || spec.batch > batch_max) {
        throw SpecError("steps." + path + ".send.batch", "must be from 1 to 10");
      }
      steps_[place].call = static_cast<std::uint32_t>(sends_.size());
      sends_.push_back({static_cast<std::uint32_t>(entries_.size() - 1), path, spec.to, spec.group,
                        spec.delay_ns, probability, spec.says, spec.batch});
      break;
    case StepKind::choose:
      lay_out_choose(spec, place, after, path, probability);
      break;
    case StepKind::fail:
      if (!(spec.probability >= 0.0 && spec.probability <= 1.0)) {
        throw SpecError("steps." + path + ".fail", "must be a probability from 0 to 1");
      }
      steps_[place].probability = spec.probability;
      steps_[place].draw = add_draw(path, unit_uniform);
      break;
    case StepKind::network:
    case StepKind::disk:
    case StepKind::memory:
    case StepKind::gpu:
      lay_out_device(spec, place, path);
      break;
    default:
      throw SpecError("steps." + path, "is no kind of step");
  }
}

void Programs::lay_out_device(const StepSpec& spec, Place place, const std::string& path) {
  constexpr std::int64_t most = std::int64_t{1} << 62;
  Step& step = steps_[place];
  step.bytes = spec.bytes;
  step.ops = spec.ops;
  step.inward = spec.inward;
  if (spec.bytes < 0 || spec.bytes > most)
    throw SpecError("steps." + path, "needs 0 to 2^62 bytes");
  if (spec.ops < 0 || spec.ops > most) throw SpecError("steps." + path, "needs 0 to 2^62 ops");
  if (spec.kind != StepKind::gpu) return;
  if (spec.batch < 1) throw SpecError("steps." + path + ".gpu.batch", "must be 1 or more");
  if (!(spec.marginal >= 0.0 && spec.marginal <= 1.0)) {
    throw SpecError("steps." + path + ".gpu.marginal", "must be from 0 to 1");
  }
  step.batch = spec.batch;
  step.marginal = spec.marginal;
  step.draw = add_draw(path, spec.demand);
}

void Programs::lay_out_choose(const StepSpec& spec, Place place, Place after,
                              const std::string& path, double probability) {
  double total = 0.0;
  for (const double weight : spec.weights) {
    if (!(std::isfinite(weight) && weight >= 0.0)) {
      throw SpecError("steps." + path + ".choose", "weights must be finite and not below 0");
    }
    total += weight;
  }
  if (spec.weights.empty() || spec.weights.size() != spec.branches.size() || !(total > 0.0)) {
    throw SpecError("steps." + path + ".choose", "needs a weight for each branch, not all 0");
  }
  steps_[place].draw = add_draw(path, unit_uniform);
  std::vector<Branch> branches;
  double sum = 0.0;
  for (std::size_t at = 0; at < spec.branches.size(); ++at) {
    sum += spec.weights[at];
    const Place first = lay_out(spec.branches[at], after, path + "." + std::to_string(at) + ".",
                                probability * spec.weights[at] / total);
    // A branch of weight 0 is left out: rounding must not reach it.
    if (spec.weights[at] > 0.0) branches.push_back({sum / total, first});
  }
  steps_[place].first_branch = static_cast<std::uint32_t>(branches_.size());
  steps_[place].branches = static_cast<std::uint32_t>(branches.size());
  branches_.insert(branches_.end(), branches.begin(), branches.end());
}

std::uint32_t Programs::add_draw(const std::string& path, const Distribution& law) {
  draws_.push_back({static_cast<std::uint32_t>(entries_.size() - 1), path, law});
  return static_cast<std::uint32_t>(draws_.size() - 1);
}

}  // namespace nephoscope
