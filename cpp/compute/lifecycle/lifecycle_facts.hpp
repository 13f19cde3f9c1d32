// The words of an instance's life: states, reasons and answers as the provider's interface has
// them, what each transition keeps, and what is told of an instance when it is launched.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "compute/lifecycle/billing.hpp"
#include "kernel/distributions.hpp"

namespace nephoscope {

// The numbers are the provider's codes; code / 16 counts them from 0.
enum class InstanceState : std::uint8_t {
  pending = 0,
  running = 16,
  shutting_down = 32,
  terminated = 48,
  stopping = 64,
  stopped = 80,
};
inline constexpr std::array<std::string_view, 6> state_words = {
    "pending", "running", "shutting-down", "terminated", "stopping", "stopped"};

// Why an instance is in the state it is in. Those before `scheduled_stop` are failures of a launch.
enum class StateReason : std::uint8_t {
  none,
  insufficient_capacity,
  server_error,
  volume_limit,
  snapshot_not_found,
  client_error,
  scheduled_stop,
  spot_termination,
  spot_shutdown,
  guest_shutdown,
  user_shutdown,
  user_hibernate,
};
inline constexpr std::array<std::string_view, 12> reason_words = {
    "",
    "Server.InsufficientInstanceCapacity",
    "Server.InternalError",
    "Client.VolumeLimitExceeded",
    "Client.InvalidSnapshot.NotFound",
    "Client.InternalError",
    "Server.ScheduledStop",
    "Server.SpotInstanceTermination",
    "Server.SpotInstanceShutdown",
    "Client.InstanceInitiatedShutdown",
    "Client.UserInitiatedShutdown",
    "Client.UserInitiatedHibernate"};

// What a request gets. `unchanged` is success too: there was nothing to do.
enum class Answer : std::uint8_t {
  accepted,
  unchanged,
  incorrect_state,
  unsupported,
  hibernation_off,
  not_permitted,
  not_found,
};
inline constexpr std::array<std::string_view, 7> answer_words = {
    "accepted",
    "unchanged",
    "IncorrectInstanceState",
    "UnsupportedOperation",
    "UnsupportedHibernationConfiguration",
    "OperationNotPermitted",
    "InvalidInstanceID.NotFound"};

// What the status checks say: of the two, the worse.
enum class CheckResult : std::uint8_t { not_applicable, initializing, ok, impaired };
inline constexpr std::array<std::string_view, 4> check_words = {"not-applicable", "initializing",
                                                                "ok", "impaired"};

// What an instance holds and a transition may take from it.
enum class Asset : std::uint8_t {
  host,
  private_address,
  public_address,  // given by itself at each start
  elastic_address,
  instance_store,
  root_volume,
  other_volumes,
  memory,  // what is in it
};
inline constexpr std::size_t asset_count = 8;
inline constexpr std::array<std::string_view, asset_count> asset_words = {
    "host",           "private_address", "public_address", "elastic_address",
    "instance_store", "root_volume",     "other_volumes",  "memory"};

using AssetMask = std::uint8_t;
constexpr AssetMask mask_of(Asset asset) {
  return static_cast<AssetMask>(1U << static_cast<unsigned>(asset));
}

enum class Transition : std::uint8_t { reboot, stop_start, hibernate, terminate, recovery };
inline constexpr std::array<std::string_view, 5> transition_words = {
    "reboot", "stop_start", "hibernate", "terminate", "recovery"};

// Whether a transition keeps something, in the provider's default settings. A host that is not kept
// is usually another one afterwards; whether it is, the owner of the hosts decides. At termination
// the elastic address is disassociated, the root volume deleted and others kept.
bool keeps(Transition transition, Asset asset);

// The durations of a life, each a law of its own.
enum class Law : std::uint8_t {
  pending,    // of each start: until the state is running
  boot,       // of a first start: from running until the guest serves
  restart,    // the same, of a later start
  resume,     // the same, after hibernation
  reboot,     // from the request until the guest serves again
  stop,       // of stopping
  hibernate,  // of stopping with the memory saved
  terminate,  // of shutting-down
};
inline constexpr std::size_t law_count = 8;
inline constexpr std::array<std::string_view, law_count> law_words = {
    "pending", "boot", "restart", "resume", "reboot", "stop", "hibernate", "terminate"};

// What instances of one operating system, or of one fleet, have in common.
struct SystemFacts {
  std::array<Distribution, law_count> laws;      // ns
  std::int64_t stop_limit_ns = 300'000'000'000;  // a longer shutdown ends hard
  BillingRule billing;
  std::int64_t encryption_ns = 0;  // of a launch: until an encrypted volume is there
};

enum class RootDevice : std::uint8_t { ebs, instance_store };
enum class Purchase : std::uint8_t { on_demand, spot };
enum class Interruption : std::uint8_t { terminate, stop, hibernate };
enum class GuestShutdown : std::uint8_t { stop, terminate };

struct LaunchFacts {
  std::uint32_t system = 0;
  std::uint32_t serial = 0;  // the instance's place in the streams of its system
  std::uint32_t zone = 0;
  RootDevice root = RootDevice::ebs;
  Purchase purchase = Purchase::on_demand;
  Interruption interruption = Interruption::terminate;  // of a spot instance
  GuestShutdown guest_shutdown = GuestShutdown::stop;   // what a shutdown from within does
  AssetMask assets = 0;  // public_address, elastic_address, instance_store, other_volumes if had
  AssetMask deleted = mask_of(Asset::root_volume);  // of the volumes, at termination
  bool hibernation = false;
  bool termination_protection = false;
  bool automatic_recovery = true;
  bool group_member = false;  // of an Auto Scaling group
  bool metal = false;
  bool efa = false;

  friend bool operator==(const LaunchFacts&, const LaunchFacts&) = default;
};

// Throw SpecError with the field's name when a fact is not legal.
void check(const SystemFacts& facts);
void check(const LaunchFacts& facts);

// What the provider announces for an instance. An instance_stop needs a root volume; a retirement
// stops an instance that has one and terminates one that has none.
enum class ScheduledEvent : std::uint8_t {
  none,
  instance_stop,
  instance_retirement,
  instance_reboot,
  system_reboot,
  system_maintenance,
};
inline constexpr std::array<std::string_view, 6> scheduled_words = {"",
                                                                    "instance-stop",
                                                                    "instance-retirement",
                                                                    "instance-reboot",
                                                                    "system-reboot",
                                                                    "system-maintenance"};

}  // namespace nephoscope
