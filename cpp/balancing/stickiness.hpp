// Stickiness: cookies by which a client comes back to its target.
//
// An answer of a target sets the client's cookie, with the target's slot and a time to live. It
// begins anew with every answer or, where the application says when its sessions end, with those
// alone that begin a session: the client had no cookie, or that of another target. One cookie a
// client, so what is kept is bounded by the clients. Where a cookie names a group, the group's
// number stands in the place of the slot.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

class Stickiness {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t clients_max = std::uint64_t{1} << 24;  // all together

  // There are no cookies.
  Stickiness() = default;
  // `clients` holds how many clients each source has that sends here, at most clients_max together.
  Stickiness(std::int64_t duration_ns, const std::vector<std::uint64_t>& clients,
             bool renewed = true)
      : duration_(duration_ns), renewed_(renewed) {
    std::uint64_t first = 0;
    for (const std::uint64_t count : clients) {
      first_.push_back(static_cast<std::uint32_t>(first));
      first += count;
    }
    cookies_.resize(static_cast<std::size_t>(first));
  }

  bool active() const { return duration_ != 0; }

  // The target that the client's cookie names, `none` if it has none that lives.
  std::uint32_t target_of(std::uint32_t source, std::uint32_t client, std::int64_t now) const {
    if (!is_client(source, client)) return none;
    const Cookie& cookie = cookies_[first_[source] + client];
    return now < cookie.expires ? cookie.slot : none;
  }

  // The client has an answer of that target.
  void renew(std::uint32_t source, std::uint32_t client, std::uint32_t slot, std::int64_t now) {
    if (!is_client(source, client)) return;
    Cookie& cookie = cookies_[first_[source] + client];
    if (!renewed_ && cookie.slot == slot && now < cookie.expires) return;
    cookie = {now + duration_, slot, 0};
  }

  // Whether every cookie names one of that many targets.
  bool names_below(std::uint32_t slots) const {
    for (const Cookie& cookie : cookies_) {
      if (cookie.expires != 0 && cookie.slot >= slots) return false;
    }
    return true;
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(cookies_);
  }

 private:
  struct Cookie {
    std::int64_t expires = 0;
    std::uint32_t slot = none;
    std::uint32_t unused = 0;
  };

  // Who asks for somebody else's sake, as topics do, is no client of the source, and has no cookie.
  bool is_client(std::uint32_t source, std::uint32_t client) const {
    const std::size_t next = source + std::size_t{1};
    const std::size_t end = next < first_.size() ? first_[next] : cookies_.size();
    return client < end - first_[source];
  }

  std::int64_t duration_ = 0;
  bool renewed_ = true;               // by every answer
  std::vector<std::uint32_t> first_;  // by source: the place of its first client's cookie
  std::vector<Cookie> cookies_;
};

}  // namespace nephoscope
