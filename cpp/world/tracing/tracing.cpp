// Where the time of followed requests goes.
//
// begin -> enter, compute ... enter, compute -> end
// begin_errand -> (an attempt: begin ... end, which joins it) -> end_errand

#include "world/tracing/tracing.hpp"

#include <algorithm>

#include "world/requests/requests.hpp"

namespace nephoscope {

bool WorldView::is_told_afterwards(std::uint32_t fleet) const {
  const std::uint32_t kind = fleets_[fleet].makes.front().kind;
  const InstanceKind& it = instances_.kind(kind);
  return it.workers == 1 && !it.hosted && !faults_.slow;
}

// Health checks, the work on messages and deliveries are nobody's requests.
Traces::Ref Tracing::ref_for(std::uint32_t parent, std::uint16_t traffic) {
  if (parent != World::none) {
    const bool of_messages = is_of_poller(parent) || is_of_delivery(parent);
    Traces::Ref ref = of_messages ? Traces::Ref{} : traces_.of_visit(parent);
    ref.owned = 0;
    return ref;
  }
  if (traffic == Visit::health_check || !traces_.follows(traffic, world_.now_)) return {};
  return traces_.open(traffic, world_.now_);
}

void Tracing::begin(std::uint32_t visit) {
  const Visit& it = world_.visits_[visit];
  if ((it.flags & Visit::tried) == 0) {
    const Traces::Ref ref = ref_for(it.parent, it.traffic);
    traces_.of_visit(visit) = ref;
    return;
  }
  const bool followed = traces_.find(traces_.of_errand(it.parent)) != nullptr;
  traces_.of_visit(visit) = followed ? traces_.open(it.traffic, world_.now_) : Traces::Ref{};
}

void Tracing::begin_errand(std::uint32_t errand) {
  const Errand& it = world_.errands_.open[errand];
  const Traces::Ref ref = ref_for(it.parent, it.traffic);
  traces_.of_errand(errand) = ref;
  Traces::Record* record = traces_.find(ref);
  if (record == nullptr) return;
  leave_span(*record);
  record->part = traces_.part_of(Span::retry);
}

void Tracing::end_errand(std::uint32_t errand, Outcome outcome) {
  const Errand& it = world_.errands_.open[errand];
  const Traces::Ref ref = traces_.of_errand(errand);
  Traces::Record* record = traces_.find(ref);
  if (record == nullptr || ref.owned == 0) return;
  if (outcome == Outcome::completed && it.begun >= world_.warmup_)
    traces_.keep(*record, world_.now_ - it.begun);
  traces_.close(ref);
}

void Tracing::enter(std::uint32_t visit, Span span) {
  Traces::Record* record = traces_.find(traces_.of_visit(visit));
  if (record == nullptr) return;
  leave_span(*record);
  const std::uint32_t instance = world_.visits_[visit].instance;
  record->part = span < Span::at_instance ? traces_.part_at(world_.fleet_of_[instance], span)
                                          : traces_.part_of(span);
}

void Tracing::compute(std::uint32_t visit, std::int64_t work) {
  Traces::Record* record = traces_.find(traces_.of_visit(visit));
  if (record == nullptr) return;
  enter(visit, Span::work);
  const std::uint32_t instance = world_.visits_[visit].instance;
  record->instance = instance;
  const double speed = world_.instances_.kind(world_.make_of(instance).kind).speed;
  record->alone = duration_ns(static_cast<double>(work) / speed);
  record->lost_before = world_.instances_.lost_ns(instance, world_.now_);
}

// What has passed is put down to the present span; of computing, to what it consists of.
void Tracing::leave_span(Traces::Record& record) {
  std::int64_t passed = world_.now_ - record.since;
  record.since = world_.now_;
  if (record.instance != World::none) {
    const std::uint32_t fleet = world_.fleet_of_[record.instance];
    const double lost = world_.instances_.lost_ns(record.instance, world_.now_);
    const std::int64_t work = std::min(record.alone, passed);
    const std::int64_t stolen =
        std::min(duration_ns(std::max(lost - record.lost_before, 0.0)), passed - work);
    traces_.add(record, traces_.part_at(fleet, Span::steal), stolen);
    traces_.add(record, traces_.part_at(fleet, Span::sharing), passed - work - stolen);
    passed = work;
    record.instance = World::none;
  }
  traces_.add(record, record.part, passed);
}

void Tracing::end(std::uint32_t visit, Outcome outcome) {
  const Traces::Ref ref = traces_.of_visit(visit);
  traces_.of_visit(visit) = {};
  Traces::Record* record = traces_.find(ref);
  if (record == nullptr) return;
  leave_span(*record);
  if (ref.owned == 0) return;
  const Visit& it = world_.visits_[visit];
  const bool served = outcome == Outcome::completed;
  if ((it.flags & Visit::tried) == 0) {
    if (served && it.arrival >= world_.warmup_) traces_.keep(*record, world_.now_ - it.arrival);
  } else if (Traces::Record* request = traces_.find(traces_.of_errand(it.parent));
             served && request != nullptr) {
    traces_.join(*request, *record, world_.now_);
  }
  traces_.close(ref);
}

void Tracing::note_plain(const Sent& sent, std::int64_t work, std::int64_t now) {
  const Route& route = world_.routes_[sent.route];
  const std::uint32_t traffic = route.caller;
  if (traffic >= world_.traffic_ || sent.arrival < world_.warmup_) return;
  if (!traces_.follows(traffic, sent.arrival)) return;
  traces_.keep_plain(traffic, sent.arrival, now - sent.arrival, route.fleet, work);
}

// The parts of what has been followed add up to its latency, and nothing is followed that nobody
// waits for.
void WorldView::check_traces() const {
  if (!traces_.active()) return;
  bool agree = traces_.owners() == traces_.open_records();
  for (const Traced& it : traces_.traced()) {
    std::uint64_t part = 0;
    for (std::size_t row = 0; row < it.size(); ++row) {
      std::int64_t sum = 0;
      bool positive = true;
      for (; part < it.end[row]; ++part) {
        sum += it.ns[part];
        positive = positive && it.ns[part] >= 0;
      }
      agree = agree && positive && sum == it.latency[row];
    }
    agree = agree && part == it.part.size() && part == it.ns.size();
  }
  if (!agree) throw InvariantError("the parts of a latency are not the whole" + where());
}

}  // namespace nephoscope
