"""Instances that are kept without being served, or let go: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, outcome, run, scenario, simulation, targets, work

Tree = dict[str, Any]


def lab_of(count: Any, *actions: Tree, duration: str = "100s", **keys: Any) -> Tree:
    """Instances behind a balancer, ten requests a second of 10 ms."""
    web = fleet(count=count) | keys.pop("web", {})
    traffic = keys.pop("traffic", {"to": "door", "rate": "10/s", "arrivals": "constant"})
    balancers = {"door": {"targets": ["web"]} | keys.pop("door", {})}
    service = keys.pop("service", work({"compute": "10ms"}))
    return scenario(
        traffic,
        service,
        fleets={"web": web},
        balancers=balancers,
        actions=list(actions),
        duration=duration,
        **keys,
    )


def act(at: str, kind: str, count: int | None = 1, **keys: Any) -> Tree:
    which: Tree = {"fleet": "web"} | ({} if count is None else {"count": count})
    return {"at": at, kind: which | keys}


def life(tree: Tree) -> tuple[int, int, int, int]:
    told = run(tree)["fleets"]["web"]["life"]
    return tuple(told[key] for key in ("standbys", "returns", "detached", "standby"))


def serving(tree: Tree) -> list[int]:
    """Instances at the end of each second."""
    return [int(n) for n in outcome(tree | {"series": "1s"}).series("fleets.web.instances")[1]]


def billed(tree: Tree) -> float:
    return float(outcome(tree)._numbers["fleets"][0]["billed_s"])


def test_who_is_on_standby_gets_no_requests_and_is_billed():
    tree = lab_of(2, act("10s", "standby"))
    assert [each["requests"] for each in targets(run(tree))] == [50, 949]
    assert life(tree) == (1, 0, 0, 1)
    assert billed(tree) == billed(lab_of(2)) == 200


def test_the_size_falls_by_as_many():
    tree = lab_of(3, act("10s", "standby", 2))
    assert serving(tree)[8:12] == [3, 3, 1, 1]
    assert run(tree)["fleets"]["web"]["launches"] == 3


def test_others_are_launched_if_told():
    tree = lab_of(3, act("10s", "standby", 2, replaced=True))
    assert serving(tree)[8:12] == [3, 3, 3, 3]
    assert run(tree)["fleets"]["web"]["launches"] == 5
    assert billed(tree) == 3 * 100 + 2 * 90


def test_back_in_service_the_size_rises_again():
    tree = lab_of(3, act("10s", "standby", 2), act("30s", "in_service", 1))
    seen = serving(tree)
    assert (seen[20], seen[40]) == (1, 2)
    assert life(tree) == (2, 1, 0, 1)
    web = run(tree)["fleets"]["web"]
    assert (web["launches"], web["terminations"]) == (3, 0)
    assert billed(tree) == 300


def test_who_was_there_longest_comes_back_first():
    """And gets requests as a new target of the balancer."""
    tree = lab_of(2, act("10s", "standby", 2), act("30s", "in_service", None))
    found = targets(run(tree))
    assert [each["requests"] for each in found] == [50, 49, 350, 350]
    assert fates(run(tree)["traffic"]["customers"])[1] == 200  # there was nobody for 20 s


def test_it_finishes_what_it_holds_and_waits_only_then():
    """A request of 20 s from 9.5 s on: nobody comes back before it is answered."""
    traffic = {"to": "door", "arrivals": {"profile": [["0s", "1/s"], ["5s", "0/s"]]}}
    tree = lab_of(
        1,
        act("10s", "standby"),
        act("11s", "in_service"),
        act("90s", "in_service"),
        traffic=traffic,
        service=work({"sleep": "20s"}, concurrency=100),
    )
    assert fates(run(tree)["traffic"]["customers"])[1:] == (0, 0, 0, 0)
    assert serving(tree)[50] == 0
    assert serving(tree)[95] == 1
    assert any("lacked 1 instances" in flag for flag in run(tree)["flags"])


def test_what_it_still_holds_after_the_delay_fails():
    traffic = {"to": "door", "arrivals": {"profile": [["0s", "1/s"], ["5s", "0/s"]]}}
    tree = lab_of(
        1,
        act("10s", "standby"),
        traffic=traffic,
        service=work({"sleep": "60s"}, concurrency=100),
        door={"deregistration_delay": "20s"},
    )
    customers = run(tree)["traffic"]["customers"]
    assert customers["failed"] == customers["offered"] > 0
    assert life(tree) == (1, 0, 0, 1)


def test_the_size_stays_within_its_bounds():
    bounds = {"min": 2, "desired": 3, "max": 3}
    tree = lab_of(bounds, act("10s", "standby", 3))
    assert serving(tree)[20] == 2
    assert life(tree) == (1, 0, 0, 1)
    # Another is launched meanwhile, so there is no room for it below the greatest size.
    tree = lab_of(bounds, act("10s", "standby", 1, replaced=True), act("30s", "in_service", 1))
    assert serving(tree)[40] == 3
    assert life(tree) == (1, 0, 0, 1)


def test_grace_begins_anew():
    """It comes back at 30 s, is unhealthy soon after 45 s, and replaced at 70 s."""
    web = {"health": {"check": "load_balancer", "grace": "40s"}}
    check = {"interval": "5s", "timeout": "1s", "unhealthy_threshold": 2}
    tree = lab_of(
        1,
        act("10s", "standby"),
        act("30s", "in_service"),
        web=web,
        door={"health_check": check},
        faults=[{"at": "45s", "fail": {"fleet": "web"}}],
    )
    launches = [run(tree | {"duration": until})["fleets"]["web"]["launches"] for until in LATE]
    assert launches == [1, 2]


LATE = ("69s", "72s")


def test_nobody_looks_after_who_is_on_standby():
    """It is neither checked nor protected nor too old, and a host that fails takes nothing."""
    web = {"hosts": "hall"}
    hall = {"hall": {"count": 2, "type": {"cores": 1, "memory": "4GiB"}}}
    failing = [{"at": "20s", "for": "10s", "fail": {"host": "hall", "index": 0}}]
    tree = lab_of(
        2, act("10s", "standby"), act("50s", "in_service"), web=web, hosts=hall, faults=failing
    )
    assert life(tree) == (1, 1, 0, 0)
    assert serving(tree)[60] == 2


def test_who_is_terminated_on_standby_is_not_replaced():
    hall = {"hall": {"count": 2, "type": {"cores": 1, "memory": "4GiB"}}}
    kills = [{"at": "20s", "kill": {"host": "hall", "index": 0}}]
    tree = lab_of(2, act("10s", "standby"), web={"hosts": "hall"}, hosts=hall, faults=kills)
    web = run(tree)["fleets"]["web"]
    assert (web["launches"], web["terminations"], web["life"]["standby"]) == (2, 1, 0)


def test_who_is_detached_runs_on_and_is_nobodys():
    tree = lab_of(3, act("10s", "detach"), act("20s", "in_service", None))
    assert life(tree) == (0, 0, 1, 0)
    assert serving(tree)[30] == 2
    assert billed(tree) == 300
    tree = lab_of(3, act("10s", "detach", 1, replaced=True))
    assert run(tree)["fleets"]["web"]["launches"] == 4
    assert billed(tree) == 390


def test_who_was_detached_may_be_attached_again():
    """It serves at once and the size grows: no other is launched, and it is a target of its own."""
    tree = lab_of(3, act("10s", "detach", 2), act("20s", "attach"))
    assert serving(tree)[8:24] == [3, 3] + [1] * 10 + [2] * 4
    web = run(tree)["fleets"]["web"]
    assert (web["launches"], web["instances"]["final"]) == (3, 2)
    assert (web["life"]["detached"], web["life"]["attached"]) == (2, 1)
    assert billed(tree) == 300
    assert "attached" not in run(lab_of(3, act("10s", "detach")))["fleets"]["web"]["life"]
    # More than there are cannot be, nor those on standby.
    tree = lab_of(3, act("10s", "standby"), act("20s", "attach", 2))
    assert "actions on fleet web lacked 2 instances to act on" in run(tree)["flags"]


def test_attached_ones_keep_to_the_bounds():
    bounds = {"count": {"min": 1, "desired": 3, "max": 3}}
    tree = lab_of(3, act("10s", "detach", 2, replaced=True), act("20s", "attach", 2), web=bounds)
    web = run(tree)["fleets"]["web"]
    assert (web["instances"]["final"], web["life"].get("attached")) == (3, None)
    tree = lab_of(3, act("10s", "detach", 2), act("20s", "attach", 2), web=bounds)
    assert run(tree)["fleets"]["web"]["scaling"]["desired"] == 3


def test_who_is_attached_during_a_refresh_is_replaced_too():
    """It runs what was before; a refresh that begins while it is detached has not counted it."""
    web = {"boot": "10s", "refresh": {"at": "10s", "min_healthy": "50%"}}
    tree = lab_of(4, act("5s", "detach", 2), act("15s", "attach", 2), web=web)
    told = run(tree)["fleets"]["web"]
    assert (told["refresh"]["instances"], told["refresh"]["replaced"]) == (4, 4)
    assert told["refresh"]["finished_s"] is not None
    assert (told["launches"], told["instances"]["final"]) == (8, 4)


def test_who_still_drains_cannot_be_attached():
    slow = work({"compute": "20s"})
    traffic = {"to": "door", "rate": "1/s", "arrivals": "constant"}
    tree = lab_of(2, act("10s", "detach"), act("11s", "attach"), service=slow, traffic=traffic)
    assert "attached" not in run(tree)["fleets"]["web"]["life"]


def test_grace_counts_from_the_attachment():
    """Its checks are lost from 50 s on. It is replaced when the grace of 60 s from its return, at
    40 s, is over: at 100 s it is there, and soon after it is not."""
    check = {"interval": "5s", "timeout": "2s", "healthy_threshold": 2}
    web = {"health": {"check": "load_balancer", "grace": "60s"}}
    faults = [{"at": "50s", "lose_health_checks": {"fleet": "web", "count": 2}}]
    tree = lab_of(
        2, act("10s", "detach"), act("40s", "attach"), web=web, faults=faults,
        door={"health_check": check}, duration="200s",
    )  # fmt: skip

    def launches(at: str) -> int:
        return int(run(tree | {"duration": at})["fleets"]["web"]["launches"])

    # The other has served since the start and is replaced as soon as it is found unhealthy.
    assert launches("95s") == 3
    assert launches("115s") == 4


def test_a_refresh_waits_for_those_on_standby():
    web = {"refresh": {"at": "20s", "min_healthy": "0%"}}
    tree = lab_of(3, act("10s", "standby"), web=web, duration="2h")
    refresh = run(tree)["fleets"]["web"]["refresh"]
    assert (refresh["instances"], refresh["replaced"], refresh["failed"]) == (3, 2, True)
    assert refresh["finished_s"] == pytest.approx(3620.0)
    back = lab_of(3, act("10s", "standby"), act("1800s", "in_service"), web=web, duration="2h")
    refresh = run(back)["fleets"]["web"]["refresh"]
    assert (refresh["replaced"], refresh.get("failed")) == (3, None)


@pytest.mark.parametrize(("rule", "left", "replaced"), [("terminate", 0, 3), ("ignore", 1, 2)])
def test_or_terminates_them_or_leaves_them_alone(rule: str, left: int, replaced: int):
    web = {"refresh": {"at": "20s", "min_healthy": "0%", "standby": rule}}
    told = run(lab_of(3, act("10s", "standby"), web=web))["fleets"]["web"]
    assert (told["life"]["standby"], told["refresh"]["replaced"]) == (left, replaced)
    assert told["refresh"]["instances"] == replaced
    assert told["instances"]["final"] == 2


def test_a_simulation_has_the_same_words():
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(4)), rng=7)
    sim.advance("10s")
    assert sim.standby("web", 2) == 2
    assert sim.detach("web", 1, replaced=True) == 1
    sim.advance("10s")
    assert sim.in_service("web") == 2
    sim.advance("80s")
    web = sim.result().to_dict()["fleets"]["web"]
    assert (web["instances"]["final"], web["launches"]) == (4, 5)
    assert sim.attach("web") == 1
    again = nph.Simulation.load(sim.save())
    assert again.attach("web") == 0
    assert again.result()["fleets.web.instances.final"] == 5


def test_forks_and_saved_states_keep_who_is_on_standby():
    tree = lab_of(3, act("10s", "standby", 2), act("60s", "in_service", 1))
    sim = simulation(tree)
    sim.advance("30s")
    twin = sim.fork()
    sim.advance("100s")
    twin.advance("100s")
    assert sim.results().fingerprint == twin.results().fingerprint == outcome(tree).fingerprint
