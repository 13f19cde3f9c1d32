"""What the core refuses by itself, whoever made the spec: runs that would never end.

The loader refuses most of these earlier, with the line of the file; here a spec is made by hand.
"""

from __future__ import annotations

import pytest

import nephoscope as nph
from nephoscope import _core
from nephoscope.errors import SpecError
from nephoscope.scenario.compile import compile_scenario
from semantics.lab import fleet, scenario


def compiled(tree) -> _core.WorldSpec:
    return compile_scenario(nph.Scenario.model_validate(tree), seed=1)


def calling(probability: float) -> _core.WorldSpec:
    """A service that computes, then calls its own fleet with this probability."""
    tree = scenario(
        {"to": "web", "rate": "1/s"},
        {
            "concurrency": 50,
            "steps": [
                {"compute": "1ms"},
                {
                    "choose": [
                        {"weight": 1, "steps": [{"call": "web"}]},
                        {"weight": 9, "steps": [{"compute": "0s"}]},
                    ]
                },
            ],
        },
    )
    spec = compiled(tree)
    services = spec.services
    steps = services[0].steps
    steps[1].weights = [probability, 1.0 - probability]
    services[0].steps = steps
    spec.services = services
    return spec


@pytest.mark.parametrize(
    ("machine", "step"),
    [
        # A bucket of 2^60 bytes.
        (
            {"network": {"baseline": "1B/s", "burst": "1073741825B/s", "burst_for": "1073741824s"}},
            {},
        ),
        ({"disk": {"bandwidth": "1B/s", "burst": "1073741825B/s", "burst_for": "1073741824s"}}, {}),
        ({"gpu": {"count": 1, "speed": 1e-6}}, {}),
        ({}, {"disk": {"bytes": "4096PiB", "ops": 2**40}}),
        ({}, {"network": "4096PiB"}),
        ({}, {"memory": "4096PiB"}),
    ],
)
def test_the_core_takes_what_the_loader_does(machine, step):
    web = fleet(count=1, **machine)
    steps = {"steps": [step or {"compute": "1ms"}]}
    world = _core.World(
        compiled(scenario({"to": "web", "rate": "1/s"}, steps, fleets={"web": web}))
    )
    world.advance(world.duration_ns)
    assert world.results()["traffic"][0]["offered"] > 50


def test_calls_that_come_back_for_ever_are_refused():
    with pytest.raises(SpecError, match="without end"):
        _core.World(calling(1.0))


def test_calls_that_come_back_now_and_then_are_run():
    world = _core.World(calling(0.5))
    world.advance(world.duration_ns)
    web = world.results()["fleets"][0]
    asked = world.results()["traffic"][0]["offered"]
    # Each visit leads to another with probability 1/2: two a request.
    assert asked > 50
    assert 1.4 * asked < web["requests"] < 2.8 * asked


def test_users_who_make_no_time_pass_are_refused():
    tree = scenario(
        {"to": "web", "arrivals": {"closed": {"users": 3, "think": "1s"}}},
        {"backlog": 0, "steps": [{"compute": "1s"}]},
        fleets={"web": fleet(count=1)},
    )
    spec = compiled(tree)
    traffic = spec.traffic
    arrivals = traffic[0].arrivals
    think = arrivals.think
    think.mean = 0.0
    arrivals.think = think
    traffic[0].arrivals = arrivals
    spec.traffic = traffic
    world = _core.World(spec)
    # Two of three are refused at once, think no time and are refused again.
    with pytest.raises(SpecError, match="time does not go on") as refusal:
        world.advance(world.duration_ns)
    assert refusal.value.path == "traffic.customers.arrivals.closed.think"


def test_an_mmpp_that_changes_states_and_never_sends_is_refused():
    tree = scenario(
        {"to": "web", "arrivals": {"mmpp": {"rates": ["1/s", "0/s"], "mean_stay": ["1s", "1s"]}}},
        duration="20000s",
    )
    spec = compiled(tree)
    traffic = spec.traffic
    arrivals = traffic[0].arrivals
    arrivals.rates = [1e-12, 0.0]
    arrivals.mean_stay_ns = [1000.0, 1000.0]
    traffic[0].arrivals = arrivals
    spec.traffic = traffic
    with pytest.raises(SpecError, match="rates are too low"):
        _core.World(spec)


def test_an_mmpp_that_hardly_ever_sends_ends_with_the_run():
    tree = scenario(
        {"to": "web", "arrivals": {"mmpp": {"rates": ["1e-9/s"], "mean_stay": ["1s"]}}},
        duration="1000s",
    )
    world = _core.World(compiled(tree))
    world.advance(world.duration_ns)
    assert world.events == 0
