"""What is told of deliveries of a bus that were given up: why, and to whom. One test a rule.

Every number is worked out by hand; work takes a second unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import fleet, outcome, run, scenario
from semantics.test_buses import BROKEN, CAKE, TEA, counts, puts, ringing, rule, told

Tree = dict[str, Any]

QUEUES: Tree = {"lost": {}}
CAKE_IN_BODY = {"detail": {"kind": ["cake"]}}


def given_up(tree: Tree, target: str = "0") -> Tree:
    """Of a target of the rule `all`: failures and ends that are not 0, and retries."""
    part = told(tree)["rules"]["all"]["targets"][target]
    found = part["given_up"]
    for key in ("failures", "ends"):
        assert sum(found[key].values()) == part["dead_lettered"] + part["dropped"]
    assert found["retries"] <= part["retried"]
    shown = {key: {k: n for k, n in found[key].items() if n} for key in ("failures", "ends")}
    return shown | {"retries": found["retries"]}


def one(lab, target: Tree, service: Tree | None = None, **keys: Any) -> Tree:
    retry = {"attempts": 2, "jitter": "none"}
    whole = {"to": "web", "retry": retry, "dead_letter": "lost"} | target
    return ringing(puts(lab, 1, 2), service, all=rule(whole), queues=QUEUES, **keys)


def test_errors_for_good_are_told_apart_from_those_that_were_tried_again(lab):
    """Two events: given up at once, or after 2 retries each."""
    gone = given_up(one(lab, {"client_errors": 1.0}))
    assert gone == {"failures": {"client_error": 2}, "ends": {"for_good": 2}, "retries": 0}
    broken = given_up(one(lab, {"server_errors": 1.0}))
    assert broken == {"failures": {"server_error": 2}, "ends": {"attempts": 2}, "retries": 4}


def test_what_an_endpoint_answered_last_is_told(lab):
    failed = given_up(one(lab, {}, BROKEN))
    assert failed == {"failures": {"failed": 2}, "ends": {"attempts": 2}, "retries": 4}
    late = given_up(one(lab, {"timeout": "10ms"}))
    assert late == {"failures": {"timed_out": 2}, "ends": {"attempts": 2}, "retries": 4}
    nobody = given_up(one(lab, {}, fleets={"web": fleet(count=0)}))
    assert nobody == {"failures": {"rejected": 2}, "ends": {"attempts": 2}, "retries": 4}


def test_a_topic_that_is_throttled_is_told(lab):
    """One of the two at 1 s is refused, and so is whatever is tried while others are there."""
    topics = {"news": {"publish_limit": "1/s", "subscriptions": []}}
    target = {"to": "news", "retry": 0, "dead_letter": "lost"}
    tree = ringing(puts(lab, 1, 1, 1), all=rule(target), queues=QUEUES, topics=topics)
    found = given_up(tree)
    assert found == {"failures": {"throttled": 2}, "ends": {"attempts": 2}, "retries": 0}


def test_an_event_that_is_too_old_is_told(lab):
    """Tried at 1, 2, 4, 8, 16, 32 and 64 s of the first's clock: that would be its age."""
    retry = {"attempts": 185, "age": "60s", "jitter": "none"}
    found = given_up(one(lab, {"server_errors": 1.0, "retry": retry}))
    assert found == {"failures": {"server_error": 2}, "ends": {"age": 2}, "retries": 10}


def test_each_target_has_its_own_figures(lab):
    """What is dropped is told as well; where nothing is given up there are none."""
    targets = ({"to": "web", "client_errors": 1.0}, "web", {"to": "web", "server_errors": 1.0})
    tree = ringing(puts(lab, 1), all=rule(*targets[:2], targets[2] | {"retry": 0}))
    found = told(tree)["rules"]["all"]["targets"]
    assert "given_up" not in found["1"]
    assert given_up(tree, "0")["failures"] == {"client_error": 1}
    assert given_up(tree, "2")["failures"] == {"server_error": 1}


def test_reasons_change_no_fingerprint(lab):
    """They say more of what is counted without them."""
    tree = one(lab, {"server_errors": 1.0})
    result = outcome(tree)
    numbers = next(it for it in result._numbers["buses"] if it["name"] == "bell")
    before = result.fingerprint
    del numbers["given_up"]
    assert result.fingerprint == before


# --- what dead letters say of themselves ---------------------------------------------------------


def heard(lab, policy: Tree, target: Tree, **keys: Any) -> tuple[int, ...]:
    """Whoever works the dead letters publishes them; how many the policy lets through."""
    mourn = {"consumes": {"queue": "lost", "wait": "20s"}, "steps": [{"publish": "sad-news"}]}
    whole = {"to": "web", "retry": 0, "dead_letter": "lost"} | target
    return counts(
        run(
            scenario(
                puts(lab, 1, 2),
                buses={"bell": {"rules": {"all": rule(whole), "other": rule("b")}}},
                topics={"sad-news": {"subscriptions": [{"to": "a", "filter": policy}]}},
                queues={"lost": {}, "a": {}, "b": {}},
                services={"mourn": mourn},
                fleets={"web": fleet(), "mourners": fleet("mourn")},
                **keys,
            )
        )["topics"]["sad-news"],
        "delivered",
        "filtered",
    )


def test_a_filter_sees_the_rule_the_target_and_the_error_of_a_dead_letter(lab):
    gone = {"client_errors": 1.0}
    assert heard(lab, {"RULE_ARN": ["rule/all"]}, gone) == (2, 0)
    assert heard(lab, {"RULE_ARN": ["rule/other"]}, gone) == (0, 2)
    assert heard(lab, {"TARGET_ARN": ["web"]}, gone) == (2, 0)
    assert heard(lab, {"ERROR_CODE": ["client_error"]}, gone) == (2, 0)
    assert heard(lab, {"ERROR_CODE": ["server_error"]}, gone) == (0, 2)
    assert heard(lab, {"ERROR_CODE": ["server_error"]}, {"server_errors": 1.0}) == (2, 0)
    assert heard(lab, {"ERROR_CODE": ["timed_out"]}, {"timeout": "1ms"}) == (2, 0)


def test_why_it_was_tried_no_more_is_said_where_it_had_been(lab):
    ends = {
        "MaximumRetryAttempts": {"server_errors": 1.0},
        "MaximumEventAgeInSeconds": {"server_errors": 1.0, "retry": {"age": "60s"}},
    }
    for name, target in ends.items():
        assert heard(lab, {"EXHAUSTED_RETRY_CONDITION": [name]}, target) == (2, 0)
    never = {"EXHAUSTED_RETRY_CONDITION": [{"exists": False}]}
    assert heard(lab, never, {"client_errors": 1.0}) == (2, 0)
    assert heard(lab, never, {"server_errors": 1.0}) == (0, 2)


def test_how_often_it_was_tried_again_is_said(lab):
    """As a number: not at all, twice, or five times until it is too old."""
    broken = {"server_errors": 1.0, "retry": {"attempts": 2, "jitter": "none"}}
    old = {"server_errors": 1.0, "retry": {"age": "60s", "jitter": "none"}}
    for times, target in ((0, {"client_errors": 1.0}), (2, broken), (5, old)):
        assert heard(lab, {"RETRY_ATTEMPTS": [times]}, target) == (2, 0)
        few, more = [{"numeric": ["<", times]}], [{"numeric": [">", times]}]
        assert heard(lab, {"RETRY_ATTEMPTS": few}, target) == (0, 2)
        assert heard(lab, {"RETRY_ATTEMPTS": more}, target) == (0, 2)


def test_retries_are_said_beside_the_error_and_what_was_exhausted(lab):
    """By each of two targets, whose numbers of retries differ, and of events that differ."""
    policy = {"RETRY_ATTEMPTS": [3], "EXHAUSTED_RETRY_CONDITION": ["MaximumRetryAttempts"]}
    whole = {"to": "web", "server_errors": 1.0, "dead_letter": "lost"}
    one, other = ({"retry": {"attempts": n, "jitter": "none"}} for n in (1, 3))
    mourn = {"consumes": {"queue": "lost", "wait": "20s"}, "steps": [{"publish": "sad-news"}]}
    sources = {"cakes": puts(lab, 1, 2), "teas": puts(lab, 3, event=TEA)}
    tree = ringing(
        sources, all=rule(whole | one, whole | other),
        topics={"sad-news": {"subscriptions": [{"to": "a", "filter": policy}]}},
        queues={"lost": {}, "a": {}}, services={"mourn": mourn},
        fleets={"web": fleet(), "mourners": fleet("mourn")},
    )  # fmt: skip
    assert counts(run(tree)["topics"]["sad-news"], "delivered", "filtered") == (3, 3)


def test_dead_letters_that_differ_by_their_retries_may_be_too_many(lab):
    """In two days 20 events may each be tried up to 185 times, and be given up for three causes."""
    sources = {f"s{n}": puts(lab, 1, event={"source": "shop", "n": n}) for n in range(20)}
    tree = ringing(
        sources, all=rule({"to": "web", "dead_letter": "lost"}), duration="2d",
        topics={"news": {"subscriptions": [{"to": "a", "filter": {"RETRY_ATTEMPTS": [3]}}]}},
        queues={"lost": {}, "a": {}},
    )  # fmt: skip
    with pytest.raises(ScenarioError, match="more than 10,000 events differ"):
        outcome(tree)
    assert counts(run(tree | {"duration": "20h"})["buses"]["bell"], "put", "delivered") == (20, 20)


def test_the_body_of_a_dead_letter_stays_the_event(lab):
    body = {"subscriptions": [{"to": "a", "filter": CAKE_IN_BODY, "filter_scope": "body"}]}
    mourn = {"consumes": {"queue": "lost", "wait": "20s"}, "steps": [{"publish": "sad-news"}]}
    rules = {"all": rule({"to": "web", "client_errors": 1.0, "dead_letter": "lost"})}
    tree = ringing(
        puts(lab, 1), **rules, topics={"sad-news": body}, queues={"lost": {}, "a": {}},
        services={"mourn": mourn}, fleets={"web": fleet(), "mourners": fleet("mourn")},
    )  # fmt: skip
    assert run(tree)["topics"]["sad-news"]["delivered"] == 1


def test_states_are_saved_with_reasons(lab):
    tree = one(lab, {"server_errors": 0.7}, duration="60s")
    tree["traffic"]["customers"] = {"to": "bell", "rate": "3/s", "event": CAKE}
    whole = outcome(tree)
    first = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
    first.advance("25s")
    second = nph.Simulation.load(first.save())
    second.advance("35s")
    path = "buses.bell.rules.all.targets.0.given_up.failures.server_error"
    assert second.result()[path] == whole[path] > 0
