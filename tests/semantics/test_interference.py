"""Caches and memory bandwidth that neighbours take: one test a rule, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fleet, latency, moments, run, scenario, work

Tree = dict[str, Any]

KNEE = 0.65


def exactly(*latencies: float):
    return pytest.approx(moments(latencies), rel=1e-9, abs=2e-9)


def tenant(count: int = 1, vcpus: int = 1, **interference: float) -> Tree:
    keys: Tree = {"interference": interference} if interference else {}
    return fleet("work", count, vcpus) | {"hosts": "hall", **keys}


def hall(cores: int = 4, *, sockets: int = 1, **keys: Any) -> Tree:
    kind = {"sockets": sockets, "cores": cores, "memory": "64GiB"}
    return {"hall": {"type": kind, **keys}}


def two(lab, web: Tree, batch: Tree, *, jobs: tuple[float, ...] = (0,), **keys: Any) -> Tree:
    """A request of one second to `web` at 0, and to `batch` at each of `jobs`."""
    traffic = {"users": lab.at(0, to="web"), "jobs": lab.at(*jobs, to="batch")}
    return scenario(traffic, fleets={"web": web, "batch": batch}, **keys)


def slowed(others: float, sensitivity: float = 1.0) -> float:
    return 1 + sensitivity * max(others - KNEE, 0) / (1 - KNEE)


def test_a_neighbour_that_takes_all_slows_by_the_sensitivity(lab):
    # 1.5 times as slow for as long as the neighbour runs, which feels nothing and runs one second;
    # then a third of the work is left.
    web, batch = tenant(sensitivity=0.5), tenant(pressure=1.0)
    result = run(two(lab, web, batch, hosts=hall()))
    assert latency(result["traffic"]["jobs"]) == exactly(1)
    assert latency(result["traffic"]["users"]) == exactly(1 + 1 / 3)


def test_nothing_is_felt_below_the_knee(lab):
    web, batch = tenant(sensitivity=1000.0), tenant(pressure=KNEE)
    result = run(two(lab, web, batch, hosts=hall()))
    assert latency(result["traffic"]["users"]) == exactly(1)
    assert result["fleets"]["web"]["interference_s"] == 0


def test_beyond_the_knee_it_is_a_straight_line(lab):
    web, batch = tenant(sensitivity=2.0), tenant(pressure=0.825)  # half way from the knee to 1
    result = run(two(lab, web, batch, hosts=hall()))
    assert slowed(0.825, 2.0) == pytest.approx(2)
    assert latency(result["traffic"]["users"]) == exactly(1.5)


def test_one_does_not_slow_oneself(lab):
    web = tenant(vcpus=2, pressure=1.0, sensitivity=1.0)
    result = run(two(lab, web, tenant(), hosts=hall()))
    assert latency(result["traffic"]["users"]) == exactly(1)


def test_instances_of_a_fleet_slow_each_other(lab):
    web = tenant(2, pressure=1.0, sensitivity=1.0)
    balancers = {"door": {"targets": ["web"]}}
    tree = scenario(lab.at(0, 0, to="door"), fleets={"web": web}, balancers=balancers, hosts=hall())
    assert latency(run(tree)["traffic"]["customers"]) == exactly(2, 2)


def test_only_what_runs_presses(lab):
    # The neighbour runs from 0.5 to 1.5, when the other one, at half pace since 0.5, ends at 1.5.
    web, batch = tenant(sensitivity=1.0), tenant(pressure=1.0)
    result = run(two(lab, web, batch, jobs=(0.5,), hosts=hall()))
    assert latency(result["traffic"]["users"]) == exactly(1.5)


def test_pressure_counts_for_each_vcpu_that_runs(lab):
    # Two of the neighbour's vCPUs run for a second and take 0.5 each.
    web, batch = tenant(sensitivity=1.0), tenant(vcpus=4, pressure=0.5)
    result = run(two(lab, web, batch, jobs=(0, 0), hosts=hall(8)))
    assert latency(result["traffic"]["users"]) == exactly(1.5)


def test_a_host_of_two_sockets_has_twice_as_much(lab):
    web, batch = tenant(sensitivity=1.0), tenant(pressure=1.0)
    result = run(two(lab, web, batch, hosts=hall(2, sockets=2)))
    assert latency(result["traffic"]["users"]) == exactly(1)


def test_a_neighbour_on_another_host_is_not_felt(lab):
    web, batch = tenant(sensitivity=1.0), tenant(pressure=1.0)
    result = run(two(lab, web, batch, hosts=hall(1, count=2)))
    assert latency(result["traffic"]["users"]) == exactly(1)


def test_it_is_speed_that_is_lost_and_not_vcpu_time(lab):
    # Half of 1 s is lost while the neighbour runs; run is 1.5 s, and nothing was stolen.
    web, batch = tenant(sensitivity=1.0), tenant(pressure=1.0)
    result = run(two(lab, web, batch, hosts=hall(), duration="3s"))
    assert result["fleets"]["web"]["interference_s"] == pytest.approx(0.5)
    assert result["fleets"]["web"]["utilization"] == pytest.approx(1.5 / 3)
    assert result["fleets"]["web"]["steal"] == 0
    assert result["fleets"]["batch"]["interference_s"] == 0
    assert result["hosts"]["hall"]["interference_s"] == pytest.approx(0.5)
    assert result["hosts"]["hall"]["by_host"]["0"]["interference_s"] == pytest.approx(0.5)


def test_it_comes_on_top_of_a_share(lab):
    # One core: half of it each, and the half vCPU of the neighbour takes all. So a quarter of the
    # pace until 2 s, when the neighbour has ended, and half of the work is left.
    web, batch = tenant(sensitivity=1.0), tenant(pressure=2.0)
    result = run(two(lab, web, batch, hosts=hall(1, cpu_overcommit=2.0)))
    assert latency(result["traffic"]["users"]) == exactly(2.5)
    assert result["fleets"]["web"]["interference_s"] == pytest.approx(0.5)


@pytest.mark.parametrize("scheduler", ["fluid", "fair", "credit", "pinned"])
def test_every_scheduler_has_it(lab, scheduler):
    web, batch = tenant(sensitivity=1.0), tenant(pressure=1.0)
    result = run(two(lab, web, batch, hosts=hall(scheduler=scheduler)))
    assert latency(result["traffic"]["users"]) == exactly(1.5)


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        # Half of the pace until the neighbour is gone: after a shutdown at 0.9 s, frozen at 0.4 s.
        ("stop", 0.9 + 0.55),
        ("terminate", 0.9 + 0.55),
        ("hibernate", 0.4 + 0.8),
        # Where the fleet shrinks it finishes what it holds, which takes an hour.
        ("shrink", 2),
        (None, 2),
    ],
)
def test_who_leaves_no_longer_presses(lab, leaves, expected):
    laws = {"stop": "500ms", "terminate": "500ms", "pending": "1h"}
    web, batch = tenant(sensitivity=1.0), tenant(pressure=1.0)
    del batch["boot"]
    batch |= {"service": "endless", "durations": laws, "hibernation": True}
    services = {"endless": work({"compute": "1h"})}
    running = nph.Simulation(
        nph.Scenario.model_validate(two(lab, web, batch, hosts=hall(), services=services))
    )
    running.advance("400ms")
    if leaves == "shrink":
        running.set("fleets.batch.count", 0)
    elif leaves is not None:
        getattr(running, leaves)("batch")
    running.advance("10s")
    assert latency(running.result().to_dict()["traffic"]["users"]) == exactly(expected)


def test_without_it_there_is_no_word_of_it(lab):
    result = run(two(lab, tenant(), tenant(), hosts=hall()))
    assert "interference_s" not in result["fleets"]["web"]
    assert "interference_s" not in result["hosts"]["hall"]


def test_a_state_saved_right_after_a_launch_goes_on_alike(lab):
    web, batch = tenant(sensitivity=0.5), tenant(0, pressure=1.0) | {"boot": "0s"}
    tree = two(lab, web, batch, jobs=(0.5,), hosts=hall())
    running = nph.Simulation(nph.Scenario.model_validate(tree))
    running.advance("250ms")
    running.set("fleets.batch.count", 1)
    twin = nph.Simulation.load(running.save())
    for each in (running, twin):
        each.advance("10s")
        # Half a second alone; then 1.5 times as slow for as long as it takes.
        assert latency(each.result().to_dict()["traffic"]["users"]) == exactly(1.25)
