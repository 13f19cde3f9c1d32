// What instances have beside vCPUs: a network interface, disks, accelerators and memory; and who
// uses them.
//
// A transfer belongs to an owner (a number) and ends at an instant that changes as others begin and
// end: all of an instance share its link equally, and instances that share a link (those of a
// host) have it by weight (shared_device.hpp). A disk has two such devices, one for bytes and one
// for operations, and a third for bytes that are touched for the first time. Work on an accelerator
// waits for one (accelerators.hpp). Memory is taken and given back at once.
//
// A link exists from its first use on: until then its bucket is full and nothing happens.
//
// What is done is handed out one owner at a time by `take_done`, in the order of the ends. The
// owner of this part advances it to now before anything else, and looks at `next_event` after.
//
// Invariants: begun = done + under way; memory held is 0 to what the instance has.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "compute/devices/accelerators.hpp"
#include "compute/devices/shared_device.hpp"
#include "kernel/event_queue.hpp"

namespace nephoscope {

// A rate for ever, one while the bucket lasts, and the tokens of a full bucket.
struct BurstRate {
  std::int64_t baseline = 0;
  std::int64_t peak = 0;
  std::int64_t burst = 0;
};

// Of each instance of a kind. Bytes and operations a second.
struct InstanceDeviceFacts {
  BurstRate network{1'250'000'000, 1'250'000'000, 0};  // each way
  BurstRate disk_bytes{125'000'000, 125'000'000, 0};
  BurstRate disk_ops{3'000, 3'000, 0};
  AcceleratorFacts accelerators;
  std::int64_t memory = 0;                             // bytes
  std::int64_t flow_limit = 0;                         // of one transfer over the network; 0: none
  BurstRate fresh_bytes{125'000'000, 125'000'000, 0};  // of the disk, at the first touch
};

// Throws SpecError with the field's name when a fact is not legal.
void check(const InstanceDeviceFacts& facts);

// The network is two links: one out, `network`, and one in.
enum class Device : std::uint8_t { network, disk_bytes, disk_ops, network_in, fresh_bytes };
inline constexpr std::size_t device_kinds = 5;

class InstanceDevices {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t add_kind(const InstanceDeviceFacts& facts);
  const InstanceDeviceFacts& kind(std::uint32_t index) const { return kinds_[index]; }
  // Instances are numbered from 0 in the order of their coming.
  void add(std::uint32_t kind);

  // The next instance is the same machine as `before`, of which everything has been dropped: it
  // takes over its links, with what is in their buckets.
  void succeed(std::uint32_t before);

  // The network of an instance, one way, is a link that others share: `link` is its number, the
  // owner's to choose from 0, and its capacity is the same whoever says so.
  struct SharedLink {
    std::uint32_t link;
    std::int64_t capacity;
    double weight;
  };
  void share_link(std::uint32_t instance, Device way, const SharedLink& link);

  // The same, of one that is on another: what is under way goes on there, and its bucket with it.
  void move_link(std::uint32_t instance, Device way, const SharedLink& link);

  // A transfer of at least one token.
  void transfer(std::uint32_t instance, Device device, std::int64_t tokens, std::uint32_t owner);
  // Work for an accelerator of the instance, which has one.
  void accelerate(std::uint32_t instance, const Accelerators::Request& request);
  bool has_accelerators(std::uint32_t instance) const {
    return kinds_[places_[instance].kind].accelerators.count != 0;
  }

  // False, and nothing is taken, when there is not so much left.
  bool take_memory(std::uint32_t instance, std::int64_t bytes);
  void give_memory(std::uint32_t instance, std::int64_t bytes) { places_[instance].held -= bytes; }
  std::int64_t memory_held(std::uint32_t instance) const { return places_[instance].held; }

  // The transfers of an instance end here and its memory is free. Calls action(owner) for each
  // that will not be told as done. What its accelerators work on they finish.
  template <class Action>
  void drop(std::uint32_t instance, Action action);
  // An instance of which everything has been dropped, or is done, is gone.
  void leave(std::uint32_t instance);

  void advance(std::int64_t now);
  // The owner of something that is done, or none.
  std::uint32_t take_done();
  // When something is done or a rate changes; EventQueue::never if never.
  std::int64_t next_event() const;
  // Batches that have begun since the owner cleared this list.
  struct Begun {
    std::uint32_t instance;
    std::uint32_t unused;
    std::int64_t ns;
  };
  std::vector<Begun>& begun() { return begun_; }

  // Transfers and accelerator works under way, done but not taken included.
  std::uint64_t under_way() const;
  // Throws InvariantError.
  void check() const;

  template <class Archive>
  void serialize(Archive& archive) {
    std::uint64_t links = links_.size();
    archive(places_, shared_links_, done_, done_from_, begun_, now_, started_, ended_, links);
    links_.resize(static_cast<std::size_t>(links), Link{SharedDevice({1, 0}), {}});
    for (Link& link : links_) {
      link.device.serialize(archive);
      archive(link.open, link.entry);
    }
    accelerators_.serialize(archive);
    calendar_.serialize(archive);
  }

 private:
  static constexpr std::uint32_t batch_bit = std::uint32_t{1} << 31;

  struct Tenant {
    std::uint32_t link = none;
    std::uint32_t number = none;
  };
  struct Place {
    std::int64_t held = 0;
    std::uint32_t kind = 0;
    std::uint32_t unused = 0;
    Tenant tenant[device_kinds];  // by Device
  };
  struct Open {
    std::uint64_t number;
    std::uint32_t owner;
    std::uint32_t tenant;
  };
  struct Link {
    SharedDevice device;
    std::vector<Open> open;  // by number
    EventQueue::Handle entry = EventQueue::none;
  };

  static const BurstRate& rate(const InstanceDeviceFacts& facts, Device device);
  std::uint32_t add_link(std::int64_t capacity);
  void join_link(std::uint32_t instance, Device way, const SharedLink& link, std::int64_t spent);
  DeviceTenantFacts tenant_facts(std::uint32_t instance, Device device) const;
  Tenant& tenant(std::uint32_t instance, Device device);
  void bring(std::uint32_t link);
  void expect(std::uint32_t link);
  void begin(std::uint32_t instance);

  std::vector<InstanceDeviceFacts> kinds_;
  std::vector<Place> places_;
  std::vector<Link> links_;
  std::vector<std::uint32_t> shared_links_;  // by the owner's number
  Accelerators accelerators_;
  EventQueue calendar_;  // links, and batches by their first request
  std::vector<std::uint32_t> done_;
  std::uint64_t done_from_ = 0;
  std::vector<Begun> begun_;
  std::int64_t now_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t ended_ = 0;
};

template <class Action>
void InstanceDevices::drop(std::uint32_t instance, Action action) {
  Place& place = places_[instance];
  place.held = 0;
  const auto dropped = [&](std::uint32_t owner) {
    ++ended_;
    action(owner);
  };
  accelerators_.drop_waiting(instance, dropped);
  for (const Tenant& it : place.tenant) {
    if (it.link == none) continue;
    bring(it.link);
    Link& link = links_[it.link];
    link.device.drop(it.number);
    std::erase_if(link.open, [&](const Open& open) {
      if (open.tenant != it.number) return false;
      dropped(open.owner);
      return true;
    });
    expect(it.link);
  }
}

}  // namespace nephoscope
