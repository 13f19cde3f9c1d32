"""Spot instances that are replaced before they are taken: one test a rule, with traces by hand.

An instance is taken 300 s after it began to run, with the notice at 180 s; the provider recommends
another as long before that as the scenario says. A boot takes 10 s, unless told.
"""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from semantics.lab import fates, fleet, outcome, run, scenario, work

Tree = dict[str, Any]


def lab_of(count: int = 1, *, boot: str = "10s", duration: str = "200s", **spot: Any) -> Tree:
    """Instances behind a balancer, with a request a second."""
    bought = {"interruption": "300s", "rebalance": True, "recommendation": "60s"} | spot
    web = fleet(count=count) | {"boot": boot, "purchase": {"spot": bought}}
    return scenario(
        {"to": "door", "rate": "1/s", "arrivals": "constant"},
        work({"compute": "10ms"}),
        fleets={"web": web},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration=duration,
    )


def told(tree: Tree) -> tuple[int, int, int, int]:
    web = run(tree)["fleets"]["web"]
    life = web["life"]
    return web["launches"], web["terminations"], life["recommendations"], life["interruptions"]


def requests(tree: Tree) -> list[int]:
    """Of each instance, in the order of launch."""
    targets = run(tree)["load_balancers"]["door"]["targets"]
    return [target["requests"] for target in targets.values()]


def test_another_is_launched_at_the_recommendation_and_then_the_old_one_goes():
    # Recommended at 120 s; the other serves at 130 s, and the old one ends long before 300 s.
    tree = lab_of()
    assert told(tree) == (2, 1, 1, 0)
    assert told(tree | {"duration": "119s"}) == (1, 0, 0, 0)
    assert told(tree | {"duration": "129s"}) == (2, 0, 1, 0)
    assert told(tree | {"duration": "131s"}) == (2, 1, 1, 0)
    assert requests(tree) == [129, 70]
    assert fates(run(tree)["traffic"]["customers"])[1:4] == (0, 0, 0)


def test_unless_told_both_come_together():
    tree = lab_of()
    del tree["fleets"]["web"]["purchase"]["spot"]["recommendation"]
    # Launched at 180 s; the old one has left its balancers with the notice, and is taken at 300 s.
    assert told(tree | {"duration": "179s"}) == (1, 0, 0, 0)
    assert told(tree | {"duration": "181s"}) == (2, 0, 1, 0)
    assert fates(run(tree)["traffic"]["customers"])[1] == 10
    assert told(tree | {"duration": "301s"}) == (2, 1, 1, 1)


def test_without_it_another_is_launched_when_one_has_been_taken():
    tree = lab_of(duration="301s")
    tree["fleets"]["web"]["purchase"]["spot"] = {"interruption": "300s"}
    web = run(tree)["fleets"]["web"]
    assert (web["launches"], web["terminations"]) == (2, 1)
    assert "recommendations" not in web["life"]
    assert run(tree | {"duration": "299s"})["fleets"]["web"]["launches"] == 1


def test_there_are_more_meanwhile_and_never_fewer():
    _, values = outcome(lab_of(3) | {"series": "1s"}).series("fleets.web.instances")
    assert {int(value) for value in values} == {3}
    web = run(lab_of(3))["fleets"]["web"]
    assert (web["instances"]["min"], web["instances"]["max"]) == (3, 4)


def test_who_goes_finishes_what_it_holds(lab):
    # A request of 100 s begins at 100 s, and its instance goes at 130 s, but is drained first.
    tree = lab_of(duration="250s")
    tree["traffic"] = {"customers": lab.at(100, to="door")}
    tree["services"]["work"] = work({"compute": "100s"})
    assert fates(run(tree)["traffic"]["customers"]) == (1, 0, 0, 0, 0)
    for duration, ended in (("199s", 0), ("201s", 1)):
        assert told(tree | {"duration": duration}) == (2, ended, 1, 0)


def test_who_is_not_replaced_in_time_is_taken():
    # The other would serve at 320 s. The old one leaves its balancers at 180 s and ends at 300 s.
    tree = lab_of(boot="200s", duration="310s")
    assert told(tree) == (2, 1, 1, 1)
    assert fates(run(tree)["traffic"]["customers"])[1] == 130


def test_who_is_at_risk_before_it_serves_is_replaced_from_then_on():
    # A recommendation comes a second after the start at the earliest: then the second is launched,
    # the third when that serves, and so on.
    assert told(lab_of(recommendation="1h", duration="100s")) == (11, 9, 10, 0)


def test_a_notice_that_comes_at_once_has_no_recommendation():
    # It runs for less than two minutes: another is launched when it has been taken.
    assert told(lab_of(interruption="100s", duration="99s")) == (1, 0, 0, 0)
    assert told(lab_of(interruption="100s", duration="101s")) == (2, 1, 0, 1)


def test_a_fleet_that_shrinks_lets_go_who_is_at_risk():
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(2, duration="400s")), rng=7)
    sim.advance("125s")  # two are at risk, and two boot
    sim.set("fleets.web.count", 1)
    web = sim.result().to_dict()["fleets"]["web"]
    assert (web["instances"]["final"], web["launches"], web["terminations"]) == (1, 4, 2)
    sim.advance("6s")
    web = sim.result().to_dict()["fleets"]["web"]
    assert (web["instances"]["final"], web["terminations"]) == (1, 3)


def test_saved_in_the_midst_of_it_goes_on_as_it_would_have():
    sim = nph.Simulation(nph.Scenario.model_validate(lab_of(3, duration="400s")), rng=7)
    sim.advance("125s")
    again = nph.Simulation.load(sim.save())
    for each in (sim, again):
        each.advance("275s")
    assert sim.result().fingerprint == again.result().fingerprint


@pytest.mark.parametrize(
    ("spot", "words"),
    [
        ({"rebalance": True}, "rebalance without an interruption has no effect"),
        ({"interruption": "1h", "recommendation": "1m"}, "without rebalance has no effect"),
        (
            {"interruption": "1h", "behaviour": "stop", "outage": "1m", "rebalance": True},
            "the behaviour is stop",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(spot: Tree, words: str):
    tree = lab_of()
    tree["fleets"]["web"]["purchase"] = {"spot": spot}
    with pytest.raises(nph.ScenarioError) as refused:
        nph.Scenario.model_validate(tree)
    (problem,) = refused.value.problems
    assert problem.path == "fleets.web.purchase.spot"
    assert words in problem.message
