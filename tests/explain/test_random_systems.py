"""Random systems of which theory may know parts: whatever it claims, runs agree with it.

Ten replications each, Student's law at a false alarm of one in a million for each figure, 2 % for
the bias of quantiles from few requests, and 0.2 % of the requests for shares that are too rare for
a standard error.
"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nephoscope as nph
from explain.small import machine, seen_by_fleet
from nephoscope.theory import explain
from properties.liveliness import derandomised
from theory.accept import estimate

LAWS = (
    "20ms",
    {"exponential": "20ms"},
    {"exponential": "20ms"},
    {"exponential": "20ms"},
    {"uniform": {"min": "0s", "max": "40ms"}},
    {"erlang": {"mean": "20ms", "k": 3}},
    {"hyperexponential": {"mean": "15ms", "cv": 1.5}},
)
ROUTINGS = (
    "random",
    "weighted_random",
    "round_robin",
    "least_connections",
    "power_of_two",
    "join_idle_queue",
    "least_response_time",
)
RUNS = 10


@st.composite
def programs(draw):
    steps = [{"compute": draw(st.sampled_from(LAWS))}]
    extra = draw(st.integers(0, 7))
    if extra == 0:
        steps.append({"sleep": draw(st.sampled_from(LAWS))})
    elif extra == 1:
        steps.append({"fail": 0.2})
    elif extra == 2:
        branch = {"weight": 1, "steps": [{"compute": draw(st.sampled_from(LAWS))}]}
        steps.append({"choose": [branch, {"weight": 2, "steps": [{"compute": "1ms"}]}]})
    return steps


@st.composite
def services(draw):
    discipline = draw(st.sampled_from(["fifo", "fifo", "ps"]))
    service = {"discipline": discipline, "steps": draw(programs())}
    if draw(st.integers(0, 3)) == 0:
        service["concurrency"] = draw(st.integers(1, 6))
    if draw(st.integers(0, 4)) == 0 and (discipline == "fifo" or "concurrency" in service):
        service["backlog"] = draw(st.integers(0, 5))
    return service


@st.composite
def knowable(draw):
    names = [f"fleet{i}" for i in range(draw(st.sampled_from([1, 1, 1, 2])))]
    tree = {"duration": "300s", "warmup": "20s", "series": "none"}
    tree["services"] = {f"service{i}": draw(services()) for i in range(2)}
    tree["fleets"] = {
        name: machine(draw(st.integers(1, 3)), draw(st.integers(1, 4)))
        | {"service": draw(st.sampled_from(sorted(tree["services"])))}
        for name in names
    }
    tree["load_balancers"] = {
        f"door{i}": {
            "targets": draw(st.lists(st.sampled_from(names), min_size=1, unique=True)),
            "routing": draw(st.sampled_from(ROUTINGS)),
        }
        for i in range(draw(st.sampled_from([1, 1, 2])))
    }
    ends = [names[0], *tree["load_balancers"], "door0", "door0"]
    tree["traffic"] = {}
    for i in range(draw(st.sampled_from([1, 1, 2]))):
        traffic = {"to": draw(st.sampled_from(ends)), "rate": f"{draw(st.integers(5, 60))}/s"}
        if draw(st.integers(0, 4)) == 0:
            think = draw(st.sampled_from(["100ms", {"exponential": "200ms"}]))
            closed = {"closed": {"users": draw(st.integers(1, 9)), "think": think}}
            traffic = {"to": traffic["to"], "arrivals": closed}
        tree["traffic"][f"source{i}"] = traffic
    if draw(st.integers(0, 3)) == 0:
        brew = {"consumes": {"queue": "board", "wait": "20s"}}
        tree["services"]["brew"] = brew | {"steps": [{"compute": draw(st.sampled_from(LAWS))}]}
        tree["fleets"]["bar"] = machine(count=draw(st.integers(2, 4))) | {"service": "brew"}
        tree["services"]["service0"]["steps"].append({"send": "board"})
        tree["queues"] = {"board": {}}
    return tree


def agree(examples):
    told = Counter()

    @derandomised(examples)
    @given(knowable())
    def agreeing(tree):
        answers = explain(nph.Scenario.from_dict({"nephoscope": 1, **tree})).answers
        known = {it.part.partition(".")[2]: it for it in answers if it.model and not it.notes}
        if not known:
            return
        found = seen_by_fleet(tree, RUNS)
        for fleet, answer in known.items():
            for figure, seen in found[fleet].items():
                if any(value is None for value in seen):
                    continue
                what = estimate(seen)
                margin = what.critical * what.se + 0.02 * figure.low
                margin += 2e-3 if figure.unit == "share" else 0.0
                assert figure.low - margin <= what.mean <= figure.high + margin, (figure, what)
                told[figure.kind] += 1
            told["queues" if fleet == "bar" else answer.model.partition(" x ")[0][:5]] += 1

    agreeing()
    return told


def test_what_theory_claims_is_seen():
    told = agree(40)
    assert told["exact"] > 40, told
    assert told["approximation"] > 0, told


@pytest.mark.slow
def test_what_theory_claims_is_seen_in_many_systems():
    told = agree(600)
    for kind in ("exact", "bounds", "approximation", "queues", "M/M/1", "M/G/1"):
        assert told[kind] > 3, told
