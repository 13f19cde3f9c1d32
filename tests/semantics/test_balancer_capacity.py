"""The capacity of a balancer itself, which lags behind its traffic: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, run, scenario, simulation, work

Tree = dict[str, Any]


def limited(traffic: Tree, capacity: Any, duration: str = "100s", **keys: Any) -> Tree:
    """Instances that are quick enough behind a balancer that may not be."""
    door = {"targets": ["web"], "capacity": capacity, **keys.pop("door", {})}
    service = keys.pop("service", work({"compute": "1ms"}))
    return scenario(
        traffic, service, fleets={"web": fleet()}, balancers={"door": door}, duration=duration
    )


def constant(rate: str) -> Tree:
    return {"to": "door", "rate": rate, "arrivals": "constant"}


def capacities(tree: Tree, *minutes: float) -> list[float]:
    """Just after these minutes."""
    sim = simulation(tree)
    seen = []
    for minute in minutes:
        sim.advance(f"{minute * 60 + 0.001:.3f}s")
        seen.append(sim.results()["load_balancers.door.capacity.now"])
    return seen


def test_what_is_beyond_it_is_turned_away(lab):
    """Two a second, and a second's worth at once: a half second each, half a second ahead."""
    traffic = lab.at(0, 0.1, 0.2, 0.3, 0.5, 0.6, to="door")  # 0, 0.1 and 0.5 are passed on
    result = run(limited(traffic, "2/s"))
    assert fates(result["traffic"]["customers"]) == (3, 3, 0, 0, 0)
    door = result["load_balancers"]["door"]
    assert door["capacity"] == {"now": 2.0, "most": 2.0, "rejected": 3}
    assert door["errors"] == {"502": 0, "503": 3}


def test_less_than_one_a_second(lab):
    traffic = lab.at(0, 1, 1.9, 2, 3, 4.5, to="door")  # one in two seconds: 0, 2 and 4.5
    assert fates(run(limited(traffic, "0.5/s"))["traffic"]["customers"]) == (3, 3, 0, 0, 0)


def test_steady_traffic_of_that_rate_passes():
    assert fates(run(limited(constant("50/s"), "50/s"))["traffic"]["customers"])[1] == 0


def test_it_aims_at_twice_the_last_minute():
    # The first request comes after a tenth of a second, so there are 599 in the first minute.
    seen = capacities(limited(constant("10/s"), "12/s", duration="10m"), 0, 1, 2)
    assert seen == pytest.approx([12, 2 * 599 / 60, 20])


def test_it_at_most_doubles_in_five_minutes():
    tree = limited(constant("100/s"), "10/s", duration="30m")
    minutes = (0.9, 1, 5.9, 6, 10.9, 11, 15.9, 16, 20.9, 21, 29)
    assert capacities(tree, *minutes) == [10, 20, 20, 40, 40, 80, 80, 160, 160, 200, 200]


def test_it_falls_by_half_in_five_minutes_and_not_below_the_minimum():
    tree = limited(constant("0.01/s"), {"start": "100/s", "minimum": "10/s"}, duration="30m")
    minutes = (0.9, 1, 5.9, 6, 11, 16, 29)
    assert capacities(tree, *minutes) == [100, 50, 50, 25, 12.5, 10, 10]


def test_without_a_minimum_the_start_is_reserved():
    assert capacities(limited(constant("1/s"), "100/s", duration="20m"), 1, 19) == [100, 100]


def test_traffic_that_doubles_in_five_minutes_is_served():
    growth = [[f"{5 * k}m", f"{20 * 2**k}/s"] for k in range(4)]
    traffic = {"to": "door", "arrivals": {"profile": growth}}
    result = run(limited(traffic, "40/s", duration="15m"))
    assert result["load_balancers"]["door"]["capacity"]["rejected"] == 0


def test_traffic_that_grows_faster_is_not():
    traffic = {"to": "door", "arrivals": {"profile": [["0s", "20/s"], ["5m", "20/s"]]}}
    traffic["arrivals"]["profile"] += [["301s", "100/s"], ["10m", "100/s"]]
    result = run(limited(traffic, "40/s", duration="10m"))
    rejected = result["load_balancers"]["door"]["capacity"]["rejected"]
    # 40 a second for a minute, then 80: 60 x 60 + 20 x 239 are too many.
    assert rejected == pytest.approx(60 * 60 + 20 * 239, rel=0.05)


def test_what_is_turned_away_waits_in_no_surge_queue(lab):
    traffic = lab.at(*([0.0] * 5), to="door")
    slow = work({"compute": "1s"}, concurrency=1, backlog=0)
    tree = limited(traffic, "3/s", service=slow, door={"surge_queue": 10})
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (3, 2, 0, 0, 0)
    assert result["load_balancers"]["door"]["surge_queue"] == {"now": 0, "most": 2}
    assert result["load_balancers"]["door"]["spilled"] == 0


def test_it_counts_what_comes_in_the_measured_window(lab):
    traffic = lab.at(*([0.0] * 5), *([50.0] * 4), to="door")
    result = run(limited(traffic, "2/s") | {"warmup": "10s"})
    assert result["load_balancers"]["door"]["capacity"]["rejected"] == 2


@pytest.mark.parametrize("capacity", ["0/s", "1e-4/s", {"start": "5/s", "minimum": "6/s"}])
def test_a_capacity_that_cannot_be_is_refused(capacity):
    with pytest.raises(nph.ScenarioError, match="capacity"):
        nph.Scenario.model_validate(limited(constant("1/s"), capacity))
