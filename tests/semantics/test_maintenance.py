"""Maintenance of hosts: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, outcome, run, scenario, work

Tree = dict[str, Any]

# Transitions that take no time, but for what a test is about.
AT_ONCE = {"pending": "0s", "boot": "0s", "restart": "0s", "stop": "0s", "terminate": "0s"}


def hall(count: int, **keys: Any) -> Tree:
    """Hosts of one core, so that each takes one instance."""
    return {"hall": {"count": count, "type": {"cores": 1, "memory": "4GiB"}, **keys}}


def lab_of(
    count: int, hosts: int, at: str = "30s", durations: Tree | None = None, **keys: Any
) -> Tree:
    """So many instances behind a balancer, and a host that is maintained for 20 s."""
    lasting = keys.pop("lasting", "20s")
    where = {"host": "hall", "index": 0, "notice": "10s", **keys.pop("maintain", {})}
    fault = {"at": at, "maintain": where} | ({} if lasting is None else {"for": lasting})
    web = fleet(count=count) | {"hosts": "hall", "durations": AT_ONCE | (durations or {})}
    del web["boot"]
    traffic = keys.pop("traffic", {"to": "door", "rate": "5/s", "arrivals": "constant"})
    return scenario(
        traffic,
        keys.pop("service", work({"compute": "10ms"})),
        fleets={"web": web | keys.pop("web", {})},
        hosts=keys.pop("pools", hall(hosts)),
        balancers={"door": {"targets": ["web"]} | keys.pop("door", {})},
        faults=[fault],
        **keys,
    )


def serving(tree: Tree, *seconds: int) -> list[int]:
    """Instances that serve, at the ends of these seconds."""
    _, values = outcome(tree | {"series": "1s"}).series("fleets.web.instances")
    return [int(values[second - 1]) for second in seconds]


def maintenance(tree: Tree) -> Tree:
    return run(tree)["faults"][0]


def test_at_the_notice_instances_are_drained_and_others_are_launched():
    tree = lab_of(2, 3, durations={"boot": "5s"})
    result = run(tree)
    # From 20 s to 25 s there is one, then the other has booted; nobody is there at 30 s.
    assert serving(tree, 20, 21, 25, 26, 40, 60) == [2, 1, 1, 2, 2, 2]
    assert result["faults"] == [{"strikes": 1, "instances": 0, "missed": 0, "moved": 1}]
    assert (result["fleets"]["web"]["launches"], result["fleets"]["web"]["terminations"]) == (3, 1)
    assert fates(result["traffic"]["customers"])[1:4] == (0, 0, 0)


def test_what_is_still_there_when_it_begins_fails():
    # A request of 30 s, from 15 s on, at the one that leaves.
    tree = lab_of(1, 2, service=work({"compute": "30s"}), traffic={"to": "door", "rate": "0.07/s"})
    tree["traffic"]["customers"]["arrivals"] = "constant"  # at 14.3 s, 28.6 s, ...
    result = run(tree | {"duration": "42s"})
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 1)
    assert result["faults"][0] == {"strikes": 1, "instances": 1, "missed": 0, "moved": 1}


def test_nothing_is_launched_there_from_the_notice_to_the_end():
    # One host: the other instance finds no room until 50 s, and is tried again each minute.
    tree = lab_of(1, 1, duration="120s")
    assert serving(tree, 20, 21, 50, 79, 81) == [1, 0, 0, 0, 1]
    assert run(tree)["hosts"]["hall"]["rejected_launches"] == 1


def test_without_an_end_the_host_is_retired():
    tree = lab_of(1, 1, duration="300s", lasting=None)
    assert serving(tree, 20, 21, 300) == [1, 0, 0]


def test_stopped_instances_start_elsewhere():
    durations = {"stop": "2s", "restart": "3s"}
    tree = lab_of(2, 3, durations=durations, maintain={"by": "stop_start"})
    result = run(tree)
    assert serving(tree, 20, 21, 25, 26, 60) == [2, 1, 1, 2, 2]
    # The same instance: nothing is launched, and its second boot is a target of its own.
    assert (result["fleets"]["web"]["launches"], result["fleets"]["web"]["terminations"]) == (2, 0)
    assert len(result["load_balancers"]["door"]["targets"]) == 3
    assert result["faults"][0]["moved"] == 1
    assert fates(result["traffic"]["customers"])[1:4] == (0, 0, 0)


def test_what_cannot_be_stopped_is_drained():
    tree = lab_of(2, 3, maintain={"by": "stop_start"}, web={"purchase": "spot"})
    web = run(tree)["fleets"]["web"]
    assert (web["launches"], web["terminations"]) == (3, 1)


def test_who_boots_there_boots_elsewhere_instead():
    # Launched at 0, it would serve at 25 s.
    tree = lab_of(1, 2, durations={"boot": "25s"}, web={"initially": "pending"})
    assert serving(tree, 26, 45, 46) == [0, 0, 1]
    assert maintenance(tree)["moved"] == 1


def test_a_notice_that_is_longer_than_the_time_before_is_given_at_the_start():
    tree = lab_of(2, 3, at="5s", maintain={"notice": "1h"})
    assert serving(tree, 1, 5) == [2, 2]
    assert maintenance(tree) == {"strikes": 1, "instances": 0, "missed": 0, "moved": 1}


def test_two_minutes_of_notice_unless_told():
    tree = lab_of(2, 3, at="150s", durations={"boot": "5s"}, duration="200s")
    del tree["faults"][0]["maintain"]["notice"]
    assert serving(tree, 30, 31, 36) == [2, 1, 2]


@pytest.mark.parametrize(("where", "moved"), [({"rack": "hall"}, 2), ({"zone": "a"}, 4)])
def test_racks_and_zones_are_maintained_as_a_whole(where: Tree, moved: int):
    # Eight hosts in two zones of two racks, all taken; nobody moves to a host that is next.
    pools = hall(16, place="first_fit", zones=["a", "b"], racks=2)
    tree = lab_of(8, 16, pools=pools, maintain=where)
    place = tree["faults"][0]["maintain"]
    del place["host"]
    if "zone" in where:
        del place["index"]
    found = maintenance(tree)
    assert (found["moved"], found["instances"]) == (moved, 0)
    assert serving(tree, 21, 60) == [8, 8]


def test_it_may_come_again_and_again():
    tree = lab_of(2, 4, duration="200s", lasting="5s")
    fault = tree["faults"][0]
    del fault["at"]
    fault["every"] = "40s"
    del fault["maintain"]["index"]  # drawn, of four
    # Begins at 40, 80, 120 and 160 s, and each time has a notice of 10 s.
    assert maintenance(tree)["strikes"] == 4


def test_a_host_that_also_fails_opens_when_both_are_over():
    # Maintained from 30 s to 50 s, down from 25 s to 28 s: the notice of 20 s holds it closed.
    tree = lab_of(1, 1, duration="120s")
    tree["faults"].append({"at": "25s", "for": "3s", "fail": {"host": "hall", "index": 0}})
    assert serving(tree, 29, 79, 81) == [0, 0, 1]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"host": "hall", "by": "magic"}, "drain"),
        ({"fleet": "web"}, "maintenance is of hosts"),
        ({"host": "hall", "notice": "-1s"}, "not negative"),
        ({"host": "hall", "index": 9}, "0 to 2"),
    ],
)
def test_what_makes_no_sense_is_refused(where: Tree, message: str):
    tree = lab_of(2, 3)
    tree["faults"][0]["maintain"] = where
    with pytest.raises(nph.ScenarioError, match=message):
        nph.Scenario.model_validate(tree)
