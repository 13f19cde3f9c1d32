"""What a balancer does with requests before it chooses a target: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope import catalog
from semantics.lab import (
    Tree,
    customers,
    fates,
    fleet,
    latency,
    outcome,
    run,
    scenario,
    simulation,
    targets,
    work,
)

QUICK = work({"compute": "1ms"}, concurrency=8)


def lab_of(traffic: Tree, service: Tree | None = None, duration: str = "100s", **door: Any) -> Tree:
    fleets = door.pop("fleets", {"web": fleet()})
    told = {"targets": list(fleets)} | door
    return scenario(
        traffic, service or QUICK, fleets=fleets, balancers={"door": told}, duration=duration
    )


def door_of(tree: Tree, rng: int = 7) -> Tree:
    return run(tree, rng)["load_balancers"]["door"]


def refused(tree: Tree, path: str, words: str) -> None:
    with pytest.raises(nph.ScenarioError, match=words) as told:
        nph.Scenario.model_validate(tree)
    assert f"load_balancers.door{path}" in [problem.path for problem in told.value.problems]


def steady(rate: str = "100/s") -> Tree:
    return {"to": "door", "rate": rate, "arrivals": "constant"}


# --- what it answers by itself -------------------------------------------------------------------


@pytest.mark.parametrize("code", ["400", "463", "464", "500", "501"])
def test_a_code_is_answered_by_the_balancer_and_reaches_no_target(lab, code):
    tree = lab_of(lab.at(1, 2, 3, to="door"), errors={code: 1.0})
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (0, 3, 0, 0, 0)
    door = result["load_balancers"]["door"]
    assert door["errors"] == {"502": 0, "503": 0, code: 3}
    assert targets(result)[0]["requests"] == 0


def test_each_code_has_its_share():
    """Of 9,999 requests."""
    door = door_of(lab_of(steady(), errors={"400": "20%", "500": "5%"}))
    assert door["errors"]["400"] == pytest.approx(2000, abs=160)
    assert door["errors"]["500"] == pytest.approx(500, abs=90)
    assert door["rejected"] == door["errors"]["400"] + door["errors"]["500"]
    assert door["completed"] + door["rejected"] + door["in_flight"] == door["requests"]


def test_a_client_that_is_idle_has_408_after_the_idle_timeout(lab):
    tree = lab_of(lab.at(1, to="door"), errors={"408": 1.0}, idle_timeout="60s")
    assert fates(customers(tree | {"duration": "60999ms"})) == (0, 0, 0, 0, 1)
    assert fates(customers(tree | {"duration": "61001ms"})) == (0, 1, 0, 0, 0)
    assert door_of(tree)["errors"] == {"502": 0, "503": 0, "504": 0, "408": 1}


def test_who_leaves_before_that_has_timed_out(lab):
    source = lab.at(1, to="door", timeout="10s")
    tree = lab_of(source, errors={"408": 1.0}, idle_timeout="60s")
    assert fates(customers(tree)) == (0, 0, 0, 1, 0)
    assert door_of(tree)["errors"]["408"] == 0


def test_who_tries_again_may_be_served():
    tree = lab_of(steady(), errors={"500": "50%"})
    tree["traffic"]["customers"]["retry"] = {"attempts": 8, "backoff": {"fixed": "0s"}}
    assert customers(tree)["completed"] > 9900


def test_who_is_answered_so_does_not_depend_on_the_fleet():
    few = lab_of(steady(), errors={"400": "20%"})
    many = lab_of(steady(), errors={"400": "20%"}, routing="random", fleets={"web": fleet(count=5)})
    assert door_of(few)["errors"]["400"] == door_of(many)["errors"]["400"]
    assert door_of(few, 8)["errors"]["400"] != door_of(few)["errors"]["400"]


def test_without_shares_it_is_as_before():
    none = outcome(lab_of(steady("10/s"), errors={"400": 0}))
    assert "errors" not in none.to_dict()["load_balancers"]["door"]
    assert none.to_dict()["traffic"] == run(lab_of(steady("10/s")))["traffic"]


def test_errors_that_cannot_be_are_refused(lab):
    source = lab.at(1, to="door")
    refused(lab_of(source, errors={"408": "1%"}), ".errors.408", "idle timeout")
    refused(lab_of(source, errors={"400": 0.6, "500": 0.6}), ".errors", "more than all")
    refused(lab_of(source, errors={"418": "1%"}), ".errors.418", "no key")
    for kind in ("network", "gateway"):
        refused(lab_of(source, errors={"400": "1%"}, type=kind), ".errors", "answers nothing")


# --- a capacity that is waited for ---------------------------------------------------------------


def test_what_is_beyond_the_capacity_may_wait_for_its_turn(lab):
    """Two a second, a second's worth at once: the third waits 0.3 s, the fourth 0.7 s; the fifth
    would have to wait for 1.1 s."""
    source = lab.at(0, 0.1, 0.2, 0.3, 0.4, to="door")
    result = run(lab_of(source, capacity={"start": "2/s", "wait": "1s"}))
    assert fates(result["traffic"]["customers"]) == (4, 1, 0, 0, 0)
    assert result["load_balancers"]["door"]["capacity"]["rejected"] == 1
    mean, _, least, most = latency(result["traffic"]["customers"])
    assert (least, most) == pytest.approx((0.001, 0.701), abs=1e-6)
    assert mean == pytest.approx((0.001 + 0.001 + 0.301 + 0.701) / 4, abs=1e-6)


def test_who_waits_for_it_is_in_flight_and_at_no_target(lab):
    tree = lab_of(lab.at(0, 0.1, 0.2, to="door"), capacity={"start": "2/s", "wait": "1s"})
    sim = simulation(tree)
    sim.advance("400ms")
    result = sim.results().to_dict()
    assert result["load_balancers"]["door"]["in_flight"] == 1
    assert targets(result)[0]["requests"] == 2


def test_who_leaves_while_it_waits_has_timed_out(lab):
    source = lab.at(0, 0.1, 0.2, 0.3, to="door", timeout="500ms")
    tree = lab_of(source, capacity={"start": "2/s", "wait": "1s"})
    assert fates(customers(tree)) == (3, 0, 0, 1, 0)


def test_no_surge_queue_goes_with_it(lab):
    service = work({"compute": "1ms"}, backlog=0)
    capacity = {"start": "2/s", "wait": "1s"}
    tree = lab_of(lab.at(0, to="door"), service, capacity=capacity, surge_queue=5)
    refused(tree, ".surge_queue", "capacity.wait does not go")


# --- requests that are split ---------------------------------------------------------------------


def pairs(lab: Any, count: int, **door: Any) -> list[int]:
    """Of each pair the first goes to the fleet that weighs three times as much, and takes a while;
    the second goes there, too, unless the first counts as three. Requests of either fleet."""
    source = lab.at(*[100 * i + j for i in range(count) for j in (1, 2)], to="door")
    told = [{"fleet": "large", "weight": 3}, {"fleet": "small", "weight": 1}]
    tree = lab_of(
        source,
        work({"sleep": "10s"}, concurrency=8),
        duration=f"{100 * count}s",
        fleets={"large": fleet(), "small": fleet()},
        routing="least_connections",
    )
    tree["load_balancers"]["door"] |= {"targets": told} | door
    return [target["requests"] for target in targets(run(tree))]


def test_a_request_that_is_split_counts_as_several(lab):
    assert pairs(lab, 10) == [20, 0]
    assert pairs(lab, 10, split_requests={"into": 3}) == [10, 10]


def test_a_share_of_them_is_split(lab):
    large, small = pairs(lab, 400, split_requests={"share": "30%", "into": 3})
    assert (large + small, small) == (800, pytest.approx(120, abs=40))


def test_split_requests_go_with_least_connections(lab):
    tree = lab_of(lab.at(1, to="door"), split_requests={"into": 2})
    refused(tree, ".split_requests", "round_robin does not count")
    tree["load_balancers"]["door"]["routing"] = "least_connections"
    nph.Scenario.model_validate(tree)


# --- connections ---------------------------------------------------------------------------------


def opened(tree: Tree) -> int:
    return int(door_of(tree)["connections"]["opened"])


def test_who_has_no_connection_waits_for_the_handshake(lab):
    source = lab.at(1, 2, 3, to="door", clients=1)
    tree = lab_of(source, connections={"handshake": "200ms"})
    mean, _, least, most = latency(customers(tree))
    assert (least, most) == pytest.approx((0.001, 0.201), abs=1e-6)
    assert mean == pytest.approx((0.201 + 0.001 + 0.001) / 3, abs=1e-6)
    assert door_of(tree)["connections"] == {"opened": 1, "now": 1}


def test_what_is_sent_meanwhile_waits_for_it_too(lab):
    source = lab.at(1, 1.05, to="door", clients=1)
    tree = lab_of(source, connections={"handshake": "200ms"})
    assert latency(customers(tree))[2:] == pytest.approx((0.151, 0.201), abs=0.0011)
    assert opened(tree) == 1


@pytest.mark.parametrize(("last", "count"), [(3600, 1), (3602, 2)])
def test_a_connection_is_kept_for_an_hour_unless_told(lab, last, count):
    times = [1 + 300 * i for i in range(12)]
    source = lab.at(*times, last, to="door", clients=1)
    assert opened(lab_of(source, connections={}, duration="4000s")) == count


def test_it_may_be_kept_for_a_minute_to_a_week(lab):
    source = lab.at(1, 59, 62, to="door", clients=1)
    assert opened(lab_of(source, connections={"keep_alive": "60s"})) == 2
    assert opened(lab_of(source, connections={"keep_alive": "604800s"})) == 1
    for bad in ("59s", "604801s"):
        tree = lab_of(source, connections={"keep_alive": bad})
        refused(tree, ".connections.keep_alive", "1m to 7d")


@pytest.mark.parametrize(("second", "count"), [(70, 1), (72, 2)])
def test_one_that_is_idle_is_closed_before(lab, second, count):
    """From the answer on: it comes at 11 s."""
    source = lab.at(1, second, to="door", clients=1)
    service = work({"sleep": "10s"}, concurrency=8)
    tree = lab_of(source, service, connections={}, idle_timeout="60s")
    assert opened(tree) == count


def test_each_client_has_its_own():
    source = {"to": "door", "arrivals": {"closed": {"users": 12, "think": "1s"}}}
    assert opened(lab_of(source, connections={})) == 12


def test_new_and_open_connections_are_billed():
    """Twelve are opened, and open at the end of each minute."""
    hour = catalog.LoadBalancerHour(10**6, 0, 90_000)
    assert catalog.load_balancer_bill("application", [hour]).unit_hours == pytest.approx(1.0)
    source = {"to": "door", "arrivals": {"closed": {"users": 12, "think": "1s"}}}
    tree = lab_of(source, connections={"keep_alive": "7d"}, bytes_per_request="0B", duration="1h")
    line = run(tree)["cost_usd"]["load_balancers"]["door"]
    assert line["unit_hours"] == pytest.approx(12 / 3000, rel=1e-9)


def test_connections_need_clients_and_follow_from_them(lab):
    refused(lab_of(steady(), connections={}), ".connections", "sends here without clients")
    told = lab_of(lab.at(1, to="door", clients=1), connections={}, requests_per_connection=2)
    refused(told, ".requests_per_connection", "follows from its clients")


# --- saved and gone on ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "door",
    [
        {"errors": {"400": "10%", "408": "20%"}, "idle_timeout": "10s"},
        {"capacity": {"start": "20/s", "wait": "20s"}},
        {"routing": "least_connections", "split_requests": {"share": "40%", "into": 4}},
        {"connections": {"handshake": "700ms", "keep_alive": "1m"}},
    ],
)
def test_saved_before_its_time_is_over_it_goes_on_as_it_would_have(door):
    source = {"to": "door", "rate": "30/s", "clients": 50, "timeout": "12s"}
    tree = lab_of(source, work({"sleep": "2s"}, concurrency=100), **door)
    sim = simulation(tree)
    sim.advance("50s")
    again = sim.fork()
    for each in (sim, again):
        each.advance("99s")
    assert sim.results().fingerprint == again.results().fingerprint
    scenario_ = nph.Scenario.model_validate(tree)
    whole, cut = nph.Simulation(scenario_, rng=7), nph.Simulation(scenario_, rng=7)
    whole.advance("99s")
    cut.advance("33s")
    other = nph.Simulation.load(cut.save())
    other.advance("66s")
    assert whole.result().fingerprint == other.result().fingerprint
