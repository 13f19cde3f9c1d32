"""Warm pools and lifecycle hooks: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import pytest

from semantics.lab import Stepper, Tree, fates, fleet, run, scenario, simulation, work
from semantics.test_membership import lone, running, web_of

# A launch serves after a minute, a stopped one after 5 s, a hibernated one after 2.
LAWS = {"pending": "0s", "boot": "60s", "restart": "5s", "resume": "2s"} | {
    "stop": "3s",
    "hibernate": "4s",
    "terminate": "0s",
}


def pooled(desired: int = 1, most: int = 4, **pool: Any) -> Tree:
    web = fleet() | {"count": {"min": 0, "desired": desired, "max": most}, "warm_pool": pool}
    del web["boot"]
    return web | {"durations": LAWS, "hibernation": True}


def kept(sim: Stepper) -> Tree:
    tree: Tree = web_of(sim)["membership"]
    return tree


def billed_s(sim: Stepper) -> int:
    return int(sim.numbers()["fleets"]["web"]["billed_s"])


# --- the pool ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pool", "size"),
    [({}, 3), ({"max_prepared": 2}, 1), ({"min": 2, "max_prepared": 1}, 2), ({"min": 5}, 5)],
)
def test_it_holds_what_is_prepared_beyond_the_size(pool, size):
    sim = lone(pooled(**pool))
    sim.advance("0.9s")
    assert kept(sim)["warm"] == 0
    sim.advance("1.1s")
    assert kept(sim)["warm"] == size
    assert web_of(sim)["launches"] == 1 + size
    sim.advance("10m")
    assert running(sim) == [0]
    assert web_of(sim)["launches"] == 1 + size


@pytest.mark.parametrize(
    ("state", "billed"), [("stopped", 3 * 60), ("running", 3 * 999), ("hibernated", 3 * 64)]
)
def test_who_waits_is_billed_by_its_state(state, billed):
    # Launched at 1 s, booted at 61; saving the memory takes 4 s and is billed.
    sim = lone(pooled(state=state))
    sim.advance("1000s")
    assert billed_s(sim) == 1000 + billed


@pytest.mark.parametrize(
    ("state", "ready", "who"),
    [("stopped", 5.0, [0, 4]), ("running", 0.0, [0, 1]), ("hibernated", 2.0, [0, 4])],
)
def test_scaling_out_takes_warm_ones_first(state, ready, who):
    sim = lone(pooled(state=state))
    sim.advance("100s")
    sim.set("fleets.web.count", 2)
    if ready:
        sim.advance(f"{99.9 + ready:.1f}s")
        assert running(sim) == [0]
    sim.advance(f"{100.1 + ready:.1f}s")
    assert running(sim) == who
    assert web_of(sim)["launches"] == 4
    sim.advance("200s")
    assert (kept(sim)["warm"], kept(sim)["warm_starts"]) == (2, 1)


def test_one_that_is_not_ready_is_not_taken():
    sim = lone(pooled())
    sim.advance("30s")
    sim.set("fleets.web.count", 2)
    sim.advance("89.9s")
    assert running(sim) == [0]
    sim.advance("90.1s")
    assert running(sim) == [0, 4]
    assert (web_of(sim)["launches"], kept(sim)["warm"], kept(sim)["warm_starts"]) == (5, 2, 0)


def test_no_balancer_knows_who_waits():
    traffic = {"to": "door", "rate": "1/s", "arrivals": "constant"}
    doors = {"door": {"targets": ["web"]}}
    tree = scenario(traffic, work({"compute": "1ms"}), fleets={"web": pooled()}, balancers=doors)
    assert len(run(tree)["load_balancers"]["door"]["targets"]) == 1


@pytest.mark.parametrize(("reuse", "ended", "launches"), [(False, 1, 5), (True, 0, 4)])
def test_who_leaves_is_terminated_or_goes_there(reuse, ended, launches):
    sim = lone(pooled(2, reuse=reuse))
    sim.advance("100s")
    sim.set("fleets.web.count", 1)
    sim.advance("200s")
    web = web_of(sim)
    assert (web["terminations"], web["launches"]) == (ended, launches)
    assert (kept(sim)["warm"], kept(sim)["returned"]) == (3, 1 - ended)


@pytest.mark.parametrize(("state", "ready"), [("stopped", 5.0), ("running", 0.0)])
def test_who_went_there_serves_again(state, ready):
    sim = lone(pooled(2, most=2, reuse=True, state=state))
    sim.advance("100s")
    sim.set("fleets.web.count", 1)
    assert len(running(sim)) == 1
    sim.advance("110s")
    sim.set("fleets.web.count", 2)
    sim.advance(f"{110.1 + ready:.1f}s")
    left = running(sim)
    assert len(left) == 2
    assert left[1] == 2  # to the engine it is a new one
    assert (web_of(sim)["launches"], kept(sim)["warm"]) == (2, 0)


def test_who_goes_there_finishes_what_it_holds(lab):
    tree = scenario(
        lab.at(1, to="web"),
        work(lab.sizes(40)),
        fleets={"web": pooled(1, most=1, reuse=True)},
    )
    sim = simulation(tree)
    sim.advance("10s")
    sim.set("fleets.web.count", 0)
    sim.advance("99s")
    result = sim.results().to_dict()
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 0, 0)
    assert billed_s(sim) == 60  # it stops at the look of 42 s
    assert kept(sim)["warm"] == 1


def test_a_refresh_begins_the_pool_anew():
    sim = lone(pooled(1, most=2) | {"refresh": {"at": "200s", "min_healthy": "0%"}})
    sim.advance("10m")
    # The first and its successor; the one that waited and its own.
    web = web_of(sim)
    assert (web["launches"], web["terminations"], kept(sim)["warm"]) == (4, 2, 1)


def test_who_is_killed_in_the_pool_is_replaced_there():
    kind = {"cores": 1, "memory": "4GiB"}
    hosts = {"hall": {"count": 3, "type": kind}}
    faults = [{"at": "100s", "kill": {"host": "hall", "index": 1}}]
    sim = lone(pooled(1, most=2, state="running") | {"hosts": "hall"}, hosts=hosts, faults=faults)
    sim.advance("10m")
    web = web_of(sim)
    assert (web["launches"], web["terminations"], kept(sim)["warm"]) == (3, 1, 1)
    assert running(sim) == [0]


# --- hooks ------------------------------------------------------------------------------------


def hooked(count: int = 1, boot: str = "20s", **hooks: Tree) -> Tree:
    return fleet(count=count) | {"boot": boot, "hooks": hooks}


def test_who_has_booted_waits_before_it_serves():
    # The first have been through it. The second boots until 30 s, and waits until 60.
    sim = lone(hooked(launch={"duration": "30s"}))
    assert running(sim) == [0]
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    sim.advance("59.9s")
    assert running(sim) == [0]
    sim.advance("60.1s")
    assert running(sim) == [0, 1]
    sim.advance("110s")
    assert billed_s(sim) == 110 + 100


def test_who_takes_too_long_is_abandoned_and_replaced():
    # Launched at 10 s and every 30 s from then on.
    sim = lone(hooked(boot="0s", launch={"duration": "60s", "timeout": "30s"}))
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    for at, launches in (("39.9s", 2), ("40.1s", 3), ("70.1s", 4), ("100.1s", 5)):
        sim.advance(at)
        assert running(sim) == [0]
        assert web_of(sim)["launches"] == launches
        assert web_of(sim)["terminations"] == kept(sim)["overdue"] == launches - 2


def test_or_serves_all_the_same():
    late = {"duration": "60s", "timeout": "30s", "default_result": "continue"}
    sim = lone(hooked(boot="0s", launch=late))
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    sim.advance("39.9s")
    assert running(sim) == [0]
    sim.advance("40.1s")
    assert running(sim) == [0, 1]
    assert kept(sim)["overdue"] == 1


@pytest.mark.parametrize("result", ["abandon", "continue"])
def test_heartbeats_prolong_a_hook(result):
    """Without, it would be over after 30 s; a hundred times that are allowed."""
    long = {"duration": "50m", "timeout": "30s", "heartbeat": "20s", "default_result": result}
    sim = lone(hooked(boot="0s", launch=long))
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    for at, there in (("3009.9s", [0]), ("3010.1s", [0, 1])):
        sim.advance(at)
        assert running(sim) == there
    assert (web_of(sim)["launches"], kept(sim)["overdue"]) == (2, 0)


@pytest.mark.parametrize(("timeout", "longest"), [("30s", 3000.0), ("2h", 48 * 3600.0)])
def test_but_for_100_timeouts_and_48_hours_at_most(timeout, longest):
    # It is abandoned then, and another launched.
    late = {"duration": "60h", "timeout": timeout, "heartbeat": "10s"}
    sim = lone(hooked(boot="0s", launch=late), duration="50h")
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    for at, overdue in ((longest + 9.9, 0), (longest + 10.1, 1)):
        sim.advance(f"{at:.1f}s")
        assert (web_of(sim)["terminations"], kept(sim)["overdue"]) == (overdue, overdue)
        assert web_of(sim)["launches"] == 2 + overdue


def test_heartbeats_prolong_the_last_hook_too():
    last = {"duration": "10m", "timeout": "30s", "heartbeat": "29s"}
    sim = lone(hooked(2, terminate=last))
    sim.advance("10s")
    sim.set("fleets.web.count", 1)
    for at, gone in (("609.9s", 0), ("610.1s", 1)):
        sim.advance(at)
        assert web_of(sim)["terminations"] == gone
    assert kept(sim)["overdue"] == 0


@pytest.mark.parametrize(("lasts", "timeout", "end"), [("35s", "1h", 45.0), ("50s", "30s", 40.0)])
def test_who_leaves_waits_before_it_ends(lasts, timeout, end):
    sim = lone(hooked(2, terminate={"duration": lasts, "timeout": timeout}))
    sim.advance("10s")
    sim.set("fleets.web.count", 1)
    assert len(running(sim)) == 1
    for at, gone in ((end - 0.1, 0), (end + 0.1, 1)):
        sim.advance(f"{at:.1f}s")
        assert web_of(sim)["terminations"] == gone
    sim.advance("300s")
    assert billed_s(sim) == 300 + 60  # a minute at least


def test_the_last_hook_begins_when_it_has_finished_what_it_held(lab):
    # Work of 20 s from 1 s on, and then 70 s: it is billed until 91.
    web = hooked(1, boot="0s", terminate={"duration": "70s"})
    sim = simulation(scenario(lab.at(1), work(lab.sizes(20)), fleets={"web": web}, duration="200s"))
    sim.advance("10s")
    sim.set("fleets.web.count", 0)
    sim.advance("90.9s")
    assert web_of(sim)["terminations"] == 0
    sim.advance("91.1s")
    assert web_of(sim)["terminations"] == 1
    assert billed_s(sim) == 91
    assert fates(sim.results().to_dict()["traffic"]["customers"]) == (1, 0, 0, 0, 0)


def test_who_is_killed_or_boots_has_no_last_hook():
    web = hooked(1, terminate={"duration": "1h"})
    sim = lone(web, faults=[{"at": "5s", "kill": "web"}])
    sim.advance("6s")
    assert web_of(sim)["terminations"] == 1
    sim.set("fleets.web.count", 0)
    sim.advance("7s")
    assert web_of(sim)["terminations"] == 2


def test_each_hook_of_a_launch_is_an_own_draw():
    late = {"duration": {"uniform": {"min": "0s", "max": "60s"}}, "timeout": "30s"}
    sim = lone(hooked(0, boot="0s", launch=late))
    sim.set("fleets.web.count", 40)
    sim.advance("29.9s")
    assert 10 < len(running(sim)) < 30
    sim.advance("1h")
    assert len(running(sim)) == 40
    assert kept(sim)["overdue"] == web_of(sim)["terminations"] > 10
