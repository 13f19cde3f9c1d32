// What a balancer does with requests before it chooses a target: it lets them wait until their
// connection is open or there is capacity for them, and answers some by itself.
//
// A visit that is kept is at no instance and has no target, as one in a surge queue; it has a timer
// instead of a ticket. When that is over it goes on as if it came then, but that what depends on
// its arrival stays as it was.

#include "world/build_checks.hpp"
#include "world/requests/requests.hpp"

namespace nephoscope {

void World::build_reception(const WorldSpec& spec) {
  for (std::uint32_t index = 0; index < balancers_.size(); ++index) {
    const BalancerSpec& from = spec.balancers[index];
    Balancer& balancer = balancers_[index];
    const std::string stream = "load_balancers/" + from.name;
    if (!from.own_answers.empty()) {
      try {
        const StreamKey key = stream_key(seed_, replication_, stream + "/errors");
        balancer.own = OwnAnswers(from.own_answers, key);
      } catch (const SpecError& error) {
        throw SpecError(at("load_balancers", index, error.path.c_str()), error.what());
      }
      require(!balancer.own.may_wait() || balancer.idle_ns != 0,
              at("load_balancers", index, "errors"),
              "of clients who are idle need an idle timeout");
    }
    if (from.split.into != 1) {
      const std::string path = at("load_balancers", index, "split_requests");
      require(from.split.into >= 1 && from.split.into <= 1'000, path, "are of 1 to 1,000 parts");
      require(from.split.share >= 0.0 && from.split.share <= 1.0, path, "are a share, 0 to 1");
      balancer.split = Split(from.split, stream_key(seed_, replication_, stream + "/split"));
    }
    if (from.connections.keep_alive_ns != 0) {
      const std::string path = at("load_balancers", index, "connections");
      const ConnectionsSpec& told = from.connections;
      require(told.keep_alive_ns > 0 && told.keep_alive_ns <= duration_max &&
                  told.handshake_ns >= 0 && told.handshake_ns <= duration_max,
              path, "have times from 0 to 73 years");
      balancer.connections = Connections(told, balancer.idle_ns, clients_of(spec, index, path));
      clients_matter_ = sticky_ = true;
    }
    balancer.receives = balancers_[balancer.whole].capacity.active() || balancer.own.active() ||
                        balancer.connections.active() || balancer.split.active();
    const bool waits = balancer.connections.active() || balancer.awaits_capacity;
    require(!waits || !balancer.surge.active(), at("load_balancers", index, "surge_queue"),
            "does not go with connections, or with a capacity that is waited for");
  }
}

// The balancer has said what it does with a request that came now.
void World::keep(std::uint32_t at, const Sent& sent, const Request& request) {
  Balancer& balancer = balancers_[at];
  const Reception told = balancer.reception;
  if (told.wait_ns == 0) {
    if (sent.arrival >= warmup_) balancer.own.count(told.answer);
    return refuse(sent, request);
  }
  const std::uint32_t visit = take_visit(sent, request);
  visits_[visit].instance = none;
  visits_[visit].flags |= Visit::waiting;
  visits_[visit].memory = 0;
  const auto index = static_cast<std::uint32_t>(balancers_.size()) + visit;
  if (visit >= kept_.size()) kept_.resize(visit + std::size_t{1});
  const auto timer = calendar_.push(now_ + told.wait_ns, payload(EventKind::surge, index));
  kept_[visit] = {timer, told.answer};
  if (traces_.active()) {
    Tracing(*this).begin(visit);
    Tracing(*this).enter(visit, Span::balancer);
  }
  Caller& caller = caller_of(sent);
  caller.queued += sent.arrival >= warmup_ ? 1 : 0;
  if (caller.timeout_ns != 0) expect_deadline(visit, caller);
}

// What a request was kept for is over.
void World::let_in(std::uint32_t visit) {
  const std::uint32_t answer = kept_[visit].answer;
  kept_[visit] = {};
  const Visit& it = visits_[visit];
  Balancer& balancer = balancers_[caller_of(it).to];
  std::uint32_t target = none;
  if (answer == OwnAnswers::none) {
    const std::uint32_t said = topics_.say_something() ? topics_.said[visit] : 0U;
    target = balancer.choose_target(Asked{it.client, now_, it.traffic, said});
  } else if (it.arrival >= warmup_) {
    balancer.own.count(answer);
  }
  if (target != none) {
    place(visit, balancer, target);
  } else {
    turn_down(visit);
  }
  run_ready();
}

// The balancer answers a request that it has kept.
void World::turn_down(std::uint32_t visit) {
  const Visit& it = visits_[visit];
  Caller& caller = caller_of(it);
  ++caller.ended[static_cast<std::size_t>(Outcome::rejected)];
  if (it.arrival >= warmup_) {
    --caller.queued;
    ++caller.without_target;
  }
  if (traces_.active()) Tracing(*this).end(visit, Outcome::rejected);
  if ((it.flags & Visit::listed) != 0) unlink(visit);
  if ((it.flags & Visit::awaited) != 0) answer_waiting(visit, Outcome::rejected);
  visits_.release(visit);
}

// Who is kept is nowhere else.
void WorldView::check_kept() const {
  for (std::uint32_t visit = 0; visit < kept_.size(); ++visit) {
    if (!is_kept(visit)) continue;
    const Visit& it = visits_[visit];
    const bool agrees = it.instance == none && it.target == none &&
                        (it.flags & (Visit::waiting | Visit::left)) == Visit::waiting &&
                        balancers_[caller_of(it).to].keeps();
    if (!agrees) throw InvariantError("a request that is kept is somewhere else" + where());
  }
}

}  // namespace nephoscope
