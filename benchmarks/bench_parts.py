"""The parts on their own, each against its bare counterpart: ns an operation."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import engine
from kernels import Kernels
from nephoscope import _core
from pairs import Pairs
from rows import ROUTINGS
from sizes import Size

TARGETS = 1_000
BATCH = 800  # outstanding at once

pytestmark = pytest.mark.benchmark(group="parts", timer=time.thread_time, warmup=False)


def compare(
    benchmark: BenchmarkFixture,
    size: Size,
    count: int,
    part: Callable[[], object],
    bare: Callable[[], float],
) -> None:
    """Time `part` and note how it compares with `bare`, which returns its own seconds."""
    pairs = Pairs("part")
    seconds: list[float] = []

    def timed() -> None:
        start = time.thread_time()
        part()
        pairs.add((time.thread_time() - start) / count * 1e9, seconds[-1] / count * 1e9)

    def bare_first() -> None:
        seconds.append(bare())

    benchmark.pedantic(timed, setup=bare_first, rounds=size.rounds, iterations=1)
    benchmark.extra_info.update(pairs.summary())


def exponential() -> _core.Distribution:
    law = _core.Distribution()
    law.kind = _core.DistributionKind.exponential
    law.mean = engine.WORK_NS
    return law


@pytest.mark.parametrize("routing", ROUTINGS)
def test_router(
    benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels, routing: str
) -> None:
    spec = _core.routing.RoutingSpec()
    spec.kind = _core.routing.RoutingKind[routing]
    router = _core.balancers.Router(spec, [1.0], 1, 0, "alone")
    router.add(TARGETS)
    batches = size.of(1_000_000) // BATCH
    responses = np.full(BATCH, 10_000_000)
    clients = np.arange(batches * BATCH, dtype=np.uint64).reshape(batches, BATCH)

    def route() -> None:
        for batch in clients:
            router.answered(router.route(batch), responses)

    compare(
        benchmark,
        size,
        clients.size,
        route,
        lambda: limit_kernels.router(routing, TARGETS, BATCH, batches),
    )
    slots = router.route(clients[0])
    counts = np.bincount(slots, minlength=TARGETS)
    assert router.outstanding.sum() == BATCH
    assert (router.outstanding == counts).all()
    if routing in ("round_robin", "least_connections"):
        assert counts.max() == 1


def test_event_queue(benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels) -> None:
    pending = 1_000
    count = size.of(1_000_000)
    gaps = _core.sample(exponential(), 1, 0, "gaps", count).astype(np.int64)
    queue = _core.EventQueue()
    queue.push(gaps[:pending], np.arange(pending, dtype=np.uint32))
    compare(
        benchmark,
        size,
        count,
        lambda: queue.hold(gaps),
        lambda: limit_kernels.hold(pending, gaps),
    )
    assert len(queue) == pending


def test_histogram(benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels) -> None:
    values = _core.sample(exponential(), 1, 0, "values", size.of(1_000_000)).astype(np.int64)
    means: list[float] = []

    def bare() -> float:
        seconds, mean = limit_kernels.histogram(values)
        means.append(mean)
        return seconds

    histogram = _core.Histogram()
    compare(benchmark, size, len(values), lambda: histogram.record_many(values), bare)
    assert histogram.count % len(values) == 0
    assert histogram.mean == pytest.approx(means[0], rel=1e-12)
    assert histogram.sum == histogram.count // len(values) * int(values.sum())


def test_draws(benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels) -> None:
    count = size.of(1_000_000)
    means: list[float] = []

    def bare() -> float:
        seconds, mean = limit_kernels.draws(1, count)
        means.append(mean)
        return seconds

    compare(benchmark, size, count, lambda: _core.sample(exponential(), 1, 0, "alone", count), bare)
    draws = _core.sample(exponential(), 1, 0, "alone", count)
    assert np.rint(draws).mean() == pytest.approx(means[0], rel=1e-9)
