"""Stepping: how a run is cut changes nothing, what is set holds from that instant on."""

from __future__ import annotations

import numpy as np
import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, run, scenario, simulation, work


def busy(**keys):
    return scenario(
        {"to": "door", "rate": "20/s", "timeout": "3s"},
        work({"compute": {"exponential": "200ms"}}, backlog=50),
        fleets={"web": fleet(count=5)},
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        duration="200s",
        **keys,
    )


def test_a_run_in_steps_is_the_run_in_one():
    straight = run(busy())
    sim = simulation(busy())
    for second in (1, 17, 17, 50.5, 199.999999999, 200):
        sim.advance(f"{second}s")
    stepped = sim.results().to_dict()
    for tree in (straight, stepped):
        tree.pop("wall_s", None)
    assert stepped == straight


def test_a_fork_is_independent():
    sim = simulation(busy())
    sim.advance("50s")
    twin = sim.fork()
    twin.set("fleets.web.count", 1)
    twin.advance("200s")
    sim.advance("200s")
    own, other = sim.results().to_dict(), twin.results().to_dict()
    straight = run(busy())
    assert own["fingerprint"] == straight["fingerprint"]
    assert other["fingerprint"] != straight["fingerprint"]
    # The arrivals are common: only the service was worse.
    assert other["traffic"]["customers"]["offered"] == own["traffic"]["customers"]["offered"]
    assert other["traffic"]["customers"]["completed"] < own["traffic"]["customers"]["completed"]


def test_a_saved_simulation_goes_on_to_the_same_bit():
    straight = run(busy())["fingerprint"]
    sim = nph.Simulation(nph.Scenario.model_validate(busy()), rng=7)
    for seconds in (0.5, 49.5, 100):
        sim.advance(seconds)
        sim = nph.Simulation.load(sim.save())
    sim.advance()
    assert sim.result().fingerprint == straight


def test_what_was_set_is_saved():
    def end(saved: bool) -> str:
        sim = nph.Simulation(nph.Scenario.model_validate(busy()), rng=7)
        sim.advance(50)
        sim.set("fleets.web.count", 2)
        sim.set("load_balancers.door.routing", "random")
        sim.set("traffic.customers.rate", "5/s")
        sim.advance(50)
        if saved:
            sim = nph.Simulation.load(sim.save())
        sim.set("fleets.web.count", 7)
        sim.advance()
        return sim.result().fingerprint

    assert end(saved=True) == end(saved=False)


def test_a_rate_holds_from_the_instant_it_is_set():
    tree = scenario(
        {"to": "web", "rate": "10/s", "arrivals": "constant"},
        {"steps": [{"compute": "0s"}]},
        duration="100s",
    )
    sim = simulation(tree)
    sim.advance("10s")
    sim.set("traffic.customers.rate", "100/s")
    sim.advance("20s")
    # 99 before 10 s, and then a hundred a second: 999 or 1000 by where the first falls.
    offered = sim.results().to_dict()["traffic"]["customers"]["offered"]
    assert 99 + 999 <= offered <= 99 + 1001


def test_a_rate_near_zero_stops_the_traffic():
    sim = simulation(busy())
    sim.advance("50s")
    before = sim.results().to_dict()["traffic"]["customers"]["offered"]
    sim.set("traffic.customers.rate", "0.00000001/s")
    sim.advance("200s")
    source = sim.results().to_dict()["traffic"]["customers"]
    assert source["offered"] == before
    assert source["in_flight"] == 0


def test_instances_that_come_are_counted_from_then_on(lab):
    tree = scenario(lab.at(0), fleets={"web": fleet(count=2)}, duration="100s")
    sim = simulation(tree)
    sim.advance("25s")
    sim.set("fleets.web.count", 6)
    sim.advance("75s")
    sim.set("fleets.web.count", 1)
    sim.advance("100s")
    instances = sim.results().to_dict()["fleets"]["web"]["instances"]
    assert instances["min"] == 1
    assert instances["max"] == 6
    assert instances["final"] == 1
    assert instances["mean"] == pytest.approx((2 * 25 + 6 * 50 + 1 * 25) / 100)


def test_straight_to_a_fleet_follows_its_first_running_instance(lab):
    sim = simulation(scenario(lab.at(*range(10)), fleets={"web": fleet(count=2)}))
    sim.advance("3.5s")
    sim.set("fleets.web.count", 0)
    sim.advance("6.5s")
    sim.set("fleets.web.count", 3)
    sim.advance("100s")
    # At 4, 5 and 6 there was nobody.
    assert fates(sim.results().to_dict()["traffic"]["customers"]) == (7, 3, 0, 0, 0)


def test_the_state_is_what_an_observer_sees(lab):
    tree = scenario(lab.at(0, 0, 0, 5), work({"compute": "2s"}, concurrency=1))
    sim = simulation(tree)
    sim.advance("1s")
    state = sim.state()
    assert state["busy_workers"].tolist() == [1]
    assert state["waiting"].tolist() == [2]
    assert state["in_flight"].tolist() == [3]
    assert state["next_arrival_ns"].tolist() == [5 * 10**9]
    sim.advance("50s")
    state = sim.state()
    assert int(np.sum(state["waiting"]) + np.sum(state["busy_workers"])) == 0


@pytest.mark.parametrize("at", ["3s", "4s", "5s"])
def test_who_is_not_wanted_goes_even_at_the_instant_it_would_have_booted(at):
    """The second instance is killed at 3 s, and the one in its place would serve at 4 s."""
    tree = busy(faults=[{"at": "3s", "kill": {"fleet": "web", "count": 1}}])
    tree["fleets"]["web"]["boot"] = "1s"
    sim = simulation(tree)
    sim.advance(at)
    sim.set("fleets.web.count", 0)
    sim.advance("200s")
    result = sim.results().to_dict()["fleets"]["web"]
    assert result["instances"]["final"] == 0
    assert result["launches"] == result["terminations"] == (5 if at == "3s" else 6)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fleets.nobody.count", 3),
        ("fleets.web.count", -1),
        ("fleets.web.count", 2.5),
        ("traffic.customers.rate", "fast"),
        ("traffic.customers.rate", "0/s"),
        ("load_balancers.door.routing", "round_robbin"),
        ("load_balancers.door.targets.web.weight", -1),
        ("services.work.backlog", 3),
        ("duration", "5s"),
    ],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(path, value):
    sim = simulation(busy())
    sim.advance("50s")
    with pytest.raises(nph.NephoscopeError):
        sim.set(path, value)
    sim.advance("200s")
    assert sim.results().to_dict()["fingerprint"] == run(busy())["fingerprint"]


def test_time_does_not_go_back():
    sim = simulation(busy())
    sim.advance("50s")
    before = sim.state()
    sim.advance("20s")
    after = sim.state()
    assert after["now_ns"] == before["now_ns"] == 50 * 10**9
