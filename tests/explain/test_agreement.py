"""What theory says of a scenario is what a run of it shows.

By the rules of docs/validation.md: independent replications with fixed seeds, Student's law, and a
false alarm of one in a million for each comparison. Limits and approximations have a tolerance
besides, which each test states.
"""

import functools
from pathlib import Path

import pytest

from explain.small import (
    answer_of,
    closed,
    consumers,
    farm,
    machine,
    seen_by_fleet,
    seen_in,
    station,
)
from nephoscope import Scenario, explain
from theory.accept import estimate

RUNS = 20
EXAMPLES = Path(__file__).parents[2] / "examples"

# By the model that each must be told to be.
EXACT = {
    "M/M/1": station(50.0),
    "M/G/1": station(60.0, {"lognormal": {"mean": "10ms", "cv": 0.8}}),
    "M/G/1 of two steps": station(
        60.0, steps=[{"compute": "5ms"}, {"sleep": {"uniform": {"min": "0s", "max": "10ms"}}}]
    ),
    "M/M/3": station(180.0, vcpus=3),
    "M/M/2, served by turns": station(140.0, vcpus=2, concurrency=50),
    "M/M/2/5": station(190.0, vcpus=2, backlog=3),
    "M/G/3/3": station(300.0, "10ms", vcpus=3, backlog=0),
    "M/G/1-PS": station(60.0, {"uniform": {"min": "0s", "max": "20ms"}}, discipline="ps"),
    "M/G/4-PS": station(
        300.0,
        steps=[
            {"compute": {"hyperexponential": {"mean": "10ms", "cv": 2}}},
            {"sleep": {"exponential": "30ms"}},
        ],
        vcpus=4,
        discipline="ps",
    ),
    "M/M/2, served by turns and few at once": station(
        140.0, vcpus=2, discipline="ps", concurrency=7
    ),
    "4 x M/M/1": farm(240.0, 4, "random"),
    "3 x M/G/1": farm(150.0, 3, "weighted_random", {"gamma": {"mean": "10ms", "cv": 0.5}}),
    "E3/M/1": farm(180.0, 3, "round_robin"),
    "E5/M/1 of two fleets": farm(300.0, 3, "round_robin")
    | {"fleets": {"web": machine(count=3), "more": machine(count=2)}}
    | {"load_balancers": {"door": {"targets": ["web", "more"], "routing": "round_robin"}}},
    "M/M/1 alone behind a balancer": farm(50.0, 1, "least_connections"),
    "M/M/2//12": closed(12, {"exponential": "60ms"}, vcpus=2),
    "M/G/1-PS//8": closed(8, "80ms", compute={"erlang": {"mean": "10ms", "k": 3}}, discipline="ps"),
    "9 users at 3 stations": closed(9, {"exponential": "20ms"})
    | {"traffic": {"users": {"to": "door", "arrivals": {"closed": {"users": 9, "think": "20ms"}}}}}
    | {"fleets": {"web": machine(count=3)}}
    | {"load_balancers": {"door": {"targets": ["web"], "routing": "random"}}},
    "M/M/3 of consumers": consumers(220.0, count=3),
    "M/G/1 of a consumer": consumers(60.0, "10ms"),
}


@functools.cache
def seen_of(name):
    return seen_in(EXACT[name], RUNS)


@pytest.mark.parametrize("name", EXACT)
def test_exact_models(name):
    model = answer_of(EXACT[name]).model
    assert name.startswith(model)
    for figure, seen in seen_of(name).items():
        found, expected = estimate(seen), figure.low
        assert figure.low == figure.high
        assert figure.kind == "exact"
        margin = found.critical * found.se + 1e-6 * expected
        if ".p" in figure.path:
            margin += 0.01 * expected  # the middle of a bucket of 0.8 %, and biased a little
        assert abs(found.mean - expected) <= margin, (figure, found)
        # Sharp enough to see a formula that is wrong.
        assert margin < 0.1 * expected, (figure, found)


def test_behind_a_queue_arrivals_are_poisson_again():
    """Burke's theorem, twice: two cashiers, a board, three baristas, and a board of theirs."""
    scenario = farm(120.0, 2, "random")
    scenario["services"]["work"]["steps"] += [{"fail": 0.25}, {"send": "board"}]
    brew = {"consumes": {"queue": "board", "wait": "20s"}}
    brew["steps"] = [{"compute": {"exponential": "20ms"}}, {"send": "cups"}]
    wash = {"consumes": {"queue": "cups", "wait": "20s"}, "steps": [{"compute": "8ms"}]}
    scenario["services"] |= {"brew": brew, "wash": wash}
    scenario["fleets"]["bar"] = machine(count=3) | {"service": "brew"}
    scenario["fleets"]["sink"] = machine() | {"service": "wash"}
    scenario["queues"] = {"board": {}, "cups": {}}
    found_in = seen_by_fleet(scenario, RUNS)
    for fleet, model in (("web", "2 x M/M/1"), ("bar", "M/M/3"), ("sink", "M/G/1")):
        assert answer_of(scenario, fleet).model == model
        for figure, seen in found_in[fleet].items():
            found = estimate(seen)
            margin = found.critical * found.se + (0.01 * figure.low if ".p" in figure.path else 0)
            assert abs(found.mean - figure.low) <= margin, (fleet, figure, found)
            assert margin < 0.1 * figure.low


# Examples that theory knows, long enough for what it says, or cut where their day is not needed.
LONG = {
    "one-counter": ({"duration": "3000h", "warmup": "100h"}, "counters"),
    "three-counters": ({"duration": "300h", "warmup": "2h"}, "counters"),
    "order-fan-out": ({"duration": "1h", "warmup": "1m"}, "cashiers"),
    "ten-million": ({"duration": "97s", "warmup": "37s"}, "web"),
}


@pytest.mark.parametrize("name", LONG)
def test_examples(name):
    values, fleet = LONG[name]
    tree = Scenario.load(EXAMPLES / f"{name}.yaml").replace(values).to_dict()
    assert answer_of(tree, fleet).notes == ()
    for figure, seen in seen_in(tree, 10 if name == "ten-million" else RUNS, fleet).items():
        found = estimate(seen)
        # Of ten million the lower bound is the limit: the mean is within 1 % above it.
        margin = found.critical * found.se + (0.01 * figure.low if ".p" in figure.path else 0)
        assert figure.low - margin <= found.mean <= figure.high + margin, (figure, found)
        if name == "ten-million" and figure.kind == "bounds":
            assert found.mean <= 1.01 * figure.low


def test_every_example_that_theory_knows_is_tried():
    known = {
        file.stem
        for file in EXAMPLES.glob("*.yaml")
        if any(answer.model for answer in explain(Scenario.load(file)).answers)
    }
    assert known == set(LONG)


@pytest.mark.parametrize("routing", ["least_connections", "power_of_two", "join_idle_queue"])
def test_choices_are_within_their_bounds(routing):
    """Two servers, of which power of two is the shortest queue, and no limit."""
    scenario = farm(150.0, 2, routing)
    assert answer_of(scenario).model == f"2 x M/M/1, {routing.replace('_', ' ')}"
    for figure, seen in seen_in(scenario, RUNS).items():
        found = estimate(seen)
        margin = found.critical * found.se
        assert figure.low - margin <= found.mean <= figure.high + margin, (figure, found)


def test_sharing_instances_are_within_the_same_bounds():
    """With exponential work the number in the system is the same, whoever is served first."""
    scenario = farm(150.0, 2, "least_connections", discipline="ps")
    assert answer_of(scenario).model == "2 x M/M/1, least connections"
    (mean, seen), *_ = seen_in(scenario, RUNS).items()
    found = estimate(seen)
    margin = found.critical * found.se
    assert mean.low - margin <= found.mean <= mean.high + margin
    assert margin < 0.1 * mean.low


def test_least_response_time_has_a_lower_bound_only():
    scenario = farm(150.0, 2, "least_response_time")
    assert "lower bound only" in answer_of(scenario).notes[0]
    (mean, seen), *_ = seen_in(scenario, RUNS).items()
    assert mean.high == float("inf")
    assert estimate(seen).mean >= mean.low


def test_the_limit_of_power_of_two_is_near_at_two_hundred_servers():
    """Within 2 % of the limit besides chance: of order 1/n."""
    scenario = farm(16_000.0, 200, "power_of_two") | {"duration": "12s", "warmup": "4s"}
    answer = answer_of(scenario)
    assert answer.model == "power of 2 choices"
    (mean, seen), *_ = seen_in(scenario, 10).items()
    assert mean.kind == "limit"
    found = estimate(seen)
    assert abs(found.mean - mean.low) <= found.critical * found.se + 0.02 * mean.low


def test_an_approximation_is_near():
    """M/G/2 with constant work: within 7 % of the wait, which is a share of the latency."""
    scenario = station(160.0, "10ms", vcpus=2)
    assert answer_of(scenario).model == "M/G/2"
    (mean, seen), *_ = seen_in(scenario, RUNS).items()
    assert mean.kind == "approximation"
    found = estimate(seen)
    assert abs(found.mean - mean.low) <= found.critical * found.se + 0.07 * (mean.low - 0.010)


def test_fleets_of_different_speeds_behind_one_split():
    scenario = farm(150.0, 1, "random")
    scenario["fleets"]["fast"] = machine(count=2)
    scenario["fleets"]["fast"]["instance_type"]["speed"] = 2.0
    scenario["load_balancers"]["door"]["targets"] = ["web", "fast"]
    for fleet, figures in seen_by_fleet(scenario, RUNS).items():
        for figure, seen in figures.items():
            found = estimate(seen)
            margin = found.critical * found.se + (0.01 * figure.low if ".p" in figure.path else 0)
            assert abs(found.mean - figure.low) <= margin, (fleet, figure, found)
