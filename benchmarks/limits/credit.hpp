// The limit of a credit scheduler: hosts of 32 pCPUs and 64 vCPUs that always want to run, in plain
// arrays. Every tick debits those that run, sorts all into UNDER and OVER and picks the next 32;
// every third hands out credits. No slices, no queues, no BOOST, no caps, no stealing, no accounts
// of anybody's time, every pCPU at one instant.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common.hpp"

namespace limits {

class CreditTicks {
 public:
  static constexpr std::size_t vcpus = 64;
  static constexpr std::size_t cpus = 32;
  static constexpr std::int16_t debit = 100;
  static constexpr std::int16_t credits = 300;

  explicit CreditTicks(std::uint32_t hosts, const std::uint32_t* weights) : hosts_(hosts) {
    for (Host& host : hosts_) {
      std::uint32_t total = 0;
      for (std::size_t at = 0; at < vcpus; ++at) total += weights[at];
      for (std::size_t at = 0; at < vcpus; ++at) {
        host.order[at] = static_cast<std::uint8_t>(at);
        host.share[at] = static_cast<std::int16_t>(
            std::min<std::uint32_t>(credits, cpus * credits * weights[at] / total));
      }
    }
  }

  // So many ticks of every host, `block` of them at a time before the next host's.
  void run(std::uint32_t ticks, std::uint32_t block) {
    for (std::uint32_t done = 0; done < ticks; done += block) {
      for (Host& host : hosts_) {
        for (std::uint32_t k = 0; k < block; ++k) tick(host, (ticks_ + done + k) % 3 == 2);
      }
    }
    ticks_ += ticks;
  }

  // Of one vCPU of the first host, in ticks.
  std::uint32_t ran(std::size_t vcpu) const { return hosts_[0].ran[vcpu]; }

 private:
  struct Host {
    alignas(64) std::array<std::int16_t, vcpus> credit{};
    std::array<std::int16_t, vcpus> share{};
    std::array<std::uint8_t, vcpus> order{};  // those that run, then those that wait
    std::array<std::uint32_t, vcpus> ran{};
  };

  static void tick(Host& host, bool accounting) {
    for (std::size_t k = 0; k < cpus; ++k) {
      const std::uint8_t vcpu = host.order[k];
      host.credit[vcpu] = static_cast<std::int16_t>(host.credit[vcpu] - debit);
      ++host.ran[vcpu];
    }
    if (accounting) {
      for (std::size_t at = 0; at < vcpus; ++at) {
        const int credit = host.credit[at] + host.share[at];
        host.credit[at] =
            static_cast<std::int16_t>(std::clamp(credit, -int{credits}, int{credits}));
      }
    }
    // Whoever waited comes before who has run, and UNDER before OVER; without branches.
    std::array<std::uint8_t, vcpus> under;
    std::array<std::uint8_t, vcpus> over;
    std::size_t unders = 0;
    std::size_t overs = 0;
    for (std::size_t k = 0; k < vcpus; ++k) {
      const std::uint8_t vcpu = host.order[(k + cpus) % vcpus];
      const bool bad = host.credit[vcpu] < 0;
      under[unders] = vcpu;
      over[overs] = vcpu;
      unders += bad ? 0 : 1;
      overs += bad ? 1 : 0;
    }
    std::copy_n(under.begin(), unders, host.order.begin());
    std::copy_n(over.begin(), overs, host.order.begin() + unders);
  }

  std::vector<Host> hosts_;
  std::uint32_t ticks_ = 0;
};

}  // namespace limits
