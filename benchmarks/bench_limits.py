"""The engine against the limit: single-purpose loops that do the same and nothing else."""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import engine
from comparisons import AgainstLimit
from pairs import same_mean
from rows import ROWS, Row
from sizes import Size

pytestmark = pytest.mark.usefixtures("limit_kernels")
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@pytest.mark.benchmark(group="limit", timer=time.thread_time, warmup=False)
@each_row
def test_time_per_request(benchmark: BenchmarkFixture, row: Row, size: Size) -> None:
    """Every round of the engine follows a round of the kernel with the same seed."""
    compared = AgainstLimit(row, size.of(row.requests))
    benchmark.pedantic(compared.subject, setup=compared.reference, rounds=size.rounds)
    benchmark.extra_info.update(compared.pairs.summary(), limit=row.limit)
    if size.full:
        assert compared.pairs.ratio <= row.limit


@each_row
def test_same_mean(row: Row) -> None:
    """Where ties fall otherwise, the mean of the responses is the same within its interval."""
    requests = 20 * row.instances if row.instances < 10_000 else 2 * row.instances
    scenario = row.scenario(requests)
    differences = []
    for seed in range(12):
        ours = engine.run(scenario, seed).mean_ns
        limit = row.run_kernel(requests, seed).mean_ns
        differences.append(ours / limit - 1)
    assert same_mean(differences, resolution=1e-4)
