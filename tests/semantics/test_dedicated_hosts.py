"""Dedicated hosts: one tenant's, and billed in place of what runs on them."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fleet, run, scenario

Tree = dict[str, Any]


def owned(kind: Any = "m5.large", count: int = 2, **keys: Any) -> Tree:
    made = fleet(count=count) | {"instance_type": kind, "hosts": "own", "tenancy": "host", **keys}
    del made["boot"]
    return made


def own(count: int = 2, **keys: Any) -> Tree:
    return {
        "own": {"count": count, "type": "m5.metal", "tenant": "main", "usd_per_hour": 5.069, **keys}
    }


def costs(web: Tree, hosts: Tree, duration: str = "2h") -> Tree:
    traffic = {"to": "web", "rate": "1/h", "arrivals": "constant"}
    found: Tree = run(scenario(traffic, fleets={"web": web}, hosts=hosts, duration=duration))
    return found["cost_usd"]


def test_the_host_is_billed_and_not_its_instances():
    found = costs(owned(), own())
    assert found["instances"]["web"]["usd"] == 0
    assert found["hosts"]["own"]["billed_s"] == 2 * 7200
    assert found["hosts"]["own"]["usd"] == pytest.approx(2 * 2 * 5.069, rel=1e-12)
    assert found["total"] == found["hosts"]["own"]["usd"]


def test_an_empty_host_is_billed_all_the_same_and_for_a_minute_at_least():
    assert costs(owned(count=0), own(1), "10s")["hosts"]["own"]["billed_s"] == 60


def test_licences_are_still_paid_by_instance():
    line = costs(owned(os="windows"), own())["instances"]["web"]
    assert line["usd"] == line["licence_usd"] == pytest.approx(0.092 * 2 * 2, rel=1e-12)


def test_instances_are_placed_on_the_hosts_of_their_tenant(lab):
    # 96 threads a host: 48 of two vCPUs each, and the 49th is on the second.
    result = run(scenario(lab.at(1), fleets={"web": owned(count=49)}, hosts=own()))
    placed = [host["instances"] for host in result["hosts"]["own"]["by_host"].values()]
    assert placed == [48, 1]


def test_burstable_types_are_standard_on_dedicated_hosts():
    traffic = {"to": "web", "rate": "1/s", "arrivals": "constant"}
    tree = scenario(traffic, fleets={"web": owned("t3.micro", 1)}, hosts=own(1), duration="1h")
    credits_ = run(tree)["fleets"]["web"]["cpu_credits"]
    assert credits_["charged"] == 0
    assert credits_["spent"] <= credits_["earned"] + 1e-6


def mixed(*kinds: Any, **keys: Any) -> Tree:
    """A fleet of each type on the same hosts."""
    fleets = {f"f{i}": owned(kind, 1, **keys) for i, kind in enumerate(kinds)}
    traffic = {"to": "f0", "rate": "1/h", "arrivals": "constant"}
    return scenario(traffic, fleets=fleets, hosts=own())


@pytest.mark.parametrize(
    "kinds",
    [
        ("m5.large", "m5.large"),
        ("m5.large", "m5.4xlarge", "m5.xlarge"),
        ("t3.micro", "t3.2xlarge"),
        ("m6i.large", "m6i.large"),
    ],
)
def test_sizes_of_a_family_that_mixes_share_a_host(kinds):
    nph.Scenario.model_validate(mixed(*kinds))


@pytest.mark.parametrize(
    "kinds",
    [
        ("m6i.large", "m6i.xlarge"),
        ("m5.large", "c5.large"),
    ],
)
def test_others_are_of_one_size(kinds):
    with pytest.raises(nph.ScenarioError, match="do not share dedicated hosts") as told:
        nph.Scenario.model_validate(mixed(*kinds))
    assert [it.path for it in told.value.problems] == ["fleets.f1.instance_type"]
    # On hosts that are nobody's they may be together.
    tree = mixed(*kinds, tenancy="shared")
    tree["hosts"] = {"own": {"count": 4, "type": "m5.metal"}}
    nph.Scenario.model_validate(tree)


def named(kind: str) -> Tree:
    """A custom type that stands for one that the catalogue does not have."""
    return {"name": kind, "vcpus": 2, "memory": "4GiB"}


@pytest.mark.parametrize(
    "kinds",
    [
        ("a1.medium", "a1.4xlarge"),
        *[(f"{n}.large", f"{n}.xlarge", f"{n}.2xlarge") for n in ("c5n", "m5n", "r5n")],
        *[(f"{n}.4xlarge", f"{n}.18xlarge") for n in ("c5n", "m5n", "r5n")],
    ],
)
def test_named_sizes_of_a1_and_of_the_n_families_share_a_host(kinds):
    nph.Scenario.model_validate(mixed(*map(named, kinds)))


@pytest.mark.parametrize("family", ["c5n", "m5n", "r5n"])
@pytest.mark.parametrize("small", ["large", "xlarge", "2xlarge"])
@pytest.mark.parametrize("large", ["4xlarge", "9xlarge"])
def test_small_sizes_of_the_n_families_stay_apart(family, small, large):
    kinds = [f"{family}.{size}" for size in (small, large)]
    for pair in (kinds, kinds[::-1]):
        with pytest.raises(nph.ScenarioError, match="do not share dedicated hosts") as told:
            nph.Scenario.model_validate(mixed(*map(named, pair)))
        (problem,) = told.value.problems
        assert problem.path == "fleets.f1.instance_type"
        assert problem.allowed == f"large, xlarge, 2xlarge of {family}, or larger ones"


def test_other_names_are_of_one_size_too():
    with pytest.raises(nph.ScenarioError, match="do not share dedicated hosts"):
        nph.Scenario.model_validate(mixed(named("m6in.large"), named("m6in.xlarge")))
    with pytest.raises(nph.ScenarioError, match="do not share dedicated hosts"):
        nph.Scenario.model_validate(mixed(named("c5n.large"), named("m5n.large")))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("m5.large", "is in the catalogue"),
        ("large", "is not allowed here"),
        ("C5n.large", "is not allowed here"),
    ],
)
def test_a_name_is_that_of_a_type_that_the_catalogue_lacks(kind, words):
    with pytest.raises(nph.ScenarioError, match=words):
        nph.Scenario.model_validate(mixed(named(kind)))


def test_a_refresh_keeps_to_what_its_host_may_have():
    tree = mixed("m6i.large")
    tree["fleets"]["f0"]["refresh"] = {"at": "10s", "to": "m6i.xlarge"}
    with pytest.raises(nph.ScenarioError, match="do not share dedicated hosts"):
        nph.Scenario.model_validate(tree)
    tree["fleets"]["f0"]["refresh"] = {"at": "10s", "to": {"os": "windows"}}
    nph.Scenario.model_validate(tree)
