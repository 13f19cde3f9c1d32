// Where the time of requests goes: of some requests of each source of traffic, every nanosecond
// from the arrival to the answer is put down to what they waited for, and where.
//
// At any instant a request is at one place: of its visits, one at most goes on while those that
// called wait for it. So a request has one record, which is in one span at a time; the spans of a
// request that has been answered add up to its latency exactly. An attempt of a request that is
// sent more than once has a record of its own, which joins that of its request if it is the one
// that succeeds; all time before it is put down to `retry`.
//
// Which requests are followed depends on nothing but the instant at which they arrive: those whose
// hash is at most `limit`, at first all. Whenever more than `keep` of a source have been answered,
// the limit is halved and those above it are dropped. So the ones that are left are a random sample
// of the answered ones, the same in whatever order they were answered and however a run was cut.
//
// Invariant: the records that are open are those of visits and errands that own one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "balancing/consistent_hash.hpp"
#include "kernel/hot_path.hpp"
#include "kernel/slab.hpp"

namespace nephoscope {

// What a request waits for at an instance, and then what stands in its way elsewhere.
enum class Span : std::uint8_t {
  waiting,   // in the backlog, for a worker
  work,      // it computes: what it would take alone on a vCPU of that speed
  sharing,   // it computes: what it took longer for others on the same vCPUs, or a fault
  steal,     // it computes: what it took longer for other tenants of the host
  sleeping,  // a step that only takes time
  network,   // transfers
  disk,
  accelerator,
  hanging,                 // its instance does not answer
  at_instance,             // how many of them there are
  balancer = at_instance,  // it waits for a target that has room
  retry,                   // attempts in vain, and the waits between attempts
  count
};

// The requests of one source that have been followed to the end.
struct Traced {
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // of the hash
  std::vector<std::int64_t> arrival;
  std::vector<std::int64_t> latency;
  std::vector<std::uint64_t> end;  // of its parts
  // A part is (place x spans + span) and ns; the place is a fleet or, behind them all, none.
  std::vector<std::uint32_t> part;
  std::vector<std::int64_t> ns;

  static std::uint64_t hash_of(std::int64_t arrival) {
    return mix_bits(static_cast<std::uint64_t>(arrival));
  }

  std::size_t size() const { return arrival.size(); }
  void thin();
  // Brings them into the order of arrival: what is told and saved must not depend on how a run was
  // cut. O(n log n).
  void sort();
  template <class Archive>
  void serialize(Archive& archive) {
    archive(limit, arrival, latency, end, part, ns);
  }
};

class Traces {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t keep_max = 1'000'000;
  static constexpr auto spans = static_cast<std::uint32_t>(Span::count);

  struct Record {
    static constexpr bool plain_doubles = true;

    std::int64_t begun = 0;
    std::int64_t since = 0;         // of the present span
    std::int64_t alone = 0;         // while it computes: what that takes alone, ns
    double lost_before = 0.0;       // while it computes: Instances::lost_ns() when it began
    std::uint32_t instance = none;  // where it computes, or none
    std::uint32_t part = 0;         // the present span
    std::uint32_t generation = 0;   // of the requests that had this record
    std::uint32_t traffic = 0;
  };

  // The record of a request, which may be over: then there is nothing to be noted.
  struct Ref {
    std::uint32_t record = none;
    std::uint32_t generation = 0;
    std::uint32_t owned = 0;
  };

  // Keeps up to so many of each source; 0: none are followed.
  void build(std::uint32_t keep, std::uint32_t fleets, std::uint32_t traffic);

  bool active() const { return keep_ != 0; }
  // Of any source: what follows() is asked after.
  NEPHOSCOPE_HOT bool may_follow(std::int64_t arrival) const {
    if (!active()) [[likely]]
      return false;
    return Traced::hash_of(arrival) <= widest_;
  }
  bool follows(std::uint32_t traffic, std::int64_t arrival) const;
  std::uint32_t part_at(std::uint32_t fleet, Span span) const {
    return fleet * spans + static_cast<std::uint32_t>(span);
  }
  std::uint32_t part_of(Span span) const { return part_at(fleets_, span); }

  Ref open(std::uint32_t traffic, std::int64_t now);
  void close(Ref ref);
  // nullptr when it is over, or never was.
  Record* find(Ref ref);
  void add(const Record& record, std::uint32_t part, std::int64_t ns);
  // The spans of an attempt that has succeeded now become its request's.
  void join(Record& request, const Record& attempt, std::int64_t now);

  // A followed request has been answered.
  void keep(const Record& record, std::int64_t latency);
  // One that did nothing but wait and work, at one fleet.
  void keep_plain(std::uint32_t traffic, std::int64_t arrival, std::int64_t latency,
                  std::uint32_t fleet, std::int64_t work);

  // By visit and by errand.
  Ref& of_visit(std::uint32_t visit) { return at(of_visit_, visit); }
  Ref& of_errand(std::uint32_t errand) { return at(of_errand_, errand); }

  const std::vector<Traced>& traced() const { return traced_; }
  void lay_out() {
    for (Traced& each : traced_) each.sort();
  }
  std::size_t open_records() const;
  // How many of the refs own one that is open.
  std::size_t owners() const;

  template <class Archive>
  void serialize(Archive& archive) {
    if (!active()) return;
    for (Traced& each : traced_) each.serialize(archive);
    find_widest();
    records_.serialize(archive);
    archive(amounts_, of_visit_, of_errand_);
  }

 private:
  static Ref& at(std::vector<Ref>& refs, std::uint32_t index) {
    if (index >= refs.size()) refs.resize(std::size_t{index} + 1);
    return refs[index];
  }
  std::int64_t* amounts(const Record& record);
  std::size_t width() const { return (std::size_t{fleets_} + 1) * spans; }
  void end_row(Traced& to, std::int64_t arrival, std::int64_t latency);
  void find_widest();

  std::uint32_t keep_ = 0;
  std::uint32_t fleets_ = 0;
  std::vector<Traced> traced_;                                        // by traffic
  std::uint64_t widest_ = std::numeric_limits<std::uint64_t>::max();  // of their limits
  Slab<Record> records_;
  std::vector<std::int64_t> amounts_;  // [record x part], ns
  std::vector<Ref> of_visit_;
  std::vector<Ref> of_errand_;
};

}  // namespace nephoscope
