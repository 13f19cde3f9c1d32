"""Fleets that buy some instances on demand and the rest on spot: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import run, scenario, simulation, work

Tree = dict[str, Any]

QUIET: Tree = {"to": "web", "rate": "1/m", "arrivals": "constant"}


def lab_of(count: Any, base: int = 0, share: Any = "0%", duration: str = "100s", **keys: Any):
    """A fleet of m5.large with so many on demand, the others on spot."""
    mixed = {"on_demand_base": base, "on_demand_share": share} | keys.pop("spot", {})
    web = {
        "service": "work",
        "count": count,
        "instance_type": "m5.large",
        "durations": {"pending": "0s", "boot": "0s", "stop": "0s", "terminate": "0s"},
        "purchase": {"spot": mixed},
    }
    web |= keys.pop("web", {})
    return scenario(QUIET, work({"compute": "1ms"}), fleets={"web": web}, duration=duration, **keys)


def on_demand(tree: Tree) -> int:
    return int(run(tree)["fleets"]["web"]["on_demand"])


def test_a_base_is_on_demand_and_a_share_of_the_rest():
    assert on_demand(lab_of(10, base=2)) == 2
    assert on_demand(lab_of(10, share="50%")) == 5
    assert on_demand(lab_of(10, base=2, share="25%")) == 2 + 2
    assert on_demand(lab_of(10, share="100%")) == 10


def test_a_base_beyond_the_size_is_all_of_it():
    assert on_demand(lab_of(3, base=5)) == 3


def test_the_share_is_rounded_up():
    assert on_demand(lab_of(10, base=3, share="10%")) == 3 + 1
    assert on_demand(lab_of(3, share="34%")) == 2


def test_what_is_launched_keeps_to_the_share():
    sim = simulation(lab_of(2, base=1, share="50%"))
    for count, bought in ((2, 2), (3, 2), (4, 3), (11, 6)):
        sim.set("fleets.web.count", count)
        assert sim.results()["fleets.web.on_demand"] == bought


def test_who_goes_is_of_what_there_is_too_much_of():
    sim = simulation(lab_of(11, base=1, share="50%"))
    for count, bought in ((9, 5), (6, 4), (2, 2), (1, 1)):
        sim.set("fleets.web.count", count)
        assert sim.results()["fleets.web.on_demand"] == bought
        assert sim.results()["fleets.web.instances.final"] == count


def test_only_those_on_spot_are_taken_back_and_spot_replaces_them():
    tree = lab_of(4, base=2, spot={"interruption": "300s"}, duration="1000s")
    web = run(tree)["fleets"]["web"]
    # Two at a time, at 300, 600 and 900 s; the first two stay.
    assert web["life"]["interruptions"] == 6
    assert (web["on_demand"], web["instances"]["final"]) == (2, 4)


def test_each_has_its_price():
    line = run(lab_of(4, base=1, duration="1h"))["cost_usd"]["instances"]["web"]
    assert line["purchase"] == "mixed"
    firm, spare = line["purchases"]
    assert (firm["purchase"], firm["billed_s"]) == ("on_demand", 3600)
    assert (spare["purchase"], spare["billed_s"]) == ("spot", 3 * 3600)
    assert firm["usd"] == pytest.approx(0.096)
    assert spare["usd"] == pytest.approx(3 * 0.096 * 0.3)
    assert line["usd"] == pytest.approx(firm["usd"] + spare["usd"])
    assert line["billed_s"] == 4 * 3600


def test_without_either_all_are_on_spot():
    told = run(lab_of(4))
    assert "on_demand" not in told["fleets"]["web"]
    assert told["cost_usd"]["instances"]["web"]["purchase"] == "spot"


def test_unless_told_all_are_on_demand():
    tree = lab_of(4, duration="1h")
    del tree["fleets"]["web"]["purchase"]
    line = run(tree)["cost_usd"]["instances"]["web"]
    assert line["purchase"] == "on_demand"
    assert line["usd"] == pytest.approx(4 * 0.096)


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"spot": {"on_demand_share": "101%"}}, "purchase.spot.on_demand_share"),
        ({"spot": {"on_demand_base": -1}}, "purchase.spot.on_demand_base"),
        ({"accounts": {"main": {"vcpus": 100}}}, "purchase.spot"),
        ({"accounts": {"main": {"spot_vcpus": 100}}}, "purchase.spot"),
        ({"web": {"refresh": {"at": "1s", "to": "c5.large"}}}, ""),
    ],
)
def test_what_does_not_go_with_it_is_refused(keys: Tree, where: str):
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(lab_of(4, base=1, **keys))
    at = f"fleets.web.{where}".rstrip(".")
    assert [it.path for it in refused.value.problems] == [at]
