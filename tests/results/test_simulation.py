"""Simulations are advanced, looked at, changed, forked, saved, and resume to the same bit."""

import pickle
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from nephoscope import Scenario, ScenarioError, Simulation
from nephoscope.errors import StateError

EXAMPLES = Path(__file__).parents[2] / "examples"
COFFEE = Scenario.load(EXAMPLES / "coffee-shop-by-call.yaml")


def at(time, **overrides):
    simulation = Simulation(COFFEE.replace(overrides) if overrides else COFFEE, rng=7)
    simulation.advance(time)
    return simulation


@pytest.mark.parametrize(
    "step", ["7m", 450.5, timedelta(minutes=11), np.float32(601), "1h", "100w"]
)
def test_steps_make_no_difference(step):
    simulation = Simulation(COFFEE, rng=7)
    while not simulation.finished:
        simulation.advance(step)
    assert simulation.now == 3600
    assert simulation.result().fingerprint == COFFEE.run(rng=7).fingerprint


def test_time():
    simulation = at("10m")
    assert simulation.now == 600
    simulation.advance("0s")
    assert simulation.now == 600
    simulation.advance()
    assert simulation.finished
    simulation.advance("1h")
    assert simulation.now == 3600
    assert repr(at("10m")) == "Simulation('coffee-shop-by-call', now=10m, of=1h)"


@pytest.mark.parametrize("span", ["10", "-5m", -3.0, float("nan"), float("inf"), [1], "soon", True])
def test_wrong_spans_are_refused(span):
    simulation = Simulation(COFFEE)
    with pytest.raises(ScenarioError) as caught:
        simulation.advance(span)
    assert caught.value.problems[0].path == "advance"


def test_forks_are_independent():
    simulation = at("10m")
    twin = simulation.fork()
    before = simulation.result().fingerprint
    twin.set("fleets.baristas.count", 20)
    twin.advance()
    assert simulation.now == 600
    assert simulation.result().fingerprint == before
    simulation.advance()
    assert simulation.result().fingerprint == COFFEE.run(rng=7).fingerprint
    assert twin.result()["fleets.baristas.instances.final"] == 20
    better = twin.result()["traffic.customers.latency_s.mean"]
    assert better < simulation.result()["traffic.customers.latency_s.mean"]
    # The same customers come to both.
    assert (
        twin.result()["traffic.customers.offered"]
        == simulation.result()["traffic.customers.offered"]
    )


def test_what_can_be_set():
    simulation = at("10m")
    simulation.set("traffic.customers.rate", "8/s")
    simulation.set("fleets.baristas.count", 12)
    simulation.set("load_balancers.front-door.routing", {"power_of_two": {"choices": 3}})
    simulation.set("load_balancers.front-door.routing", "least_response_time")
    simulation.set("load_balancers.front-door.targets.cashiers.weight", 2.5)
    simulation.set("fleets.cashiers.count", 1)
    simulation.advance()
    result = simulation.result()
    assert result["fleets.cashiers.instances.final"] == 1
    # The new ones serve when they have booted, after 35 s in the mean.
    mean = 6 + 6 * (3000 - 35) / 3300
    assert result["fleets.baristas.instances.mean"] == pytest.approx(mean, abs=0.05)
    assert result["traffic.customers.offered"] == pytest.approx(4 * 300 + 8 * 3000, rel=0.05)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("traffic.customers.rate", "40", "no unit"),
        ("traffic.customers.rate", None, "no value"),
        ("traffic.customers.rate", "0/s", "more than 0"),
        ("traffic.customer.rate", "4/s", "customers"),
        ("fleets.baristas.count", -1, "out of range"),
        ("fleets.baristas.count", 2.5, "whole number"),
        ("fleets.baristas.count", 4_194_304, "too many"),
        ("fleets.baristas.count", {"min": 1}, "the bounds stay while a simulation runs"),
        ("fleets.barista.count", 1, "baristas"),
        ("load_balancers.bar.routing", "least_conections", "least_connections"),
        ("load_balancers.bar.routing", {"ip_hash": {"x": 1}}, ""),
        ("load_balancers.bar.targets.baristas.weight", 0, "out of range"),
        ("load_balancers.bar.targets.baristas.weight", 2, "no use for weights"),
        ("load_balancers.bar.targets.cashiers.weight", 2, "not a target"),
        ("load_balancers.pub.routing", "random", "no 'pub'"),
        ("services.take-order.backlog", 5, "cannot be set"),
        ("seed", 5, "cannot be set"),
        ("", 5, "cannot be set"),
    ],
)
def test_what_cannot_be_set(path, value, words):
    simulation = at("10m")
    before = simulation.save()
    with pytest.raises(ScenarioError) as caught:
        simulation.set(path, value)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert words in problem.render()
    assert simulation.save() == before


def test_weights_and_routings_must_fit_each_other():
    simulation = at("10m")
    simulation.set("load_balancers.front-door.targets.cashiers.weight", 2)
    with pytest.raises(ScenarioError, match="no use for weights"):
        simulation.set("load_balancers.front-door.routing", "random")
    simulation.set("load_balancers.front-door.targets.cashiers.weight", 1)
    simulation.set("load_balancers.front-door.routing", "random")
    with pytest.raises(ScenarioError, match="no use for weights"):
        simulation.fork().set("load_balancers.front-door.targets.cashiers.weight", 2)


def test_rates_of_their_own_cannot_be_set():
    simulation = Simulation(Scenario.load(EXAMPLES / "flash-sale.yaml"))
    with pytest.raises(ScenarioError, match="profile arrivals have no rate"):
        simulation.set("traffic.shoppers.rate", "4/s")


def test_state():
    simulation = at("10m")
    state = simulation.state()
    assert state["now_s"] == 600
    assert state["fleets"] == ["cashiers", "baristas"]
    assert state["fleet"].tolist() == [0] * 3 + [1] * 6
    assert state["running"].all()
    assert len(state["busy_workers"]) == len(state["waiting"]) == 9
    assert state["in_flight"].tolist() == [
        simulation.result().series("traffic.customers.in_flight")[1][-1]
    ]
    assert (state["next_arrival_ns"] >= 600 * 10**9).all()


@pytest.mark.parametrize(
    "copy", [lambda s: Simulation.load(s.save()), lambda s: pickle.loads(pickle.dumps(s))]
)
def test_saved_simulations_resume_to_the_bit(copy):
    simulation = at("10m")
    simulation.set("fleets.baristas.count", 5)
    simulation.set("load_balancers.bar.routing", "ip_hash")
    simulation.set("load_balancers.bar.targets.baristas.weight", 2)
    simulation.advance("90.5s")
    resumed = copy(simulation)
    assert resumed.now == simulation.now
    assert resumed.save() == simulation.save()
    with pytest.raises(ScenarioError, match="no use for weights"):
        resumed.set("load_balancers.bar.routing", "random")
    for each in (simulation, resumed):
        each.set("traffic.customers.rate", "5/s")
        each.advance()
    assert resumed.result().fingerprint == simulation.result().fingerprint
    assert resumed.result().to_dict()["seed"] == 7


def test_damaged_bytes_are_refused():
    saved = at("1m").save()
    for damaged in (
        b"",
        b"nephoscope",
        saved[:-1],
        saved + b"x",
        saved[:500] + b"\0" + saved[501:],
    ):
        with pytest.raises(StateError):
            Simulation.load(damaged)


def test_data_files_are_found_again(tmp_path):
    (tmp_path / "data.csv").write_text("t\n1\n5\n50\n")
    tree = COFFEE.to_dict() | {
        "traffic": {
            "users": {"to": "bar", "arrivals": {"trace": {"file": "data.csv", "column": "t"}}}
        },
        "warmup": "0s",
    }
    simulation = Simulation(Scenario.from_dict(tree, directory=tmp_path))
    simulation.advance("10s")
    resumed = Simulation.load(simulation.save())
    resumed.advance()
    assert resumed.result()["traffic.users.offered"] == 3


def test_a_warmup_that_finds_itself_stays():
    simulation = at("30m", warmup="auto")
    resumed = Simulation.load(simulation.save())
    assert resumed.result().warmup_s == simulation.result().warmup_s
