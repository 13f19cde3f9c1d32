"""What balancers are unless told, and the documented limits of what they may be told."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import Tree, fleet, run, scenario, targets
from semantics.test_health import INTERVAL, fails, first_checks, healthy, lab_of, steady


def balanced(fleets: Tree | None = None, **door: Any) -> Tree:
    door = door if "groups" in door else {"targets": ["web"]} | door
    return scenario(
        steady() | {"clients": 10},
        fleets=fleets or {"web": fleet(count=4)},
        balancers={"door": door},
        duration="8500ms",
    )


def taken(tree: Tree) -> None:
    nph.Scenario.model_validate(tree)


def refused(tree: Tree, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        nph.Scenario.model_validate(tree)


def grouped(count: int, weight: int = 1) -> Tree:
    fleets = {f"f{i}": fleet() for i in range(count)}
    groups = {f"g{i}": {"targets": [f"f{i}"], "weight": weight} for i in range(count)}
    return balanced(fleets, groups=groups)


# --- unless told ---------------------------------------------------------------------------------


def test_the_routing_is_round_robin_unless_told():
    """Eight requests on four targets are two each."""
    assert [target["requests"] for target in targets(run(balanced()))] == [2, 2, 2, 2]


def test_checks_are_every_30_s_five_to_be_well_and_two_to_be_ill_unless_told():
    """One of two fails from 50 s to 200 s. The draw of its first check is of its interval."""
    tree = lab_of(2, fails("50s", "150s"), duration="400s")
    tree["load_balancers"]["door"]["health_check"] = {}
    first = first_checks(2)[0] * 30 / INTERVAL
    checks = [first + 30 * k for k in range(13)]
    ill = [at for at in checks if at > 50][1]
    well = [at for at in checks if at > 200][4]
    seen = healthy(tree)
    changes = [at for at in range(1, len(seen)) if seen[at] != seen[at - 1]]
    assert changes == [int(ill), int(well)]


def test_a_check_is_answered_within_5_s_unless_told(lab):
    """A job of 64 s holds the one worker: the first check that waits for more than 5 s fails, and
    so does the second. One of 4 s keeps nobody waiting for so long."""
    for took, least in ((64, 0), (4, 1)):
        tree = lab_of(1, service={"steps": [{"compute": f"{took}s"}]}, duration="60s")
        tree["traffic"]["customers"] = lab.at(0.001, to="door")
        tree["load_balancers"]["door"]["health_check"] = {}
        assert min(healthy(tree)) == least


def test_one_healthy_target_is_enough_unless_told():
    """Three of four fail: the one that is left gets everything, and nothing fails open."""
    tree = lab_of(4, fails("50s", None, {"fleet": "web", "count": 3}), duration="400s")
    late = run(tree | {"warmup": "100s"})["traffic"]["customers"]
    assert late["failed"] == 0 < late["completed"]


def test_all_zones_share_all_targets_unless_told():
    """One target in zone a, three in zone b: each has a quarter."""
    hosts: Tree = {
        f"hall-{zone}": {"count": 1, "type": {"cores": 4, "memory": "64GiB"}, "zone": zone}
        for zone in "ab"
    }
    fleets = {
        zone: fleet(count=count) | {"hosts": f"hall-{zone}"} for zone, count in (("a", 1), ("b", 3))
    }
    tree = scenario(
        steady(), fleets=fleets, hosts=hosts,
        balancers={"door": {"targets": ["a", "b"]}}, duration="8500ms",
    )  # fmt: skip
    assert [target["requests"] for target in targets(run(tree))] == [2, 2, 2, 2]


# --- limits --------------------------------------------------------------------------------------


def test_five_target_groups_at_most():
    taken(grouped(5))
    refused(grouped(6), "6 groups are too many")


def test_weights_of_groups_are_0_to_999():
    taken(grouped(2, 999))
    refused(grouped(2, 1000), "999")
    refused(grouped(2, -1), "999")


def test_slow_start_lasts_30_s_to_900_s():
    for good, bad in (("30s", "29s"), ("900s", "901s")):
        taken(balanced(slow_start=good))
        refused(balanced(slow_start=bad), "30s to 900s")


@pytest.mark.parametrize("routing", ["least_connections", "weighted_random"])
def test_slow_start_goes_with_round_robin_alone(routing):
    refused(balanced(slow_start="30s", routing=routing), "does not go with slow_start")


def test_a_cookie_lives_for_a_second_to_seven_days():
    for good, bad in (("1s", "999ms"), ("604800s", "604801s")):
        taken(balanced(stickiness=good))
        refused(balanced(stickiness=bad), "1s to 7d")
        taken(balanced(stickiness={"application": good}))
        refused(balanced(stickiness={"application": bad}), "1s to 7d")


@pytest.mark.parametrize(("last", "shares"), [(172_800, [3, 0]), (172_802, [2, 1])])
def test_a_cookie_lives_for_a_day_unless_told(lab, last, shares):
    """Answers at 2 s and 86,401 s, each of which renews it: it ends at 172,801 s."""
    source = lab.at(1, 86_400, last, to="door", clients=1)
    tree = scenario(
        source, fleets={"web": fleet(count=2)}, duration="173000s",
        balancers={"door": {"targets": ["web"], "stickiness": {}}},
    )  # fmt: skip
    assert [target["requests"] for target in targets(run(tree))] == shares


def test_cookies_do_not_go_with_zones_of_their_own():
    fleets = {"web": fleet(count=2) | {"hosts": "hall"}}
    hosts = {"hall": {"count": 2, "type": {"cores": 4, "memory": "64GiB"}, "zones": ["a", "b"]}}
    tree = balanced(fleets, cross_zone=False) | {"hosts": hosts}
    taken(tree)
    tree = balanced(fleets, cross_zone=False, stickiness="1h") | {"hosts": hosts}
    refused(tree, "stickiness does not go with cross_zone: false")


def test_cookies_of_the_application_do_not_go_with_groups():
    tree = grouped(2)
    tree["load_balancers"]["door"]["stickiness"] = {"application": "1h"}
    refused(tree, "do not work with weighted groups")
