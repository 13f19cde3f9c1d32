"""Fleets of several instance types at a time: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import Stepper, run, scenario, simulation, work

Tree = dict[str, Any]

QUIET: Tree = {"to": "web", "rate": "1/m", "arrivals": "constant"}
CUSTOM: Tree = {"vcpus": 2, "memory": "1GiB"}
DURATIONS: Tree = {"pending": "0s", "boot": "0s", "stop": "0s", "terminate": "0s"}


def lab_of(types: list[Any], count: Any, duration: str = "100s", **keys: Any) -> Tree:
    """A fleet of so many instances of these types."""
    first, *others = types
    web: Tree = {"service": "work", "count": count, "instance_type": first, "other_types": others}
    web |= {"durations": DURATIONS} | keys.pop("web", {})
    fleets = {"web": web} | keys.pop("fleets", {})
    service = keys.pop("service", work({"compute": "1ms"}))
    traffic = keys.pop("traffic", QUIET)
    return scenario(traffic, service, fleets=fleets, duration=duration, **keys)


def hall(cores: int, **keys: Any) -> Tree:
    return {"hall": {"count": 1, "type": {"cores": cores, "memory": "256GiB"}} | keys}


def there(of: Tree | Stepper) -> Tree:
    """How many instances serve now, by type, as far as there are some."""
    result = of.results().to_dict() if isinstance(of, Stepper) else run(of)
    types = result["fleets"]["web"]["types"]
    return {it["instance_type"]: it["instances"] for it in types if it["instances"]}


# --- launches ---------------------------------------------------------------------------------


def test_on_demand_the_first_type_with_room_is_launched():
    tree = lab_of(["m5.xlarge", "m5.large"], 3, hosts=hall(10), web={"hosts": "hall"})
    assert there(tree) == {"m5.xlarge": 2, "m5.large": 1}
    tree = lab_of(["m5.large", "m5.xlarge"], 3, hosts=hall(10), web={"hosts": "hall"})
    assert there(tree) == {"m5.large": 3}


def test_where_no_type_has_room_an_instance_is_missing():
    tree = lab_of(["m5.xlarge", "m5.large"], 3, hosts=hall(7), web={"hosts": "hall"})
    sim = simulation(tree)
    assert there(sim) == {"m5.xlarge": 1, "m5.large": 1}
    assert sim.numbers()["fleets"]["web"]["missing"] == 1


def test_a_type_whose_vcpus_are_used_up_gives_way_to_the_next():
    limited: Tree = {"accounts": {"main": {"vcpus": 6}}}
    assert there(lab_of(["m5.xlarge", "m5.large"], 3, **limited)) == {"m5.xlarge": 1, "m5.large": 1}
    # Of another group of families, which has no limit.
    tree = lab_of(["m5.xlarge", "g4dn.xlarge"], 3, **limited)
    assert there(tree) == {"m5.xlarge": 1, "g4dn.xlarge": 2}


def test_by_price_the_cheapest_comes_first():
    types = ["r5.large", "m5.large", "c5.large"]
    assert there(lab_of(types, 3)) == {"r5.large": 3}
    assert there(lab_of(types, 3, web={"allocation": "prioritized"})) == {"r5.large": 3}
    assert there(lab_of(types, 3, web={"allocation": "lowest_price"})) == {"c5.large": 3}


def test_of_equal_prices_the_first_in_the_list_counts():
    types = ["m6i.large", "m5.large"]
    assert there(lab_of(types, 2, web={"allocation": "lowest_price"})) == {"m6i.large": 2}


@pytest.mark.parametrize(
    ("pools", "counts"),
    [
        ({}, {"c5.large": 3, "m5.large": 2}),
        ({"pools": 1}, {"c5.large": 5}),
        ({"pools": 3}, {"c5.large": 2, "m5.large": 2, "r5.large": 1}),
        ({"pools": 20}, {"c5.large": 2, "m5.large": 2, "r5.large": 1}),
    ],
)
def test_spot_is_spread_over_the_cheapest_pools_two_unless_told(pools, counts):
    tree = lab_of(["r5.large", "m5.large", "c5.large"], 5, web={"purchase": {"spot": pools}})
    assert there(tree) == counts


def test_a_pool_without_room_gives_way_to_the_next():
    spot: Tree = {"purchase": {"spot": {"pools": 1}}}
    limited: Tree = {"accounts": {"main": {"spot_vcpus": 4}}}
    tree = lab_of(["g4dn.xlarge", "c5.large"], 3, web=spot, **limited)
    assert there(tree) == {"c5.large": 2, "g4dn.xlarge": 1}


def test_each_way_of_buying_has_its_own_order():
    spot: Tree = {"spot": {"on_demand_base": 2, "pools": 1}}
    tree = lab_of(["m5.large", "r5.large", "c5.large"], 5, web={"purchase": spot})
    assert there(tree) == {"m5.large": 2, "c5.large": 3}


def test_the_zone_is_chosen_before_the_type():
    # The other fleet has left two vCPUs in zone a, which comes first.
    other = {"service": "work", "instance_type": "m5.xlarge", "hosts": "hall", "zones": ["a"]}
    web: Tree = {"hosts": "hall", "zone_balance": "best_effort"}
    tree = lab_of(["m5.xlarge", "m5.large"], 1, web=web, hosts=hall(6, count=2, zones=["a", "b"]))
    tree["fleets"] = {"other": other} | tree["fleets"]
    tree["traffic"]["others"] = QUIET | {"to": "other"}
    assert there(tree) == {"m5.large": 1}
    web["zone_balance"] = "off"
    assert there(tree) == {"m5.large": 1}  # first fit, of the hosts
    tree["fleets"]["web"]["zones"] = ["b"]
    assert there(tree) == {"m5.xlarge": 1}


def test_what_was_interrupted_is_replaced_by_the_same_rules():
    spot: Tree = {"spot": {"interruption": "300s"}}
    tree = lab_of(["m5.large", "c5.large"], 4, web={"purchase": spot}, duration="1000s")
    web = run(tree)["fleets"]["web"]
    assert web["life"]["interruptions"] == 12
    assert [it["instances"] for it in web["types"]] == [2, 2]
    assert sum(it["launches"] for it in web["types"]) == web["launches"] == 16


def test_each_instance_is_as_fast_as_its_type():
    types = [{"vcpus": 4, "memory": "1GiB"}, {"vcpus": 1, "memory": "1GiB", "speed": 2}]
    tree = lab_of(types, 2, accounts={"main": {"vcpus": 5}}, service=work({"compute": "1s"}))
    tree["traffic"] = {"customers": {"to": "door", "rate": "0.1/s", "arrivals": "constant"}}
    tree["load_balancers"] = {"door": {"targets": ["web"], "routing": "round_robin"}}
    latency = run(tree)["traffic"]["customers"]["latency_s"]
    assert latency["max"] == pytest.approx(1.0, rel=0.01)
    assert latency["mean"] == pytest.approx(0.75, rel=0.1)


def test_a_refresh_replaces_all_by_the_same_rules():
    limited: Tree = {"accounts": {"main": {"vcpus": 6}}}
    web: Tree = {"refresh": {"at": "10s", "min_healthy": "0%"}}
    tree = lab_of(["m5.xlarge", "g4dn.xlarge"], 3, web=web, **limited)
    told = run(tree)["fleets"]["web"]
    assert (told["refresh"]["replaced"], told["refresh"]["instances"]) == (3, 3)
    assert there(tree) == {"m5.xlarge": 1, "g4dn.xlarge": 2}


# --- who goes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["default", "allocation_strategy"])
@pytest.mark.parametrize("types", [["m5.large", "g4dn.xlarge"], ["g4dn.xlarge", "m5.large"]])
def test_who_fits_the_allocation_least_goes_first(policy, types):
    # The cheapest comes first, and there is room for two of it.
    web: Tree = {"termination_policy": policy, "allocation": "lowest_price"}
    sim = simulation(lab_of(types, 5, web=web, accounts={"main": {"vcpus": 4}}))
    assert there(sim) == {"m5.large": 2, "g4dn.xlarge": 3}
    for count, left in ((4, 2), (2, 0)):
        sim.set("fleets.web.count", count)
        assert there(sim).get("g4dn.xlarge", 0) == left
    sim.set("fleets.web.count", 1)
    assert there(sim) == {"m5.large": 1}


def test_of_priorities_the_lowest_goes_first():
    tree = lab_of(["m5.xlarge", "m5.large"], 3, hosts=hall(10), web={"hosts": "hall"})
    sim = simulation(tree)
    assert there(sim) == {"m5.xlarge": 2, "m5.large": 1}
    sim.set("fleets.web.count", 2)
    assert there(sim) == {"m5.xlarge": 2}
    limits: Tree = {"vcpus": {"g": 4}}
    sim = simulation(lab_of(["g4dn.xlarge", "m5.xlarge"], 2, accounts={"main": limits}))
    assert there(sim) == {"g4dn.xlarge": 1, "m5.xlarge": 1}
    sim.set("fleets.web.count", 1)
    assert there(sim) == {"g4dn.xlarge": 1}


def test_other_policies_do_not_ask_the_allocation():
    tree = lab_of(["m5.large", "g4dn.xlarge"], 4, accounts={"main": {"vcpus": 4}})
    tree["fleets"]["web"]["termination_policy"] = "oldest"
    sim = simulation(tree)
    sim.advance("10s")
    sim.set("fleets.web.count", 2)
    assert there(sim) == {"g4dn.xlarge": 2}


def test_the_pools_of_spot_are_levelled():
    web: Tree = {"purchase": {"spot": {}}, "termination_policy": "allocation_strategy"}
    sim = simulation(lab_of(["m5.large", "c5.large", "r5.large"], 9, web=web))
    for count, left in ((9, (5, 4)), (8, (4, 4)), (4, (2, 2)), (2, (1, 1))):
        sim.set("fleets.web.count", count)
        assert (there(sim)["c5.large"], there(sim)["m5.large"]) == left


# --- the bill ---------------------------------------------------------------------------------


def test_costs_by_type_add_up():
    limited: Tree = {"accounts": {"main": {"vcpus": 4}}}
    line = run(lab_of(["m5.large", "g4dn.xlarge"], 3, "1h", **limited))["cost_usd"]["instances"]
    first, second = line["web"]["types"]
    assert (first["billed_s"], second["billed_s"]) == (2 * 3600, 3600)
    assert first["usd"] == pytest.approx(2 * 0.096)
    assert second["usd"] == pytest.approx(0.526)
    assert line["web"]["usd"] == pytest.approx(first["usd"] + second["usd"])
    assert line["web"]["instance_type"] == "m5.large"


def test_costs_of_both_ways_of_buying_add_up():
    spot: Tree = {"spot": {"on_demand_base": 1, "discount": "50%"}}
    tree = lab_of(["m5.large", "c5.large"], 5, "1h", web={"purchase": spot})
    line = run(tree)["cost_usd"]["instances"]["web"]
    assert "purchases" not in line
    shares = [[it["billed_s"] // 3600 for it in part["purchases"]] for part in line["types"]]
    assert shares == [[1, 2], [0, 2]]
    assert line["usd"] == pytest.approx(0.096 + 0.5 * (2 * 0.096 + 2 * 0.085))
    assert line["billed_s"] == 5 * 3600


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "web", "where"),
    [
        (["m5.large", "m5.large"], {}, "other_types"),
        (["m5.large", "t3.micro"], {}, "other_types"),
        (["t3.micro", "m5.large"], {}, "other_types"),
        (["m5.large", "m9.large"], {}, "other_types.0"),
        (["m5.large", "c5.large"], {"allocation": "cheapest"}, "allocation"),
        (["m5.large", "c5.large"], {"allocation": "prioritized", "purchase": "spot"}, "allocation"),
        (["m5.large", CUSTOM], {"allocation": "lowest_price"}, "allocation"),
        (["m5.large", CUSTOM], {"purchase": "spot"}, "purchase"),
        (
            ["m5.large", "c5.large"],
            {"purchase": {"spot": {"prices": [["0s", 0.03]]}}},
            "purchase",
        ),
        (["m5.large", "c5.large"], {"purchase": {"spot": {"pools": 0}}}, "purchase.spot.pools"),
        (["m5.large", "c5.large"], {"warm_pool": {}}, "warm_pool"),
        (["m5.large", "c5.large"], {"refresh": {"at": "1s", "to": "r5.large"}}, "refresh"),
        (["m5.large", "c5.large"], {"refresh": {"at": "1s", "skip_matching": True}}, "refresh"),
        (["m5.large", "c5.large"], {"tenancy": "host", "hosts": "own"}, "tenancy"),
        (["m5.large", "i3.large"], {"volume": {"iops": 4000}}, ""),
    ],
)
def test_what_does_not_go_with_several_types_is_refused(types: Any, web: Tree, where: str):
    own = {"own": {"count": 1, "type": "m5.metal", "tenant": "main", "usd_per_hour": 5}}
    keys = {"hosts": own} if "hosts" in web else {}
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(lab_of(types, 2, web=web, **keys))
    at = f"fleets.web.{where}".rstrip(".")
    assert [it.path for it in refused.value.problems] == [at]


@pytest.mark.parametrize(
    ("web", "where"),
    [
        ({"allocation": "prioritized"}, "allocation"),
        ({"termination_policy": "allocation_strategy"}, "termination_policy"),
        ({"purchase": {"spot": {"pools": 2}}}, "purchase"),
    ],
)
def test_a_fleet_of_one_type_allocates_nothing(web: Tree, where: str):
    tree = lab_of(["m5.large"], 2)
    del tree["fleets"]["web"]["other_types"]
    tree["fleets"]["web"] |= web
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(tree)
    assert [it.path for it in refused.value.problems] == [f"fleets.web.{where}"]


def test_no_other_types_are_none():
    tree = lab_of(["t3.micro"], 2)
    assert tree["fleets"]["web"]["other_types"] == []
    assert "types" not in run(tree)["fleets"]["web"]


@pytest.mark.parametrize("options", [{"to": "r5.large"}, {"skip_matching": True}])
def test_no_refresh_while_it_runs_changes_its_types(options: Tree):
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(["m5.large", "c5.large"], 2)), rng=1)
    with pytest.raises(nph.ScenarioError, match="keep them"):
        sim.refresh("web", **options)
