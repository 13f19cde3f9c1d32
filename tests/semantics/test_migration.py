"""Live migration: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, latency, outcome, run, scenario, work

Tree = dict[str, Any]

MIGRATE = {"host": "hall", "index": 0, "notice": "10s", "by": "migrate", "pause": "2s"}


def hall(count: int, cores: int = 1, **keys: Any) -> Tree:
    kind = {"cores": cores, "memory": "64GiB", **keys.pop("type", {})}
    return {"hall": {"count": count, "type": kind, **keys}}


def lab_of(lab: Any, *times: float, hosts: Tree | None = None, **keys: Any) -> Tree:
    """Host 0 is to be maintained from 30 s to 50 s, with notice at 20 s; requests of 10 s."""
    web = fleet(count=keys.pop("count", 1), vcpus=keys.pop("vcpus", 1)) | {"hosts": "hall"}
    where = MIGRATE | keys.pop("maintain", {})
    return scenario(
        lab.at(*times),
        keys.pop("service", work({"compute": "10s"})),
        fleets={"web": web | keys.pop("web", {})} | keys.pop("others", {}),
        hosts=hosts or hall(2),
        faults=[{"at": "30s", "for": "20s", "maintain": where}],
        **keys,
    )


def test_what_is_computed_goes_on_after_the_pause(lab):
    # 5 s of work by 20 s, the rest from 22 s on.
    result = run(lab_of(lab, 15))
    assert latency(result["traffic"]["customers"])[3] == pytest.approx(12.0, abs=1e-9)
    told = {"strikes": 1, "instances": 0, "missed": 0, "moved": 1, "migrated": 1, "unplaced": 0}
    assert result["faults"] == [told]
    # It is the same instance: nothing is launched, nothing ends.
    web = result["fleets"]["web"]
    assert (web["launches"], web["terminations"], web["failures"]["count"]) == (1, 0, 0)


def test_time_is_run_where_it_was_and_the_pause_is_stolen(lab):
    result = run(lab_of(lab, 15))
    hosts = result["hosts"]["hall"]["by_host"]
    assert [hosts[i]["utilization"] * 100.0 for i in "01"] == pytest.approx([5.0, 5.0], abs=1e-8)
    assert [hosts[i]["instances"] for i in "01"] == [0, 1]
    assert [hosts[i]["steal_s"]["migration"] for i in "01"] == pytest.approx([0.0, 2.0], abs=1e-8)
    assert result["hosts"]["hall"]["migrations"] == 1
    assert result["hosts"]["hall"]["placements"] == 1


def test_who_wants_nothing_loses_nothing(lab):
    result = run(lab_of(lab, 40))
    assert result["fleets"]["web"]["steal_s"]["migration"] == 0.0
    assert latency(result["traffic"]["customers"])[3] == pytest.approx(10.0, abs=1e-9)


def test_what_comes_during_the_pause_waits_for_its_end(lab):
    # Two vCPUs: one runs from 15 s to 25 s + 2 s, the other wants to from 21 s and runs from 22 s.
    result = run(lab_of(lab, 15, 21, vcpus=2, hosts=hall(2, cores=2)))
    assert fates(result["traffic"]["customers"]) == (2, 0, 0, 0, 0)
    assert latency(result["traffic"]["customers"])[2:] == pytest.approx((11.0, 12.0), abs=1e-9)
    assert result["fleets"]["web"]["steal_s"]["migration"] == pytest.approx(3.0, abs=1e-8)


def test_fifty_milliseconds_unless_told(lab):
    tree = lab_of(lab, 15)
    del tree["faults"][0]["maintain"]["pause"]
    assert latency(run(tree)["traffic"]["customers"])[3] == pytest.approx(10.05, abs=1e-9)


def test_only_what_is_measured_is_split_between_hosts(lab):
    hosts = run(lab_of(lab, 15, warmup="18s"))["hosts"]["hall"]["by_host"]
    assert [hosts[i]["utilization"] * 82.0 for i in "01"] == pytest.approx([2.0, 5.0], abs=1e-8)
    hosts = run(lab_of(lab, 15, warmup="24s"))["hosts"]["hall"]["by_host"]
    assert {i: host["utilization"] * 76.0 for i, host in hosts.items()} == {
        "1": pytest.approx(3.0, abs=1e-8)
    }


def test_without_room_it_stays_and_falls_with_its_host(lab):
    result = run(lab_of(lab, 25, hosts=hall(1)))
    assert fates(result["traffic"]["customers"]) == (0, 0, 1, 0, 0)
    assert result["faults"][0]["unplaced"] == 1
    assert result["faults"][0]["instances"] == 1
    assert any("no room for 1 instances" in flag for flag in result["flags"])


@pytest.mark.parametrize(("otherwise", "launches"), [("drain", 2), ("stop_start", 1)])
def test_without_room_it_may_leave_in_another_way(lab, otherwise: str, launches: int):
    # One host: what is drained or stopped at 20 s comes back when there is room, after 50 s.
    tree = lab_of(lab, 85, hosts=hall(1), duration="150s", maintain={"otherwise": otherwise})
    tree["fleets"]["web"]["durations"] = {"stop": "0s", "restart": "0s"}
    result = run(tree)
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 0, 0)
    assert (result["faults"][0]["moved"], result["faults"][0]["unplaced"]) == (1, 1)
    assert result["fleets"]["web"]["launches"] == launches


def test_it_stays_in_its_zone(lab):
    zones = {"zones": ["a", "b"]}  # host 1 is in zone b, host 2 in zone a
    assert run(lab_of(lab, 25, hosts=hall(2, **zones)))["faults"][0]["unplaced"] == 1
    assert run(lab_of(lab, 25, hosts=hall(3, **zones)))["hosts"]["hall"]["by_host"]["2"] != {}


@pytest.mark.parametrize(("hosts", "migrated"), [(2, 0), (3, 1)])
def test_a_spread_group_keeps_to_its_racks(lab, hosts: int, migrated: int):
    # Two members, a host a rack: the second host is another member's.
    web = {"placement": {"group": "apart", "strategy": "spread"}}
    tree = lab_of(lab, 25, count=2, web=web, hosts=hall(hosts, cores=2, racks=hosts))
    assert run(tree)["faults"][0]["migrated"] == migrated


def test_seven_of_a_spread_group_are_no_obstacle_to_one_of_them(lab):
    web = {"placement": {"group": "apart", "strategy": "spread"}}
    tree = lab_of(lab, 25, count=7, web=web, hosts=hall(8, racks=8))
    assert run(tree)["faults"][0]["migrated"] == 1


def test_instances_with_accelerators_stay(lab):
    web = {"instance_type": {"vcpus": 1, "memory": "1GiB", "gpu": 1}}
    tree = lab_of(lab, 25, web=web, hosts=hall(2, type={"gpu": 1}))
    assert run(tree)["faults"][0]["unplaced"] == 1


def test_who_leaves_its_fleet_takes_its_requests_along(lab):
    # It leaves at 18 s with a request of 10 s, and has 20 s for it.
    tree = lab_of(lab, 15)
    tree["load_balancers"] = {"door": {"targets": ["web"], "deregistration_delay": "20s"}}
    tree["traffic"]["customers"]["to"] = "door"
    sim = nph.Simulation(nph.Scenario.model_validate(tree))
    sim.advance("18s")
    sim.set("fleets.web.count", 0)
    sim.advance()
    customers = sim.result()["traffic.customers"]
    assert fates(customers) == (1, 0, 0, 0, 0)
    assert latency(customers)[3] == pytest.approx(12.0, abs=1e-9)


def test_who_boots_goes_on_booting(lab):
    tree = lab_of(lab, 26, web={"boot": "25s", "initially": "pending"})
    result = run(tree)
    assert (result["fleets"]["web"]["launches"], result["faults"][0]["migrated"]) == (1, 1)
    assert fates(result["traffic"]["customers"]) == (1, 0, 0, 0, 0)


def test_transfers_go_on_over_the_network_of_the_other_host(lab):
    # 20 MB at 1 MB/s from 15 s: 5 MB by 20 s. On host 1 another sends without end: half is left.
    other = fleet("send", 1) | {"hosts": "hall"}
    tree = lab_of(
        lab,
        15,
        service=work({"network": "20MB"}),
        services={"send": work({"network": "1GB"})},
        others={"other": other},
        hosts=hall(2, cores=2, type={"network": "8Mbps"}, place="worst_fit"),
    )
    tree["traffic"]["noise"] = lab.at(1, to="other")
    tree["faults"][0]["maintain"]["pause"] = "0s"
    tree["fleets"]["other"]["count"] = 1
    for name in ("web", "other"):
        tree["fleets"][name]["instance_type"] |= {"vcpus": 1, "network": "8Mbps"}
    result = run(tree)
    assert result["hosts"]["hall"]["migrations"] == 1
    assert result["hosts"]["hall"]["by_host"]["1"]["instances"] == 2
    assert latency(result["traffic"]["customers"])[3] == pytest.approx(5.0 + 30.0, abs=1e-6)


@pytest.mark.parametrize("scheduler", ["fluid", "fair", "credit", "pinned"])
def test_every_scheduler_takes_it_in(lab, scheduler: str):
    # Alone on its host before and after.
    overcommit = {} if scheduler == "pinned" else {"cpu_overcommit": 2.0}
    result = run(lab_of(lab, 15, hosts=hall(2, scheduler=scheduler, **overcommit)))
    assert latency(result["traffic"]["customers"])[3] == pytest.approx(12.0, abs=0.01)
    web = result["fleets"]["web"]
    assert web["steal_s"]["migration"] == pytest.approx(2.0, abs=0.01)
    assert web["utilization"] * 100.0 == pytest.approx(10.0, abs=1e-6)


def test_the_other_host_shares_with_those_that_are_there(lab):
    # From 22 s on a busy neighbour has half of the one core of host 1: 5 s of work take 10 s.
    other = fleet("send", 1) | {"hosts": "hall"}
    hosts = hall(2, cpu_overcommit=2.0, place="worst_fit")
    tree = lab_of(
        lab, 15, hosts=hosts, others={"other": other}, services={"send": work({"compute": "1h"})}
    )
    tree["traffic"]["noise"] = lab.at(1, to="other")
    result = run(tree)
    assert latency(result["traffic"]["customers"])[3] == pytest.approx(17.0, abs=1e-8)
    assert result["fleets"]["web"]["steal_s"]["contention"] == pytest.approx(5.0, abs=1e-8)


def test_cpu_credits_go_along(lab):
    burstable = {"instance_type": "t3.micro", "cpu_credits": "unlimited"}
    tree = lab_of(lab, 15, hosts=hall(2, cores=2), web=burstable, maintain={"pause": "0s"})
    spent = run(tree)["fleets"]["web"]["cpu_credits"]
    del tree["faults"]
    assert spent == pytest.approx(run(tree)["fleets"]["web"]["cpu_credits"], abs=1e-6)


def test_a_simulation_in_a_pause_is_saved_and_goes_on(lab):
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(lab, 15, 21)), rng=3)
    sim.advance("21.5s")
    resumed = nph.Simulation.load(sim.save())
    sim.advance()
    resumed.advance()
    assert sim.result().fingerprint == resumed.result().fingerprint
    assert sim.result().fingerprint == outcome(lab_of(lab, 15, 21), 3).fingerprint


def test_an_instance_is_moved_by_hand(lab):
    tree = lab_of(lab, 15, hosts=hall(3, cpu_overcommit=2.0))
    del tree["faults"]
    sim = nph.Simulation(nph.Scenario.model_validate(tree))
    sim.advance("17s")
    assert sim.migrate(0, 2, pause="1s")
    sim.advance("0.5s")
    assert sim.migrate(0, pause="1s")  # the pause ends a second after the second move
    assert not sim.migrate(0, 0)  # it is there
    sim.advance()
    result = sim.result()
    assert latency(result["traffic.customers"])[3] == pytest.approx(11.5, abs=1e-8)
    assert result["hosts.hall.migrations"] == 2
    assert list(result["hosts.hall.by_host"]) == ["0"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"instance": 5}, "instance: is not there"),
        ({"instance": -1}, "no index"),
        ({"host": 7}, "host: is not there"),
        ({"pause": "1s"}, "pause: must be 0 where"),
        ({"pause": "soon"}, "pause"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(lab, keys: Tree, message: str):
    tree = lab_of(lab, 15)
    del tree["faults"]
    sim = nph.Simulation(nph.Scenario.model_validate(tree))
    with pytest.raises(nph.ScenarioError, match=message):
        sim.migrate(**({"instance": 0} | keys))


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"by": "drain", "pause": "1s"}, "pause is of live migration"),
        ({"by": "stop_start", "otherwise": "drain"}, "otherwise is of live migration"),
        ({"by": "migrate", "otherwise": "migrate"}, "stay"),
        ({"by": "migrate", "pause": "-1s"}, "not negative"),
    ],
)
def test_what_makes_no_sense_is_refused(lab, where: Tree, message: str):
    tree = lab_of(lab, 15)
    tree["faults"][0]["maintain"] = {"host": "hall"} | where
    with pytest.raises(nph.ScenarioError, match=message):
        nph.Scenario.model_validate(tree)
