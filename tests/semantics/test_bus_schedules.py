"""Rules of buses with schedules: when they come, whom they serve, what is sent. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from nephoscope.report.html.topology import topology
from nephoscope.scenario.compile import compile_scenario
from nephoscope.scenario.language import event_schedules
from semantics.lab import fates, fleet, outcome, run, work
from semantics.test_buses import ALL, BROKEN, TEA, counts, puts, ringing, told

Tree = dict[str, Any]

EVERY_MINUTE = "rate(1 minute)"
MINUTE = 60 * 10**9
START = "2026-01-01T09:58:00Z"  # a Thursday


def timed(*targets: Any, schedule: Any = EVERY_MINUTE, **keys: Any) -> Tree:
    return {"schedule": schedule, "targets": list(targets), **keys}


def ticking(lab, service: Tree | None = None, **keys: Any) -> Tree:
    """The bus `bell` for five minutes, with rules as in `ringing`; a tea is put at 1 s."""
    keys = {"queues": {"a": {}}, "duration": "5m", "start": START} | keys
    return ringing(puts(lab, 1, event=TEA), service, **keys)


# --- when ----------------------------------------------------------------------------------------


def test_a_rate_counts_from_the_start_of_the_run(lab):
    """At 1, 2, 3 and 4 minutes; the end is not of the run."""
    tree = ticking(lab, tick=timed("a"))
    bus = told(tree)
    assert counts(bus["rules"]["tick"], "scheduled", "matched", "delivered") == (4, 4, 4)
    assert run(tree)["queues"]["a"]["sent"] == 4
    assert told(tree | {"duration": "60s"})["scheduled"] == 0
    assert told(tree | {"duration": "60.000000001s"})["scheduled"] == 1


def test_at_comes_once(lab):
    tree = ticking(lab, tick=timed("a", schedule="at(2026-01-01T10:00:30)"))
    cuts = {cut: told(tree | {"duration": cut})["scheduled"] for cut in ("150s", "151s", "300s")}
    assert cuts == {"150s": 0, "151s": 1, "300s": 1}
    first = ticking(lab, tick=timed("a", schedule="at(2026-01-01T09:58:00)"))
    assert told(first)["scheduled"] == 1  # at the very start
    for never in ("2026-01-01T09:57:59", "2026-01-01T10:03:00"):
        tree = ticking(lab, tick=timed("a", schedule=f"at({never})"))
        assert counts(told(tree), "scheduled", "put") == (0, 1)


def test_cron_follows_the_clock_of_its_zone(lab):
    """10:00, 10:01 and 10:02 in UTC are a quarter to four in the afternoon in Kathmandu."""
    tree = ticking(lab, tick=timed("a", schedule="cron(0/1 10 * * ? *)"))
    assert told(tree)["scheduled"] == 3
    there = {"expression": "cron(45-50 15 ? * THU *)", "zone": "Asia/Kathmandu"}
    assert told(ticking(lab, tick=timed("a", schedule=there)))["scheduled"] == 3
    assert told(ticking(lab, tick=timed("a", schedule="cron(0 11 * * ? *)")))["scheduled"] == 0


# --- windows -------------------------------------------------------------------------------------


def came(tree: Tree, seed: int = 7) -> list[int]:
    """When the schedule came, in nanoseconds: the arrivals of its source."""
    spec = compile_scenario(nph.Scenario.model_validate(tree), seed=seed)
    return list(next(it.arrivals.times_ns for it in spec.traffic if it.name == "bell/tick"))


def in_window(lab, expression: str, window: str, **keys: Any) -> Tree:
    return ticking(
        lab, tick=timed("a", schedule={"expression": expression, "window": window}, **keys)
    )


def test_in_a_window_of_a_minute_it_comes_at_any_second_of_its_minute(lab):
    """Of 10,000 minutes; the mean of uniform instants is off by 5 sigma once in 1.7 million runs,
    and a second has 166.7 of them with a sigma of 12.8, beyond 5.5 of which one of 60 is once in
    400,000.
    """
    tree = in_window(lab, "cron(* * * * ? *)", "1m") | {"duration": "10000m", "start": START}
    times = np.array(came(tree))
    assert len(times) == 10_000
    within = times - np.arange(10_000) * MINUTE
    assert within.min() >= 0
    assert within.max() < MINUTE
    assert abs(within.mean() / MINUTE - 0.5) < 5 / math.sqrt(12 * 10_000)
    seconds = np.bincount(within // 10**9, minlength=60)
    assert abs(seconds - 10_000 / 60).max() < 5.5 * 12.8


def test_unless_told_it_comes_at_the_beginning_of_its_minute(lab):
    tree = ticking(lab, tick=timed("a", schedule="cron(* * * * ? *)"))
    assert came(tree) == [minute * MINUTE for minute in range(5)]


def test_a_flexible_window_may_be_longer_than_the_time_between_two(lab):
    """Each of 5,000 hours comes within its day; they overtake each other, and the core has them
    in order."""
    tree = in_window(lab, "rate(1 hour)", "24h") | {"duration": "5025h"}
    times = np.array(came(tree))
    due = np.arange(1, 5025) * 60 * MINUTE
    assert (np.diff(times) >= 0).all()
    assert len(times) <= len(due)
    assert (times >= due[: len(times)]).all()  # the k-th is not before the k-th is due
    assert len(times) == pytest.approx(5024 - 12, abs=13)


def test_what_a_window_draws_is_of_the_seed_and_of_its_rule_alone(lab):
    tree = in_window(lab, EVERY_MINUTE, "1m")
    other = in_window(lab, EVERY_MINUTE, "1m") | {"duration": "10m"}
    assert came(tree) == came(tree)
    assert came(tree) != came(tree, seed=8)
    assert came(other)[: len(came(tree))] == came(tree)
    assert counts(told(tree), "scheduled", "put") == (len(came(tree)), 1)


def test_what_is_drawn_beyond_the_end_does_not_come(lab):
    """Four minutes, and windows of a day: hardly any of them in these five minutes."""
    tree = in_window(lab, EVERY_MINUTE, "1440m")
    assert told(tree)["scheduled"] == len(came(tree)) < 4


@pytest.mark.parametrize(
    ("window", "words"),
    [("30s", "1m to 1440m"), ("1441m", "1m to 1440m"), ("90s", "no whole number of minutes")],
)
def test_windows_have_1_to_1440_whole_minutes(lab, window, words):
    with pytest.raises(ScenarioError, match=rf"rules\.tick\.schedule.*window(.|\n)*{words}"):
        nph.Scenario.model_validate(in_window(lab, EVERY_MINUTE, window))
    nph.Scenario.model_validate(in_window(lab, EVERY_MINUTE, "24h"))


def test_a_window_is_described(lab):
    words = "\n".join(describe(nph.Scenario.model_validate(in_window(lab, EVERY_MINUTE, "15m"))))
    assert "at rate(1 minute) within 15m" in words


# --- whom ----------------------------------------------------------------------------------------


def test_in_place_of_a_pattern_nothing_that_is_put_matches(lab):
    bus = told(ticking(lab, tick=timed("a")))
    assert counts(bus, "put", "matched", "scheduled") == (1, 4, 4)


def test_beside_a_pattern_both_lead_to_the_targets(lab):
    bus = told(ticking(lab, tick=timed("a", "web", pattern=ALL)))
    assert counts(bus, "put", "matched", "scheduled", "delivered") == (1, 5, 4, 10)


def test_only_the_targets_of_its_own_rule_are_served(lab):
    rules = {"tick": timed("a"), "ear": {"pattern": {"source": ["aws.events"]}, "targets": ["a"]}}
    bus = told(ticking(lab, **rules))
    assert [bus["rules"][name]["matched"] for name in ("tick", "ear")] == [4, 0]
    assert "scheduled" not in bus["rules"]["ear"]


def test_two_schedules_do_not_mix(lab):
    rules = {"often": timed("a"), "seldom": timed("b", schedule="rate(2 minutes)")}
    tree = ticking(lab, **rules, queues={"a": {}, "b": {}})
    bus = told(tree)
    assert [bus["rules"][name]["scheduled"] for name in rules] == [4, 2]
    assert [run(tree)["queues"][name]["sent"] for name in "ab"] == [4, 2]


# --- what ----------------------------------------------------------------------------------------


def heard(lab, policy: Tree, **target: Any) -> Tree:
    """The topic that is told at each minute, with a subscription that hears what is let through."""
    ends = [{"to": "a", "filter": policy, "filter_scope": "body"}]
    topics = {"news": {"subscriptions": ends}}
    tree = ticking(lab, tick=timed({"to": "news", **target}), topics=topics)
    return run(tree)["topics"]["news"]


def test_what_is_sent_is_a_scheduled_event(lab):
    policy = {
        "source": ["aws.events"],
        "detail-type": ["Scheduled Event"],
        "resources": ["rule/tick"],
    }
    assert counts(heard(lab, policy), "published", "delivered", "filtered") == (4, 4, 0)
    assert heard(lab, {"source": ["shop"]})["filtered"] == 4


def test_inputs_are_made_of_the_scheduled_event(lab):
    constant = {"constant": {"kind": "report"}}
    assert heard(lab, {"kind": ["report"]}, input=constant)["delivered"] == 4
    template = {"paths": {"from": "$.source"}, "template": '{"x": <from>}'}
    made = heard(lab, {"x": ["aws.events"]}, input={"transformer": template})
    assert counts(made, "delivered", "filtered") == (4, 0)


def test_an_endpoint_passes_on_what_it_was_sent(lab):
    """The request says the scheduled event, so a rule for it on another bus matches."""
    services = {"relay": work({"put": "echo"})}
    fleets = {"web": fleet(), "relays": fleet("relay")}
    echo = {"rules": {"some": {"pattern": {"source": ["aws.events"]}, "targets": ["a"]}}}
    tree = ticking(lab, tick=timed("relays"), services=services, fleets=fleets)
    tree["buses"]["echo"] = echo
    assert counts(told(tree, "echo"), "put", "matched", "delivered") == (4, 4, 4)


# --- as deliveries are ---------------------------------------------------------------------------


def test_requests_of_a_schedule_are_no_traffic(lab):
    """Four at the fleet, one at the bus: traffic is what comes from outside."""
    tree = ticking(lab, tick=timed("web")) | {"series": "1m"}
    result = run(tree)
    assert list(result["traffic"]) == ["customers"]
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 0, 0)
    assert fates(result["fleets"]["web"])[0] == 4
    state = nph.Simulation(nph.Scenario.model_validate(tree), rng=7).state()
    assert (len(state["next_arrival_ns"]), len(state["in_flight"])) == (1, 1)


def test_what_is_not_taken_is_tried_again(lab):
    """At 240 for a second, again at 242 (after 1 s) and at 245 (after 2 s)."""
    target = {"to": "web", "retry": {"attempts": 2, "jitter": "none"}, "dead_letter": "a"}
    tree = ticking(lab, BROKEN, tick=timed(target, schedule="rate(4 minutes)"))
    cut = {name: told(tree | {"duration": name})["retried"] for name in ("242s", "243s", "246s")}
    assert cut == {"242s": 0, "243s": 1, "246s": 2}
    assert counts(told(tree), "retried", "dead_lettered") == (2, 1)


def test_a_fifo_queue_gets_them_in_the_group_of_the_target(lab):
    queues = {"row": {"type": "fifo"}}
    tree = ticking(lab, tick=timed({"to": "row", "group": "one"}), queues=queues)
    assert run(tree)["queues"]["row"]["sent"] == 4


def test_latency_counts_from_the_instant_of_the_schedule(lab):
    tree = ticking(lab, tick=timed("a"), bus={"latency": "500ms"})
    assert counts(told(tree | {"duration": "60.4s"}), "scheduled", "delivered") == (1, 0)
    assert counts(told(tree | {"duration": "60.6s"}), "scheduled", "delivered") == (1, 1)


def test_a_schedule_is_no_put(lab):
    """Neither limited nor on the bill: three come at once where one put a second is taken."""
    rules = {f"tick{i}": timed("a") for i in range(3)}
    tree = ticking(lab, **rules, bus={"put_limit": "1/s"})
    assert counts(told(tree), "put", "scheduled", "delivered") == (1, 12, 12)
    assert run(tree)["cost_usd"]["buses"]["bell"]["put"] == 1


def test_a_service_may_put_on_the_bus_whose_schedule_it_serves(lab):
    """Without a pattern nothing that it puts comes back to it; with one it does."""
    service = work({"put": {"to": "bell", "event": TEA}})
    tree = ticking(lab, service, tick=timed("web"), tea={"pattern": ALL, "targets": ["a"]})
    assert counts(told(tree), "put", "scheduled") == (5, 4)
    with pytest.raises(ScenarioError, match="never end: work -> work"):
        run(ticking(lab, service, tick=timed("web", pattern=ALL)))


def test_what_it_leads_to_may_call_a_sticky_balancer(lab):
    """A schedule is one client, whom a balancer may give a cookie."""
    fleets = {"web": fleet(), "relays": fleet("relay")}
    tree = ringing(
        puts(lab, 1, event=TEA, clients=5), tick=timed("relays"), fleets=fleets, duration="5m",
        services={"relay": work({"call": "door"})},
        balancers={"door": {"targets": ["web"], "stickiness": "1h"}},
    )  # fmt: skip
    assert fates(run(tree)["load_balancers"]["door"])[0] == 4


def test_a_schedule_changes_no_draw_of_others(lab):
    """What customers do is the same, to the bit, with and without one that does not meet them."""
    service = work({"compute": {"exponential": "700ms"}})
    fleets = {"web": fleet(), "desks": fleet()}
    people = {"to": "desks", "rate": "1/s"}
    tree = ringing(people, service, fleets=fleets, queues={"a": {}}, duration="5m")
    more = ringing(people, service, tick=timed("web"), fleets=fleets, duration="5m")
    assert run(tree)["traffic"] == run(more)["traffic"]


def test_states_are_saved_between_two_instants(lab):
    service = work({"compute": {"exponential": "1s"}}, {"fail": 0.5})
    tree = ticking(lab, service, tick=timed("web", "a"), bus={"latency": {"exponential": "20s"}})
    whole = outcome(tree)
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("125s")
    assert first.result()["buses.bell.scheduled"] == 2
    second = nph.Simulation.load(first.save())
    second.advance("175s")
    assert second.result().fingerprint == whole.fingerprint


# --- words ---------------------------------------------------------------------------------------


def test_schedules_are_described(lab):
    there = {"expression": "cron(0 9 ? * * *)", "zone": "Europe/Berlin"}
    tree = ticking(lab, tick=timed("a"), tock=timed("a", schedule=there))
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "bell.tick: at rate(1 minute), to a" in words
    assert "bell.tock: at cron(0 9 ? * * *) of Europe/Berlin, to a" in words


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"schedule": None}, "", "neither pattern nor schedule"),
        ({"schedule": "rate(1 minutes)"}, ".schedule", "did you mean rate(1 minute)?"),
        ({"schedule": "every minute"}, ".schedule", "is no schedule"),
        ({"schedule": "cron(0 10 * * * *)"}, ".schedule", "one of day of the month"),
        ({"schedule": {"expression": "at(2026-01-01T10:00:00)", "zone": "Berlin"}},
         ".schedule.zone", "is no time zone"),
        ({"schedule": {"expression": "rate(1 minute)", "zone": "UTC"}}, ".schedule",
         "a rate has no zone"),
        ({"schedule": {"zone": "UTC"}}, ".schedule.expression", "missing"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(lab, changes, path, words):
    tree = ticking(lab, tick=timed("a") | changes)
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    at = "buses.bell.rules.tick" + path
    found = [problem for problem in caught.value.problems if problem.path.startswith(at)]
    assert [words in problem.render() for problem in found][:1] == [True], caught.value.problems


def test_a_schedule_that_comes_too_often_is_refused(lab, monkeypatch):
    monkeypatch.setattr(event_schedules, "INSTANTS_MAX", 3)
    with pytest.raises(ScenarioError, match="comes more than 3 times"):
        run(ticking(lab, tick=timed("a")))


def test_the_picture_has_what_came_by_schedules(lab):
    """One put, and four instants of a rule for one queue."""
    tree = ticking(lab, tick=timed("a"))
    scenario = nph.Scenario.model_validate(tree)
    picture = topology(scenario, run(tree), [])
    (bell,) = [node for node in picture.nodes if node.path == "buses.bell"]
    assert bell.load == "1 in, 4 out, 4 scheduled"
