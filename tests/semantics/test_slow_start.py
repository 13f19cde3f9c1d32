"""Slow start: the share of a target that has become healthy grows in a straight line."""

from __future__ import annotations

import math
from typing import Any

import pytest

from semantics.lab import fleet, run, scenario, simulation, work

Tree = dict[str, Any]

CHECK: Tree = {"interval": "10s", "timeout": "5s", "healthy_threshold": 2}


def slow(traffic: Tree, count: int = 1, check: Tree | None = None, **keys: Any) -> Tree:
    """Instances behind a balancer with a slow start of 30 s; a request is 1 ms of work."""
    checked = {} if check is None else {"health_check": check}
    door = {"targets": keys.pop("targets", ["web"]), "slow_start": "30s", **checked}
    fleets = keys.pop("fleets", {"web": fleet(count=count)})
    service = work({"compute": "1ms"})
    return scenario(traffic, service, fleets=fleets, balancers={"door": door}, **keys)


def steady(rate: str = "10/s") -> Tree:
    return {"to": "door", "rate": rate, "arrivals": "constant"}


def counts(sim) -> list[int]:
    found = sim.results()["load_balancers.door.targets"]
    return [target["requests"] for target in found.values()]


def begun(sim) -> tuple[int, int]:
    found = sim.results()["load_balancers.door.slow_start"]
    return found["begun"], found["now"]


def test_who_is_next_by_hand(lab):
    """Beside a target of weight 1, one that has its share since 10 s: weight (t - 10 s) / 30 s.

    Credits of the two before the choice, each time with their shares of one request added:
    11 s .968 .032, 20 s .718 .282, 25 s .384 .616, 30 s .984 .016, 35 s .530 .470, 38 s .047 .953.
    At 40 s both are full, and the new one has a turn behind the other.
    """
    times = [11, 20, 25, 30, 35, 38, 40.5, 41, 42]
    sim = simulation(slow(lab.at(*times, to="door")))
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    chosen, before = "", 0
    for time in times:
        sim.advance(f"{time + 0.1}s")
        chosen += "B" if counts(sim)[1] > before else "A"
        before = counts(sim)[1]
    assert chosen == "AABAABABA"


@pytest.mark.parametrize("weight", [1, 3])
def test_the_ramp_is_a_straight_line(weight):
    """Of 10 requests a second beside two of weight 1: the integral of w / (2 + w)."""
    targets = ["web", {"fleet": "new", "weight": weight}]
    fleets = {"web": fleet(count=2), "new": fleet(count=0)}
    sim = simulation(slow(steady(), targets=targets, fleets=fleets))
    sim.advance("20s")
    sim.set("fleets.new.count", 1)
    for age in (7.5, 15.0, 22.5, 30.0):
        sim.advance(f"{20 + age}s")
        w = weight * age / 30
        due = 10 * (age - 30 / weight * 2 * math.log1p(w / 2))
        assert abs(counts(sim)[2] - due) < 1.5
    assert begun(sim) == (1, 0)
    before = counts(sim)[2]
    sim.advance("80s")
    assert abs(counts(sim)[2] - before - 300 * weight / (2 + weight)) <= 2


def test_many_in_slow_start_share_alike():
    sim = simulation(slow(steady("100/s"), 1))
    sim.advance("10s")
    sim.set("fleets.web.count", 11)
    sim.advance("40s")
    new = counts(sim)[1:]
    due = 100 * (30 - 30 / 10 * math.log1p(10)) / 10  # the integral of w / (1 + 10 w)
    assert all(abs(count - due) < 1.5 for count in new)
    assert begun(sim) == (10, 0)


def test_not_for_those_who_serve_at_the_start():
    result = run(slow(steady(), 3, duration="30s"))
    targets = result["load_balancers"]["door"]["targets"].values()
    assert [target["requests"] for target in targets] == [100, 100, 99]
    assert result["load_balancers"]["door"]["slow_start"] == {"begun": 0, "now": 0}


def test_not_for_those_registered_to_an_empty_group_at_once():
    sim = simulation(slow(steady(), 0))
    sim.advance("10.05s")
    sim.set("fleets.web.count", 2)
    sim.advance("12.05s")
    assert counts(sim) == [10, 10]
    sim.set("fleets.web.count", 3)  # the group is not empty any more
    sim.advance("13.05s")
    assert begun(sim) == (1, 1)
    assert counts(sim) == [15, 15, 0]


def test_nor_when_they_show_that_they_are_healthy_one_after_the_other():
    sim = simulation(slow(steady(), 0, CHECK))
    sim.advance("10s")
    sim.set("fleets.web.count", 3)
    sim.advance("25s")  # each has answered its first check
    assert begun(sim) == (0, 0)


def test_it_begins_with_the_first_check_that_succeeds():
    sim = simulation(slow(steady(), 1, CHECK))
    sim.advance("20s")
    sim.set("fleets.web.count", 2)
    began = None
    for step in range(1, 101):
        sim.advance(f"{20 + 0.1 * step:.1f}s")
        if began is None and begun(sim)[0]:
            began = 20 + 0.1 * step
    assert began is not None
    sim.advance(f"{began + 29.8:.1f}s")
    assert begun(sim) == (1, 1)
    sim.advance(f"{began + 30.1:.1f}s")
    assert begun(sim) == (1, 0)


def test_ill_health_ends_it_and_health_begins_it_anew():
    fault = {"at": "30s", "for": "30s", "fail": "web"}
    sim = simulation(slow(steady(), 2, CHECK, faults=[fault], duration="200s"))
    sim.advance("60s")
    assert begun(sim) == (0, 0)
    sim.advance("81s")  # two checks after 60 s
    assert begun(sim) == (1, 1)
    early = counts(sim)[0]
    sim.advance("200s")
    assert begun(sim) == (1, 0)
    assert counts(sim)[0] > early + 400


def test_the_first_to_recover_gets_its_full_share():
    """When all were ill there is no healthy target out of slow start for the first of them."""
    fault = {"at": "30s", "for": "40s", "fail": {"fleet": "web", "count": 3}}
    sim = simulation(slow(steady(), 3, CHECK, faults=[fault], duration="200s"))
    sim.advance("70s")
    assert sim.results()["load_balancers.door.health.healthy"] == 0
    sim.advance("95s")
    assert begun(sim) == (2, 2)


def test_deregistration_ends_it():
    tree = slow(steady(), 1)
    tree["fleets"]["web"]["termination_policy"] = "newest"
    sim = simulation(tree)
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    sim.advance("20s")
    sim.set("fleets.web.count", 1)
    assert begun(sim) == (1, 0)
    sim.advance("21s")
    sim.set("fleets.web.count", 2)
    assert begun(sim) == (2, 1)
    sim.advance("21.5s")
    assert counts(sim)[2] == 0  # from the beginning again


def test_those_in_slow_start_carry_it_all_when_the_others_are_gone():
    fleets = {"old": fleet(), "new": fleet(count=0)}
    sim = simulation(slow(steady(), targets=["old", "new"], fleets=fleets))
    sim.advance("10.05s")
    sim.set("fleets.new.count", 2)
    sim.advance("12.05s")
    sim.set("fleets.old.count", 0)
    sim.advance("22.05s")
    assert begun(sim) == (2, 2)
    taken = counts(sim)[1:]
    assert sum(taken) in (100, 101, 102)
    assert abs(taken[0] - taken[1]) <= 1


def test_a_routing_that_does_not_go_with_it_is_refused_while_it_runs():
    sim = simulation(slow(steady()))
    with pytest.raises(Exception, match=r"least_connections does not go with slow_start"):
        sim.set("load_balancers.door.routing", "least_connections")
    sim.set("load_balancers.door.routing", "round_robin")
