"""Nodes of a balancer: each checks every target and chooses by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nephoscope as nph
from nephoscope import _core
from semantics.lab import fates, fleet, outcome, run, scenario, targets, work

Tree = dict[str, Any]

CHECK: Tree = {"interval": "10s", "timeout": "5s", "healthy_threshold": 3}


def first_checks(count: int, rng: int = 7) -> np.ndarray:
    """When targets registered at 0 are checked first, s: target by target, node by node."""
    words = _core.random_words(rng, 0, "load_balancers/door/health_checks", count)
    return ((words >> np.uint64(12)).astype(float) + 0.5) / 2.0**52 * 10.0


def noded(nodes: int, count: int, *faults: Tree, duration: str = "200s", **keys: Any) -> Tree:
    """So many instances behind a balancer of so many nodes, ten requests a second of 10 ms."""
    check = CHECK | keys.pop("check", {})
    door = {"targets": ["web"], "health_check": check, "nodes": nodes, **keys.pop("door", {})}
    traffic = keys.pop("traffic", {"to": "door", "rate": "10/s", "arrivals": "constant"})
    return scenario(
        traffic,
        keys.pop("service", work({"compute": "10ms"})),
        fleets={"web": fleet(count=count)},
        balancers={"door": door},
        faults=list(faults),
        duration=duration,
        **keys,
    )


def loses(count: int, node: int | None = 0, at: str = "0s") -> Tree:
    """Checks of the first instances, all or those of one node."""
    return {"at": at, "lose_health_checks": {"fleet": "web", "count": count, "node": node}}


def nodes(tree: Tree) -> list[Tree]:
    return run(tree)["load_balancers"]["door"]["health"]["nodes"]


def requests(tree: Tree) -> list[int]:
    return [target["requests"] for target in targets(run(tree))]


def test_each_node_checks_every_target():
    health = run(noded(3, 2, duration="100s"))["load_balancers"]["door"]["health"]
    assert (health["checks"], health["failed_checks"]) == (3 * 2 * 10, 0)


def test_each_has_its_own_phase_and_its_own_counts():
    """Healthy is who all nodes hold to be so: the first to find a failure out decides."""
    phases = first_checks(6)[:3]  # of the first target, which fails at 50 s
    fault = {"at": "50s", "fail": "web"}
    tree = noded(3, 2, fault, series="1s")
    found = [int(value) for value in outcome(tree).series("load_balancers.door.healthy")[1]]
    turns = 60.0 + min(phases)
    assert found == [2 if second < turns else 1 for second in range(1, 201)]
    late = noded(3, 2, fault, duration=f"{60.0 + max(phases) - 0.001:.3f}s")
    assert sorted(node["healthy"] for node in nodes(late)) == [1, 1, 2]
    health = run(tree)["load_balancers"]["door"]["health"]
    assert health["turned_unhealthy"] == 3


def test_nodes_may_disagree():
    """One node finds nobody well, and is the only one that fails open."""
    tree = noded(2, 3, loses(3, node=1))
    assert nodes(tree) == [
        {"healthy": 3, "registered": 3, "fail_open": False, "in_dns": True},
        {"healthy": 0, "registered": 3, "fail_open": True, "in_dns": False},
    ]
    health = run(tree)["load_balancers"]["door"]["health"]
    assert (health["healthy"], health["unhealthy"], health["initial"]) == (0, 3, 0)
    assert fates(run(tree)["traffic"]["customers"]) == (1999, 0, 0, 0, 0)


def test_a_target_gets_what_the_nodes_send_that_hold_it_well():
    """Half of the requests come by the node that has lost sight of the first target."""
    got = requests(noded(2, 2, loses(1), duration="1000s"))
    assert sum(got) == 9_999
    assert got[0] == pytest.approx(2_500, abs=5 * 50)


def test_without_a_node_all_lose_them():
    fault = {"at": "0s", "lose_health_checks": {"fleet": "web", "count": 2}}
    assert [node["healthy"] for node in nodes(noded(2, 3, fault))] == [1, 1]


def test_a_node_below_its_minimum_leaves_the_dns():
    """Its one target that is well then gets no more than its part of the other node's requests."""
    failover = {"dns_failover": {"minimum_healthy_targets": 2}}
    late = {"traffic": {"to": "door", "arrivals": {"profile": [["0s", "0/s"], ["100s", "0/s"]]}}}
    late["traffic"]["arrivals"]["profile"] += [["100001ms", "10/s"], ["1000s", "10/s"]]
    tree = noded(2, 3, loses(2), check=failover, duration="1000s", **late)
    assert [node["in_dns"] for node in nodes(tree)] == [False, True]
    got = requests(tree)
    assert max(got) - min(got) <= 1  # the turn of one node alone
    got = requests(noded(2, 3, loses(2), duration="1000s", **late))
    assert got[2] == pytest.approx(sum(got) * 4 / 6, rel=0.1)  # half of them, and a third of half


def test_the_minimum_may_be_a_share():
    half = {"dns_failover": {"minimum_healthy_targets": {"count": 1, "share": "50%"}}}
    assert [node["in_dns"] for node in nodes(noded(2, 4, loses(2), check=half))] == [True, True]
    assert [node["in_dns"] for node in nodes(noded(2, 4, loses(3), check=half))] == [False, True]


def test_where_all_are_below_it_all_are_in_the_dns():
    failover = {"dns_failover": 3}
    tree = noded(2, 2, check=failover)
    assert [node["in_dns"] for node in nodes(tree)] == [True, True]
    assert fates(run(tree)["traffic"]["customers"]) == (1999, 0, 0, 0, 0)


def test_nodes_take_turns_each_by_itself(lab):
    """Round robin of each begins with the first target: that gets the first of each of 64 nodes."""
    traffic = lab.at(0, 0.5, 1, to="door")
    assert requests(noded(64, 2, traffic=traffic)) == [3, 0]
    assert requests(noded(1, 2, traffic=traffic)) == [2, 1]


def test_nodes_need_no_health_checks(lab):
    """What is left of them is that each has its own turn."""
    tree = noded(64, 2, traffic=lab.at(0, 0.5, 1, to="door"))
    del tree["load_balancers"]["door"]["health_check"]
    assert requests(tree) == [3, 0]
    assert "health" not in run(tree)["load_balancers"]["door"]


def test_each_counts_what_it_has_sent_itself(lab):
    """Least connections: a node does not see the requests that other nodes have outstanding."""
    traffic = lab.at(*([0.0] * 40), to="door")
    tree = noded(40, 40, door={"routing": "least_connections"}, traffic=traffic)
    assert max(requests(tree)) > 1
    tree = noded(1, 40, door={"routing": "least_connections"}, traffic=traffic)
    assert max(requests(tree)) == 1


def test_a_cookie_holds_at_every_node(lab):
    traffic = lab.at(*[2.0 * k for k in range(20)], to="door", clients=1)
    result = run(noded(4, 3, door={"stickiness": "1d"}, traffic=traffic))
    assert sorted(target["requests"] for target in targets(result)) == [0, 0, 20]
    assert result["load_balancers"]["door"]["stickiness"] == {"followed": 19, "moved": 0}


def test_a_cookie_is_followed_if_the_node_holds_its_target_well(lab):
    traffic = lab.at(*[2.0 * k + 50 for k in range(200)], to="door", clients=1)
    tree = noded(2, 2, loses(1), door={"stickiness": "1d"}, traffic=traffic, duration="500s")
    result = run(tree)
    assert targets(result)[1]["requests"] > 190  # once there it stays: both nodes know it


def test_one_node_is_a_balancer_without_nodes():
    tree = noded(1, 3, {"at": "20s", "for": "50s", "fail": "web"})
    without = noded(1, 3, {"at": "20s", "for": "50s", "fail": "web"})
    del without["load_balancers"]["door"]["nodes"]
    assert outcome(tree).fingerprint == outcome(without).fingerprint
    assert "nodes" not in run(tree)["load_balancers"]["door"]["health"]


def test_requests_of_a_target_are_told_once():
    tree = noded(5, 3, {"at": "20s", "for": "50s", "fail": "web"})
    result = run(tree)
    assert len(targets(result)) == 3
    source = result["traffic"]["customers"]
    for key in ("completed", "failed"):
        assert sum(target[key] for target in targets(result)) == source[key] > 0


@pytest.mark.parametrize("node", [1, 5])
def test_a_node_that_is_not_there_is_refused(node):
    with pytest.raises(nph.ScenarioError, match="node"):
        nph.Scenario.model_validate(noded(1, 2, loses(1, node=node)))
