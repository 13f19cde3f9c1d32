"""Balancers that are one more listener of another: one bill, one capacity. One test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope import catalog
from nephoscope.errors import ScenarioError
from nephoscope.report.description import describe
from semantics.lab import fates, fleet, outcome, run, scenario, simulation, work

Tree = dict[str, Any]

DOOR: Tree = {"targets": ["web"], "bytes_per_request": "0B"}
SIDE: Tree = {"targets": ["web"], "bytes_per_request": "0B", "listener_of": "door"}


def constant(to: str, rate: str) -> Tree:
    return {"to": to, "rate": rate, "arrivals": "constant"}


def two(
    door: Tree, side: Tree, *, service: Tree | None = None, duration: str = "1h", **keys: Any
) -> Tree:
    """Constant traffic at both, five and two a second: 17,999 and 7,199 in the first hour."""
    traffic = {"a": constant("door", "5/s"), "b": constant("side", "2/s")}
    return scenario(
        keys.pop("traffic", traffic),
        service or work({"compute": "1us"}),
        fleets={"web": fleet(vcpus=64), "desk": fleet(vcpus=64)},
        balancers={"door": DOOR | door, "side": SIDE | side},
        duration=duration,
        **keys,
    )


def lines(tree: Tree) -> Tree:
    return run(tree | {"series": "none"})["cost_usd"]["load_balancers"]


def problems(tree: Tree) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        nph.Scenario.model_validate(tree)
    return {it.path: it.render() for it in caught.value.problems}


# --- requests ------------------------------------------------------------------------------------


def test_a_listener_has_targets_and_figures_of_its_own():
    tree = two({"routing": "least_connections"}, {"targets": ["desk"]}, duration="100s")
    result = run(tree)
    door, side = (result["load_balancers"][name] for name in ("door", "side"))
    assert (door["requests"], side["requests"]) == (499, 199)
    assert [result["fleets"][name]["completed"] for name in ("web", "desk")] == [499, 199]


def test_a_listener_checks_its_targets_by_itself(lab):
    checks = {"health_check": {"interval": "10s", "timeout": "5s"}}
    traffic = lab.at(1, to="side")
    result = run(two({}, checks, traffic=traffic, duration="100s"))["load_balancers"]
    assert "health" not in result["door"]
    assert result["side"]["health"]["checks"] == 10


def test_whether_one_is_a_listener_changes_nothing_but_the_bill():
    """But for a capacity, of which there is none."""
    told = run(two({}, {}, duration="100s"))
    apart = run(two({}, {"listener_of": None}, duration="100s"))
    assert told.pop("cost_usd") != apart.pop("cost_usd")
    for tree in (told, apart):
        for key in ("scenario", "wall_s", "events_per_s"):
            tree.pop(key, None)
    assert told["load_balancers"] == apart["load_balancers"]
    assert told["traffic"] == apart["traffic"]


# --- the bill ------------------------------------------------------------------------------------


def test_the_hours_of_a_balancer_are_billed_once():
    idle = two({}, {}, duration="150m", traffic=constant("door", "1/h"))
    assert list(lines(idle)) == ["door"]
    assert lines(idle)["door"]["hours"] == 3
    assert lines(idle)["door"]["usd"] == pytest.approx(3 * 0.0225, abs=1e-5)
    apart = two({}, {"listener_of": None}, duration="150m", traffic=constant("door", "1/h"))
    assert {name: line["hours"] for name, line in lines(apart).items()} == {"door": 3, "side": 3}


def test_each_dimension_is_of_all_listeners_together():
    (line,) = lines(two({}, {})).values()
    assert line["unit_hours"] == pytest.approx((17_999 + 7_199) / 3600 / 25, rel=1e-12)
    assert line["usd"] == pytest.approx(0.0225 + 0.008 * line["unit_hours"], rel=1e-12)


def test_the_greatest_sum_of_a_dimension_is_billed():
    """Two thirds of a unit by connections at one, a half by those that are active at others."""
    busy = catalog.ListenerUse((catalog.LoadBalancerHour(60_000, 0),))
    slow = catalog.ListenerUse((catalog.LoadBalancerHour(0, 60 * 1500),))
    for listeners, units in (([busy, slow], 2 / 3), ([busy, slow, slow], 1.0)):
        bill = catalog.listeners_bill("application", listeners)
        assert bill.unit_hours == pytest.approx(units)


def test_rules_are_evaluated_at_the_listener_they_are_of():
    keys = {"requests_per_connection": 10**6}
    (line,) = lines(two(keys | {"rules": 30}, keys | {"rules": 60})).values()
    evaluations = (17_999 * 20 + 7_199 * 50) / 3600
    assert line["unit_hours"] == pytest.approx(evaluations / 1000, rel=1e-12)


def test_a_gigabyte_of_functions_is_more_of_a_unit():
    few = {"requests_per_connection": 10**6}
    door = few | {"bytes_per_request": "10kB"}
    (line,) = lines(two(door, door | {"target_type": "lambda"})).values()
    assert line["gb"] == pytest.approx((17_999 + 7_199) * 1e-5)
    assert line["unit_hours"] == pytest.approx(17_999e-5 + 7_199e-5 / 0.4, rel=1e-12)


def test_listeners_of_a_network_load_balancer_have_protocols_of_their_own():
    kind = {"type": "network"}
    (line,) = lines(two(kind, kind | {"protocol": "tls"})).values()
    assert line["type"] == "network"
    units = 17_999 / 3600 / 800 + 7_199 / 3600 / 50
    assert line["unit_hours"] == pytest.approx(units, rel=1e-12)


def test_each_hour_has_its_own_greatest_dimension():
    quiet, busy = catalog.LoadBalancerHour(0, 0), catalog.LoadBalancerHour(90_000, 0)
    first, second = catalog.ListenerUse((busy, quiet)), catalog.ListenerUse((quiet, busy))
    bill = catalog.listeners_bill("application", [first, second])
    assert (bill.hours, bill.unit_hours) == (2, 2.0)


# --- capacity ------------------------------------------------------------------------------------


def limited(lab: Any, capacity: Any, door: list[float], side: list[float], **keys: Any) -> Tree:
    traffic = {"a": lab.at(*door, to="door"), "b": lab.at(*side, to="side")}
    service = work({"compute": "1ms"})
    whole = {"capacity": capacity}
    return two(whole, keys, service=service, duration="100s", traffic=traffic)


def test_all_listeners_share_the_capacity(lab):
    """Two a second, and a second's worth at once: 0, 0.1 and 0.5 pass, as if all came to one."""
    result = run(limited(lab, "2/s", [0, 0.2, 0.5], [0.1, 0.3, 0.6]))
    assert fates(result["traffic"]["a"])[:2] == (2, 1)
    assert fates(result["traffic"]["b"])[:2] == (1, 2)
    told = [result["load_balancers"][name]["capacity"] for name in ("door", "side")]
    assert told == [{"now": 2.0, "most": 2.0, "rejected": n} for n in (1, 2)]


def test_it_follows_what_comes_to_all_of_them():
    """599 and 119 in the first minute, and it aims at twice that."""
    traffic = {"a": constant("door", "10/s"), "b": constant("side", "2/s")}
    sim = simulation(two({"capacity": "15/s"}, {}, traffic=traffic, duration="10m"))
    sim.advance("60.001s")
    assert sim.results()["load_balancers.door.capacity.now"] == pytest.approx(2 * 718 / 60)
    assert sim.results()["load_balancers.side.capacity.now"] == pytest.approx(2 * 718 / 60)


def test_what_is_beyond_it_waits_in_the_order_of_all(lab):
    """One a second: what comes at 0, 0.1, 0.2 and 0.3 goes on at 0, 1, 2 and 3, for 1 ms."""
    capacity = {"start": "1/s", "wait": "10s"}
    result = run(limited(lab, capacity, [0, 0.2], [0.1, 0.3]))
    assert fates(result["traffic"]["a"])[:2] == (2, 0)
    assert fates(result["traffic"]["b"])[:2] == (2, 0)
    assert result["traffic"]["a"]["latency_s"]["max"] == pytest.approx(1.801, rel=1e-9)
    assert result["traffic"]["b"]["latency_s"]["min"] == pytest.approx(0.901, rel=1e-9)
    assert result["traffic"]["b"]["latency_s"]["max"] == pytest.approx(2.701, rel=1e-9)


def test_a_listener_may_be_written_before_its_balancer(lab):
    tree = limited(lab, "2/s", [0, 0.2, 0.5], [0.1, 0.3, 0.6])
    tree["load_balancers"] = dict(reversed(tree["load_balancers"].items()))
    result = run(tree)
    assert fates(result["traffic"]["b"])[:2] == (1, 2)
    assert list(result["cost_usd"]["load_balancers"]) == ["door"]


def test_a_fork_shares_a_capacity_of_its_own(lab):
    sim = simulation(limited(lab, "2/s", [0, 0.2, 0.5], [0.1, 0.3, 0.6]))
    sim.advance("0.25s")
    other = sim.fork()
    for each in (sim, other):
        each.advance("1s")
        assert each.results()["load_balancers.side.capacity.rejected"] == 2


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("door", "side", "key", "words"),
    [
        ({}, {"listener_of": "side"}, "listener_of", "no listener of itself"),
        ({}, {"listener_of": "web"}, "listener_of", "is a fleet, not a load balancer"),
        ({}, {"listener_of": "dor"}, "listener_of", "is not the name of a load balancer"),
        ({}, {"type": "network"}, "type", "door has type: application"),
        ({}, {"capacity": "5/s"}, "capacity", "the capacity is that of the balancer, door"),
        ({"nodes": 2}, {}, "nodes", "door has nodes: 2"),
        ({"idle_timeout": "60s"}, {}, "idle_timeout", "door has idle_timeout: 60s"),
        ({}, {"idle_timeout": "60s"}, "idle_timeout", "door has no idle_timeout"),
        ({"defaults": "service"}, {}, "idle_timeout", "door has idle_timeout: 60s"),
        ({"capacity": {"start": "5/s", "wait": "1s"}}, {"surge_queue": 5}, "surge_queue", "wait"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_with_its_place(door, side, key, words):
    told = problems(two(door, side))
    assert list(told) == [f"load_balancers.side.{key}"]
    assert words in told[f"load_balancers.side.{key}"]


def test_a_listener_has_no_listeners():
    tree = two({}, {})
    tree["load_balancers"]["back"] = SIDE | {"listener_of": "side"}
    told = problems(tree)
    assert list(told) == ["load_balancers.back.listener_of"]
    assert "side is a listener itself" in told["load_balancers.back.listener_of"]


@pytest.mark.parametrize("kind", ["gateway", "classic", "none"])
def test_other_types_have_one_listener(kind):
    keys = {"type": kind} | ({"bytes_per_request": None} if kind == "none" else {})
    told = problems(two(keys, keys))
    assert list(told) == ["load_balancers.side.listener_of"]
    assert f"a load balancer of type {kind} has one listener" in str(told)


def test_what_is_the_same_may_be_written_otherwise():
    nph.Scenario.model_validate(two({"idle_timeout": "60s"}, {"idle_timeout": "1m"}))


def test_flows_are_idle_as_each_listener_of_a_network_load_balancer_says():
    kind = {"type": "network", "defaults": "service", "cross_zone": True}
    udp = kind | {"protocol": "udp"}
    tree = two(kind, udp)
    made = nph.Scenario.model_validate(tree)
    assert [str(it.idle_timeout) for it in made.load_balancers.values()] == ["5m50s", "2m"]


# --- quotas --------------------------------------------------------------------------------------


def listeners(count: int, **side: Any) -> Tree:
    """A balancer of so many listeners, itself among them, each before a fleet of its own."""
    fleets = {f"f{i}": fleet() for i in range(count)}
    doors = {
        f"l{i}": {"targets": [f"f{i}"]} | ({"listener_of": "l0"} | side if i else {})
        for i in range(count)
    }
    return {"fleets": fleets, "balancers": doors}


def quoted(lab: Any, tree: Tree) -> Tree:
    return scenario(lab.at(1, to="l0"), provider={"quotas": "enforced"}, **tree)


def test_a_balancer_has_fifty_listeners_at_most(lab):
    nph.Scenario.model_validate(quoted(lab, listeners(50)))
    told = problems(quoted(lab, listeners(51)))
    assert list(told) == ["load_balancers.l50"]
    assert "51 listeners of a balancer are more than the quota" in told["load_balancers.l50"]
    nph.Scenario.model_validate(scenario(lab.at(1, to="l0"), **listeners(51)))


def test_a_listener_is_no_balancer_of_the_account(lab):
    """Fifty of them, one with two listeners."""
    tree = listeners(50)
    for name, each in tree["balancers"].items():
        if name != "l49":
            each.pop("listener_of", None)
    tree["balancers"]["l50"] = {"targets": ["f0"], "listener_of": "l0"}
    nph.Scenario.model_validate(quoted(lab, tree))
    tree["balancers"]["l50"].pop("listener_of")
    tree["balancers"]["l49"].pop("listener_of")
    assert list(problems(quoted(lab, tree))) == ["load_balancers"]


def grouped(count: int) -> Tree:
    """Five groups at each of the listeners but the last, which has the rest."""
    fleets = {f"f{i}": fleet() for i in range(count)}
    doors: Tree = {}
    for first in range(0, count, 5):
        groups = {f"g{i}": {"targets": [f"f{i}"]} for i in range(first, min(first + 5, count))}
        doors[f"l{first}"] = {"groups": groups} | ({"listener_of": "l0"} if first else {})
    return {"fleets": fleets, "balancers": doors}


def test_all_listeners_have_a_hundred_target_groups_at_most(lab):
    nph.Scenario.model_validate(quoted(lab, grouped(100)))
    assert list(problems(quoted(lab, grouped(101)))) == ["load_balancers.l100"]


def test_all_listeners_have_a_hundred_rules_and_a_thousand_targets_at_most(lab):
    tree = listeners(2, rules=60)
    tree["balancers"]["l0"]["rules"] = 40
    nph.Scenario.model_validate(quoted(lab, tree))
    tree["balancers"]["l0"]["rules"] = 41
    assert list(problems(quoted(lab, tree))) == ["load_balancers.l1.rules"]
    tree = listeners(2)
    tree["fleets"] = {"f0": fleet(count=600), "f1": fleet(count=400)}
    nph.Scenario.model_validate(quoted(lab, tree))
    tree["fleets"]["f1"] = fleet(count=401)
    assert list(problems(quoted(lab, tree))) == ["load_balancers.l1"]


# --- what is said --------------------------------------------------------------------------------


def test_whose_listener_it_is_is_said():
    tree = two({}, {}, duration="100s")
    words = list(describe(nph.Scenario.model_validate(tree)))
    assert any("side: round_robin" in it and "a listener of door" in it for it in words)
    assert "round robin, a listener of door" in outcome(tree).to_html()


def test_theory_knows_of_a_capacity_that_is_shared():
    tree = two({"capacity": "50/s"}, {"targets": ["desk"]}, duration="100s")
    answers = {it.part: it.reasons for it in nph.explain(nph.Scenario.model_validate(tree)).answers}
    assert "its balancer has a capacity of its own" in answers["fleets.desk"]
