"""What hosts cost: the farm of the limit rows placed on them, idle ones beside it, and launches."""

import time
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import engine
from beside import compare
from nephoscope import Scenario, _core
from nephoscope.scenario.compile import compile_scenario
from rows import Row
from sizes import Size

FARM = Row("fifo/least_connections", 1_000, limit=1.15)
UNCONTENDED = {"count": 250, "type": {"cores": 4, "memory": "64GiB"}}

pytestmark = pytest.mark.benchmark(group="hosts", timer=time.thread_time, warmup=False)


def placed(scenario: Scenario, hosts: dict[str, Any], **keys: Any) -> Scenario:
    """The same farm on hosts."""
    tree = scenario.to_dict() | {"hosts": hosts}
    tree["fleets"]["servers"] |= {"hosts": "hall", **keys}
    return Scenario.from_dict(tree)


def test_farm_on_uncontended_hosts(benchmark: BenchmarkFixture, size: Size) -> None:
    """As many vCPUs as threads: nothing can be contended, and nothing is asked."""
    plain = FARM.scenario(size.of(1_000_000))
    pairs = compare(benchmark, size, plain, placed(plain, {"hall": UNCONTENDED}))
    benchmark.extra_info.update(limit=FARM.limit)
    if size.full:
        assert pairs.ratio <= FARM.limit


def test_farm_on_hosts_that_might_be_contended(benchmark: BenchmarkFixture, size: Size) -> None:
    """Overcommitted, with room for all: each change of a want is told, and changes nothing else."""
    plain = FARM.scenario(size.of(500_000))
    hosts = {"hall": UNCONTENDED | {"cpu_overcommit": 2.0, "place": "worst_fit"}}
    compare(benchmark, size, plain, placed(plain, hosts))


def test_idle_hosts(benchmark: BenchmarkFixture, size: Size) -> None:
    """10,000 overcommitted hosts with a tenant each that never wants anything."""
    plain = FARM.scenario(size.of(1_000_000))
    tree = plain.to_dict()
    tree["hosts"] = {"hall": {"count": 10_000, "type": {"cores": 4}, "cpu_overcommit": 2}}
    tree["fleets"]["idle"] = {"service": "serve", "count": 10_000, "hosts": "hall"}
    pairs = compare(benchmark, size, plain, Scenario.from_dict(tree))
    benchmark.extra_info.update(limit=1.02)
    if size.full:
        assert pairs.ratio <= 1.02


@pytest.mark.parametrize("place", ["first_fit", "best_fit", "worst_fit", "random", "spread"])
def test_launches(benchmark: BenchmarkFixture, size: Size, place: str) -> None:
    """100,000 instances placed on 10,000 hosts, and everything else that makes a world of them."""
    hosts = size.of(10_000) if size.full else 500
    plain = engine.farm(instances=10 * hosts, utilisation=0.8, end_ns=1_000)
    hall = {"count": hosts, "type": {"cores": 10, "memory": "64GiB"}, "place": place}
    spec = compile_scenario(placed(plain, {"hall": hall}), seed=1)
    world = benchmark.pedantic(_core.World, args=(spec,), rounds=size.rounds)
    placements = world.results()["hosts"][0]["placements"]
    assert placements == 10 * hosts
    if size.full:
        assert benchmark.stats.stats.median < 1.0
