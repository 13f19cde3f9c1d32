// Archives of buses and their replays.

#include <algorithm>
#include <tuple>
#include <vector>

#include "world/build_checks.hpp"
#include "world/messages/messaging.hpp"

namespace nephoscope {

namespace {

// Where an event stands in a replay.
struct InReplay {
  std::int64_t minute;
  double drawn;
  std::uint64_t body;
};

bool comes_first(const InReplay& a, const InReplay& b) {
  return std::tie(a.minute, a.drawn) < std::tie(b.minute, b.drawn);
}

}  // namespace

void Messaging::build_replays(const WorldSpec& spec) {
  require(spec.replays.size() < (1U << 20), "replays", "has too many entries");
  for (std::size_t index = 0; index < spec.replays.size(); ++index) {
    const ReplaySpec& from = spec.replays[index];
    require(from.bus < spec.buses.size(), at("replays", index, "bus"), "is not there");
    const BusSpec& bus = spec.buses[from.bus];
    require(bus.archives, at("replays", index, "bus"), "has no archive");
    require(from.since_ns >= 0 && from.since_ns < from.until_ns, at("replays", index, "since"),
            "must lie before the end of the time that is replayed");
    require(from.until_ns <= from.at_ns && from.at_ns <= duration_max,
            at("replays", index, "until"), "must not be later than the replay");
    require(from.rules.empty() || from.rules.size() == bus.rules.size(),
            at("replays", index, "rules"), "must say so of each rule");
    check_becomes(from.becomes, at("replays", index, ""));
    Replay& made = topics_.replays.emplace_back();
    made.rules = from;
    made.bus = topics_.number({Destination::Kind::bus, from.bus});
    const std::uint32_t of_all = spec.message_quotas.puts_per_second;
    const std::uint32_t of_bus = bus.puts_per_second;
    made.pace = InvocationLimit(of_all == 0 || of_bus == 0 ? std::max(of_all, of_bus)
                                                           : std::min(of_all, of_bus));
    const std::string stream = "buses/" + bus.name + "/replays/" + std::to_string(index);
    made.order = Sampler(unit_uniform, stream_key(world_.seed_, world_.replication_, stream));
    expect_replay(static_cast<std::uint32_t>(index), from.at_ns);
  }
}

void Messaging::expect_replay(std::uint32_t replay, std::int64_t time) {
  if (time >= world_.duration_) return;
  world_.calendar_.push(time, payload(EventKind::part, replay_parts + replay));
}

// What was put on a bus, if a replay to come wants it.
void Messaging::keep(std::uint32_t bus, std::uint64_t body) {
  Topic& topic = topics_.all[bus];
  EventArchive& archive = topic.archive;
  const std::uint32_t kind = kind_in(body);
  if (!archive.takes_kind(kind)) return;
  ++archive.archived;
  const std::uint64_t bytes = topic.sizes.empty() ? 0 : topic.sizes[kind];
  topic.entries.archived_bytes += bytes;
  archive.held.add(world_.now_, topic.sizes.empty() ? 1 : bytes);
  for (const Replay& replay : topics_.replays) {
    if (replay.bus != bus || !replay.wants(world_.now_, archive)) continue;
    if (archive.kept.size() >= Topics::kept_max)
      throw Error("more than 2^26 events of an archive wait for a replay");
    archive.kept.push_back({world_.now_, body});
    return;
  }
}

// Its events in their order; what no other replay will want is let go. Of those that go on at a
// time there are so many at most: one more is refused.
void Messaging::begin_replay(Replay& it) {
  EventArchive& archive = topics_.all[it.bus].archive;
  it.begun = 1;
  const auto goes_on = [](const Replay& each) { return each.left() != 0; };
  const auto others = std::count_if(topics_.replays.begin(), topics_.replays.end(), goes_on);
  const bool refused = static_cast<std::size_t>(others) >= Replay::at_once_max;
  archive.refused += refused ? 1U : 0U;
  std::vector<InReplay> places;
  for (const KeptEvent& event : archive.kept) {
    if (refused || !it.wants(event.time, archive)) continue;
    const std::int64_t minute = (event.time - it.rules.since_ns) / Replay::minute_ns;
    places.push_back({minute, it.order.at(places.size(), 0), event.body});
  }
  std::stable_sort(places.begin(), places.end(), comes_first);
  it.bodies.reserve(places.size());
  for (const InReplay& place : places) it.bodies.push_back(place.body);
  const auto waits = [&](const Replay& other) { return other.bus == it.bus && other.begun == 0; };
  if (std::none_of(topics_.replays.begin(), topics_.replays.end(), waits)) archive.kept = {};
}

void Messaging::go_on_with_replay(std::uint32_t replay) {
  Replay& it = topics_.replays[replay];
  if (it.begun == 0) begin_replay(it);
  while (it.left() != 0) {
    const std::int64_t turn = it.has_turn != 0 ? world_.now_ : it.pace.place(world_.now_);
    it.has_turn = turn > world_.now_ ? 1 : 0;
    if (it.has_turn != 0) {
      expect_replay(replay, turn);
      break;
    }
    put_again(replay, it.bodies[it.next++]);
  }
  if (it.left() == 0) {
    it.bodies = {};
    it.next = 0;
  }
  world_.run_ready();
}

// To the targets of the rules that are chosen, as far as they match: nobody puts it, so no limit
// counts, and no archive keeps it again.
void Messaging::put_again(std::uint32_t replay, std::uint64_t body) {
  const Replay& it = topics_.replays[replay];
  Topic& topic = topics_.all[it.bus];
  ++topic.archive.replayed;
  Outgoing message;
  message.body = body_of_replay(told(it.rules.becomes, body), replay);
  const std::uint32_t kind = kind_in(message.body);
  topic.entries.replayed_chunks += topic.chunks(kind);
  for (std::uint32_t each = topic.first; each < topic.first + topic.count; ++each) {
    Subscription& subscription = topics_.subscriptions[each];
    if (!it.serves(subscription.rules.rule) || !subscription.lets_through(kind, world_.now_))
      continue;
    ++subscription.counts.replayed;
    deliver(each, message);
  }
}

}  // namespace nephoscope
