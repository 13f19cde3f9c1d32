// How the tenants of a host slow each other down in its caches and its memory bandwidth.
//
// Two numbers describe a tenant: its pressure, what one running vCPU of it takes of the caches and
// the bandwidth of a socket, and its sensitivity, by how much it is slower where the others take
// all. Neither follows from the other. What the others take is x = sum of pressure x running vCPUs
// over the sockets of the host; the tenant takes 1 + sensitivity x excess(x) times as long, where
// excess is 0 up to a knee and a straight line from there, 1 at x = 1. So a tenant alone is as fast
// as measured alone, and it is speed that is lost, not vCPU time.
//
// What a tenant takes is counted in whole units of 2^-40 of a host, so that sums are exact, however
// they came about.
//
// Invariants, for each host: taken is the sum over its members.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "compute/hypervisor/time_integral.hpp"

namespace nephoscope {

struct InterferenceFacts {
  double pressure = 0.0;     // of a socket, for each running vCPU
  double sensitivity = 0.0;  // what is added to 1 where others take all

  bool matters() const { return pressure > 0.0 || sensitivity > 0.0; }
};

// Throws SpecError with the field's name when a fact is not legal.
void check(const InterferenceFacts& facts);

// How far beyond the knee a host is whose others take `x` of it: 1 where they take all.
double interference_excess(double x);

class Interference {
 public:
  static constexpr double knee = 0.65;

  // Of each host, before anybody joins.
  void set_sockets(std::uint32_t sockets) { sockets_ = sockets; }

  // Whether anybody ever joined.
  bool active() const { return !tenants_.empty(); }

  // `tenant`: its number with the hypervisor. It runs nothing yet.
  void join(std::uint32_t tenant, std::uint32_t host, const InterferenceFacts& facts);
  void leave(std::uint32_t tenant, std::int64_t now);
  bool has(std::uint32_t tenant) const {
    return tenant < tenants_.size() && tenants_[tenant].host != none;
  }

  // Whether it is there, or was.
  bool knows(std::uint32_t tenant) const {
    return tenant < tenants_.size() && tenants_[tenant].facts.matters();
  }

  // From now on so many of its vCPUs run, which together did so much work alone.
  void set_running(std::uint32_t tenant, double running, double rate, std::int64_t now);

  // Whether somebody's pace may have changed since `settle`.
  bool unsettled() const { return !dirty_.empty(); }
  // Calls action(tenant, rate) for each member that works at another pace than before, once.
  template <class Action>
  void settle(std::int64_t now, Action action) {
    for (const std::uint32_t host : dirty_) settle_host(host, now);
    dirty_.clear();
    for (const std::uint32_t tenant : moved_) {
      Tenant& it = tenants_[tenant];
      it.moved = 0;
      if (it.host != none) action(tenant, it.rate * it.pace);
    }
    moved_.clear();
  }

  // vCPU time that was run and lost, and the work that it would have done, until `now`; ns.
  struct Lost {
    std::int64_t run_ns = 0;
    std::int64_t work_ns = 0;
  };
  Lost lost(std::uint32_t tenant, std::int64_t now) const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(hosts_, tenants_, dirty_, moved_);
  }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr double whole_host = static_cast<double>(std::int64_t{1} << 40);

  struct Host {
    std::int64_t taken = 0;
    std::uint32_t first = none;  // of its members
    std::uint32_t dirty = 0;
    std::uint32_t beyond = 0;  // the knee, when it was settled last
    std::uint32_t unused = 0;  // no padding
  };

  struct Tenant {
    static constexpr bool plain_doubles = true;

    InterferenceFacts facts;
    double running = 0.0;
    double rate = 0.0;
    double pace = 1.0;
    std::int64_t taken = 0;
    std::int64_t since = 0;  // when what is lost was booked last
    TimeIntegral lost_run;
    TimeIntegral lost_work;
    std::uint32_t host = none;
    std::uint32_t next = none;  // member of the host
    std::uint32_t previous = none;
    std::uint32_t moved = 0;  // its pace or what runs of it
  };

  void touch(std::uint32_t host);
  void move(std::uint32_t tenant);
  void settle_host(std::uint32_t host, std::int64_t now);
  static void book(Tenant& it, std::int64_t now);

  std::uint32_t sockets_ = 1;
  std::vector<Host> hosts_;
  std::vector<Tenant> tenants_;
  std::vector<std::uint32_t> dirty_;  // hosts that wait to be settled, as one just joined does
  std::vector<std::uint32_t> moved_;  // tenants
};

}  // namespace nephoscope
