"""Event buses: rules, patterns, targets, retries by number and age, throttles. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fates, fleet, latency, outcome, run, scenario, work

Tree = dict[str, Any]

DELIVERIES = ("delivered", "dead_lettered", "dropped", "pending")
BROKEN = work({"compute": "1s"}, {"fail": 1.0})
ALL: Tree = {"source": [{"exists": True}]}
CAKE, TEA = ({"source": "shop", "detail": {"kind": kind}} for kind in ("cake", "tea"))
CAKES = {"detail": {"kind": ["cake"]}}


def rule(*targets: Any, pattern: Tree = ALL) -> Tree:
    return {"pattern": pattern, "targets": list(targets)}


def ringing(
    traffic: Tree, service: Tree | None = None, bus: Tree | None = None, **keys: Any
) -> Tree:
    """Traffic to the bus `bell`, whose rules are the other keys that hold targets."""
    rules = {name: keys.pop(name) for name in list(keys) if "targets" in keys[name]}
    buses = {"bell": {"rules": rules} | (bus or {})}
    return scenario(traffic, service or work(), buses=buses, **keys)


def told(tree: Tree, name: str = "bell") -> Tree:
    """The figures of the bus, of which nothing is lost."""
    bus = run(tree)["buses"][name]
    for part in bus["rules"].values():
        for target in part["targets"].values():
            assert part["matched"] == sum(target[key] for key in DELIVERIES)
    return bus


def counts(part: Tree, *keys: str) -> tuple[int, ...]:
    return tuple(part[key] for key in keys)


def puts(lab, *times: float, event: Any = CAKE, **keys: Any) -> Tree:
    return lab.at(*times, to="bell", event=event, **keys)


# --- matching ------------------------------------------------------------------------------------


def test_every_rule_that_matches_has_its_targets_served(lab):
    sources = {"cakes": puts(lab, 1, 2), "teas": puts(lab, 3, event=TEA)}
    rules = {"all": rule("a", "b"), "some": rule("c", pattern=CAKES)}
    tree = ringing(sources, **rules, queues={"a": {}, "b": {}, "c": {}})
    bus = told(tree)
    assert counts(bus, "put", "matched", "delivered") == (3, 5, 8)
    assert [bus["rules"][name]["matched"] for name in ("all", "some")] == [3, 2]
    assert [run(tree)["queues"][name]["sent"] for name in "abc"] == [3, 3, 2]


def test_what_no_rule_matches_is_gone(lab):
    rules = {"none": rule("a", pattern={"detail": {"kind": ["bread"]}})}
    tree = ringing(puts(lab, 1, 2), **rules, queues={"a": {}})
    assert counts(told(tree), "put", "matched", "delivered") == (2, 0, 0)


def test_what_is_no_object_matches_nothing(lab):
    sources = {"words": puts(lab, 1, event="cake"), "silence": lab.at(2, to="bell")}
    pattern = {"source": [{"exists": False}]}
    tree = ringing(sources, any=rule("a", pattern=pattern), queues={"a": {}})
    assert counts(told(tree), "put", "matched") == (2, 0)


def test_numbers_are_compared_by_value(lab):
    pattern = {"n": [300]}
    sources = {f"s{i}": puts(lab, i, event={"n": n}) for i, n in enumerate((300, 300.0, "300"), 1)}
    tree = ringing(sources, one=rule("a", pattern=pattern), queues={"a": {}})
    assert told(tree)["matched"] == 2


def test_a_step_puts_and_its_request_goes_on(lab):
    services = {"tell": work({"put": {"to": "bell", "event": TEA}}, {"put": "bell"})}
    fleets = {"web": fleet(), "desks": fleet("tell")}
    source = lab.at(1, to="desks", event=CAKE)
    rules = {"cakes": rule("web", pattern=CAKES), "all": rule("a")}
    tree = ringing(source, services=services, fleets=fleets, **rules, queues={"a": {}})
    assert latency(run(tree)["traffic"]["customers"]) == (0.0, 0.0, 0.0, 0.0)
    bus = told(tree)
    assert [bus["rules"][name]["matched"] for name in ("cakes", "all")] == [1, 2]
    assert fates(run(tree)["fleets"]["web"]) == (1, 0, 0, 0, 0)


def test_a_topic_is_a_target(lab):
    """What it is told it passes on, and its filters see the event."""
    ends = [{"to": "a", "filter": {"detail": {"kind": ["tea"]}}, "filter_scope": "body"}, "b"]
    sources = {"cakes": puts(lab, 1, 2), "teas": puts(lab, 3, event=TEA)}
    topics = {"news": {"subscriptions": ends}}
    tree = ringing(sources, all=rule("news"), topics=topics, queues={"a": {}, "b": {}})
    assert told(tree)["delivered"] == 3
    topic = run(tree)["topics"]["news"]
    assert counts(topic, "published", "delivered", "filtered") == (3, 4, 2)


def test_a_fifo_queue_is_a_target_with_its_group(lab):
    target = {"to": "row", "group": "one"}
    consumer = work(consumes={"queue": "row", "wait": "20s"})
    fleets = {"web": fleet(count=2)}
    tree = ringing(
        puts(lab, 1, 1), consumer, all=rule(target), queues={"row": {"type": "fifo"}}, fleets=fleets
    )
    age = run(tree)["queues"]["row"]["age_s"]
    assert (age["min"], age["max"]) == pytest.approx((1.0, 2.0))


# --- delivering ----------------------------------------------------------------------------------


def test_latency_is_from_the_put_to_the_first_attempt(lab):
    queue = {"queues": {"a": {}}}
    tree = ringing(puts(lab, 1), all=rule("a", "web"), bus={"latency": "500ms"}, **queue)
    early = told(tree | {"duration": "1499ms"})
    assert counts(early, "delivered", "pending") == (0, 2)
    later = told(tree | {"duration": "2400ms"})
    assert counts(later, "delivered", "pending", "retried") == (1, 1, 0)
    assert counts(told(tree), "delivered", "retried") == (2, 0)
    drawn = ringing(puts(lab, 1), all=rule("a"), bus={"latency": {"exponential": "1s"}}, **queue)
    assert counts(told(drawn), "delivered") == (1,)


def test_waits_double_from_a_second_on(lab):
    """Sent at 1 for a second each: again at 3, 6, 11, 20, 37, 70."""
    retry = {"attempts": 6, "jitter": "none"}
    tree = ringing(puts(lab, 1), BROKEN, all=rule({"to": "web", "retry": retry}))
    made = [
        told(tree | {"duration": f"{t}ms"})["retried"]
        for t in (2900, 3100, 6100, 11_100, 20_100, 37_100, 70_100)
    ]
    assert made == [0, 1, 2, 3, 4, 5, 6]
    assert counts(told(tree), "retried", "dropped") == (6, 1)


def test_an_event_is_tried_185_times_unless_told(lab):
    """Refused at once: 1 + 2 + 4 + ... + 512 s and 175 times 512 s are more than a day, so the age
    comes first: at 1 + 1023 + 166 x 512 = 86,016 s, as the next would be too late."""
    service = work({"fail": 1.0})
    target = {"to": "web", "retry": {"jitter": "none"}, "dead_letter": "lost"}
    tree = ringing(puts(lab, 1), service, all=rule(target), queues={"lost": {}}, duration="30h")
    bus = told(tree)
    assert counts(bus, "retried", "dead_lettered") == (10 + 166, 1)
    assert run(tree)["queues"]["lost"]["sent"] == 1
    jittered = {"to": "web", "dead_letter": "lost"}
    tree = ringing(puts(lab, 1), service, all=rule(jittered), queues={"lost": {}}, duration="30h")
    assert counts(told(tree), "retried", "dead_lettered") == (185, 1)


def test_an_event_is_tried_until_its_age(lab):
    """60 s from 1 on: at 2, 4, 8, 16 and 32; 64 would be too late."""
    service = work({"fail": 1.0})
    retry = {"age": "60s", "jitter": "none"}
    tree = ringing(puts(lab, 1), service, all=rule({"to": "web", "retry": retry}))
    assert counts(told(tree), "retried", "dropped") == (5, 1)
    assert counts(told(tree | {"duration": "31s"}), "retried", "pending") == (4, 1)


def test_an_endpoint_has_5_s_for_its_answer(lab):
    slow = work({"sleep": "6s"}, concurrency=9)
    once = {"to": "web", "retry": 0}
    tree = ringing(puts(lab, 1), slow, all=rule(once))
    assert counts(told(tree), "delivered", "dropped") == (0, 1)
    patient = ringing(puts(lab, 1), slow, all=rule(once | {"timeout": "7s"}))
    assert counts(told(patient), "delivered", "dropped") == (1, 0)


def test_dead_letters_belong_to_the_target(lab):
    targets = [{"to": "web", "retry": 0, "dead_letter": "lost"}, {"to": "shop", "retry": 0}]
    fleets = {"web": fleet(), "shop": fleet()}
    tree = ringing(puts(lab, 1), BROKEN, all=rule(*targets), fleets=fleets, queues={"lost": {}})
    parts = told(tree)["rules"]["all"]["targets"]
    assert counts(parts["0"], "dead_lettered", "dropped") == (1, 0)
    assert counts(parts["1"], "dead_lettered", "dropped") == (0, 1)


def test_a_throttled_queue_is_tried_again(lab):
    """300 calls of a FIFO queue a second: the 301st comes a second later."""
    target = {"to": "row", "group": "one", "retry": {"jitter": "none"}}
    tree = ringing(puts(lab, *[1.0] * 301), all=rule(target), queues={"row": {"type": "fifo"}})
    assert counts(told(tree | {"duration": "1900ms"}), "delivered", "pending") == (300, 1)
    assert counts(told(tree), "delivered", "retried") == (301, 1)


def test_puts_beyond_the_limit_are_refused(lab):
    """Two a second: of three at once one is rejected, and the step that puts too many fails."""
    bus = {"put_limit": "2/s"}
    tree = ringing(puts(lab, 1, 1, 1, 2), all=rule("a"), bus=bus, queues={"a": {}})
    assert fates(run(tree)["traffic"]["customers"]) == (3, 1, 0, 0, 0)
    assert counts(told(tree), "put", "throttled", "delivered") == (3, 1, 3)
    services = {"tell": work(*[{"put": {"to": "bell", "event": CAKE}}] * 3)}
    tree = ringing(
        lab.at(1, to="desks"), bus=bus, all=rule("a"), queues={"a": {}}, services=services,
        fleets={"web": fleet(), "desks": fleet("tell")},
    )  # fmt: skip
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert counts(told(tree), "put", "throttled") == (2, 1)


def test_a_client_tries_a_throttled_bus_again(lab):
    source = puts(lab, 1, 1, 1, retry={"attempts": 2, "backoff": {"fixed": "1s"}})
    tree = ringing(source, all=rule("a"), bus={"put_limit": "2/s"}, queues={"a": {}})
    customers = run(tree)["traffic"]["customers"]
    assert (customers["completed"], customers["retries"]) == (3, 1)
    assert counts(told(tree), "put", "throttled") == (3, 1)


# --- as many as may begin in a second ------------------------------------------------------------


def arriving(tree: Tree, *cuts: str) -> list[int]:
    """How many have been delivered before each of these instants."""
    return [told(tree | {"duration": cut})["delivered"] for cut in cuts]


def test_deliveries_beyond_the_limit_wait_for_the_next_second(lab):
    """Two a second of five at 1.5: two then, two at 2 and one at 3. Nobody is refused."""
    bus = {"invocation_limit": "2/s"}
    tree = ringing(puts(lab, *[1.5] * 5), all=rule("a"), bus=bus, queues={"a": {}})
    assert arriving(tree, "1.5s", "1.6s", "2s", "2.1s", "3s", "3.1s") == [0, 2, 2, 4, 4, 5]
    assert counts(told(tree), "put", "delivered", "delayed", "pending") == (5, 5, 3, 0)
    assert fates(run(tree)["traffic"]["customers"]) == (5, 0, 0, 0, 0)
    assert latency(run(tree)["traffic"]["customers"])[3] == 0.0


def test_who_comes_later_waits_behind(lab):
    """One a second: three at 1 take the places at 1, 2 and 3, so that of 2.5 has the one at 4."""
    bus = {"invocation_limit": "1/s"}
    tree = ringing(puts(lab, 1, 1, 1, 2.5), all=rule("a"), bus=bus, queues={"a": {}})
    assert arriving(tree, "2.9s", "3.1s", "3.9s", "4.1s") == [2, 3, 3, 4]
    assert told(tree)["delayed"] == 3


def test_all_targets_of_all_rules_share_the_limit(lab):
    """An event makes four deliveries, of which one has to wait a second."""
    rules = {"all": rule("a", "b"), "some": rule("a", "b", pattern=CAKES)}
    queues: Tree = {"a": {}, "b": {}}
    tree = ringing(puts(lab, 1), **rules, bus={"invocation_limit": "3/s"}, queues=queues)
    assert arriving(tree, "1.1s", "2s", "2.1s") == [3, 3, 4]


def test_every_attempt_takes_a_place(lab):
    """One a second, refused at once and tried again after a second. The first at 1, the second of
    1.9 at 2, the first again at 3 as 2 is taken, the second again at 4."""
    target = {"to": "web", "retry": {"attempts": 1, "jitter": "none"}}
    service = work({"fail": 1.0})
    tree = ringing(puts(lab, 1, 1.9), service, all=rule(target), bus={"invocation_limit": "1/s"})
    made = [told(tree | {"duration": cut})["retried"] for cut in ("3s", "3.1s", "4s", "4.1s")]
    assert made == [0, 1, 1, 2]
    assert counts(told(tree), "delayed", "dropped") == (3, 2)


def test_a_turn_is_asked_for_after_the_latency(lab):
    """Due at 1.5 both: one then, the other at 2."""
    bus = {"latency": "500ms", "invocation_limit": "1/s"}
    tree = ringing(puts(lab, 1, 1), all=rule("a"), bus=bus, queues={"a": {}})
    assert arriving(tree, "1.4s", "1.6s", "2s", "2.1s") == [0, 1, 1, 2]


def test_what_comes_by_a_schedule_takes_places_too(lab):
    """Three at a minute, two of which begin then."""
    rules = {name: {"schedule": "rate(1 minute)", "targets": ["a"]} for name in ("x", "y", "z")}
    bus = {"invocation_limit": "2/s"}
    tree = ringing(puts(lab, 1), **rules, bus=bus, queues={"a": {}})
    assert arriving(tree, "60.1s", "61s", "61.1s") == [2, 2, 3]


def test_a_limit_that_is_never_reached_changes_no_number(lab):
    service = work({"compute": {"exponential": "300ms"}}, {"fail": 0.3})
    traffic = {"to": "bell", "rate": "2/s", "event": CAKE}
    free = ringing(traffic, service, all=rule("web", "a"), queues={"a": {}})
    limited = ringing(
        traffic, service, all=rule("web", "a"), queues={"a": {}}, bus={"invocation_limit": "999/s"}
    )
    assert told(limited) == told(free) | {"delayed": 0}
    for part in ("traffic", "fleets", "queues"):
        assert run(limited)[part] == run(free)[part]


# --- inputs --------------------------------------------------------------------------------------


def sent(lab, given: Tree, policy: Tree, event: Any = CAKE, **keys: Any) -> Tree:
    """The topic that a target is, with a subscription that hears what the policy lets through."""
    ends = [{"to": "a", "filter": policy, "filter_scope": "body"}, "b"]
    target = {"to": "news", "input": given} | keys
    topics = {"news": {"subscriptions": ends}}
    queues: Tree = {"a": {}, "b": {}}
    tree = ringing(puts(lab, 1, event=event), all=rule(target), topics=topics, queues=queues)
    assert counts(told(tree), "matched", "delivered") == (1, 1)
    return run(tree)["topics"]["news"]


def test_a_constant_is_sent_in_the_place_of_the_event(lab):
    topic = sent(lab, {"constant": {"kind": "bread"}}, {"kind": ["bread"]})
    assert counts(topic, "published", "delivered", "filtered") == (1, 2, 0)
    assert sent(lab, {"constant": {"kind": "bread"}}, {"source": ["shop"]})["filtered"] == 1


def test_a_part_of_the_event_is_sent(lab):
    assert sent(lab, {"path": "$.detail"}, {"kind": ["cake"]})["delivered"] == 2
    assert sent(lab, {"path": "$.nowhere"}, {"kind": ["cake"]})["delivered"] == 1


def test_a_transformer_puts_values_into_its_template(lab):
    given = {
        "paths": {"what": "$.detail.kind"},
        "template": '{"x": <what>, "by": <aws.events.rule-name>}',
    }
    topic = sent(lab, {"transformer": given}, {"x": ["cake"], "by": ["all"]})
    assert counts(topic, "delivered", "filtered") == (2, 0)


def test_an_endpoint_passes_on_what_it_was_sent(lab):
    services = {"relay": work({"put": "echo"})}
    fleets = {"web": fleet(), "relays": fleet("relay")}
    target = {"to": "relays", "input": {"path": "$.detail"}}
    buses = {
        "bell": {"rules": {"all": rule(target)}},
        "echo": {"rules": {"cakes": rule("a", pattern={"kind": ["cake"]})}},
    }
    sources = {"cakes": puts(lab, 1, 2), "teas": puts(lab, 3, event=TEA)}
    tree = scenario(sources, fleets=fleets, services=services, buses=buses, queues={"a": {}})
    assert counts(told(tree, "echo"), "put", "matched", "delivered") == (3, 2, 2)


def test_the_event_itself_is_the_dead_letter(lab):
    """What is consumed from the queue for dead letters says what was put."""
    services = {"mourn": work({"put": "echo"}, consumes={"queue": "lost", "wait": "20s"})}
    fleets = {"web": fleet(), "mourners": fleet("mourn")}
    target = {"to": "web", "input": {"constant": {"x": 1}}, "retry": 0, "dead_letter": "lost"}
    buses = {
        "bell": {"rules": {"all": rule(target)}},
        "echo": {"rules": {"cakes": rule("a", pattern=CAKES)}},
    }
    queues: Tree = {"a": {}, "lost": {}}
    tree = scenario(
        puts(lab, 1), BROKEN, fleets=fleets, services=services, buses=buses, queues=queues
    )
    assert told(tree, "bell")["dead_lettered"] == told(tree, "echo")["matched"] == 1


def test_inputs_that_make_ever_more_events_are_refused(lab):
    given = {"template": '{"source": "me", "inner": <aws.events.event.json>}'}
    target = {"to": "a", "input": {"transformer": given}}
    with pytest.raises(ScenarioError, match="inputs make ever more events"):
        run(ringing(puts(lab, 1), all=rule(target), queues={"a": {}}))


# --- what is drawn -------------------------------------------------------------------------------


def depths(tree: Tree) -> list[int]:
    """How many events have come to the queue, every half second."""
    result = outcome(tree | {"series": "500ms", "duration": "50s"})
    pending = result.series("buses.bell.pending")[1]
    depth = result.series("queues.a.depth")[1]
    assert len(set(pending + depth)) == 2  # none at first, then all that were put
    return depth.tolist()


def test_two_sources_draw_apart(lab):
    """One event of each is put at the same instant and comes at another; the first as if alone."""
    latency = {"latency": {"exponential": "10s"}}
    one, two = puts(lab, 1), puts(lab, 1, event=TEA)
    keys = {"bus": latency, "all": rule("a"), "queues": {"a": {}}}
    alone = depths(ringing({"first": one}, **keys))
    both = depths(ringing({"first": one, "second": two}, **keys))
    assert both[-1] == 2
    assert 1 in both
    assert [min(depth, 1) for depth in both].index(1) <= alone.index(1)


# --- around it -----------------------------------------------------------------------------------


def test_what_it_costs(lab):
    """Three events at $1.00, three deliveries by HTTP at $0.20 a million; to a queue, nothing."""
    tree = ringing(puts(lab, 1, 2, 3), all=rule("web", "a"), queues={"a": {}})
    line = run(tree)["cost_usd"]["buses"]["bell"]
    assert line == {"put": 3, "by_http": 3, "usd": pytest.approx(3.6e-6)}


def test_deliveries_to_other_accounts_are_billed_as_events_put(lab):
    """Three events, each to a queue and a topic elsewhere, one of which a queue refuses for good.

    By 64 KiB of them, at $1.00 a million; to the queue at home nothing.
    """
    away = [{"to": name, "other_account": True} for name in ("a", "news")]
    gone = {"to": "b", "other_account": True, "client_errors": 1}
    keys: Tree = {"queues": {"a": {}, "b": {}, "c": {}}, "topics": {"news": {}}}
    tree = ringing(puts(lab, 1, 2, 3), all=rule(*away, gone, "c"), **keys)
    line = run(tree)["cost_usd"]["buses"]["bell"]
    assert line == {"put": 3, "by_http": 0, "other_accounts": 6, "usd": pytest.approx(9e-6)}
    tree["buses"]["bell"]["event_size"] = "65KiB"
    line = run(tree)["cost_usd"]["buses"]["bell"]
    assert (line["requests"], line["other_accounts"]) == (6, 6)
    assert line["usd"] == pytest.approx(18e-6)
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "a, in another account, 185 retries" in words


def test_what_would_not_be_billed_elsewhere_is_refused(lab):
    """An endpoint of HTTP is no account's, and sizes that differ are not known by target."""
    web = ringing(puts(lab, 1), all=rule({"to": "web", "other_account": True}))
    with pytest.raises(ScenarioError, match="other_account has no effect: web is an endpoint"):
        nph.Scenario.model_validate(web)
    away = rule({"to": "a", "other_account": True})
    tree = ringing(puts(lab, 1), all=away, bus={"event_size": "auto"}, queues={"a": {}})
    with pytest.raises(ScenarioError, match="event_size: auto says nothing"):
        nph.Scenario.model_validate(tree)


def test_buses_are_described(lab):
    target = {"to": "web", "retry": {"attempts": 5, "age": "1h"}, "dead_letter": "lost"}
    limits = {"put_limit": "9/s", "invocation_limit": "4/s"}
    tree = ringing(puts(lab, 1), all=rule(target), bus=limits, queues={"lost": {}})
    words = "\n".join(describe(nph.Scenario.model_validate(tree)))
    assert "bell: 1 rules, at most 9/s puts, at most 4/s invocations" in words
    assert "bell.all: to web, 5 retries within 1h, else to lost" in words


def test_events_that_lead_to_events_must_die_out(lab):
    service = work({"compute": "1s"}, {"put": "bell"})
    with pytest.raises(ScenarioError, match="never end: work -> work"):
        run(ringing(puts(lab, 1), service, all=rule("web")))
    topics = {"news": {"subscriptions": ["web"]}}
    with pytest.raises(ScenarioError, match="never end: work -> work"):
        run(ringing(puts(lab, 1), service, all=rule("news"), topics=topics))


def test_states_are_saved_with_what_is_pending(lab):
    said = [{"weight": 1, "event": event} for event in (CAKE, TEA)]
    service = work({"compute": "1s"}, {"fail": 0.5})
    rules = {"all": rule({"to": "web", "dead_letter": "lost"}), "some": rule("a", pattern=CAKES)}
    tree = ringing(
        puts(lab, *range(1, 30), event={"choose": said}), service, **rules,
        queues={"lost": {}, "a": {}}, duration="300s",
        bus={"latency": {"exponential": "3s"}, "put_limit": "3/s", "invocation_limit": "1/s"},
    )  # fmt: skip
    whole = outcome(tree)
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("25s")
    assert first.result()["buses.bell.pending"] > 0
    second = nph.Simulation.load(first.save())
    second.advance("275s")
    assert second.result().fingerprint == whole.fingerprint


# --- mistakes ------------------------------------------------------------------------------------

ROW = {"row": {"type": "fifo"}, "board": {}}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"targets": ["row"]}, ".rules.all.targets.0.group", "group is missing"),
        ({"targets": [{"to": "web", "group": "a"}]}, ".rules.all.targets.0.group", "only messages"),
        ({"targets": [{"to": "board", "timeout": "1s"}]}, ".rules.all.targets.0.timeout", "effect"),
        ({"targets": [{"to": "web", "dead_letter": "row"}]}, ".rules.all.targets.0.dead_letter",
         "not of the right type"),
        ({"targets": ["bell"]}, ".rules.all.targets.0", "is a bus, not"),
        ({"targets": ["nowhere"]}, ".rules.all.targets.0", "is not the name of"),
        ({"targets": []}, ".rules.all.targets", "empty"),
        ({"targets": ["web"] * 6}, ".rules.all.targets", "6 targets are too many"),
        ({"targets": [{"to": "web", "retry": 186}]}, ".rules.all.targets.0.retry",
         "range"),
        ({"targets": [{"to": "web", "retry": {"age": "59s"}}]}, ".rules.all.targets.0.retry.age",
         "range"),
        ({"targets": [{"to": "web", "input": {}}]}, ".rules.all.targets.0.input", "one is needed"),
        ({"targets": [{"to": "web", "input": {"path": "detail"}}]}, ".rules.all.targets.0.input",
         "path"),
        ({"targets": [{"to": "web", "input": {"transformer": {"template": "<a>"}}}]},
         ".rules.all.targets.0.input", "template"),
        ({"pattern": {"a": 1}}, ".rules.all", "pattern: a: "),
        ({"pattern": {"a": [{"prefixx": "b"}]}}, ".rules.all", "did you mean prefix?"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(lab, changes, path, words):
    tree = ringing(puts(lab, 1), all=rule("web") | changes, queues=ROW)
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    found = [problem for problem in caught.value.problems if problem.path == "buses.bell" + path]
    assert [words in problem.render() for problem in found][:1] == [True], caught.value.problems
