"""What health checks cost where all are well, and targets that come and go."""

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from beside import compare
from nephoscope import Scenario, Simulation
from rows import ROUTINGS, Row
from sizes import Size

CHECK = {"interval": "10s", "timeout": "5s", "healthy_threshold": 3, "unhealthy_threshold": 2}
SCALING = [
    {"target_tracking": {"metric": "cpu", "target": 0.8}},
    {"step": {"metric": "cpu", "threshold": 0.95, "steps": [[0, "inf", 10]]}},
    {"scheduled": {"cron": "0 9 * * *", "min": 1_000}},
]
LIMIT = 1.15

pytestmark = pytest.mark.benchmark(group="health", timer=time.thread_time, warmup=False)


def checked(scenario: Scenario, *, scaled: bool = False) -> Scenario:
    """The same farm behind a balancer that checks its targets, with faults that never come."""
    tree = scenario.to_dict()
    if scaled:
        count = tree["fleets"]["servers"]["count"]
        bounds = {"min": count, "desired": count, "max": count + count // 5}
        tree["fleets"]["servers"] |= {"count": bounds, "scaling": SCALING}
        tree["start"] = "2026-01-05T00:00:00Z"
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


def with_limits(scenario: Scenario) -> Scenario:
    """The same with the idle timeout of the real balancer and clients who leave before."""
    tree = scenario.to_dict()
    for balancer in tree["load_balancers"].values():
        balancer["idle_timeout"] = "60s"
    for source in tree["traffic"].values():
        source["timeout"] = "30s"
    return Scenario.from_dict(tree)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_farm_with_all_of_it_and_nothing_failing(
    benchmark: BenchmarkFixture, size: Size, routing: str
) -> None:
    """Checks, three policies, an idle timeout, clients of limited patience, faults to come."""
    plain = Row(f"fifo/{routing}", 1_000, limit=LIMIT).scenario(size.of(1_000_000))
    if routing == "ip_hash":
        tree = plain.to_dict()
        # Sent by client, some get several times their share, and must be in time.
        tree["traffic"]["customers"]["rate"] = "25000/s"
        plain = Scenario.from_dict(tree)
    pairs = compare(benchmark, size, plain, with_limits(checked(plain, scaled=True)))
    benchmark.extra_info.update(limit=LIMIT)
    if size.full:
        assert pairs.ratio <= LIMIT


@pytest.mark.parametrize("series", ["auto", "none"])
@pytest.mark.parametrize("scaled", [False, True], ids=["checked", "scaled"])
@pytest.mark.parametrize("routing", ["least_connections", "round_robin", "ip_hash"])
def test_farm_of_longer_requests_with_health_checks(
    benchmark: BenchmarkFixture, size: Size, routing: str, *, scaled: bool, series: str
) -> None:
    """A tenth of the requests a check: what routing that is blind to load has to lose shows."""
    tree = Row(f"fifo/{routing}", 1_000, limit=LIMIT).scenario(size.of(1_000_000)).to_dict()
    tree["services"]["serve"]["steps"] = [{"compute": {"exponential": "100ms"}}]
    # Sent by client, some get several times their share, and must stay well.
    tree["traffic"]["customers"]["rate"] = "2500/s" if routing == "ip_hash" else "8000/s"
    tree["duration"] = f"{10 * int(tree['duration'].removesuffix('ns'))}ns"
    plain = Scenario.from_dict(tree | {"series": series})
    pairs = compare(benchmark, size, plain, checked(plain, scaled=scaled))
    benchmark.extra_info.update(limit=LIMIT)
    if size.full:
        assert pairs.ratio <= LIMIT


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
