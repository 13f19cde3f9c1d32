"""Spot fleets whose price varies: one test a rule, with figures by hand.

m5.large costs $0.096 an hour on demand. An instance runs from the moment that it is launched.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.report.description import describe
from semantics.lab import Tree, fates, outcome, run, scenario, simulation, work

QUIET: Tree = {"to": "web", "rate": "1/s", "arrivals": "constant"}
CHEAP, DEAR = 0.03, 0.12


def lab_of(*prices: tuple[str, float], duration: str = "2h", **keys: Any) -> Tree:
    """A spot fleet of m5.large with these prices, each from its time on."""
    spot = {"prices": [list(it) for it in prices]} | keys.pop("spot", {})
    web = {
        "service": "work",
        "count": 1,
        "instance_type": "m5.large",
        "durations": {"pending": "0s", "boot": "0s", "stop": "0s", "restart": "0s"},
        "purchase": {"spot": spot},
    }
    web["durations"]["terminate"] = "0s"
    web |= keys.pop("web", {})
    return scenario(QUIET, work({"compute": "1ms"}), fleets={"web": web}, duration=duration, **keys)


def line(tree: Tree) -> Tree:
    return run(tree)["cost_usd"]["instances"]["web"]


def figures(tree: Tree) -> tuple[int, int, int, int]:
    """Launches, interruptions, launches refused for the price, and instances at the end."""
    web = run(tree)["fleets"]["web"]
    life = web["life"]
    return (
        web["launches"],
        life["interruptions"],
        life["price_too_high"],
        web["instances"]["final"],
    )


# --- what it costs ----------------------------------------------------------------------------


def test_each_second_costs_its_price():
    """Half an hour at $0.02, half an hour at $0.08 and an hour at $0.05, of two instances."""
    prices = (("0s", 0.02), ("30m", 0.08), ("1h", 0.05))
    for count in (1, 2):
        found = line(lab_of(*prices, web={"count": count}))
        assert found["billed_s"] == count * 7200
        assert found["usd"] == pytest.approx(count * (0.01 + 0.04 + 0.05))
        assert found["licence_usd"] == 0


def test_prices_to_come_cost_nothing_yet():
    assert line(lab_of(("0s", 0.02), ("3h", 0.08)))["usd"] == pytest.approx(0.04)


def test_licences_are_paid_beside_it():
    found = line(lab_of(("0s", 0.02), ("1h", 0.08), web={"os": "windows"}))
    assert found["licence_usd"] == pytest.approx(2 * 0.092)
    assert found["usd"] == pytest.approx(0.02 + 0.08 + 2 * 0.092)


def test_one_that_is_launched_later_pays_from_then_on():
    """A second one for half an hour at $0.02 and half an hour at $0.08."""
    sim = simulation(lab_of(("0s", 0.02), ("1h", 0.08)))
    sim.advance("30m")
    sim.set("fleets.web.count", 2)
    sim.advance("90m")
    found = sim.results()["cost_usd.instances.web.usd"]
    assert found == pytest.approx((0.02 + 0.04) + (0.01 + 0.04))


def test_a_mixed_group_pays_both_prices():
    spot = {"on_demand_base": 1}
    found = line(lab_of(("0s", 0.02), ("1h", 0.08), spot=spot, web={"count": 3}))
    firm, cheap = found["purchases"]
    assert firm["usd"] == pytest.approx(2 * 0.096)
    assert cheap["usd"] == pytest.approx(2 * (0.02 + 0.08))
    assert found["usd"] == pytest.approx(firm["usd"] + cheap["usd"])


def test_a_run_that_the_provider_ends_within_the_hour_costs_nothing_at_any_price():
    """Taken at 52 minutes, after 20 at $0.02 and 32 at $0.04."""
    prices = (("0s", 0.02), ("20m", 0.04), ("50m", DEAR))
    assert line(lab_of(*prices))["usd"] == 0
    # Taken at 72 minutes, of which 2 are at $0.12.
    found = line(lab_of(("0s", 0.02), ("20m", 0.04), ("70m", DEAR)))
    assert found["billed_s"] == 72 * 60
    assert found["usd"] == pytest.approx((20 * 0.02 + 50 * 0.04 + 2 * DEAR) / 60)


# --- the bid ----------------------------------------------------------------------------------


def test_above_the_bid_it_is_interrupted_two_minutes_after_a_notice():
    """The price rises at 10 min: it leaves its balancers then, and is taken at 12 min."""
    tree = lab_of(("0s", CHEAP), ("10m", 0.06), spot={"max_price": 0.05})
    tree["load_balancers"] = {"door": {"targets": ["web"]}}
    tree["traffic"]["customers"] = QUIET | {"to": "door"}
    assert figures(tree | {"duration": "719s"})[:2] == (1, 0)
    assert figures(tree | {"duration": "721s"})[:2] == (1, 1)
    completed, rejected, *_ = fates(run(tree | {"duration": "719s"})["traffic"]["customers"])
    assert (completed, rejected) == (599, 119) or (completed, rejected) == (600, 118)


def test_unless_told_the_bid_is_the_on_demand_price():
    for price, interruptions in ((0.096, 0), (0.0961, 1)):
        assert figures(lab_of(("0s", CHEAP), ("10m", price)))[1] == interruptions
    # Of Windows without its licence.
    windows = {"os": "windows"}
    assert figures(lab_of(("0s", CHEAP), ("10m", 0.1), web=windows))[1] == 1


def test_at_the_bid_it_stays():
    assert figures(lab_of(("0s", 0.05), spot={"max_price": 0.05}))[:2] == (1, 0)


def test_nothing_is_launched_above_the_bid():
    """Another is wanted when the first is taken, at 12 min, and at every minute until 20 min."""
    tree = lab_of(("0s", CHEAP), ("10m", DEAR), ("20m", CHEAP))
    assert figures(tree | {"duration": "19m59s"}) == (1, 1, 8, 0)
    assert figures(tree | {"duration": "20m1s"}) == (2, 1, 8, 1)
    at_first = lab_of(("0s", DEAR), ("5m", CHEAP))
    assert figures(at_first | {"duration": "4m59s"})[::3] == (0, 0)
    assert figures(at_first | {"duration": "5m1s"})[::3] == (1, 1)


def test_what_it_lacks_is_told():
    result = outcome(lab_of(("0s", DEAR), duration="10s"))
    assert any("the price of spot is higher" in flag for flag in result.to_dict()["flags"])


def test_one_that_was_pending_gets_its_notice_when_it_runs():
    """Launched at 590 s, running at 620 s, and taken two minutes after that."""
    tree = lab_of(("0s", CHEAP), ("10m", DEAR))
    tree["fleets"]["web"]["durations"]["pending"] = "30s"
    sim = simulation(tree)
    sim.advance("590s")
    sim.set("fleets.web.count", 2)
    for until, interruptions in (("719s", 0), ("721s", 1), ("739s", 1), ("741s", 2)):
        sim.advance(until)
        assert sim.results()["fleets.web.life.interruptions"] == interruptions


def test_a_price_that_falls_again_takes_no_notice_back():
    assert figures(lab_of(("0s", CHEAP), ("10m", DEAR), ("11m", CHEAP))) == (2, 1, 0, 1)


def test_those_on_demand_stay_and_are_launched():
    spot = {"on_demand_base": 1}
    tree = lab_of(("0s", CHEAP), ("10m", DEAR), spot=spot, web={"count": 2}, duration="1h")
    assert figures(tree)[:2] == (2, 1)
    assert run(tree)["fleets"]["web"]["instances"]["final"] == 1
    above = lab_of(("0s", DEAR), spot=spot, web={"count": 2}, duration="1h")
    assert (figures(above)[0], figures(above)[3]) == (1, 1)


def test_what_stops_is_started_again_when_the_price_has_fallen():
    """Stopped at 12 min. It would start a minute later, and does when the price has fallen."""
    spot = {"behaviour": "stop", "outage": "1m"}
    tree = lab_of(("0s", CHEAP), ("10m", DEAR), ("20m", CHEAP), spot=spot)
    web = run(tree | {"duration": "19m59s"})["fleets"]["web"]
    assert (web["instances"]["final"], web["life"]["stopped"], web["launches"]) == (0, 1, 1)
    assert web["life"]["refused_starts"] == 7
    web = run(tree | {"duration": "20m59s"})["fleets"]["web"]
    assert (web["instances"]["final"], web["life"]["stopped"], web["launches"]) == (1, 0, 1)
    # The provider has ended the first run within the hour; the other lasts for 40 minutes.
    found = line(tree | {"duration": "1h"})
    assert (found["billed_s"], found["usd"]) == (2400, pytest.approx(40 * CHEAP / 60))


def test_what_hibernates_does_at_once():
    spot = {"behaviour": "hibernate", "outage": "1m"}
    web = {"hibernation": True}
    tree = lab_of(("0s", CHEAP), ("10m", DEAR), spot=spot, web=web)
    assert figures(tree | {"duration": "599s"})[1] == 0
    assert figures(tree | {"duration": "601s"})[1] == 1


def test_it_is_interrupted_by_chance_too_and_by_what_comes_first():
    def interruptions(after: str, duration: str) -> int:
        tree = lab_of(("0s", CHEAP), ("10m", DEAR), spot={"interruption": after})
        return figures(tree | {"duration": duration})[1]

    assert [interruptions("660s", it) for it in ("659s", "661s")] == [0, 1]
    assert [interruptions("1h", it) for it in ("719s", "721s")] == [0, 1]


def test_saved_in_the_midst_of_it_goes_on_as_it_would_have():
    tree = lab_of(("0s", CHEAP), ("10m", 0.05), ("20m", DEAR), ("30m", CHEAP), web={"count": 3})
    for at in ("5m", "15m", "21m", "25m"):
        sim = nph.Simulation(nph.Scenario.model_validate(tree), rng=7)
        sim.advance(at)
        again = nph.Simulation.load(sim.save())
        for each in (sim, again):
            each.advance("90m")
        assert sim.result().to_dict()["cost_usd"] == again.result().to_dict()["cost_usd"]
        assert sim.result().fingerprint == again.result().fingerprint


@pytest.mark.parametrize(
    ("spot", "words", "changes"),
    [
        ({}, "on spot, terminated at more than the on-demand price", True),
        ({"max_price": 0.1}, "on spot, terminated at more than $0.1", True),
        ({"max_price": 0.12}, "on spot, never interrupted", False),
        (
            {"interruption": "1h"},
            "on spot, terminated after 1h or at more than the on-demand price",
            True,
        ),
    ],
)
def test_it_is_told_what_will_be_of_it(spot: Tree, words: str, changes: bool):
    tried = nph.Scenario.model_validate(lab_of(("0s", CHEAP), ("10m", DEAR), spot=spot))
    (told,) = [it for it in describe(tried) if it.startswith("  web: ")]
    assert told.endswith(f", at $0.03 to $0.12 an hour, {words}")
    assert ("interrupted" in str(nph.explain(tried))) == changes


@pytest.mark.parametrize(
    ("keys", "words", "at"),
    [
        ({"prices": [["1m", 0.03]]}, "a price from 0s on", ".prices"),
        ({"prices": [["0s", 0.03], ["0s", 0.04]]}, "ascending", ".prices"),
        ({"prices": []}, "", ".prices"),
        ({"prices": [[0.03]]}, "is not a price from a time on", ".prices.0"),
        ({"prices": [["0s", -1]]}, "out of range", ".prices.0.1"),
        ({"prices": [["0s", 0.03]], "discount": "70%"}, "one of the two", ""),
        ({"max_price": 0.05}, "max_price without prices has no effect", ""),
        ({"prices": [["0s", 0.03]], "behaviour": "stop"}, "outage belongs to", ""),
    ],
)
def test_what_makes_no_sense_is_refused(keys: Tree, words: str, at: str):
    tree = lab_of(("0s", CHEAP))
    tree["fleets"]["web"]["purchase"] = {"spot": keys}
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(tree)
    (problem,) = refused.value.problems
    assert problem.path == f"fleets.web.purchase.spot{at}"
    assert words in f"{problem.message} {problem.allowed}"


def test_prices_are_of_one_type_of_the_catalogue():
    tree = lab_of(("0s", CHEAP))
    tree["fleets"]["web"]["instance_type"] = {"vcpus": 2, "memory": "8GiB"}
    with pytest.raises(nph.ScenarioError, match="a custom type has no price"):
        nph.Scenario.model_validate(tree)
    tree = lab_of(("0s", CHEAP), web={"refresh": {"at": "1m", "to": "c5.large"}})
    with pytest.raises(nph.ScenarioError, match="prices are those of one type"):
        nph.Scenario.model_validate(tree)
