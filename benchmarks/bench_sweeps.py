"""What experiments cost beside their runs, and what a second thread brings."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import nephoscope as nph
from nephoscope.run import run
from pairs import Pairs
from rows import Row
from sizes import Size

COUNT = "fleets.servers.count"
OVERHEAD_MS = 1.0
SPEEDUP = 1.9
# Above this load a processor the machine is not ours: times are told, and nothing is asserted.
BUSY = 0.25

pytestmark = pytest.mark.benchmark(group="sweeps", warmup=False)


def test_sweep_overhead(benchmark: BenchmarkFixture, size: Size, tmp_path: Path) -> None:
    """Runs of some milliseconds in a sweep with a journal, and the same by themselves: CPU time.

    On a machine that is busy it is only told.
    """
    counts = list(range(10, 20))
    replications = 20 if size.full else 2
    small = Row("fifo/least_connections", 10, limit=1.0).scenario(10_000)
    cells = [small.replace({COUNT: count}) for count in counts]
    runs = len(counts) * replications
    busy = os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)
    pairs = Pairs("sweep")
    journals = iter(range(1_000))

    def alone() -> None:
        start = time.process_time()
        for cell in cells:
            for replication in range(replications):
                run(cell, replication=replication)
        pairs.reference.append((time.process_time() - start) / runs * 1e9)

    def swept() -> None:
        start = time.process_time()
        journal = tmp_path / f"{next(journals)}.sqlite"
        found = nph.sweep(small, {COUNT: counts}, replications, workers=1, journal=journal)
        pairs.subject.append((time.process_time() - start) / runs * 1e9)
        assert found.simulated == runs

    benchmark.pedantic(swept, setup=alone, rounds=size.rounds)
    overheads = sorted((a - b) / 1e6 for a, b in zip(pairs.subject, pairs.reference, strict=True))
    overhead_ms = overheads[len(overheads) // 2]
    benchmark.extra_info.update(pairs.summary(), overhead_ms=overhead_ms)
    if size.full:
        print(f"\noverhead of a sweep: {overhead_ms:.2f} ms a run")
        assert busy or overhead_ms <= OVERHEAD_MS


def test_two_threads(benchmark: BenchmarkFixture, size: Size) -> None:
    """Wall time of one thread over that of two; on a machine that is busy it is only told."""
    scenario = Row("fifo/least_connections", 1_000, limit=1.0).scenario(size.of(500_000))
    busy = os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)
    pairs = Pairs("threads")

    def timed(threads: int) -> Callable[[], None]:
        def replicated() -> None:
            start = time.perf_counter()
            found = nph.replicate(scenario, 8, threads=threads)
            times = pairs.reference if threads == 2 else pairs.subject
            times.append((time.perf_counter() - start) * 1e9)
            assert len(found) == 8

        return replicated

    benchmark.pedantic(timed(2), setup=timed(1), rounds=min(size.rounds, 5))
    benchmark.extra_info.update(pairs.summary(), target=SPEEDUP)
    if size.full and not busy and (os.cpu_count() or 1) > 1:
        assert pairs.ratio >= SPEEDUP
