// Topics of a world, and who subscribes to them, as plain data.

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "messaging/delivery_rules.hpp"
#include "service/step_spec.hpp"

namespace nephoscope {

struct SubscriptionSpec {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  Destination to;               // a queue, or who answers as an endpoint of HTTP
  std::int64_t timeout_ns = 0;  // that such an endpoint has for its answer
  DeliveryRules retry;
  std::uint32_t dead_letter = none;  // the queue that gets what could not be delivered
  std::vector<std::uint8_t> takes;   // by kind of event: 1: its filter lets it through; empty: all
};

struct TopicSpec {
  std::string name;
  bool fifo = false;
  bool group_deduplication = false;  // of a FIFO topic: an id counts within its group
  std::vector<SubscriptionSpec> subscriptions;
};

}  // namespace nephoscope
