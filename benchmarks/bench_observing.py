"""What measuring costs: a run with and without its histograms, series and counts by target, and
what a report asks for; and how long the report takes to make.
"""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from beside import compare
from comparisons import Observing
from nephoscope.report.html import page
from sizes import Size


@pytest.mark.benchmark(group="observing", timer=time.thread_time, warmup=False)
def test_cost_of_observing(benchmark: BenchmarkFixture, size: Size) -> None:
    compared = Observing(size.of(1_000_000))
    benchmark.pedantic(compared.subject, setup=compared.reference, rounds=2 * size.rounds)
    benchmark.extra_info.update(compared.pairs.summary(), limit=compared.ROW.limit)
    if size.full:
        assert compared.pairs.ratio <= compared.ROW.limit


REPORT_LIMIT = 1.10  # times a run of which no report is wanted
REPORT_S = 3.0


@pytest.mark.benchmark(group="observing", timer=time.thread_time, warmup=False)
def test_cost_of_a_report(benchmark: BenchmarkFixture, size: Size) -> None:
    """A run as `--report` makes it, with series and 5,000 requests followed, and without both."""
    wanted = Observing.ROW.scenario(size.of(1_000_000)).replace({"traces": 5_000})
    plain = wanted.replace({"traces": 0, "series": "none"})
    pairs = compare(benchmark, size, plain, wanted)
    benchmark.extra_info.update(limit=REPORT_LIMIT)
    if size.full:
        assert pairs.ratio <= REPORT_LIMIT


@pytest.mark.benchmark(group="reports", timer=time.thread_time, warmup=False)
def test_report(benchmark: BenchmarkFixture, size: Size) -> None:
    """The page of a run of a million requests."""
    result = Observing.ROW.scenario(size.of(1_000_000)).replace({"traces": 5_000}).run()
    text = benchmark.pedantic(page, args=(result,), rounds=size.rounds)
    assert "What latency is made of" in text
    if size.full:
        assert benchmark.stats.stats.median < REPORT_S
