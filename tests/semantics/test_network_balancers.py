"""What balancers of flows do: an unhealthy target resets what is under way, a new one is used at
once. Balancers of requests may be told to do the same.
"""

from __future__ import annotations

from typing import Any

import pytest

from semantics.lab import Tree, fates, latency, run, simulation, targets, work
from semantics.test_health import CHECK, door, first_checks, lab_of

# Many at once, each of which takes a minute and no CPU.
MINUTE = work({"sleep": "60s"}, concurrency=64)


def losing(lab: Any, count: int, *times: float, lose: int = 1, **keys: Any) -> Tree:
    """Requests at these times; from 50 s on the checks of some are lost, the oldest first."""
    check = CHECK | {"resets": True} | keys.pop("check", {})
    lost = {"at": "50s", "lose_health_checks": {"fleet": "web", "count": lose}}
    traffic = lab.at(*times, to="door") | keys.pop("traffic", {})
    return lab_of(count, lost, service=MINUTE, traffic=traffic, balancers=door(check=check), **keys)


def turns() -> float:
    """When the first target turns unhealthy: the second check is lost for the whole timeout."""
    return 60.0 + float(first_checks(2)[0]) + 5.0


def customers(tree: Tree) -> Tree:
    return run(tree)["traffic"]["customers"]


def until(tree: Tree, second: float) -> tuple[int, int, int, int, int]:
    return fates(customers(tree | {"duration": f"{second:.6f}s"}))


def test_an_unhealthy_target_resets_what_is_under_way(lab):
    """One each at 40 s: the first fails when its target turns unhealthy, the other completes."""
    tree = losing(lab, 2, 40, 40.1)
    assert until(tree, turns() - 0.001) == (0, 0, 0, 0, 2)
    assert until(tree, turns() + 0.001) == (0, 0, 1, 0, 1)
    assert fates(customers(tree)) == (1, 0, 1, 0, 0)
    assert run(tree)["load_balancers"]["door"]["reset"] == 1


def test_unless_told_what_is_under_way_goes_on(lab):
    tree = losing(lab, 2, 40, 40.1, check={"resets": False})
    assert fates(customers(tree)) == (2, 0, 0, 0, 0)
    assert "reset" not in run(tree)["load_balancers"]["door"]


def test_all_that_are_under_way_there_are_reset_and_none_elsewhere(lab):
    """Of nine on three targets the three of the first."""
    tree = losing(lab, 3, *[40 + i / 10 for i in range(9)])
    assert fates(customers(tree)) == (6, 0, 3, 0, 0)


def test_who_tries_again_is_served_elsewhere(lab):
    """A minute on the other target, after what had passed."""
    retry = {"retry": {"attempts": 2, "backoff": {"fixed": "0s"}}}
    tree = losing(lab, 2, 40, 40.1, traffic=retry)
    assert fates(customers(tree)) == (2, 0, 0, 0, 0)
    assert latency(customers(tree))[3] == pytest.approx(turns() - 40 + 60, abs=1e-6)


def test_where_all_are_unhealthy_nobody_is_reset(lab):
    """All get requests then, and those that are under way go on."""
    tree = losing(lab, 2, 40, 40.1, lose=2, duration="100s")
    result = run(tree)
    assert result["load_balancers"]["door"]["health"]["fail_open_s"] > 0
    # The first to turn does so while the other is well: what is there is reset.
    assert fates(result["traffic"]["customers"])[2] == 1
    single = losing(lab, 1, 40, duration="110s")
    assert fates(customers(single)) == (1, 0, 0, 0, 0)


def test_calls_are_reset_too(lab):
    """A front calls a back through the balancer: its own request fails with the call."""
    tree = losing(lab, 2, 40, 40.1)
    tree["services"]["ask"] = work({"call": "door"}, concurrency=8)
    tree["fleets"]["front"] = tree["fleets"]["web"] | {"service": "ask", "count": 1}
    tree["traffic"]["customers"]["to"] = "front"
    assert fates(customers(tree)) == (1, 0, 1, 0, 0)


def test_saved_before_a_reset_it_goes_on_as_it_would_have(lab):
    sim = simulation(losing(lab, 2, 40, 40.1))
    sim.advance("55s")
    again = sim.fork()
    for each in (sim, again):
        each.advance("199s")
    assert sim.results().fingerprint == again.results().fingerprint


@pytest.mark.parametrize(("told", "requests"), [({"sends_to_new": True}, 2), ({}, 0)])
def test_a_new_target_is_used_at_once_if_told(told, requests):
    """One more at 20 s, whose first check may come five minutes later: of four requests until
    24 s it has half."""
    check = CHECK | {"interval": "300s"} | told
    sim = simulation(lab_of(1, balancers=door(check=check)))
    sim.advance("20500ms")
    sim.set("fleets.web.count", 2)
    sim.advance("24500ms")
    assert targets(sim.results().to_dict())[1]["requests"] == requests


def test_one_that_does_not_answer_is_left_after_its_failures():
    """It is new until then: two checks in a row are lost."""
    lost = {"at": "41s", "lose_health_checks": {"fleet": "web", "count": 2}}
    check = CHECK | {"sends_to_new": True, "minimum_healthy": 0}
    tree = lab_of(1, lost, balancers=door(check=check), duration="100s")
    sim = simulation(tree)
    sim.advance("40s")
    sim.set("fleets.web.count", 2)
    sim.advance("99s")
    health = sim.results().to_dict()["load_balancers"]["door"]["health"]
    assert (health["unhealthy"], health["initial"]) == (2, 0)
    assert 0 < targets(sim.results().to_dict())[1]["requests"] <= 26
