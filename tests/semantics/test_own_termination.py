"""Who goes when a fleet shrinks, as a function of the user's own decides between two advances."""

from __future__ import annotations

from typing import Any

import pytest

import nephoscope as nph
from nephoscope.errors import ScenarioError
from semantics.lab import fleet, scenario, targets, work


def farm(lab: Any, count: int = 4) -> nph.Simulation:
    """Four instances in turn, a request a second."""
    tree = scenario(
        lab.at(*range(100), to="door"),
        work({"compute": "10ms"}),
        fleets={"web": fleet(count=count)},
        balancers={"door": {"targets": ["web"], "routing": "round_robin"}},
        duration="200s",
    )
    return nph.Simulation(nph.Scenario.model_validate(tree))


def requests(simulation: nph.Simulation) -> list[int]:
    return [it["requests"] for it in targets(simulation.result().to_dict())]


def shrink(simulation: nph.Simulation, going: set[int]) -> None:
    """The function: these go, whatever the policy of the fleet says."""
    for instance in range(4):
        assert simulation.protect(instance, on=instance not in going)
    simulation.set("fleets.web.count", 4 - len(going))


@pytest.mark.parametrize("going", [{0}, {1, 2}, {0, 3}, {0, 1, 2}])
def test_those_that_a_function_picks_go(lab, going: set[int]):
    simulation = farm(lab)
    simulation.advance("20s")
    before = requests(simulation)
    assert before == [5, 5, 5, 5]
    shrink(simulation, going)
    simulation.advance("12s")
    more = [after - was for after, was in zip(requests(simulation), before, strict=True)]
    share = 12 // (4 - len(going))
    assert more == [0 if instance in going else share for instance in range(4)]
    membership = simulation.result()["fleets.web.membership"]
    assert membership["protected"] == 4 - len(going)


def test_where_all_are_protected_nobody_goes_until_one_is_not(lab):
    simulation = farm(lab)
    shrink(simulation, set())
    simulation.set("fleets.web.count", 3)
    simulation.advance("20s")
    assert requests(simulation) == [5, 5, 5, 5]
    assert simulation.protect(2, on=False)
    simulation.advance("12s")
    assert requests(simulation) == [9, 9, 5, 9]


def test_what_does_not_serve_is_not_protected(lab):
    simulation = farm(lab)
    shrink(simulation, {1})
    assert not simulation.protect(1)
    # One that is launched in its place has a place of its own, and no protection.
    simulation.set("fleets.web.count", 4)
    simulation.set("fleets.web.count", 3)
    simulation.advance("9s")
    assert requests(simulation)[:4] == [3, 0, 3, 3]


def test_it_is_part_of_the_state(lab):
    simulation = farm(lab)
    for instance in (1, 2, 3):
        simulation.protect(instance)
    twins = [simulation.fork(), nph.Simulation.load(simulation.save())]
    for twin in [simulation, *twins]:
        twin.set("fleets.web.count", 3)
        twin.advance("30s")
        assert requests(twin) == [0, 10, 10, 10]


@pytest.mark.parametrize("instance", [-1, 4, 1.5, True, "web", None])
def test_an_instance_that_is_not_there_is_refused(lab, instance: Any):
    with pytest.raises(ScenarioError, match="instance"):
        farm(lab).protect(instance)
