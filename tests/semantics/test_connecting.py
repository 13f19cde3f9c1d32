"""The time that a balancer has to connect to a target that says nothing. One test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, latency, moments, outcome, run, scenario, simulation, work

Tree = dict[str, Any]

HALL: Tree = {"hall": {"count": 2, "type": {"cores": 1, "memory": "4GiB"}}}


def behind(traffic: Tree, *faults: Tree, count: int = 1, **keys: Any) -> Tree:
    """Instances on hosts of their own behind a balancer with 10 s to connect; 1 s of work."""
    door = {"targets": ["web"], "connect_timeout": "10s"} | keys.pop("door", {})
    return scenario(
        traffic | {"to": "door"},
        keys.pop("service", work()),
        hosts=HALL,
        fleets={"web": fleet(count=count) | {"hosts": "hall"}},
        balancers={"door": {key: value for key, value in door.items() if value is not None}},
        faults=list(faults),
        **keys,
    )


def gone(at: str, lasting: str | None = None, kind: str = "fail", where: Any = None) -> Tree:
    """The host of the first instance."""
    place = {"host": "hall", "index": 0} if where is None else where
    return {"at": at, kind: place} | ({} if lasting is None else {"for": lasting})


def errors(tree: Tree) -> tuple[int, int, int]:
    told = run(tree)["load_balancers"]["door"]["errors"]
    return told["502"], told["503"], told["504"]


@pytest.mark.parametrize("kind", ["fail", "hang"])
def test_who_says_nothing_is_504_when_the_time_is_over(lab, kind):
    tree = behind(lab.at(5), gone("1s", kind=kind), duration="14.9s")
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 0, 0, 1)
    tree["duration"] = "15.1s"
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert errors(tree) == (0, 0, 1)


def test_unless_told_a_host_that_is_down_refuses_at_once(lab):
    tree = behind(lab.at(5), gone("1s"), door={"connect_timeout": None}, duration="5.1s")
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert run(tree)["load_balancers"]["door"]["errors"] == {"502": 1, "503": 0}


def test_an_instance_that_fails_on_a_host_that_runs_refuses_at_once(lab):
    """Its system is there to say no."""
    tree = behind(lab.at(5), gone("1s", where={"fleet": "web"}), duration="5.1s")
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert errors(tree) == (1, 0, 0)


def test_what_it_held_when_its_host_went_fails_at_once(lab):
    tree = behind(lab.at(0.5), gone("1s"), duration="1.1s")
    assert errors(tree) == (1, 0, 0)


@pytest.mark.parametrize(("back", "took"), [("900ms", 2.0), ("2s", 4.0), ("5s", 8.0)])
def test_it_tries_again_after_1_s_then_2_then_4(lab, back, took):
    """Down from 5 s on, asked then: attempts at 6, 8 and 12 s, and a second of work."""
    tree = behind(lab.at(5), gone("5s", back), duration="30s")
    source = run(tree)["traffic"]["customers"]
    assert latency(source) == pytest.approx(moments([took]), rel=1e-9, abs=2e-9)


def test_a_client_may_leave_first(lab):
    tree = behind(lab.at(5, timeout="3s"), gone("1s"), duration="30s")
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 0, 1, 0)
    assert errors(tree) == (0, 0, 0)


def test_an_idle_timeout_that_is_shorter_comes_first(lab):
    tree = behind(lab.at(5), gone("1s"), door={"idle_timeout": "4s"}, duration="9.1s")
    assert fates(run(tree)["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert errors(tree) == (0, 0, 1)


def test_another_attempt_of_the_client_may_find_another(lab):
    retry = {"attempts": 2, "backoff": {"fixed": "1s"}}
    traffic = lab.at(5, retry=retry, timeout="3s")
    tree = behind(traffic, gone("1s"), count=2, duration="30s")
    assert fates(run(tree)["traffic"]["customers"])[0] == 1


def test_it_fails_its_checks_when_they_time_out_not_at_once(lab):
    """A check of 10 s has no answer within 5 s; one that is refused has it at once."""
    check = {"interval": "10s", "timeout": "5s", "unhealthy_threshold": 2}
    door = {"health_check": check}

    def found_out(**more: Any) -> float:
        tree = behind(lab.at(90), gone("1s"), door=door | more, series="100ms")
        values = outcome(tree).series("load_balancers.door.healthy")[1]
        return float((values == 1).sum()) / 10

    assert found_out() == pytest.approx(found_out(connect_timeout=None) + 5.0, abs=0.11)


def test_what_connects_takes_no_worker_and_no_place(lab):
    """Three ask while one worker with no backlog is away; they try again at the same instants."""
    service = work(concurrency=1, backlog=0)
    tree = behind(lab.at(5, 5.1, 5.2), gone("4s", "1500ms"), service=service, duration="30s")
    assert fates(run(tree)["traffic"]["customers"]) == (1, 2, 0, 0, 0)


def test_forks_and_saved_states_keep_who_connects(lab):
    tree = behind(lab.at(5, 6, 7, 20), gone("5s", "4s"), duration="40s")
    sim = simulation(tree)
    sim.advance("7.5s")
    twin = sim.fork()
    sim.advance("40s")
    twin.advance("40s")
    assert sim.results().fingerprint == twin.results().fingerprint == outcome(tree).fingerprint


def test_without_faults_it_changes_nothing(lab):
    tree = behind(lab.at(1, 2, 3, 3.5))
    plain = behind(lab.at(1, 2, 3, 3.5), door={"connect_timeout": None})
    assert fates(run(tree)["traffic"]["customers"]) == fates(run(plain)["traffic"]["customers"])
    with pytest.raises(nph.ScenarioError):
        nph.Scenario.model_validate(behind(lab.at(1), door={"connect_timeout": "0s"}))
