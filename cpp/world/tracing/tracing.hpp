// What happens to followed requests is told here: a part of World, which lends itself for as long
// as a call lasts. Worlds that follow none never come here. Of a visit that nobody follows, nothing
// is noted.

#pragma once

#include <cstdint>

#include "world/tracing/traces.hpp"
#include "world/world.hpp"

namespace nephoscope {

class Tracing {
 public:
  explicit Tracing(World& world) : world_(world), traces_(world.traces_) {}

  // Whether a plain request that is sent now to a fleet has to be a visit, to be followed.
  bool wants_visit(std::uint32_t traffic, std::uint32_t fleet) const {
    return !world_.is_told_afterwards(fleet) && traces_.follows(traffic, world_.now_);
  }

  // A visit has been made; an errand has begun; it is over.
  void begin(std::uint32_t visit);
  void begin_errand(std::uint32_t errand);
  void end_errand(std::uint32_t errand, Outcome outcome);

  // From now on a visit waits for that.
  void enter(std::uint32_t visit, Span span);
  // It computes: so much work, for a reference vCPU.
  void compute(std::uint32_t visit, std::int64_t work);
  // Nobody waits for it any more, or it has been answered.
  void end(std::uint32_t visit, Outcome outcome);

  // A plain request that waited and worked has been answered, after `work` ns of the latter.
  void note_plain(const Sent& sent, std::int64_t work, std::int64_t now);

 private:
  // The record of a request that a visit has made, or a source of traffic.
  Traces::Ref ref_for(std::uint32_t parent, std::uint16_t traffic);
  void leave_span(Traces::Record& record);

  World& world_;
  Traces& traces_;
};

}  // namespace nephoscope
