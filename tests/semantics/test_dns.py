"""Answers of the DNS that clients keep. One test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fleet, outcome, run, scenario, simulation, targets, work

Tree = dict[str, Any]

CHECK: Tree = {"interval": "10s", "timeout": "5s", "unhealthy_threshold": 2}


def zoned(*faults: Tree, ttl: str | None = "60s", clients: int = 100, **keys: Any) -> Tree:
    """A fleet in each of two zones, each with a node; 100 requests a second of 1 ms."""
    hall = {"count": 8, "type": {"cores": 4, "memory": "64GiB"}, "zones": ["a", "b"]}
    fleets = {
        f"in-{zone}": fleet(count=2) | {"hosts": "hall", "zones": [zone]} for zone in ("a", "b")
    }
    door = {"targets": list(fleets), "cross_zone": False, "health_check": CHECK}
    door |= {} if ttl is None else {"dns_ttl": ttl}
    traffic = {"to": "door", "rate": "100/s", "arrivals": "constant", "clients": clients}
    return scenario(
        keys.pop("traffic", traffic),
        work({"compute": "1ms"}),
        hosts={"hall": hall},
        fleets=fleets,
        balancers={"door": door | keys.pop("door", {})},
        faults=list(faults),
        duration=keys.pop("duration", "200s"),
        **keys,
    )


ZONE_B: Tree = {"at": "20s", "fail": {"zone": "b"}}


def in_b(tree: Tree, since: str, until: str) -> int:
    """Requests that zone b got between two instants."""
    sim = simulation(tree)
    found = []
    for at in (since, until):
        sim.advance(at)
        found.append(sum(each["requests"] for each in targets(sim.results().to_dict())[2:]))
    return found[1] - found[0]


def test_clients_go_on_to_a_node_that_has_left_until_their_answers_are_old():
    # Two checks have failed by 45 s, the node leaves, and nobody asked after that.
    assert in_b(zoned(ZONE_B), "45s", "60s") > 300
    assert in_b(zoned(ZONE_B), "105s", "200s") == 0


def test_without_it_no_client_comes_any_more():
    assert in_b(zoned(ZONE_B, ttl=None), "45s", "200s") == 0
    assert "dns" not in run(zoned(ZONE_B, ttl=None))["load_balancers"]["door"]


def test_a_client_keeps_to_its_node_for_the_time_of_an_answer():
    """One client: all that it sends in a minute goes to one zone."""
    tree = zoned(clients=1, duration="60s")
    found = [each["requests"] for each in targets(run(tree))]
    assert sorted([sum(found[:2]), sum(found[2:])]) == [0, 5999]
    assert run(tree)["load_balancers"]["door"]["dns"] == {"answers": 1, "stale": 0}


def test_an_answer_lives_from_when_it_was_given():
    """Requests do not renew it: one client asks once a minute."""
    assert run(zoned(clients=1, duration="600s"))["load_balancers"]["door"]["dns"]["answers"] == 10


def test_nodes_that_send_to_all_are_kept_to_as_well():
    door = {"cross_zone": True, "nodes": 4}
    tree = zoned(clients=50, door=door, duration="60s")
    assert run(tree)["load_balancers"]["door"]["dns"] == {"answers": 50, "stale": 0}


def test_requests_to_a_node_that_has_left_are_told():
    stale = run(zoned(ZONE_B))["load_balancers"]["door"]["dns"]["stale"]
    assert stale > 300
    assert run(zoned())["load_balancers"]["door"]["dns"]["stale"] == 0


def test_it_changes_no_arrival_and_no_work():
    kept, asked = run(zoned()), run(zoned(ttl=None))
    for key in ("offered", "completed"):
        assert kept["traffic"]["customers"][key] == asked["traffic"]["customers"][key]


def test_forks_and_saved_states_keep_answers():
    sim = simulation(zoned(ZONE_B))
    sim.advance("50s")
    twin = sim.fork()
    sim.advance("200s")
    twin.advance("200s")
    ended = outcome(zoned(ZONE_B)).fingerprint
    assert sim.results().fingerprint == twin.results().fingerprint == ended


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"door": {"cross_zone": True}}, "dns_ttl"),
        ({"traffic": {"to": "door", "rate": "1/s"}}, "dns_ttl"),
        ({"ttl": "0s"}, "dns_ttl"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: Tree, where: str):
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(zoned(**keys))
    assert [it.path for it in refused.value.problems] == [f"load_balancers.door.{where}"]
