"""Archives of buses and their replays: what is kept, what comes back, when, to whom. One test a
rule, with every number worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from nephoscope.scenario.compile import compile_scenario
from semantics.lab import fleet, outcome, run, work
from semantics.test_buses import CAKE, CAKES, TEA, counts, puts, ringing, rule, told

Tree = dict[str, Any]

QUEUES: Tree = {"a": {}, "b": {}}


def replaying(
    lab, traffic: Tree, *replays: tuple[str, Any], bus: Tree | None = None, **keys: Any
) -> Tree:
    """Traffic to a bus with an archive; replays are instants with what is replayed then."""
    actions = [{"at": at, "replay": what} for at, what in replays]
    bus = {"archive": {}} | (bus or {})
    keys = {"queues": QUEUES} | keys
    return ringing(traffic, bus=bus, actions=actions, **keys)


def both(lab) -> Tree:
    return {"cakes": puts(lab, 1, 2), "teas": puts(lab, 3, event=TEA)}


# --- what comes back -----------------------------------------------------------------------------


def test_what_was_put_comes_to_the_rules_again(lab):
    rules = {"all": rule("a"), "some": rule("b", pattern=CAKES)}
    tree = replaying(lab, both(lab), ("60s", "bell"), **rules)
    bus = told(tree)
    assert counts(bus, "put", "archived", "replayed", "matched") == (3, 3, 3, 10)
    assert [bus["rules"][name]["replayed"] for name in rules] == [3, 2]
    assert [run(tree)["queues"][name]["sent"] for name in "ab"] == [6, 4]
    early = told(tree | {"duration": "60s"})
    assert counts(early, "put", "archived", "replayed") == (3, 3, 0)


def test_an_archive_alone_changes_nothing(lab):
    tree = replaying(lab, both(lab), all=rule("a", "web"))
    bare = ringing(both(lab), all=rule("a", "web"), queues=QUEUES)
    with_archive, without = told(tree), told(bare)
    assert counts(with_archive, "archived", "replayed", "replaying") == (3, 0, 0)
    assert counts(with_archive, "put", "matched") == counts(without, "put", "matched")
    for part in ("traffic", "fleets", "queues"):
        assert run(tree)[part] == run(bare)[part]


def test_a_bus_without_rules_keeps_too(lab):
    bus = told(replaying(lab, both(lab), ("60s", "bell")))
    assert counts(bus, "put", "archived", "replayed", "matched") == (3, 3, 3, 0)


def test_a_replay_is_of_a_time(lab):
    """Of 1, 2, 3 and 4 those from 2 on and before 4."""
    window = {"bus": "bell", "since": "2s", "until": "4s"}
    tree = replaying(lab, puts(lab, 1, 2, 3, 4), ("60s", window), all=rule("a"))
    assert counts(told(tree), "archived", "replayed") == (4, 2)
    until_now = replaying(lab, puts(lab, 1, 2, 3, 4), ("3s", "bell"), all=rule("a"))
    assert told(until_now)["replayed"] == 2


def test_a_replay_to_chosen_rules(lab):
    rules = {"all": rule("a"), "some": rule("b", pattern=CAKES)}
    tree = replaying(lab, both(lab), ("60s", {"bus": "bell", "rules": ["some"]}), **rules)
    bus = told(tree)
    assert [bus["rules"][name]["replayed"] for name in rules] == [0, 2]
    assert [bus["rules"][name]["matched"] for name in rules] == [3, 4]


def test_an_archive_may_keep_what_a_pattern_matches(lab):
    bus = {"archive": {"pattern": CAKES}}
    tree = replaying(lab, both(lab), ("60s", "bell"), bus=bus, all=rule("a"))
    assert counts(told(tree), "put", "archived", "replayed") == (3, 2, 2)


def test_what_has_been_kept_for_the_retention_is_gone(lab):
    """At 60 the events are 59, 30 and 1 seconds old."""
    for retention, left in (("30s", 1), ("30.1s", 2), ("59s", 2), ("1m", 3)):
        bus = {"archive": {"retention": retention}}
        tree = replaying(lab, puts(lab, 1, 30, 59), ("60s", "bell"), bus=bus, all=rule("a"))
        assert told(tree)["replayed"] == left


def test_an_archive_keeps_for_ever_unless_told(lab):
    """Of a year before, too."""
    tree = replaying(lab, puts(lab, 1), ("364d", "bell"), all=rule("a"), duration="365d")
    assert counts(told(tree), "archived", "replayed") == (1, 1)


def test_what_is_replayed_is_not_kept_again(lab):
    tree = replaying(lab, puts(lab, 1), ("10s", "bell"), ("20s", "bell"), all=rule("a"))
    assert counts(told(tree), "archived", "replayed", "delivered") == (1, 2, 3)


def test_neither_what_was_refused_nor_what_came_by_a_schedule_is_kept(lab):
    tick = {"schedule": "rate(1 minute)", "targets": ["a"]}
    bus = {"put_limit": "2/s"}
    tree = replaying(lab, puts(lab, 1, 1, 1), ("90s", "bell"), bus=bus, all=rule("a"), tick=tick)
    assert counts(told(tree), "put", "throttled", "scheduled", "archived") == (2, 1, 1, 2)


def test_a_replay_goes_to_its_own_bus_alone(lab):
    tree = replaying(lab, puts(lab, 1), ("60s", "bell"), all=rule("a"))
    tree["buses"]["echo"] = {"rules": {"every": rule("b")}}
    assert told(tree, "echo")["matched"] == 0


# --- its name -----------------------------------------------------------------------------------

FIRST = {"source": ["shop"], "replay-name": [{"exists": False}]}
AGAIN = {"replay-name": [{"exists": True}]}


def test_a_pattern_tells_what_is_replayed(lab):
    """The first rule has what is put, the second what is replayed, the third both."""
    rules = {
        "first": rule("a", pattern=FIRST),
        "again": rule("b", pattern=AGAIN),
        "all": rule("a", pattern=CAKES),
    }
    bus = told(replaying(lab, puts(lab, 1, 2), ("60s", "bell"), **rules))
    assert [bus["rules"][name]["replayed"] for name in rules] == [0, 2, 2]
    assert [bus["rules"][name]["matched"] for name in rules] == [2, 2, 4]
    assert counts(bus, "put", "archived", "replayed") == (2, 2, 2)


def test_a_replay_has_the_name_that_it_is_given_or_that_of_its_number(lab):
    rules = {
        "yours": rule("a", pattern={"replay-name": ["repair"]}),
        "made": rule("a", pattern={"replay-name": ["replay-2"]}),
        "else": rule("a", pattern={"replay-name": [{"anything-but": ["repair", "replay-2"]}]}),
    }
    repair = {"bus": "bell", "name": "repair", "until": "2s"}
    tree = replaying(lab, puts(lab, 1, 5), ("60s", repair), ("70s", "bell"), **rules)
    bus = told(tree)
    assert [bus["rules"][name]["replayed"] for name in rules] == [1, 2, 0]


def test_two_replays_have_two_names(lab):
    repair = {"bus": "bell", "name": "replay-2"}
    tree = replaying(lab, puts(lab, 1), ("60s", repair), ("70s", "bell"), all=rule("a"))
    with pytest.raises(ScenarioError, match=r"actions\.0\.replay\.name.* another replay"):
        nph.Scenario.model_validate(tree)


def test_an_input_passes_on_the_name_of_the_replay(lab):
    """The target says what the name is, to a topic whose filter asks for it."""
    passed = {"to": "news", "input": {"path": "$.replay-name"}}
    paths = {"name": "$.replay-name"}
    made = {"to": "news", "input": {"transformer": {"paths": paths, "template": '{"by": <name>}'}}}
    by = {"filter": {"by": ["repair"]}, "filter_scope": "body"}
    news = {"subscriptions": [{"to": "a", **by, "raw_delivery": True}]}
    repair = ("60s", {"bus": "bell", "name": "repair"})
    rules = {"all": rule(made, passed)}
    tree = replaying(lab, puts(lab, 1), repair, topics={"news": news}, **rules)
    assert run(tree)["queues"]["a"]["sent"] == 1


def test_a_replayed_event_that_is_put_has_the_name_of_its_own_replay(lab):
    """A worker puts it at 65, 70, ..; what came at 65 is replayed at 68 under another name."""
    rules = {
        "one": rule("a", pattern={"replay-name": ["replay-1"]}),
        "two": rule("b", pattern={"replay-name": ["replay-2"]}),
    }
    late = {"bus": "bell", "since": "60s"}
    replays = (("60s", "bell"), ("68s", late))
    tree = replaying(lab, puts(lab, 1), *replays, duration="69s", **rules)
    # One in a million puts nothing: what went round without end would be refused.
    ends = [{"weight": 1e6, "steps": [{"put": "bell"}]}, {"weight": 1, "steps": [{"sleep": "0s"}]}]
    steps = [{"sleep": "5s"}, {"choose": ends}]
    tree["services"]["again"] = {"consumes": {"queue": "a", "wait": "20s"}, "steps": steps}
    tree["fleets"]["workers"] = fleet("again")
    bus = told(tree)
    assert counts(bus["rules"]["one"], "matched", "replayed") == (2, 1)
    assert counts(bus["rules"]["two"], "matched", "replayed") == (1, 1)


def test_names_cost_nothing_where_nobody_asks_for_them(lab):
    """Else every event would be as many as there are replays, and one."""
    tree = replaying(lab, both(lab), ("60s", "bell"), all=rule("a"), some=rule("b", pattern=CAKES))
    named = replaying(lab, both(lab), ("60s", "bell"), all=rule("a"), some=rule("b", pattern=AGAIN))
    specs = [compile_scenario(nph.Scenario.model_validate(it), seed=1) for it in (tree, named)]
    assert [len(spec.replays[0].becomes) for spec in specs] == [0, 5]


# --- when and how --------------------------------------------------------------------------------


def test_without_a_limit_of_puts_all_comes_at_once(lab):
    tree = replaying(lab, puts(lab, *range(1, 50)), ("60s", "bell"), all=rule("a"))
    assert told(tree | {"duration": "60.000000001s"})["replayed"] == 49


def test_a_replay_is_as_fast_as_puts_may_be(lab):
    """Two a second of five at 60, beside those that are put."""
    bus = {"put_limit": "2/s"}
    times = (1, 2, 3, 4, 5, 60, 60)
    tree = replaying(lab, puts(lab, *times), ("60s", "bell"), bus=bus, all=rule("a"))
    cuts = [told(tree | {"duration": cut}) for cut in ("60.1s", "61.1s", "62.1s")]
    assert [counts(cut, "replayed", "replaying") for cut in cuts] == [(2, 3), (4, 1), (5, 0)]
    assert told(tree)["put"] == 7
    assert "throttled" not in told(tree)


def order(tree: Tree, rng: int = 7) -> list[int]:
    """Of replays that take a second for each event: how many were cakes, after each."""
    simulation = nph.Simulation(nph.Scenario.model_validate(tree), rng=rng)
    simulation.advance("100.5s")
    seen = [simulation.result()["buses.bell.rules.some.replayed"]]
    for _ in range(39):
        simulation.advance("1s")
        seen.append(simulation.result()["buses.bell.rules.some.replayed"])
    return seen


def test_minutes_come_one_after_the_other(lab):
    """Twenty cakes in the first and twenty teas in the second minute."""
    sources = {"cakes": puts(lab, *range(20)), "teas": puts(lab, *range(60, 80), event=TEA)}
    bus = {"put_limit": "1/s"}
    some = rule("a", pattern=CAKES)
    tree = replaying(lab, sources, ("100s", "bell"), bus=bus, some=some, duration="200s")
    assert order(tree) == [*range(1, 21), *[20] * 20]


def test_minutes_count_from_the_first_instant_of_the_replay(lab):
    """From 10 on those of 10 to 69 are one minute: cakes and teas mix."""
    sources = {"cakes": puts(lab, *range(10, 30)), "teas": puts(lab, *range(50, 70), event=TEA)}
    bus = {"put_limit": "1/s"}
    some = rule("a", pattern=CAKES)
    replay = {"bus": "bell", "since": "10s"}
    tree = replaying(lab, sources, ("100s", replay), bus=bus, some=some, duration="200s")
    seen = order(tree)
    assert (seen[-1], told(tree)["replayed"]) == (20, 40)
    assert seen != [*range(1, 21), *[20] * 20]


def test_within_a_minute_the_order_is_drawn(lab):
    sources = {
        "cakes": puts(lab, *range(0, 40, 2)),
        "teas": puts(lab, *range(1, 40, 2), event=TEA),
    }
    bus = {"put_limit": "1/s"}
    some = rule("a", pattern=CAKES)
    tree = replaying(lab, sources, ("100s", "bell"), bus=bus, some=some, duration="200s")
    kept = [(i + 2) // 2 for i in range(40)]
    first, second = order(tree, 7), order(tree, 8)
    assert first[-1] == second[-1] == 20
    assert kept != first != second != kept
    assert first == order(tree, 7)


def test_a_fifo_queue_takes_it_for_another_message(lab):
    """It is no duplicate of what was sent within five minutes."""
    target = {"to": "row", "group": "one"}
    queues = {"row": {"type": "fifo"}}
    tree = replaying(lab, puts(lab, 1), ("60s", "bell"), all=rule(target), queues=queues)
    assert run(tree)["queues"]["row"]["sent"] == 2
    assert "deduplicated" not in run(tree)["queues"]["row"]


def test_a_replayed_event_draws_its_work_anew(lab):
    service = work({"compute": {"exponential": "1s"}})
    tree = replaying(lab, puts(lab, 1), ("60s", "bell"), all=rule("web"), service=service)
    times = run(tree)["fleets"]["web"]["latency_s"]
    assert times["count"] == 2
    assert times["min"] != times["max"]


def test_limits_of_deliveries_hold_for_replays(lab):
    bus = {"invocation_limit": "2/s"}
    tree = replaying(lab, puts(lab, 1, 2, 3), ("60s", "bell"), bus=bus, all=rule("a"))
    assert told(tree | {"duration": "60.1s"})["delivered"] == 3 + 2
    assert counts(told(tree), "replayed", "delivered", "delayed") == (3, 6, 1)


def test_states_are_saved_within_a_replay(lab):
    said = [{"weight": 1, "event": event} for event in (CAKE, TEA)]
    traffic = puts(lab, *range(1, 50), event={"choose": said})
    rules = {"all": rule("web"), "some": rule("a", pattern=CAKES)}
    replays = [("60s", "bell"), ("80s", {"bus": "bell", "since": "20s"})]
    tree = replaying(lab, traffic, *replays, bus={"put_limit": "1/s"}, duration="200s", **rules)
    whole = outcome(tree)
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("70s")
    assert first.result()["buses.bell.replaying"] > 0
    second = nph.Simulation.load(first.save())
    second.advance("130s")
    assert second.result().fingerprint == whole.fingerprint
    assert second.result()["buses.bell.replayed"] == 49 + 30


# --- around it -----------------------------------------------------------------------------------


def test_a_replay_costs_what_puts_cost(lab):
    tree = replaying(lab, both(lab), ("60s", "bell"), all=rule("a"))
    line = run(tree)["cost_usd"]["buses"]["bell"]
    assert line == {"put": 3, "replayed": 3, "by_http": 0, "usd": pytest.approx(6e-6)}


def test_archives_and_replays_are_described(lab):
    bus = {"archive": {"retention": "7d", "pattern": CAKES}}
    replay = {"bus": "bell", "since": "2s", "until": "40s", "rules": ["all"]}
    tree = replaying(lab, both(lab), ("60s", replay), bus=bus, all=rule("a"))
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "bell: 1 rules, archived by a pattern for 7d" in words
    assert "at 1m: replay what bell got from 2s to 40s, to all" in words
    plain = replaying(lab, both(lab), ("60s", "bell"), all=rule("a"))
    words = "\n".join(describe(nph.Scenario.model_validate(plain)))
    assert "bell: 1 rules, archived for ever" in words
    assert "at 1m: replay what bell got from 0s to 1m" in words


@pytest.mark.parametrize(
    ("replay", "path", "words"),
    [
        ("bel", "", "did you mean bell?"),
        ("a", "", "is a queue, not a bus"),
        ({"bus": "dumb"}, ".bus", "has no archive"),
        ("dumb", "", "has no archive"),
        ({"bus": "bell", "since": "30s", "until": "30s"}, ".since", "is not before"),
        ({"bus": "bell", "until": "61s"}, ".until", "is later than the replay at 1m"),
        ({"bus": "bell", "rules": ["al"]}, ".rules.0", "did you mean all?"),
        ({"bus": "bell", "rules": []}, ".rules", "empty"),
        ({"since": "1s"}, ".bus", "missing"),
    ],
)
def test_mistakes_of_replays_are_told_with_their_place(lab, replay, path, words):
    tree = replaying(lab, both(lab), ("60s", replay), all=rule("a"))
    tree["buses"]["dumb"] = {}
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    at = f"actions.0.replay{path}"
    found = [problem for problem in caught.value.problems if problem.path == at]
    assert [words in problem.render() for problem in found][:1] == [True], caught.value.problems


def test_a_pattern_of_an_archive_is_read(lab):
    bus = {"archive": {"pattern": {"a": [{"prefixx": "b"}]}}}
    with pytest.raises(ScenarioError, match="did you mean prefix"):
        run(replaying(lab, both(lab), bus=bus, all=rule("a")))


def test_one_action_at_a_time(lab):
    tree = replaying(lab, both(lab), ("60s", "bell"), all=rule("a"))
    tree["actions"][0]["stop"] = "web"
    with pytest.raises(ScenarioError, match="not one action"):
        run(tree)


# --- when, and how many --------------------------------------------------------------------------


def test_an_archive_has_events_late(lab):
    """What was put in the last 10 minutes before a replay is not there for it yet."""
    tree = replaying(
        lab, puts(lab, 1, 60, 61, 100), ("660s", "bell"), bus={"archive": {"lag": "10m"}},
        all=rule("a"), duration="2000s",
    )  # fmt: skip
    assert counts(told(tree), "archived", "replayed") == (4, 2)
    tree["buses"]["bell"]["archive"] = {}
    assert told(tree)["replayed"] == 4


def test_ten_replays_go_on_at_a_time(lab):
    """With one put in a second each of twelve takes 3 s: the last two are refused."""
    events = puts(lab, 1, 2, 3)
    at = [f"{60 + i / 10}s" for i in range(12)] + ["70s"]
    tree = replaying(
        lab, events, *((when, "bell") for when in at), bus={"put_limit": "1/s"}, all=rule("a")
    )
    bell = told(tree)
    assert counts(bell, "replayed", "refused_replays", "replaying") == (33, 2, 0)
