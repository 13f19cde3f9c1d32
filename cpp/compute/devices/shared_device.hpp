// A device that tenants share: a network link in one direction (a token is a byte), or a disk (a
// byte or an I/O). Weighted max-min fairness at every instant, with a token bucket each.
//
// A tenant may use its peak while its bucket holds tokens and its baseline when it is empty; the
// bucket is refilled at the baseline and spent at the rate that the tenant is granted. The device's
// capacity is shared out by weight below those ceilings (water_level.hpp).
//
// A tenant's rate goes to its flows, equally as far as each can use it: transfers of so many
// tokens, each limited by a `flow_limit`, and one steady stream that wants `demand` and no more.
// Transfers are kept by cumulative service: all of a tenant get the same, so one number grows for
// all of them and each waits for its mark. The next completion is the first mark, whatever the
// number of transfers.
//
// Rates change only when a transfer begins or ends, a demand changes, a tenant starts or stops, or
// a bucket runs empty; there is no other event. A bucket that gets tokens again is none: whoever
// earns tokens has less than the baseline, so a higher ceiling would not give it more.
//
// Rates are granted in whole thousandths of a token a second and given to flows in whole
// millionths; service is counted in femtotokens (token_bucket.hpp). So everything is exact between
// events, and how time is cut into calls changes nothing, nor does asking.
//
// Invariants:
//   granted to all <= capacity, to a thousandth of a token a second;
//   a tenant's transfers and stream <= what its bucket gave, and less by no more than a millionth
//     of a token a second for each flow, and what is left of the nanosecond of an event.

#pragma once

#include <cstdint>
#include <vector>

#include "compute/devices/token_bucket.hpp"
#include "compute/water_level.hpp"
#include "kernel/event_queue.hpp"
#include "kernel/int128.hpp"

namespace nephoscope {

// Rates are in tokens a second, at most so many that sums of them are exact.
inline constexpr std::int64_t rate_max = std::int64_t{1} << 40;

struct DeviceFacts {
  std::int64_t capacity = 0;
  std::int64_t flow_limit = 0;  // of one transfer; 0: none
};

struct DeviceTenantFacts {
  std::int64_t baseline = 0;
  std::int64_t peak = 0;
  std::int64_t burst = 0;  // tokens in a full bucket, with which a tenant starts
  double weight = 1.0;
  std::int64_t spent = 0;       // of the bucket, before it comes
  std::int64_t flow_limit = 0;  // of one of its transfers; 0: that of the device
};

class SharedDevice {
 public:
  struct Completion {
    std::int64_t time;
    std::uint64_t transfer;
    std::uint64_t tenant;
  };

  // All throw SpecError with the field's name when an argument is not legal.
  explicit SharedDevice(const DeviceFacts& facts);
  std::uint32_t add_tenant(const DeviceTenantFacts& facts);

  // A transfer of so many tokens begins now; its number.
  std::uint64_t send(std::uint32_t tenant, std::int64_t tokens);
  // From now on the steady stream wants so many tokens a second.
  void set_demand(std::uint32_t tenant, std::int64_t rate);
  // Its flows end here, unfinished.
  void drop(std::uint32_t tenant);
  // It is gone for good, to go on elsewhere: what is left of its transfers, in the order of their
  // numbers, and of its bucket, in whole tokens.
  struct Left {
    std::uint64_t number;
    std::int64_t tokens;
  };
  std::vector<Left> take_away(std::uint32_t tenant, std::int64_t& bucket);
  // A stopped tenant sends and earns nothing; its transfers are dropped. A start fills the bucket.
  void stop(std::uint32_t tenant);
  void start(std::uint32_t tenant);

  // Lets time pass until `until`, not before now. What is due at that very instant has happened
  // then.
  void advance(std::int64_t until);

  // When a transfer is done or a rate may change next if nobody calls; EventQueue::never if never.
  std::int64_t next_event();

  // Transfers done since the list was cleared, in the order of their ends and then numbers.
  const std::vector<Completion>& completed() const { return completed_; }
  void clear_completed() { completed_.clear(); }

  std::int64_t now() const { return now_; }
  std::size_t tenants() const { return tenants_.size(); }
  // Of both its kinds of flows, in millionths of a token a second.
  std::int64_t granted(std::uint32_t tenant);
  // What its transfers, also those under way, and its stream have got, in femtotokens.
  int128 transferred(std::uint32_t tenant);
  int128 streamed(std::uint32_t tenant);
  std::size_t under_way(std::uint32_t tenant) { return present(tenant).transfers.size(); }
  const TokenBucket& bucket(std::uint32_t tenant);
  // Times at which the capacity had to be shared out anew, for a sense of cost.
  std::uint64_t solves() const { return solves_; }

  template <class Archive>
  void serialize(Archive& archive) {
    std::uint64_t size = tenants_.size();
    archive(size, capacity_, flow_limit_, wanted_, now_, next_transfer_, solves_, dirty_);
    archive(completed_);
    tenants_.resize(static_cast<std::size_t>(size));
    claims_.resize(static_cast<std::size_t>(size));
    for (Claim& it : claims_) archive(it.weight, it.floor, it.ceiling, it.share);
    for (Tenant& it : tenants_) it.serialize(archive);
    calendar_.serialize(archive);
  }

 private:
  struct Transfer {
    int128 mark;  // the service at which it is done
    std::uint64_t number;
    std::int64_t tokens;
  };

  struct Tenant {
    TokenBucket bucket;               // counted up to bucket.now()
    int128 service = 0;               // of each transfer since there was none, femtotokens
    int128 transferred = 0;           // femtotokens
    int128 streamed = 0;              // femtotokens
    std::vector<Transfer> transfers;  // a heap, the first mark in front
    std::int64_t baseline = 0;        // tokens a second
    std::int64_t peak = 0;            // tokens a second
    std::int64_t flow_limit = 0;      // tokens a second; 0: none
    std::int64_t demand = 0;          // tokens a second
    std::int64_t transfer_rate = 0;   // of each, millionths of a token a second
    std::int64_t stream_rate = 0;     // millionths of a token a second
    EventQueue::Handle event = EventQueue::none;
    std::uint32_t stale = 0;  // its flows have changed, its rates have not yet
    std::uint32_t stopped = 0;

    template <class Archive>
    void serialize(Archive& archive) {
      archive(bucket, service, transferred, streamed, transfers, baseline, peak, flow_limit, demand,
              transfer_rate, stream_rate, event, stale, stopped);
    }
  };

  static bool later(const Transfer& a, const Transfer& b);
  Tenant& present(std::uint32_t tenant);
  Tenant& counted(std::uint32_t tenant);
  std::int64_t ceiling(const Tenant& it) const;
  void count(Tenant& it);
  void complete(std::uint32_t tenant);
  void renew(std::uint32_t tenant);
  void grant(std::uint32_t tenant);
  void expect(std::uint32_t tenant);
  void refresh_ceilings();
  void solve();

  std::vector<Tenant> tenants_;
  std::vector<Claim> claims_;  // of the tenants, in thousandths of a token a second
  std::vector<Completion> completed_;
  EventQueue calendar_;  // a completion or an empty bucket, one a tenant
  std::int64_t capacity_ = 0;
  std::int64_t flow_limit_ = 0;
  std::int64_t wanted_ = 0;  // sum of the ceilings, tokens a second
  std::int64_t now_ = 0;
  std::uint64_t next_transfer_ = 0;
  std::uint64_t solves_ = 0;
  std::uint64_t dirty_ = 0;  // the capacity has to be shared out anew
};

}  // namespace nephoscope
