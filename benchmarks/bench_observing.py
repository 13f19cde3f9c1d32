"""What measuring costs: a run with and without its histograms, series and counts by target."""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from comparisons import Observing
from sizes import Size


@pytest.mark.benchmark(group="observing", timer=time.thread_time, warmup=False)
def test_cost_of_observing(benchmark: BenchmarkFixture, size: Size) -> None:
    compared = Observing(size.of(1_000_000))
    benchmark.pedantic(compared.subject, setup=compared.reference, rounds=2 * size.rounds)
    benchmark.extra_info.update(compared.pairs.summary(), limit=compared.ROW.limit)
    if size.full:
        assert compared.pairs.ratio <= compared.ROW.limit
