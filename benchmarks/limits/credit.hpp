// The limits of a credit scheduler: hosts of 32 pCPUs and 64 vCPUs that always want to run, in
// plain arrays. Every tick debits those that run, sorts all into UNDER and OVER and picks the next
// 32; every third hands out credits. No slices, no queues, no BOOST, no caps, no stealing, every
// pCPU at one instant. CreditTicks does it without a branch; CreditScan as one would write it down.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
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

// The same with two scans of the vCPUs, first for those that are UNDER, from where the last ended.
// Beyond the first each host has the weights in an order of its own: hosts in step would be one
// pattern that a processor learns by heart, which no hosts of ours are.
class CreditScan {
 public:
  static constexpr std::size_t vcpus = CreditTicks::vcpus;
  static constexpr std::size_t cpus = CreditTicks::cpus;

  explicit CreditScan(std::uint32_t hosts, const std::uint32_t* weights) : hosts_(hosts) {
    std::uint32_t total = 0;
    for (std::size_t at = 0; at < vcpus; ++at) total += weights[at];
    std::array<std::int16_t, vcpus> share;
    for (std::size_t at = 0; at < vcpus; ++at) {
      share[at] = static_cast<std::int16_t>(cpus * CreditTicks::credits * weights[at] / total);
    }
    std::minstd_rand random(1);
    for (Host& host : hosts_) {
      host.share = share;
      for (std::size_t left = vcpus; left > 1; --left)
        std::swap(share[random() % left], share[left - 1]);
    }
  }

  void run(std::uint32_t ticks, std::uint32_t block) {
    for (std::uint32_t done = 0; done < ticks; done += block) {
      for (Host& host : hosts_) {
        for (std::uint32_t k = 0; k < block; ++k) tick(host, (ticks_ + done + k) % 3 == 2);
      }
    }
    ticks_ += ticks;
  }

  std::uint32_t ran(std::size_t vcpu) const { return hosts_[0].ran[vcpu]; }

 private:
  struct Host {
    alignas(64) std::array<std::int16_t, vcpus> credit{};
    std::array<std::int16_t, vcpus> share{};
    std::array<std::uint32_t, vcpus> ran{};
    std::size_t first = 0;
  };

  static void tick(Host& host, bool accounting) {
    constexpr int most = CreditTicks::credits;
    if (accounting) {
      for (std::size_t at = 0; at < vcpus; ++at) {
        const int credit = std::min(host.credit[at] + host.share[at], most);
        host.credit[at] = static_cast<std::int16_t>(credit);
      }
    }
    std::array<std::size_t, cpus> picked;
    std::size_t count = 0;
    for (const bool under : {true, false}) {
      for (std::size_t k = 0; k < vcpus && count < cpus; ++k) {
        const std::size_t at = (host.first + k) % vcpus;
        if ((host.credit[at] > 0) == under) picked[count++] = at;
      }
    }
    for (const std::size_t at : picked) {
      const int credit = std::max(host.credit[at] - CreditTicks::debit, -most);
      host.credit[at] = static_cast<std::int16_t>(credit);
      ++host.ran[at];
    }
    host.first = (host.first + cpus) % vcpus;
  }

  std::vector<Host> hosts_;
  std::uint32_t ticks_ = 0;
};

}  // namespace limits
