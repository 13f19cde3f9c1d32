"""Target groups, chosen by weight, and the nodes of zones, each a balancer of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from semantics.lab import fates, fleet, run, scenario, simulation, targets, work

Tree = dict[str, Any]

ALARM = 1e-6
CHECK: Tree = {"interval": "5s", "timeout": "2s", "healthy_threshold": 2}


def steady(rate: str = "100/s") -> Tree:
    return {"to": "door", "rate": rate, "arrivals": "constant"}


def colours(blue: int, green: int, *, counts=(2, 1), traffic=None, **keys: Any) -> Tree:
    """Two groups of a fleet each; a request is a millisecond of work."""
    door = keys.pop("door", {})
    groups = {
        "blue": {"targets": ["old"], "weight": blue},
        "green": {"targets": ["new"], "weight": green},
    }
    fleets = {"old": fleet(count=counts[0]), "new": fleet("fresh", count=counts[1])}
    fresh = keys.pop("fresh", work({"compute": "1ms"}))
    return scenario(
        traffic or steady(),
        work({"compute": "1ms"}),
        services={"fresh": fresh},
        fleets=fleets,
        balancers={"door": {"groups": groups, **door}},
        **keys,
    )


def of_groups(result: Tree, key: str = "requests") -> list[int]:
    return [group[key] for group in result["load_balancers"]["door"]["groups"].values()]


def likely(found: list[int], shares: list[float]) -> bool:
    due = sum(found) * np.array(shares) / sum(shares)
    return stats.chisquare(found, due).pvalue > ALARM


@pytest.mark.parametrize("weights", [(95, 5), (1, 1), (999, 1), (0, 3)])
def test_a_group_is_chosen_by_its_weight(weights):
    """Whatever it has of instances."""
    found = of_groups(run(colours(*weights)))
    if 0 in weights:
        assert found == [0, 9999]
    else:
        assert likely(found, list(weights))


def test_the_routing_is_that_of_the_group():
    """Turns are taken within each, as if the other were not there."""
    result = run(colours(3, 1, counts=(3, 2)))
    blue = [target["requests"] for target in targets(result)[:3]]
    green = [target["requests"] for target in targets(result)[3:]]
    assert max(blue) - min(blue) <= 1
    assert max(green) - min(green) <= 1
    assert [sum(blue), sum(green)] == of_groups(result)


@pytest.mark.parametrize("routing", ["least_connections", "least_response_time", "ip_hash"])
def test_groups_choose_by_any_routing(routing):
    tree = colours(1, 1, counts=(3, 3), door={"routing": routing}, traffic=steady("500/s"))
    result = run(tree | {"duration": "20s"})
    assert likely(of_groups(result), [1, 1])
    assert all(target["requests"] > 0 for target in targets(result))


def test_the_accounts_of_groups_are_those_of_their_targets():
    result = run(colours(1, 1, fresh=work({"compute": "1ms"}, {"fail": 0.2})))
    door = result["load_balancers"]["door"]
    for key in ("requests", "completed", "failed", "in_flight"):
        assert sum(of_groups(result, key)) == door[key]
    blue, green = door["groups"].values()
    assert blue["failed"] == 0
    assert 0.15 < green["failed"] / green["requests"] < 0.25
    assert blue["latency_s"]["count"] == blue["completed"]


def test_a_group_that_is_unhealthy_is_not_skipped():
    """Fail-open is the group's own: a twentieth of the requests fails to the end."""
    faults = [{"at": "10s", "fail": "new"}]
    result = run(colours(95, 5, faults=faults, door={"health_check": CHECK}))
    blue, green = result["load_balancers"]["door"]["groups"].values()
    assert blue["failed"] == 0
    assert green["failed"] > 0.85 * green["requests"]
    assert likely([blue["requests"], green["requests"]], [95, 5])
    assert result["load_balancers"]["door"]["health"]["fail_open_s"] > 80


def test_a_group_without_targets_is_chosen_and_refuses():
    result = run(colours(3, 1, counts=(2, 0)))
    source = result["traffic"]["customers"]
    assert likely([source["completed"], source["rejected"]], [3, 1])
    assert of_groups(result) == [source["completed"], 0]


def test_weights_can_be_set_while_it_runs():
    sim = simulation(colours(1, 0))
    sim.advance("10s")
    sim.set("load_balancers.door.groups.green.weight", 1)
    sim.advance("20s")
    twin = sim.fork()
    sim.set("load_balancers.door.groups.green.weight", 0)
    before = sim.results()["load_balancers.door.groups.green.requests"]
    assert likely([before, 1000 - before], [1, 1])
    sim.advance("100s")
    twin.advance("100s")
    assert sim.results()["load_balancers.door.groups.green.requests"] == before
    assert twin.results()["load_balancers.door.groups.green.requests"] > before + 3000


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("groups.green.weight", 1000, "0 to 999"),
        ("groups.green.weight", 0.5, "whole number"),
        ("groups.gren.weight", 1, "green"),
    ],
)
def test_a_weight_that_cannot_be_is_refused(path, value, message):
    sim = simulation(colours(1, 0))
    with pytest.raises(Exception, match=message):
        sim.set(f"load_balancers.door.{path}", value)
    sim.set("load_balancers.door.groups.green.weight", 5)


def test_without_any_weight_there_is_no_target():
    sim = simulation(colours(1, 0))
    sim.advance("10.005s")
    sim.set("load_balancers.door.groups.blue.weight", 0)
    sim.advance("11.005s")
    assert sim.results()["traffic.customers.rejected"] == 100
    sim.set("load_balancers.door.groups.green.weight", 1)
    sim.advance("12.005s")
    assert sim.results()["traffic.customers.rejected"] == 100
    assert sim.results()["load_balancers.door.groups.green.requests"] == 100


def test_no_cookie_leads_to_a_group_without_weight():
    traffic = steady("10/s") | {"clients": 20}
    sim = simulation(colours(1, 1, traffic=traffic, door={"stickiness": "1d"}))
    sim.advance("50s")
    sim.set("load_balancers.door.groups.green.weight", 0)
    before = sim.results()["load_balancers.door.groups.green.requests"]
    assert before > 50
    sim.advance("100s")
    assert sim.results()["load_balancers.door.groups.green.requests"] == before
    assert 0 < sim.results()["load_balancers.door.stickiness.moved"] <= 20


def test_slow_start_is_of_each_group():
    """The first of a group is at once at its full share; the group has its weight anyway."""
    sim = simulation(colours(1, 1, counts=(2, 0), door={"slow_start": "30s"}))
    sim.advance("10s")
    sim.set("fleets.new.count", 1)
    sim.advance("20s")
    assert sim.results()["load_balancers.door.slow_start.begun"] == 0
    sim.set("fleets.new.count", 2)
    sim.advance("21s")
    assert sim.results()["load_balancers.door.slow_start"] == {"begun": 1, "now": 1}


# --- zones ------------------------------------------------------------------------------------


def zoned(cross: bool, *faults: Tree, counts=(3, 1), check=CHECK, **keys: Any) -> Tree:
    """A fleet in each of two zones behind one balancer."""
    hosts = {
        "hall": {"count": 8, "type": {"cores": 4, "memory": "64GiB"}, "zones": ["a", "b"]},
    }
    fleets = {
        f"in-{zone}": fleet(count=count) | {"hosts": "hall", "zones": [zone]}
        for zone, count in zip("ab", counts, strict=True)
    }
    door = {"targets": list(fleets), "cross_zone": cross, **keys.pop("door", {})}
    door |= {} if check is None else {"health_check": check}
    return scenario(
        keys.pop("traffic", steady()),
        work({"compute": "1ms"}),
        hosts=hosts,
        fleets=fleets,
        balancers={"door": door},
        faults=list(faults),
        **keys,
    )


def shares(result: Tree) -> list[int]:
    return [target["requests"] for target in targets(result)]


def test_across_zones_every_target_has_the_same():
    found = shares(run(zoned(True)))
    assert max(found) - min(found) <= 1


@pytest.mark.parametrize("check", [CHECK, None])
def test_without_each_zone_has_the_same(check):
    """So the one target of its zone has as much as the three of the other."""
    found = shares(run(zoned(False, check=check)))
    assert likely([sum(found[:3]), found[3]], [1, 1])
    assert max(found[:3]) - min(found[:3]) <= 1  # a node has its own turns


def test_a_zone_without_targets_is_not_in_the_dns():
    result = run(zoned(False, counts=(3, 0)))
    assert result["traffic"]["customers"]["rejected"] == 0


def test_a_zone_without_a_healthy_target_leaves_the_dns():
    fault = {"at": "20s", "for": "40s", "fail": {"zone": "b"}}
    sim = simulation(zoned(False, fault))
    sim.advance("31s")  # two checks have failed
    before = shares(sim.results().to_dict())[3]
    sim.advance("60s")
    assert shares(sim.results().to_dict())[3] == before
    assert sim.results()["load_balancers.door.health.healthy"] == 3
    sim.advance("100s")
    after = shares(sim.results().to_dict())[3] - before
    assert after > 1000  # half of 30 s at least
    assert sim.results()["traffic.customers.failed"] < 1000


def test_a_zone_with_one_healthy_target_is_in_the_dns_for_all():
    """That one has the requests of its zone to itself."""
    fault = {"at": "10s", "fail": {"fleet": "in-a", "count": 2}}
    sim = simulation(zoned(False, fault))
    sim.advance("21s")
    before = shares(sim.results().to_dict())
    sim.advance("100s")
    after = np.array(shares(sim.results().to_dict())) - before
    assert list(after[:2]) == [0, 0]
    assert likely([after[2], after[3]], [1, 1])


def test_all_zones_are_served_where_all_are_bad():
    faults = [{"at": "10s", "fail": {"zone": zone}} for zone in "ab"]
    result = run(zoned(False, *faults))
    assert result["traffic"]["customers"]["rejected"] == 0
    found = shares(result)
    assert likely([sum(found[:3]), found[3]], [1, 1])
    assert fates(result["traffic"]["customers"])[2] > 8900


def test_the_minimum_is_that_of_the_zone():
    """A zone with one target is below a minimum of two: it fails open, the other does not."""
    check = CHECK | {"minimum_healthy": 2}
    sim = simulation(zoned(False, {"at": "10s", "fail": {"fleet": "in-a"}}, check=check))
    sim.advance("30s")
    health = sim.results()["load_balancers.door.health"]
    assert health["fail_open_s"] == 30  # one target in a zone is fewer than two
    assert health["healthy"] == 3
    assert sim.results()["traffic.customers.failed"] < 600
