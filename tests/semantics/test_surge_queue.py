"""The surge queue of a balancer: who waits for a target that has room."""

from __future__ import annotations

from typing import Any

import pytest

from semantics.lab import ROUTINGS, fates, fleet, latency, run, scenario, simulation, targets, work

Tree = dict[str, Any]


def surging(traffic: Tree, size: int = 10, backlog: int = 0, count: int = 1, **keys: Any) -> Tree:
    """Instances with a backlog of so many behind a balancer with a queue; a request is 1 s."""
    service = work(keys.pop("step", {"compute": "1s"}), backlog=backlog)
    door = {"targets": ["web"], "routing": keys.pop("routing", "round_robin")}
    door |= {"surge_queue": size} if size else {}
    door |= keys.pop("door", {})
    fleets = {"web": fleet(count=count)} | keys.pop("fleets", {})
    return scenario(traffic, service, fleets=fleets, balancers={"door": door}, **keys)


def queue(result: Tree) -> tuple[int, int, int]:
    door = result["load_balancers"]["door"]
    return door["spilled"], door["surge_queue"]["now"], door["surge_queue"]["most"]


def test_who_finds_all_full_waits_and_is_served_in_turn(lab):
    """Four at once on one worker without a backlog: answered after 1, 2, 3 and 4 s."""
    result = run(surging(lab.at(0, 0, 0, 0, to="door")))
    assert fates(result["traffic"]["customers"]) == (4, 0, 0, 0, 0)
    assert latency(result["traffic"]["customers"])[0] == pytest.approx(2.5)
    assert latency(result["traffic"]["customers"])[2:] == pytest.approx((1, 4))
    assert queue(result) == (0, 0, 3)
    assert fates(run(surging(lab.at(0, 0, 0, 0, to="door"), 0))["traffic"]["customers"])[:2] == (
        1,
        3,
    )


def test_first_come_first_served(lab):
    """1, 3 and 2 s of work: the third waits for the second though it is shorter."""
    tree = surging(lab.at(0, 0.1, 0.2, to="door"), step=lab.sizes(1, 3, 2))
    assert latency(run(tree)["traffic"]["customers"])[2:] == pytest.approx((1, 5.8))


def test_what_finds_the_queue_full_is_spilled(lab):
    result = run(surging(lab.at(0, 0, 0, 0, 0, to="door"), 2))
    assert fates(result["traffic"]["customers"]) == (3, 2, 0, 0, 0)
    assert queue(result) == (2, 0, 2)
    assert result["load_balancers"]["door"]["errors"] == {"502": 0, "503": 2}


def test_backlogs_fill_before_it_does(lab):
    """Two targets with a place each behind the worker: the fifth is the first to wait."""
    result = run(surging(lab.at(*[0] * 5, to="door"), backlog=1, count=2))
    assert fates(result["traffic"]["customers"]) == (5, 0, 0, 0, 0)
    assert queue(result) == (0, 0, 1)
    assert sorted(target["requests"] for target in targets(result)) == [2, 3]


@pytest.mark.parametrize("routing", sorted(ROUTINGS))
def test_a_full_target_is_passed_over(lab, routing):
    """One has an hour of work; round robin, too, sends the rest to the other."""
    traffic = lab.at(*[2.0 * k for k in range(20)], to="door", clients=1000)
    result = run(
        surging(traffic, count=2, step=lab.sizes(3600, *[1] * 19), routing=ROUTINGS[routing])
    )
    assert sorted(target["requests"] for target in targets(result)) == [1, 19]
    assert queue(result) == (0, 0, 0)


def test_without_any_target_requests_wait_for_one(lab):
    sim = simulation(surging(lab.at(1, 2, 3, to="door"), 2, count=0))
    sim.advance("10s")
    assert queue(sim.results().to_dict()) == (1, 2, 2)
    assert sim.results()["traffic.customers.in_flight"] == 2
    assert sim.results()["fleets.web.in_flight"] == 0
    sim.set("fleets.web.count", 2)
    sim.advance("11.5s")
    source = sim.results().to_dict()["traffic"]["customers"]
    assert fates(source) == (2, 1, 0, 0, 0)
    assert latency(source)[2:] == pytest.approx((9, 10))


def test_who_leaves_while_it_waits_is_gone(lab):
    """Nothing was sent, so nothing is wasted; who comes later has the place."""
    traffic = {
        "customers": lab.at(0, 0.1, to="door", timeout="500ms"),
        "patient": lab.at(0.2, 0.7, to="door"),
    }
    result = run(surging(traffic, 2, step=lab.sizes(2, 1, 1)))
    assert fates(result["traffic"]["customers"]) == (0, 0, 0, 2, 0)
    assert fates(result["traffic"]["patient"]) == (2, 0, 0, 0, 0)
    assert result["fleets"]["web"]["wasted"] == 1  # what a worker had
    assert queue(result) == (0, 0, 2)


def test_the_idle_timeout_runs_while_it_waits(lab):
    result = run(surging(lab.at(0, 0, 0, to="door"), door={"idle_timeout": "1500ms"}))
    assert fates(result["traffic"]["customers"]) == (1, 0, 2, 0, 0)
    assert result["load_balancers"]["door"]["errors"]["504"] == 2
    assert result["fleets"]["web"]["wasted"] == 1


def test_room_that_comes_by_patience(lab):
    """The second takes its place in the backlog back at 0.5 s, and the third moves up."""
    traffic = {
        "customers": lab.at(0.1, to="door", timeout="400ms", on_timeout="abandon"),
        "patient": lab.at(0, 0.2, to="door"),
    }
    sim = simulation(surging(traffic, backlog=1))
    sim.advance("400ms")
    assert queue(sim.results().to_dict())[1] == 1
    sim.advance("600ms")
    assert queue(sim.results().to_dict())[1] == 0
    sim.advance("3s")
    assert latency(sim.results().to_dict()["traffic"]["patient"])[3] == pytest.approx(1.8)


def test_what_waits_goes_to_a_target_that_fails_fast(lab):
    """One that is down is not full: until that is found out it answers 502."""
    fault = {"at": "500ms", "fail": "web"}
    result = run(surging(lab.at(0, 0, 0, to="door"), faults=[fault]))
    assert fates(result["traffic"]["customers"]) == (0, 0, 3, 0, 0)
    assert result["load_balancers"]["door"]["errors"] == {"502": 3, "503": 0}


def test_retries_wait_too(lab):
    traffic = lab.at(0, 0, 0, to="door", retry={"attempts": 3, "backoff": {"fixed": "100ms"}})
    result = run(surging(traffic, 1))
    source = result["traffic"]["customers"]
    assert source["completed"] == 2
    assert source["rejected"] == 1
    assert queue(result) == (3, 0, 1)


def test_calls_wait_too(lab):
    tree = surging(lab.at(0, 0, 0, to="front"))
    tree["services"]["ask"] = work({"call": "door"}, concurrency=10)
    tree["fleets"]["front"] = fleet("ask")
    result = run(tree)
    assert latency(result["traffic"]["customers"])[2:] == pytest.approx((1, 3))
    assert queue(result) == (0, 0, 2)


def test_who_comes_round_the_queue_fills_the_target_as_well(lab):
    """Traffic straight to the fleet has the worker: the balancer's waits until it is free."""
    traffic = {"direct": lab.at(0, to="web"), "customers": lab.at(0.5, to="door")}
    result = run(surging(traffic))
    assert latency(result["traffic"]["customers"])[0] == pytest.approx(1.5)


def test_an_overload_is_worked_off_and_bounded():
    """Twice the capacity for 100 s: 200 places are taken, the rest is spilled, none is lost."""
    profile = [["0s", "8/s"], ["100s", "8/s"], ["100.001s", "1/s"]]
    traffic = {"to": "door", "arrivals": {"profile": profile}}
    result = run(surging(traffic, 200, count=4, duration="300s"))
    source = result["traffic"]["customers"]
    spilled, now, most = queue(result)
    assert (now, most) == (0, 200)
    assert source["completed"] + spilled == source["offered"] - source["in_flight"]
    assert source["latency_s"]["max"] < 60
    assert spilled == pytest.approx(200, abs=80)
