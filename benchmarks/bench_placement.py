"""100,000 launches on 10,000 hosts, by policy and mixture. The budget is one second each.

alone     one shape of launch
shapes    eight shapes in turn
churn     eight shapes; every other launch is followed by the release of an earlier one
fleets    eight shapes, each of thirty fleets: 240 indexes with the spread policy
cluster   one cluster group
parts     one partition group of seven, partitions chosen by the group
"""

import time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from nephoscope import parts
from sizes import Size

GiB = 2**30
HOSTS = 10_000
LAUNCHES = 100_000
RACK = 40  # hosts
MIXTURES = ("alone", "shapes", "churn", "fleets", "cluster", "parts")

pytestmark = pytest.mark.benchmark(group="placement", timer=time.thread_time, warmup=False)


def build(place: str) -> parts.Placement:
    """Three zones of hosts of 96 threads and 384 GiB; one cluster and one partition group."""
    cloud = parts.Placement()
    pool = cloud.add_pool(place, seed=1)
    rack = np.arange(HOSTS) // RACK
    cloud.add_hosts(
        pool, threads=96, memory_bytes=384 * GiB, rack=rack, zone=rack * 3 * RACK // HOSTS
    )
    cloud.add_group("cluster")
    cloud.add_group("partition", 7)
    return cloud


def requests(mixture: str, count: int) -> dict[str, np.ndarray]:
    at = np.arange(count)
    vcpus = np.full(count, 2) if mixture == "alone" else at % 8 + 1
    made = {"vcpus": vcpus, "memory_bytes": vcpus * 4 * GiB}
    if mixture in ("cluster", "parts"):
        made["group"] = np.full(count, int(mixture == "parts"))
        made["vcpus"] = np.full(count, 2)
        made["memory_bytes"] = np.full(count, 8 * GiB)
    if mixture == "fleets":
        made["fleet"] = at // 8 % 30
    return made


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.parametrize("place", parts.PLACE_POLICIES)
def test_placement(benchmark: BenchmarkFixture, size: Size, place: str, mixture: str) -> None:
    count = size.of(LAUNCHES)
    batches = 100
    asked = {
        name: np.array_split(column, batches) for name, column in requests(mixture, count).items()
    }
    clouds = []

    def fresh() -> tuple[tuple[parts.Placement], dict]:
        clouds.append(build(place))
        return (clouds[-1],), {}

    def run(cloud: parts.Placement) -> None:
        for at in range(batches):
            launches = cloud.launch(0, **{name: column[at] for name, column in asked.items()})
            if mixture == "churn":
                cloud.release(launches.placements[::2])

    benchmark.pedantic(run, setup=fresh, rounds=min(size.rounds, 3), iterations=1)
    counters = clouds[-1].counters(0)
    used = clouds[-1].hosts()
    assert counters["placements"] + sum(counters["refused"].values()) == count
    assert counters["placements"] - counters["releases"] == used["instances"].sum()
    if mixture != "cluster":  # a third of the cloud is too small for them all
        assert counters["placements"] == count
