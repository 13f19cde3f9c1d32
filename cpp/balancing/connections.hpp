// Connections of clients to a balancer: one for each, which it opens when it needs one.
//
// A connection is open until it has been so for the keep-alive, or idle for too long since its last
// request or answer. To open one takes the time of the handshake; what its client sends meanwhile
// waits for it, too. Who is no client of a source opens one for each request.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace nephoscope {

struct ConnectionsSpec {
  std::int64_t keep_alive_ns = 0;  // 0: nobody looks at connections
  std::int64_t handshake_ns = 0;
};

class Connections {
 public:
  // Nobody looks at them.
  Connections() = default;
  // `clients` holds how many clients each source has that sends here; idle: 0 is any time.
  Connections(const ConnectionsSpec& spec, std::int64_t idle_ns,
              const std::vector<std::uint64_t>& clients)
      : spec_(spec), idle_(idle_ns == 0 ? for_ever : idle_ns) {
    std::uint64_t first = 0;
    for (const std::uint64_t count : clients) {
      first_.push_back(static_cast<std::uint32_t>(first));
      first += count;
    }
    all_.resize(static_cast<std::size_t>(first));
  }

  bool active() const { return spec_.keep_alive_ns != 0; }

  // A client sends a request. How long it waits until its connection is open.
  std::int64_t wait(std::uint32_t source, std::uint32_t client, std::int64_t now) {
    if (!is_client(source, client)) {
      ++opened_;
      return spec_.handshake_ns;
    }
    Connection& it = all_[first_[source] + client];
    if (!is_open(it, now)) {
      ++opened_;
      it.since = now + spec_.handshake_ns;
    }
    it.used = std::max(now, it.since);
    return it.used - now;
  }

  // An answer has come to the client.
  void answer(std::uint32_t source, std::uint32_t client, std::int64_t now) {
    if (!is_client(source, client)) return;
    Connection& it = all_[first_[source] + client];
    if (is_open(it, now)) it.used = std::max(it.used, now);
  }

  // Since the start, and now. The second is O(clients).
  std::uint64_t opened() const { return opened_; }
  std::uint64_t open(std::int64_t now) const {
    const auto open = [&](const Connection& it) { return is_open(it, now); };
    return static_cast<std::uint64_t>(std::count_if(all_.begin(), all_.end(), open));
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(all_, opened_);
  }

 private:
  static constexpr std::int64_t for_ever = std::int64_t{1} << 61;
  static constexpr std::int64_t never = -(std::int64_t{1} << 61);

  struct Connection {
    std::int64_t since = never;  // the end of the handshake
    std::int64_t used = never;
  };

  bool is_open(const Connection& it, std::int64_t now) const {
    return it.since != never && now < it.since + spec_.keep_alive_ns && now < it.used + idle_;
  }

  bool is_client(std::uint32_t source, std::uint32_t client) const {
    const std::size_t next = source + std::size_t{1};
    const std::size_t end = next < first_.size() ? first_[next] : all_.size();
    return client < end - first_[source];
  }

  ConnectionsSpec spec_;
  std::int64_t idle_ = for_ever;
  std::vector<std::uint32_t> first_;  // by source: the place of its first client's connection
  std::vector<Connection> all_;
  std::uint64_t opened_ = 0;
};

}  // namespace nephoscope
