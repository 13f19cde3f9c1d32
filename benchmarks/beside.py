"""The engine beside itself: a scenario and the same with more asked of it, timed turn by turn."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import engine
from nephoscope import Scenario
from pairs import Pairs
from sizes import Size


def compare(
    benchmark: BenchmarkFixture,
    size: Size,
    plain: Scenario,
    other: Scenario,
    within: float = 1e-9,
) -> Pairs:
    """Runs of both turn by turn, whose means must be the same `within` a share."""
    pairs = Pairs("beside")
    outcomes = []

    def first() -> None:
        outcomes.append(engine.run(plain, seed=len(outcomes) + 1))

    def second() -> None:
        theirs = engine.run(other, seed=len(outcomes))
        assert theirs.mean_ns == pytest.approx(outcomes[-1].mean_ns, rel=within)
        pairs.add(theirs.ns_per_request, outcomes[-1].ns_per_request)

    benchmark.pedantic(second, setup=first, rounds=2 * size.rounds)
    benchmark.extra_info.update(pairs.summary())
    return pairs
