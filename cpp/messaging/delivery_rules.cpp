#include "messaging/delivery_rules.hpp"

#include <algorithm>
#include <string>

#include "kernel/errors.hpp"
#include "kernel/math.hpp"

namespace nephoscope {

std::int64_t DeliveryRules::wait(std::uint32_t retry) const {
  if (retry < immediate) return 0;
  retry -= immediate;
  if (retry < pre_backoff) return min_ns;
  retry -= pre_backoff;
  if (retry >= backoff) return max_ns;
  if (retry == 0) return min_ns;
  const double steps = backoff - 1.0;
  const double low = static_cast<double>(min_ns);
  const double range = static_cast<double>(max_ns - min_ns);
  const double at = retry;
  double wait = 0.0;
  switch (curve) {
    case DeliveryCurve::linear:
      wait = low + range * at / steps;
      break;
    case DeliveryCurve::arithmetic:
      wait = low + range * (at * (at + 1.0)) / (steps * (steps + 1.0));
      break;
    case DeliveryCurve::geometric:
    case DeliveryCurve::exponential:
      wait = low * pow_(static_cast<double>(max_ns) / low, at / steps);
      break;
  }
  return std::clamp(static_cast<std::int64_t>(wait + 0.5), min_ns, max_ns);
}

std::int64_t DeliveryRules::wait(std::uint32_t retry, double u) const {
  const std::int64_t plain = wait(retry);
  if (jitter == DeliveryJitter::none) return plain;
  const std::int64_t least = jitter == DeliveryJitter::full ? 0 : plain / 2;
  return least + static_cast<std::int64_t>(static_cast<double>(plain - least) * u);
}

void DeliveryRules::check() const {
  const auto refuse = [](bool bad, const char* path, const std::string& message) {
    if (bad) throw SpecError(path, message);
  };
  const std::string most = "must be " + std::to_string(retries_max) + " at most";
  refuse(immediate > retries_max, "immediate", most);
  refuse(pre_backoff > retries_max, "pre_backoff", most);
  refuse(backoff > retries_max, "backoff", most);
  refuse(post_backoff > retries_max, "post_backoff", most);
  refuse(curve > DeliveryCurve::exponential, "curve", "is no curve");
  refuse(jitter > DeliveryJitter::equal, "jitter", "is no jitter");
  refuse(min_ns < second || min_ns > wait_max, "min", "must be from 1 s to 1 h");
  refuse(age_ns < 0, "age", "must not be below 0");
  refuse(max_ns < min_ns || max_ns > wait_max, "max", "must be from the least wait to 1 h");
}

}  // namespace nephoscope
