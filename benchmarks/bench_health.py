"""What health checks cost where all are well, and targets that come and go."""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from beside import compare
from nephoscope import Scenario, Simulation
from rows import Row
from sizes import Size

CHECK = {"interval": "10s", "timeout": "5s", "healthy_threshold": 3, "unhealthy_threshold": 2}
LIMIT = 1.15

pytestmark = pytest.mark.benchmark(group="health", timer=time.thread_time, warmup=False)


def checked(scenario: Scenario) -> Scenario:
    """The same farm behind a balancer that checks its targets, with faults that never come."""
    tree = scenario.to_dict()
    for balancer in tree["load_balancers"].values():
        balancer["health_check"] = CHECK
    tree["faults"] = [{"every": "50w", "for": "1m", "fail": "servers"}]
    return Scenario.from_dict(tree)


@pytest.mark.parametrize("routing", ["least_connections", "round_robin", "ip_hash"])
def test_farm_with_health_checks(benchmark: BenchmarkFixture, size: Size, routing: str) -> None:
    """1,000 targets checked every 10 s; nothing fails."""
    plain = Row(f"fifo/{routing}", 1_000, limit=LIMIT).scenario(size.of(1_000_000))
    pairs = compare(benchmark, size, plain, checked(plain))
    benchmark.extra_info.update(limit=LIMIT)
    if size.full:
        assert pairs.ratio <= LIMIT


@pytest.mark.parametrize("routing", ["least_connections", "round_robin", "ip_hash"])
def test_farm_of_longer_requests_with_health_checks(
    benchmark: BenchmarkFixture, size: Size, routing: str
) -> None:
    """A tenth of the requests a check: what routing that is blind to load has to lose shows."""
    tree = Row(f"fifo/{routing}", 1_000, limit=LIMIT).scenario(size.of(1_000_000)).to_dict()
    tree["services"]["serve"]["steps"] = [{"compute": {"exponential": "100ms"}}]
    tree["traffic"]["customers"]["rate"] = "8000/s"
    tree["duration"] = f"{10 * int(tree['duration'].removesuffix('ns'))}ns"
    plain = Scenario.from_dict(tree)
    compare(benchmark, size, plain, checked(plain))


def test_shared_farm_with_health_checks(benchmark: BenchmarkFixture, size: Size) -> None:
    """The same with processor sharing."""
    plain = Row("ps/least_connections", 1_000, limit=LIMIT).scenario(size.of(500_000))
    pairs = compare(benchmark, size, plain, checked(plain))
    benchmark.extra_info.update(limit=LIMIT)
    if size.full:
        assert pairs.ratio <= LIMIT


@pytest.mark.parametrize("count", [1_000, 10_000])
@pytest.mark.parametrize("routing", ["least_connections", "round_robin", "ip_hash"])
def test_targets_that_come_and_go(
    benchmark: BenchmarkFixture, size: Size, routing: str, count: int
) -> None:
    """A hundred of them terminated and replaced at a time, the oldest first."""
    tree = checked(Row(f"fifo/{routing}", count, limit=LIMIT).scenario(1_000)).to_dict()
    tree["fleets"]["servers"]["boot"] = "0s"
    simulation = Simulation(Scenario.from_dict(tree))

    def change() -> None:
        simulation.terminate("servers", 100)

    benchmark.pedantic(change, rounds=size.rounds, iterations=1)
