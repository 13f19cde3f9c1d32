"""Queues that are encrypted, and what their keys cost. One test a rule, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fleet, run, scenario, work

Tree = dict[str, Any]

TAKES = work({"compute": "1ms"}, consumes={"queue": "box", "wait": "20s"})
USD = 0.03 / 10_000


def boxed(traffic: Tree, encryption: Any, *, consumed: bool = True, **keys: Any) -> Tree:
    """Traffic to the encrypted queue `box`, on which the fleet `web` lives."""
    queues = {"box": {"encryption": encryption}} | keys.pop("queues", {})
    service = TAKES if consumed else work()
    return scenario(traffic, service, queues=queues, duration="1h", **keys)


def line(tree: Tree, name: str = "box") -> Tree:
    return run(tree)["cost_usd"]["queues"][name]


@pytest.mark.parametrize(
    ("encryption", "times"), [({}, 12), ("60s", 60), ("1h", 1), ("24h", 1), ("50m", 2)]
)
def test_a_data_key_is_used_for_five_minutes_unless_told(lab, encryption, times):
    """In an hour so many times, of which each is begun; one sends and one receives."""
    found = line(boxed(lab.at(1, to="box"), encryption))
    assert found["key_requests"] == times * (2 + 1)
    requests = found["requests"] * 0.40e-6
    assert found["usd"] == pytest.approx(requests + times * 3 * USD)


def test_who_sends_asks_twice_and_who_receives_once(lab):
    """Three send: a source, a service (which does so twice) and all topics; one receives."""
    sends = work({"send": "box"}, {"choose": [{"weight": 1, "steps": [{"send": "box"}]}]})
    topics = {name: {"subscriptions": ["box"]} for name in ("news", "more")}
    fleets = {"web": fleet(), "desk": fleet("front")}
    tree = boxed(lab.at(1, to="box"), "1h", services={"front": sends}, fleets=fleets, topics=topics)
    assert line(tree)["key_requests"] == 2 * 3 + 1


def test_all_buses_are_one_who_sends(lab):
    rule = {"pattern": {"a": [1]}, "targets": ["box"]}
    lost = {"pattern": {"a": [1]}, "targets": [{"to": "other", "dead_letter": "box"}]}
    buses = {"bell": {"rules": {"one": rule, "two": rule}}, "gong": {"rules": {"one": lost}}}
    tree = boxed(lab.at(1, to="box"), "1h", buses=buses, queues={"other": {}})
    assert line(tree)["key_requests"] == 2 * 2 + 1
    assert "key_requests" not in line(tree, "other")
    del tree["buses"]["bell"]
    assert line(tree)["key_requests"] == 2 * 2 + 1
    del tree["buses"]["gong"]
    assert line(tree)["key_requests"] == 2 + 1


def test_who_does_nothing_asks_for_no_key(lab):
    """Nothing is sent within the hour; or nobody receives what is."""
    assert line(boxed(lab.at(7200, to="box"), "1h"))["key_requests"] == 0
    unread = boxed(lab.at(1, to="box"), "1h", consumed=False)
    assert line(unread)["key_requests"] == 2


def test_a_data_key_is_used_for_a_minute_to_a_day(lab):
    for bad in ("59s", "86401s", {"key_reuse": "0s"}):
        with pytest.raises(ScenarioError, match=r"queues\.box\.encryption(.|\n)*out of range"):
            nph.Scenario.model_validate(boxed(lab.at(1, to="box"), bad))
    told = nph.Scenario.model_validate(boxed(lab.at(1, to="box"), {}))
    assert "encrypted, a data key for 5m" in "\n".join(describe(told))
