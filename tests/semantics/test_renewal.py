"""A refresh that changes what instances are: one test a rule, with traces by hand."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope import catalog
from semantics.lab import fates, fleet, latency, outcome, run, scenario, targets, work

Tree = dict[str, Any]

FAST = {"vcpus": 1, "memory": "1GiB", "speed": 2.0}
AT_ONCE = {"pending": "0s", "boot": "0s", "restart": "0s", "stop": "0s", "terminate": "0s"}


def lab_of(lab: Any, to: Any, *times: float, count: int = 1, **keys: Any) -> Tree:
    """All instances behind a balancer are replaced at 10 s, at once."""
    refresh = {"at": "10s", "min_healthy": "0%", "to": to} | keys.pop("refresh", {})
    web = fleet(count=count) | {"refresh": refresh, "durations": AT_ONCE} | keys.pop("web", {})
    del web["boot"]
    return scenario(
        lab.at(*times, to="door"),
        keys.pop("service", work({"compute": "1s"})),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"]} | keys.pop("door", {})},
        **keys,
    )


def test_new_instances_are_of_the_new_type(lab):
    result = run(lab_of(lab, {"instance_type": FAST}, 5, 20))
    assert latency(result["traffic"]["customers"])[2:] == pytest.approx((0.5, 1.0), abs=1e-9)
    assert result["fleets"]["web"]["types"] == [
        {"instance_type": "custom", "os": "linux", "launches": 1, "instances": 0},
        {"instance_type": "custom", "os": "linux", "launches": 1, "instances": 1},
    ]


def test_old_ones_finish_what_they_hold_as_they_are(lab):
    tree = lab_of(lab, {"instance_type": FAST}, 9, 20, service=work({"compute": "4s"}))
    assert latency(run(tree)["traffic"]["customers"])[2:] == pytest.approx((2.0, 4.0), abs=1e-9)


def test_there_are_as_many_workers_as_the_new_type_has_vcpus(lab):
    # Two requests at once: one after the other before, side by side after.
    tree = lab_of(lab, {"instance_type": {"vcpus": 2, "memory": "1GiB"}}, 5, 5, 20, 20)
    mean, _, least, most = latency(run(tree)["traffic"]["customers"])
    assert (mean, least, most) == pytest.approx((5 / 4, 1.0, 2.0), abs=1e-9)


def test_shares_are_of_the_vcpus_that_there_were(lab):
    # 10 s of one vCPU and 90 s of two; 4 s of work.
    tree = lab_of(lab, {"instance_type": {"vcpus": 2, "memory": "1GiB"}}, 5, 5, 20, 20)
    result = run(tree)
    assert result["fleets"]["web"]["utilization"] == pytest.approx(4 / 190, abs=1e-9)
    shares = [target["utilization"] for target in targets(result)]
    assert shares == pytest.approx([2 / 100, 2 / 200], abs=1e-9)


def test_what_is_launched_later_is_of_the_new_type(lab):
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(lab, {"instance_type": FAST}, 5)))
    sim.advance("15s")
    sim.set("fleets.web.count", 3)
    sim.terminate("web", 1)
    sim.advance("1s")
    kinds = sim.result()["fleets.web.types"]
    assert [(kind["launches"], kind["instances"]) for kind in kinds] == [(1, 0), (4, 3)]


def test_a_new_instance_that_stops_starts_as_what_it_was(lab):
    tree = lab_of(lab, {"instance_type": FAST}, 40)
    tree["actions"] = [{"at": "20s", "stop": "web"}, {"at": "30s", "start": "web"}]
    assert latency(run(tree)["traffic"]["customers"])[3] == pytest.approx(0.5, abs=1e-9)


def test_a_slow_instance_is_slower_than_its_own_type(lab):
    tree = lab_of(lab, {"instance_type": FAST}, 5, 30)
    tree["faults"] = [{"at": "25s", "slow": {"fleet": "web", "factor": 4}}]
    assert latency(run(tree)["traffic"]["customers"])[2:] == pytest.approx((1.0, 2.0), abs=1e-9)


def test_an_instance_that_comes_back_is_what_it_was(lab):
    tree = lab_of(lab, {"instance_type": FAST}, 40)
    tree["faults"] = [{"at": "20s", "for": "5s", "fail": {"fleet": "web"}}]
    assert latency(run(tree)["traffic"]["customers"])[3] == pytest.approx(0.5, abs=1e-9)


def test_hosts_must_have_room_for_the_new_type(lab):
    # Two cores: the old instance leaves at 10 s, and one of two vCPUs fits, of three does not.
    hosts = {"hall": {"count": 1, "type": {"cores": 2, "memory": "64GiB"}}}
    for vcpus, refused in ((2, 0), (3, 2)):
        to = {"instance_type": {"vcpus": vcpus, "memory": "1GiB"}}
        result = run(lab_of(lab, to, 5, hosts=hosts, web={"hosts": "hall"}))
        assert result["hosts"]["hall"]["rejected_launches"] == refused


def test_limits_of_accounts_count_the_vcpus_of_each(lab):
    # Four vCPUs: two instances of one, then at most two of two.
    to = {"instance_type": {"vcpus": 2, "memory": "1GiB"}}
    for limit, final in ((4, 2), (3, 1)):
        tree = lab_of(lab, to, 50, count=2, accounts={"main": {"vcpus": limit}})
        assert run(tree)["fleets"]["web"]["instances"]["final"] == final


def test_the_bill_has_both_types(lab):
    to = {"instance_type": "c5.large", "os": "windows"}
    web = {"instance_type": "m5.large"}
    tree = lab_of(lab, to, 5, count=2, web=web, refresh={"at": "1000s"}, duration="3000s")
    line = run(tree)["cost_usd"]["instances"]["web"]
    prices = catalog.price("m5.large", "linux"), catalog.price("c5.large", "windows")
    hours = 2 * 1000 / 3600, 2 * 2000 / 3600
    parts = line["types"]
    assert [(part["instance_type"], part["os"]) for part in parts] == [
        ("m5.large", "linux"),
        ("c5.large", "windows"),
    ]
    assert [part["billed_s"] for part in parts] == [2000, 4000]
    dollars = [price.usd_per_hour * h for price, h in zip(prices, hours, strict=True)]
    assert [part["usd"] for part in parts] == pytest.approx(dollars)
    assert line["usd"] == pytest.approx(sum(dollars))
    assert line["licence_usd"] == pytest.approx(prices[1].licence_usd_per_hour * hours[1])
    assert line["billed_s"] == 6000


def test_a_burstable_type_brings_its_credits(lab):
    # Two vCPUs, each busy for 200 s of an unmodified clock: a credit is a vCPU-minute.
    web = {"instance_type": "m5.large"}
    tree = lab_of(
        lab, {"instance_type": "t3.micro"}, 20, 20, web=web, service=work({"compute": "200s"})
    )
    result = run(tree | {"duration": "300s"})
    busy_s = result["fleets"]["web"]["utilization"] * 2 * 300
    assert fates(result["traffic"]["customers"])[0] == 2
    spent = result["fleets"]["web"]["cpu_credits"]["spent"]
    assert spent == pytest.approx(busy_s / 60, rel=1e-9)
    assert result["cost_usd"]["cpu_credits"]["web"]["usd"] > 0.0


def test_only_the_system_may_change(lab):
    tree = lab_of(lab, {"os": "windows"}, 5, web={"instance_type": "m5.large", "durations": {}})
    del tree["fleets"]["web"]["durations"]
    result = run(tree | {"duration": "2000s"})
    # Windows boots for minutes: the new one serves long after 10 s.
    assert result["fleets"]["web"]["refresh"]["finished_s"] > 120.0
    assert [kind["os"] for kind in result["fleets"]["web"]["types"]] == ["linux", "windows"]


def test_health_checks_and_least_connections_go_on(lab):
    door = {"routing": "least_connections", "health_check": {"interval": "5s", "timeout": "2s"}}
    tree = lab_of(
        lab,
        {"instance_type": {"vcpus": 2, "memory": "1GiB"}},
        count=4,
        door=door,
        refresh={"min_healthy": "75%"},
    )
    tree["traffic"]["customers"] = {"to": "door", "rate": "3/s"}
    result = run(tree)
    completed, rejected, failed, timed_out, _ = fates(result["traffic"]["customers"])
    assert completed > 250
    assert (rejected, failed, timed_out) == (0, 0, 0)
    assert result["fleets"]["web"]["types"][1]["instances"] == 4


# --- by hand ----------------------------------------------------------------------------------


def by_hand(lab: Any) -> nph.Simulation:
    tree = lab_of(lab, {"instance_type": FAST}, 5, 20, 40, count=2)
    del tree["fleets"]["web"]["refresh"]
    return nph.Simulation(nph.Scenario.model_validate(tree))


def test_a_refresh_may_begin_now(lab):
    sim = by_hand(lab)
    sim.advance("10s")
    sim.refresh("web", min_healthy="50%")
    sim.advance()
    refresh = sim.result()["fleets.web.refresh"]
    assert (refresh["started_s"], refresh["instances"], refresh["replaced"]) == (10.0, 2, 2)


def test_a_refresh_by_hand_may_change_the_type_again_and_again(lab):
    sim = by_hand(lab)
    sim.advance("10s")
    sim.refresh("web", min_healthy="0%", to={"instance_type": FAST})
    sim.advance("20s")
    sim.refresh("web", min_healthy="0%", to={"instance_type": FAST | {"speed": 4.0}})
    twin = sim.fork()
    saved = nph.Simulation.load(sim.save())
    sim.advance()
    twin.advance()
    saved.advance()
    # At 5 s, 20 s and 40 s: one second of work.
    assert sim.result()["traffic.customers.latency_s.mean"] == pytest.approx(1.75 / 3, abs=1e-9)
    assert [kind["launches"] for kind in sim.result()["fleets.web.types"]] == [2, 2, 2]
    assert sim.result().fingerprint == twin.result().fingerprint == saved.result().fingerprint


def test_one_refresh_after_another(lab):
    sim = by_hand(lab)
    sim.advance("10s")
    sim.refresh("web", min_healthy="50%", warmup="30s")
    for options in ({}, {"to": {"os": "windows"}}):
        with pytest.raises(nph.ScenarioError, match="under way"):
            sim.refresh("web", **options)
    sim.advance()
    assert len(sim.result()["fleets.web"].get("types", [])) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": {}}, "nothing is another"),
        ({"to": "m5.huge"}, "no instance type"),
        ({"to": {"instance_type": "m5.large", "cpu_credits": "standard"}}, "burstable"),
        ({"min_healthy": "150%"}, "out of range"),
        ({"at_once": True}, "at_once"),
        ({"at": "20s"}, "it begins now"),
    ],
)
def test_what_makes_no_sense_is_refused(lab, options: Tree, message: str):
    sim = by_hand(lab)
    with pytest.raises(nph.ScenarioError, match=message):
        sim.refresh("web", **options)
    with pytest.raises(nph.ScenarioError, match="wep"):
        sim.refresh("wep")


def test_a_scenario_without_another_type_is_what_it_was(lab):
    tree = lab_of(lab, {"instance_type": FAST}, 5)
    del tree["fleets"]["web"]["refresh"]["to"]
    assert "types" not in outcome(tree).to_dict()["fleets"]["web"]
