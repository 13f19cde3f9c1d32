"""Balancers that are, unless told otherwise, as the provider has those of their type."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from nephoscope.scenario.language.balancer import LoadBalancer
from semantics.lab import Tree, customers, fates, fleet, run, scenario, targets, work

ZONES: Tree = {"hall": {"count": 2, "type": {"cores": 4, "memory": "64GiB"}, "zones": ["a", "b"]}}


def lab_of(traffic: Tree, service: Tree | None = None, count: int = 1, **door: Any) -> Tree:
    """Instances on hosts in two zones, behind a balancer as in life."""
    web = fleet(count=count) | {"hosts": "hall"}
    told = {"targets": ["web"], "defaults": "service"} | door
    return scenario(
        traffic, service, fleets={"web": web}, hosts=ZONES, balancers={"door": told},
        duration="500s",
    )  # fmt: skip


def door_of(lab: Any, **door: Any) -> LoadBalancer:
    return nph.Scenario.model_validate(lab_of(lab.at(0, to="door"), **door)).load_balancers["door"]


def refused(lab: Any, path: str, words: str, **door: Any) -> None:
    with pytest.raises(ScenarioError, match=words) as told:
        door_of(lab, **door)
    assert f"load_balancers.door.{path}" in [problem.path for problem in told.value.problems]


@pytest.mark.parametrize(
    ("kind", "checks"),
    [
        ("application", (30, 5, 5, 2)),
        ("network", (30, 10, 5, 2)),
        ("gateway", (10, 5, 5, 2)),
        ("classic", (30, 5, 10, 2)),
    ],
)
def test_checks_are_those_of_the_type(lab, kind, checks):
    health = door_of(lab, type=kind).health_check
    assert health is not None
    times = (health.interval.seconds, health.timeout.seconds)
    assert (*times, health.healthy_threshold, health.unhealthy_threshold) == checks
    assert health.sends_to_new == health.resets == (kind == "network")


def test_what_is_told_goes_before_them(lab):
    told = {"interval": "20s", "timeout": "4s", "resets": False}
    door = door_of(lab, type="network", health_check=told, cross_zone=True, idle_timeout="100s")
    assert door.health_check is not None
    assert (door.health_check.interval.seconds, door.health_check.timeout.seconds) == (20, 4)
    assert (door.health_check.resets, door.health_check.sends_to_new) == (False, True)
    assert (door.cross_zone, str(door.idle_timeout)) == (True, "1m40s")


def test_without_them_the_type_decides_the_price_alone(lab):
    for kind in ("application", "network", "gateway", "classic"):
        door = door_of(lab, type=kind, defaults="none")
        plain = LoadBalancer(targets=["web"], type=kind)
        assert door == plain
        assert (door.health_check, door.idle_timeout, door.surge_queue) == (None, None, None)


def test_a_network_load_balancer_keeps_to_its_zone_unless_told(lab):
    """Zone a has one target of three, and with zones apart half of what comes."""
    times = [i / 10 for i in range(400)]
    fleets = {"a": fleet() | {"hosts": "hall", "zones": ["a"]}}
    fleets["b"] = fleet(count=2) | {"hosts": "hall", "zones": ["b"]}
    for told, low, high in (({}, 160, 240), ({"cross_zone": True}, 90, 159)):
        tree = lab_of(lab.at(*times, to="door"), work({"compute": "10ms"}), type="network", **told)
        tree["fleets"] = fleets
        tree["load_balancers"]["door"]["targets"] = ["a", "b"]
        assert low <= targets(run(tree))[0]["requests"] <= high
    assert door_of(lab).cross_zone
    assert door_of(lab, type="classic").cross_zone


def test_routing_is_that_of_the_type(lab):
    forms = {kind: door_of(lab, type=kind).routing.form for kind in ("application", "network")}
    assert forms == {"application": "round_robin", "network": "ip_hash"}
    assert door_of(lab, type="classic").routing.form == "least_connections"


@pytest.mark.parametrize(("kind", "idle"), [("application", 60), ("classic", 60), ("network", 350)])
def test_idle_connections_are_closed_after_the_time_of_the_type(lab, kind, idle):
    """Of two workers one is idle for longer than that, the other for less."""
    service = work({"sleep": f"{idle + 1}s"}, concurrency=8)
    late = lab_of(lab.at(0.5, to="door"), service, type=kind)
    assert fates(customers(late)) == (0, 0, 1, 0, 0)
    service = work({"sleep": f"{idle - 1}s"}, concurrency=8)
    assert fates(customers(lab_of(lab.at(0.5, to="door"), service, type=kind)))[0] == 1


def test_connecting_takes_ten_seconds_at_most_and_draining_five_minutes(lab):
    door = door_of(lab)
    assert (str(door.connect_timeout), door.deregistration_delay.seconds) == ("10s", 300)


def test_a_classic_load_balancer_has_a_surge_queue_of_1024(lab):
    """One is served and 1,024 wait; of 1,030 at once five find it full."""
    service = work({"compute": "10ms"}, concurrency=1, backlog=0)
    tree = lab_of(lab.at(*[1.0] * 1030, to="door"), service, type="classic")
    door = run(tree)["load_balancers"]["door"]
    assert (door["surge_queue"]["most"], door["spilled"]) == (1024, 5)


@pytest.mark.parametrize("other", [{"stickiness": "1h"}, {"nodes": 2}, {"slow_start": "30s"}])
def test_where_that_is_possible(lab, other):
    if "slow_start" in other:
        other = other | {"routing": "round_robin"}
    tree = lab_of(lab.at(0, to="door", clients=3), type="classic", **other)
    assert nph.Scenario.model_validate(tree).load_balancers["door"].surge_queue is None


def test_intervals_are_5_s_to_300_s(lab):
    for good, bad in (("5s", "4s"), ("300s", "301s")):
        door_of(lab, health_check={"interval": good, "timeout": "2s"})
        refused(
            lab, "health_check.interval", "out of range of the service",
            health_check={"interval": bad, "timeout": "2s"},
        )  # fmt: skip


@pytest.mark.parametrize("key", ["healthy_threshold", "unhealthy_threshold"])
def test_thresholds_are_2_to_10(lab, key):
    for good, bad in ((2, 1), (10, 11)):
        door_of(lab, health_check={key: good})
        refused(lab, f"health_check.{key}", "out of range", health_check={key: bad})


def test_timeouts_are_within_the_limits_of_the_type(lab):
    check = {"interval": "300s", "timeout": "61s"}
    door_of(lab, health_check=check)
    refused(lab, "health_check.timeout", "2s to 60s", type="classic", health_check=check)
    for kind, most in (("application", 4000), ("classic", 3600), ("network", 6000)):
        door_of(lab, type=kind, idle_timeout=f"{most}s")
        refused(lab, "idle_timeout", f"to {most}s", type=kind, idle_timeout=f"{most + 1}s")
    refused(lab, "deregistration_delay", "0s to 3600s", deregistration_delay="2h")


def test_a_balancer_without_a_price_has_none(lab):
    refused(lab, "defaults", "no defaults of a service", type="none")


def test_what_its_defaults_do_not_go_with_is_told(lab):
    refused(lab, "cross_zone", "stickiness does not go", type="network", stickiness="1h")


def test_a_scenario_stays_as_it_was_written(lab):
    tree = lab_of(lab.at(0, to="door"), type="network")
    assert nph.Scenario.model_validate(tree).to_dict()["load_balancers"] == tree["load_balancers"]


def test_its_checks_may_be_lost_and_asked_for(lab):
    """Rules that need a health check see the one that it has."""
    tree = lab_of(lab.at(0, to="door"), count=2)
    tree["fleets"]["web"]["health"] = "load_balancer"
    tree["faults"] = [{"at": "10s", "lose_health_checks": {"fleet": "web", "count": 1}}]
    assert run(tree)["load_balancers"]["door"]["health"]["turned_unhealthy"] == 1
