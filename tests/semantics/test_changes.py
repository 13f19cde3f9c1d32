"""What changes in a run: filters, rules, and subscriptions that are confirmed. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from nephoscope.scenario.compile import compile_scenario
from semantics.lab import outcome, run, scenario, work
from semantics.test_buses import CAKE, CAKES, TEA, counts, puts, ringing, rule, told

Tree = dict[str, Any]

SECOND = 10**9
TEAS = {"detail": {"kind": ["tea"]}}
CAKE_POLICY, TEA_POLICY = {"kind": ["cake"]}, {"kind": ["tea"]}
START = "2026-01-01T09:58:00Z"


# --- filters -------------------------------------------------------------------------------------


def shouting(lab, *times: float, end: Tree | None = None, **keys: Any) -> Tree:
    """Cakes are published; the filter of the queue `a` lets teas through until it changes."""
    one = {"to": "a", "filter": TEA_POLICY} | (end or {})
    traffic = lab.at(*times, to="ready", attributes={"kind": "cake"})
    topics = {"ready": {"subscriptions": [one]} | keys.pop("topic", {})}
    return scenario(traffic, **{"topics": topics, "queues": {"a": {}}} | keys)


def changed(at: str, takes: str | None = None, **keys: Any) -> Tree:
    return {"at": at, **keys} | ({} if takes is None else {"propagation": takes})


def heard(tree: Tree) -> tuple[int, ...]:
    topic = run(tree)["topics"]["ready"]
    assert topic["published"] == topic["delivered"] + topic["filtered"] + topic["pending"]
    return counts(topic, "delivered", "filtered")


def effects(tree: Tree, seeds: int = 40) -> list[float]:
    """When the first change takes effect, in seconds, by seed."""
    made = nph.Scenario.model_validate(tree)
    specs = [compile_scenario(made, seed=seed) for seed in range(seeds)]
    whole = [(it.topics[0].subscriptions if it.topics else it.buses[0].targets) for it in specs]
    return [it[0].changes[0].at_ns / SECOND for it in whole]


def test_a_changed_filter_counts_when_its_time_is_over(lab):
    """From 3.5 s on; at once it counts from the very instant on."""
    later = {"changes": [changed("2s", "1500ms", filter=CAKE_POLICY)]}
    assert heard(shouting(lab, 1, 2, 3, 4, 5, 6, end=later)) == (3, 3)
    at_once = {"changes": [changed("2s", "0s", filter=CAKE_POLICY)]}
    assert heard(shouting(lab, 1, 2, 3, 4, 5, 6, end=at_once)) == (5, 1)


def test_a_changed_filter_takes_up_to_15_min_unless_told(lab):
    """Anything from 0 to 15 min, all alike."""
    tree = shouting(lab, 1, end={"changes": [changed("100s", filter=CAKE_POLICY)]})
    found = [at - 100.0 for at in effects(tree)]
    assert 0.0 <= min(found) < 150.0
    assert 750.0 < max(found) <= 900.0
    assert sum(found) / len(found) == pytest.approx(450.0, rel=0.25)


def test_a_filter_that_is_left_out_is_gone(lab):
    end = {"changes": [changed("2s", "0s")]}
    assert heard(shouting(lab, 1, 2, 3, end=end)) == (2, 1)


def test_a_change_that_a_later_one_overtakes_never_counts(lab):
    """Cakes would count from 12 s on; teas count from 5 s on, and so they do at 13 s."""
    first = changed("2s", "10s", filter=CAKE_POLICY)
    later = changed("4s", "1s", filter=TEA_POLICY)
    assert heard(shouting(lab, 3, 6, 13, end={"changes": [first]})) == (1, 2)
    assert heard(shouting(lab, 3, 6, 13, end={"changes": [first, later]})) == (0, 3)


def test_what_was_let_through_is_delivered_whatever_changes(lab):
    """Sent at 2 s after a latency of 1 s, when the filter lets it through no more."""
    end = {"filter": CAKE_POLICY, "changes": [changed("1500ms", "0s", filter=TEA_POLICY)]}
    assert heard(shouting(lab, 1, 1.6, end=end, topic={"latency": "1s"})) == (1, 1)


def test_a_changed_filter_of_bodies_is_billed(lab):
    """It looks at bodies from the start of its first filter; one GB of them is $0.09."""
    end = {"filter_scope": "body", "changes": [changed("2s", "0s", filter=CAKE_POLICY)]}
    tree = shouting(lab, 1, 2, end=end | {"filter": None}, topic={"message_size": "1KiB"})
    assert run(tree)["cost_usd"]["topics"]["ready"]["scanned_gb"] == pytest.approx(2 * 1024e-9)


def test_changes_of_a_filter_are_checked(lab):
    bad = {"changes": [changed("1s", filter={"kind": [{"prefixx": "c"}]})]}
    with pytest.raises(ScenarioError, match=r"subscriptions\.0(.|\n)*changes\.0\.filter: "):
        nph.Scenario.model_validate(shouting(lab, 1, end=bad))
    back = {"changes": [changed("2s"), changed("2s")]}
    with pytest.raises(ScenarioError, match="changes: one at 2s behind one at 2s"):
        nph.Scenario.model_validate(shouting(lab, 1, end=back))


# --- confirmations -------------------------------------------------------------------------------


def test_nothing_is_delivered_before_a_subscription_is_confirmed(lab):
    """At 2.5 s; what was published before is neither filtered nor kept."""
    end = {"filter": None, "confirmed_after": "2500ms"}
    topic = run(shouting(lab, 1, 2, 2.5, 3, end=end))["topics"]["ready"]
    assert counts(topic, "published", "unconfirmed", "delivered", "filtered") == (4, 2, 2, 0)
    assert topic["subscriptions"]["0"]["unconfirmed"] == 2
    plain = run(shouting(lab, 1))["topics"]["ready"]
    assert "unconfirmed" not in plain


def test_who_never_confirms_gets_nothing(lab):
    end = {"to": "web", "filter": None, "confirmed_after": "never"}
    tree = shouting(lab, 1, 2, end=end)
    assert counts(run(tree)["topics"]["ready"], "unconfirmed", "delivered") == (2, 0)
    assert run(tree)["fleets"]["web"]["completed"] == 0


def test_what_asks_for_a_confirmation_is_valid_for_two_days(lab):
    for good in ("0s", "48h", "never"):
        nph.Scenario.model_validate(shouting(lab, 1, end={"confirmed_after": good}))
    with pytest.raises(ScenarioError, match=r"confirmed_after(.|\n)*no longer valid"):
        nph.Scenario.model_validate(shouting(lab, 1, end={"confirmed_after": "49h"}))


def test_mail_is_confirmed_and_text_messages_are_not(lab):
    def mail(endpoint: str) -> Tree:
        tree = shouting(lab, 1, 2)
        one = {"endpoint": endpoint, "confirmed_after": "1500ms"}
        one |= {"usd_per_message": 0.01} if endpoint == "sms" else {}
        tree["topics"]["ready"]["subscriptions"] = [one]
        return tree

    topic = run(mail("email"))["topics"]["ready"]
    assert counts(topic, "unconfirmed", "delivered") == (1, 1)
    with pytest.raises(ScenarioError, match="sms confirms nothing"):
        nph.Scenario.model_validate(mail("sms"))


# --- subscriptions that are made in the run ------------------------------------------------------


def joining(lab, at: str, count: int, *times: float, region: str = "us-east-1") -> Tree:
    """So many readers of mail subscribe at an instant; the region has its quotas."""
    tree = shouting(lab, *times, provider={"region": region, "quotas": "enforced"})
    mail = {"endpoint": "email", "subscribed_at": at}
    tree["topics"] |= {name: {"subscriptions": [mail] * count} for name in ("one", "two")}
    tree["traffic"] |= {f"to-{name}": lab.at(*times, to=name) for name in ("one", "two")}
    return tree


def delivered(tree: Tree) -> list[int]:
    return [run(tree)["topics"][name]["delivered"] for name in ("one", "two")]


def test_who_subscribes_in_the_run_gets_what_is_published_from_then_on(lab):
    """And confirms after that, so that it gets but the last."""
    end = {"filter": None, "subscribed_at": "2s"}
    topic = run(shouting(lab, 1, 2, 3, 4, end=end))["topics"]["ready"]
    assert counts(topic, "published", "unconfirmed", "delivered") == (4, 1, 3)
    end["confirmed_after"] = "1500ms"
    topic = run(shouting(lab, 1, 2, 3, 4, end=end))["topics"]["ready"]
    assert counts(topic, "unconfirmed", "delivered") == (3, 1)
    words = "\n".join(describe(nph.Scenario.model_validate(shouting(lab, 1, end=end))))
    assert "subscribed at 2s, confirmed after 1.5s" in words


def test_a_hundred_subscribe_in_a_second_and_more_wait(lab):
    """130 of two topics at 2.5 s: 100 at once, in the order of the scenario, 30 at 3 s."""
    assert delivered(joining(lab, "2500ms", 65, 2.5)) == [65, 35]
    assert delivered(joining(lab, "2500ms", 65, 2.999)) == [65, 35]
    assert delivered(joining(lab, "2500ms", 65, 3)) == [65, 65]
    assert delivered(joining(lab, "2500ms", 150, 2.5, 3, 4)) == [100 + 2 * 150, 50 + 150]


def test_those_that_wait_take_the_room_of_those_who_come_later(lab):
    """150 at 1.5 s take 50 of the second that begins at 2 s; of 60 at 2.5 s ten come at 3 s."""
    tree = joining(lab, "1500ms", 150, 2.5, 3)
    tree["topics"]["two"]["subscriptions"] = [{"endpoint": "email", "subscribed_at": "2500ms"}] * 60
    assert delivered(tree) == [300, 50 + 60]


def test_what_is_there_from_the_start_is_no_call_and_without_quotas_none_waits(lab):
    assert delivered(joining(lab, "0s", 150, 0.5)) == [150, 150]
    free = joining(lab, "2500ms", 150, 2.5)
    del free["provider"]
    assert delivered(free) == [150, 150]


def test_a_filter_does_not_change_before_who_has_it_subscribes(lab):
    end = {"subscribed_at": "3s", "changes": [changed("2s")]}
    with pytest.raises(ScenarioError, match="changes: one at 2s, before it subscribes"):
        nph.Scenario.model_validate(shouting(lab, 1, end=end))


# --- rules ---------------------------------------------------------------------------------------


def changing(lab, *times: float, **keys: Any) -> Tree:
    """Teas are put; the rule `one` is for cakes until it changes."""
    changes = keys.pop("changes")
    one = rule("a", pattern=CAKES) | {"changes": changes} | keys.pop("rule", {})
    keys = {"queues": {"a": {}}, "start": START} | keys
    return ringing(puts(lab, *times, event=TEA), one=one, **keys)


def test_a_changed_rule_counts_when_its_time_is_over(lab):
    later = changing(lab, 1, 2, 3, 4, 5, 6, changes=[changed("2s", "1500ms", pattern=TEAS)])
    assert counts(told(later), "put", "matched", "delivered") == (6, 3, 3)
    at_once = changing(lab, 1, 2, 3, 4, 5, 6, changes=[changed("2s", "0s", pattern=TEAS)])
    assert told(at_once)["matched"] == 5


def test_a_changed_rule_needs_a_short_while_unless_told(lab):
    """Up to a minute, all alike."""
    tree = changing(lab, 1, changes=[changed("100s", pattern=TEAS)])
    found = [at - 100.0 for at in effects(tree)]
    assert 0.0 <= min(found) < 10.0
    assert 50.0 < max(found) <= 60.0


def test_a_change_of_a_rule_replaces_everything_but_its_targets(lab):
    """The pattern is gone at 90 s, and the schedule, which counts anew from then, at 200 s.

    Teas match at 10 and 80 s, and at 210 and 220 s; a schedule of a minute comes at 60 s, and at
    150 s.
    """
    both = {"pattern": TEAS, "schedule": "rate(1 minute)"}
    changes = [
        changed("90s", "0s", schedule="rate(1 minute)"),
        changed("200s", "0s", pattern=TEAS),
    ]
    times = (10, 80, 100, 190, 210, 220)
    tree = changing(lab, *times, rule=both, changes=changes, duration="5m")
    bus = told(tree)
    assert counts(bus, "put", "matched", "scheduled", "delivered") == (6, 6, 2, 6)
    assert run(tree)["queues"]["a"]["sent"] == 6
    cuts = {cut: told(tree | {"duration": cut})["scheduled"] for cut in ("60s", "149s", "151s")}
    assert cuts == {"60s": 0, "149s": 1, "151s": 2}


def test_a_change_has_a_pattern_or_a_schedule(lab):
    where = r"buses\.bell\.rules\.one\.changes\.0(.|\n)*neither pattern nor schedule"
    with pytest.raises(ScenarioError, match=where):
        nph.Scenario.model_validate(changing(lab, 1, changes=[changed("1s")]))
    many = [changed(at, pattern=TEAS) for at in ("3s", "1s")]
    with pytest.raises(ScenarioError, match="changes: one at 1s behind one at 3s"):
        nph.Scenario.model_validate(changing(lab, 1, changes=many))


def test_a_rule_is_enabled_and_disabled(lab):
    """A new rule: it matches from 2.5 s on, and no more from 4.5 s on."""
    changes = [
        changed("2s", "500ms", pattern=TEAS),
        changed("4s", "500ms", pattern=TEAS, enabled=False),
    ]
    tree = changing(lab, 1, 2, 3, 4, 5, rule={"enabled": False, "pattern": TEAS}, changes=changes)
    assert counts(told(tree), "put", "matched") == (5, 2)


def test_the_schedule_of_a_disabled_rule_does_not_come(lab):
    """A rate counts from the change that enables it: at 90, 150 and 210 s."""
    ticks = {"pattern": None, "schedule": "rate(1 minute)", "enabled": False}
    changes = [changed("30s", "0s", schedule="rate(1 minute)")]
    bus = told(changing(lab, 1, rule=ticks, changes=changes, duration="4m"))
    assert counts(bus, "scheduled", "matched") == (3, 3)
    stays = [changed("30s", "0s", schedule="rate(1 minute)", enabled=False)]
    assert told(changing(lab, 1, rule=ticks, changes=stays, duration="4m"))["matched"] == 0


def test_a_schedule_of_the_clock_goes_by_the_clock_after_a_change(lab):
    """It is 10:00 two minutes after the start: from 150 s on only 10:01 and 10:02 are left."""
    minutes = "cron(0-2 10 * * ? *)"
    tree = changing(lab, 1, changes=[changed("150s", "0s", schedule=minutes)], duration="10m")
    assert told(tree)["scheduled"] == 2
    first = changing(lab, 1, changes=[changed("0s", "0s", schedule=minutes)], duration="10m")
    assert told(first)["scheduled"] == 3


def test_targets_get_what_their_input_makes_of_what_the_new_rule_matches(lab):
    target = {"to": "news", "input": {"path": "$.detail"}}
    only = {"to": "a", "filter": {"kind": ["tea"]}, "filter_scope": "body"}
    one = rule(target, pattern=CAKES) | {"changes": [changed("2s", "0s", pattern=TEAS)]}
    sources = {"teas": puts(lab, 1, 3, event=TEA), "cakes": puts(lab, 1, 3, event=CAKE)}
    topics = {"news": {"subscriptions": [only]}}
    tree = ringing(sources, one=one, queues={"a": {}}, topics=topics)
    assert told(tree)["matched"] == 2
    assert counts(run(tree)["topics"]["news"], "published", "delivered", "filtered") == (2, 1, 1)


def test_a_replay_goes_by_the_rule_as_it_is_then(lab):
    """None of the two matched when it was put; both do at 10 s."""
    tree = changing(
        lab, 1, 2, changes=[changed("5s", "0s", pattern=TEAS)], bus={"archive": {}},
        actions=[{"at": "10s", "replay": "bell"}],
    )  # fmt: skip
    bus = told(tree)
    assert counts(bus, "put", "matched", "replayed", "delivered") == (2, 2, 2, 2)


def test_what_a_rule_will_match_may_not_lead_back_to_it(lab):
    """A rule with a schedule alone leads nowhere from a put, until it has a pattern."""

    def back(*changes: Tree, pass_on: list[Tree]) -> Tree:
        ticks = {"schedule": "rate(1 minute)", "targets": [{"to": "web", "retry": 0}]}
        one = ticks | {"changes": list(changes)}
        return ringing(puts(lab, 1), work(*pass_on), one=one, start=START)

    matches = changed("50s", "0s", pattern={"source": [{"exists": True}]})
    always = [{"compute": "1s"}, {"put": "bell"}]
    assert told(back(changed("50s", schedule="rate(1 hour)"), pass_on=always))["put"] == 1
    with pytest.raises(ScenarioError, match="never end: work -> work"):
        run(back(matches, pass_on=always))
    often = [{"weight": 2, "steps": [{"sleep": "1s"}]}, {"weight": 3, "steps": always}]
    with pytest.raises(ScenarioError, match="grow without end"):
        run(back(matches | {"schedule": "rate(1 minute)"}, pass_on=[{"choose": often}] * 2))


# --- around it -----------------------------------------------------------------------------------


def test_changes_are_described(lab):
    end = {"changes": [changed("2s", filter=CAKE_POLICY)], "confirmed_after": "3s"}
    words = "\n".join(describe(nph.Scenario.model_validate(shouting(lab, 1, end=end))))
    assert "a, filtered by attributes, from 2s filtered by attributes, confirmed after 3s" in words
    changes = [
        changed("1s", schedule="rate(1 hour)"),
        changed("2s", pattern=TEAS),
        changed("3s", pattern=TEAS, enabled=False),
    ]
    tree = changing(lab, 1, changes=changes, rule={"enabled": False})
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    line = "disabled, from 1s at rate(1 hour), from 2s another pattern, from 3s disabled, to a"
    assert f"bell.one: {line}" in words


def test_states_are_saved_before_a_change(lab):
    """Forks and what was saved go on as if nothing had been."""
    end = {"changes": [changed("30s", filter=CAKE_POLICY)], "confirmed_after": "20s"}
    topic = {"latency": {"exponential": "5s"}}
    tree = shouting(lab, *range(1, 90), end=end, topic=topic, duration="1000s")
    tree["traffic"]["customers"]["to"] = "bell"
    one = rule("ready", pattern={"detail": {"kind": ["tea"]}})
    one["changes"] = [changed("40s", "1s", pattern=CAKES)]
    tree["buses"] = {"bell": {"rules": {"one": one}}}
    tree["traffic"]["customers"]["event"] = CAKE
    del tree["traffic"]["customers"]["attributes"]
    tree["topics"]["ready"]["subscriptions"][0] |= {
        "filter_scope": "body", "filter": TEAS,
        "changes": [changed("50s", "5s", filter=CAKES)],
    }  # fmt: skip
    whole = outcome(tree)
    assert whole["buses.bell.matched"] == 49
    assert whole["topics.ready.delivered"] == 35
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("45s")
    second = nph.Simulation.load(first.save())
    third = first.fork()
    for each in (first, second, third):
        each.advance("955s")
        assert each.result().fingerprint == whole.fingerprint
