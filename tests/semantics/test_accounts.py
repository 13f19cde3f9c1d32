"""What an account may launch, CPU credits over a stop, and actions from Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope import parts
from semantics.lab import fates, fleet, outcome, run, scenario, simulation
from semantics.test_instance_life import does, machine

Tree = dict[str, Any]


def growing(count: int, **keys: Any) -> Tree:
    return fleet(count=count) | {"initially": "pending", **keys}


def test_ten_thousand_instances_take_the_time_of_the_bucket():
    """As the stand-alone part has it: 5 requests of 100, then by requests, then by instances."""
    tree = scenario(
        {"to": "web", "rate": "1/s"},
        fleets={"web": growing(10_000)},
        accounts={"main": {"api": {}}},
        duration="4600s",
        series="50s",
    )
    result = outcome(tree)
    ends, instances = result.series("fleets.web.instances")
    accepted_s = parts.provision(10_000).accepted_at_ns / 1e9
    assert accepted_s[-1] == pytest.approx(4500, abs=1)
    assert instances.tolist() == [int(np.sum(accepted_s < end)) for end in ends]
    assert result["fleets.web.life.throttled"] > 8000


@pytest.mark.parametrize(("limits", "launched"), [({}, 10_000), ({"main": {"api": {}}}, 501)])
def test_without_an_account_launches_take_no_time(limits, launched):
    # The interface has tokens for five requests of 100 instances.
    tree = scenario({"to": "web", "rate": "1/s"}, fleets={"web": growing(1)}, accounts=limits)
    running = simulation(tree)
    running.advance("10s")
    running.set("fleets.web.count", 10_000)
    running.advance("10.1s")
    assert running.results()["fleets.web.instances.final"] == launched


def test_instances_that_are_there_at_the_start_need_no_request():
    web = fleet(count=2000)
    tree = scenario(
        {"to": "web", "rate": "1/s"}, fleets={"web": web}, accounts={"main": {"api": {}}}
    )
    assert run(tree)["fleets"]["web"]["instances"]["min"] == 2000


def test_an_account_may_have_so_many_vcpus(lab):
    web = fleet(count=5, vcpus=2)
    tree = scenario(
        lab.at(1), fleets={"web": web}, accounts={"main": {"vcpus": 7}}, duration="170s"
    )
    result = run(tree)
    web = result["fleets"]["web"]
    assert web["instances"]["final"] == 3
    # Two are missing, at the start and at 1 and 2 minutes.
    assert web["life"]["vcpu_limit_exceeded"] == 6
    assert "VcpuLimitExceeded" in result["flags"][0]


def test_what_is_stopped_needs_no_vcpus(lab):
    # The web stops by 30 s, and batch gets its vCPU when it asks again, at 60 s.
    fleets = {"web": machine(), "batch": machine()}
    tree = scenario(
        lab.at(1),
        fleets=fleets,
        accounts={"main": {"vcpus": 1}},
        actions=[does("10s", "stop"), does("70s", "start")],
        duration="3m",
    )
    result = run(tree)
    assert result["fleets"]["batch"]["instances"]["final"] == 1
    assert result["fleets"]["web"]["life"]["refused_starts"] == 2


def test_spot_other_families_and_other_accounts_are_counted_apart(lab):
    fleets = {
        "web": fleet(count=2),
        "spare": fleet(count=2) | {"purchase": "spot"},
        "gpu": fleet(count=2) | {"instance_type": "g4dn.xlarge"},
        "guest": fleet(count=2) | {"tenant": "other"},
    }
    tree = scenario(lab.at(1), fleets=fleets, accounts={"main": {"vcpus": {"standard": 1, "g": 4}}})
    final = {name: it["instances"]["final"] for name, it in run(tree)["fleets"].items()}
    assert final == {"web": 1, "spare": 2, "gpu": 1, "guest": 2}


def test_a_custom_type_is_of_the_group_of_its_name(lab):
    kind = {"name": "p4de.24xlarge", "vcpus": 1, "memory": "1GiB"}
    fleets = {"web": fleet(count=2), "gpu": fleet(count=2) | {"instance_type": kind}}
    tree = scenario(lab.at(1), fleets=fleets, accounts={"main": {"vcpus": {"p": 1}}})
    final = {name: it["instances"]["final"] for name, it in run(tree)["fleets"].items()}
    assert final == {"web": 2, "gpu": 1}


# --- CPU credits ------------------------------------------------------------------------------


def burst(kind: str, *actions: Tree, duration: str = "2h") -> Tree:
    web = machine() | {"instance_type": kind, "cpu_credits": "standard"}
    traffic = {"to": "web", "rate": "1/h", "arrivals": "constant"}
    tree = scenario(traffic, fleets={"web": web}, duration=duration, actions=list(actions))
    found: Tree = run(tree)["fleets"]["web"]["cpu_credits"]
    return found


STOP = (does("3600s", "stop"), does("3620s", "start"))


def test_t3_keeps_its_credits_over_a_stop():
    # 12 an hour; a stopped instance earns none: 20 s of the shutdown and 3580 s of running after.
    found = burst("t3.micro", *STOP)
    assert found["earned"] == pytest.approx(12 + 12 * 3580 / 3600 + 12 * 20 / 3600, abs=1e-6)
    assert found["balance"] == pytest.approx(found["earned"] - found["spent"], abs=1e-6)


def test_t2_loses_its_credits_and_gets_launch_credits_at_each_start():
    found = burst("t2.micro", *STOP)
    assert found["launch"] == 60
    assert found["balance"] == pytest.approx(30 + 6 * 3580 / 3600, abs=0.1)


def test_a_reboot_keeps_the_credits_and_gets_no_others():
    found = burst("t2.micro", does("1h", "reboot"))
    assert found["launch"] == 30
    assert found["balance"] == pytest.approx(30 + 12, abs=0.1)


# --- from Python ------------------------------------------------------------------------------


def simulated(*actions: Tree, **keys: Any) -> nph.Simulation:
    web = machine(count=3, hibernation=True, **keys)
    traffic = {"to": "door", "rate": "20/s"}
    tree = scenario(
        traffic,
        fleets={"web": web},
        balancers={"door": {"targets": ["web"], "routing": "least_connections"}},
        actions=list(actions),
    )
    return nph.Simulation(nph.Scenario.model_validate(tree), rng=7)


@pytest.mark.parametrize("kind", ["stop", "reboot", "hibernate", "terminate"])
def test_an_action_from_outside_is_that_of_the_scenario(kind):
    told = simulated(does("20s", kind, {"fleet": "web", "count": 2}), does("60s", "start"))
    told.advance()
    acted = simulated()
    acted.advance("20s")
    assert getattr(acted, kind)("web", 2) == 2
    acted = nph.Simulation.load(acted.save())
    acted.advance("40s")
    assert acted.start("web") == (2 if kind in ("stop", "hibernate") else 0)
    acted.advance()
    assert acted.result().fingerprint == told.result().fingerprint


def test_actions_say_how_many_there_were():
    sim = simulated()
    sim.advance("10s")
    assert [sim.stop("web", 2), sim.stop("web", 2), sim.stop("web")] == [2, 1, 0]


@pytest.mark.parametrize(
    ("kind", "name", "count", "keys", "message"),
    [
        ("stop", "wbe", 1, {}, "did you mean web"),
        ("stop", "web", 0, {}, "out of range"),
        ("stop", "web", 1, {"purchase": "spot"}, "cannot stop"),
    ],
)
def test_wrong_actions_are_refused(kind, name, count, keys, message):
    sim = simulated(**keys)
    with pytest.raises(nph.ScenarioError, match=message):
        getattr(sim, kind)(name, count)


@pytest.mark.parametrize(
    ("system", "told", "early", "late"),
    [
        # Linux boots for 20 to 40 s, Windows for 10 to 15 min; before that both are pending.
        ("linux", {}, 22, 60),
        ("windows", {}, 605, 910),
        ("linux", {"pending": "0s"}, 19.9, 40.1),
        ("windows", {"pending": "0s"}, 599.9, 900.1),
        ("linux", {"pending": "30s"}, 49.9, 70.1),
        ("linux", {"pending": "3s", "boot": "4s"}, 6.9, 7.1),
        ("windows", {"pending": "3s", "boot": "4s"}, 6.9, 7.1),
    ],
)
def test_durations_are_those_of_the_system_unless_told(lab, system, told, early, late):
    web = growing(1, os=system, durations=told)
    del web["boot"]
    tree = scenario(lab.at(early, late), fleets={"web": web}, duration="1000s")
    for rng in range(5):
        assert fates(run(tree, rng)["traffic"]["customers"]) == (1, 1, 0, 0, 0)
