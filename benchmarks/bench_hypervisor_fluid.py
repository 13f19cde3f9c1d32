"""The fluid hypervisor against bare loops over columns: ns for a want that changes."""

import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench_parts import compare
from kernels import Indices, Kernels
from nephoscope import _core
from sizes import Size

TENANTS = 64  # a host, each of two vCPUs
STEP_NS = 1_000
LIMIT = 1.5  # times the bare loop

pytestmark = pytest.mark.benchmark(group="hypervisor", timer=time.thread_time, warmup=False)


@dataclass
class Fleet:
    """Hosts with random weights and wants, and changes: one tenant of each host at an instant."""

    hosts: int
    cores: int
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    def __post_init__(self) -> None:
        count = self.hosts * TENANTS
        self.weight = 2.0 ** self.rng.integers(7, 10, count)
        self.want = self.rng.integers(0, 3, count).astype(np.uint32)
        self.hypervisor = _core.hypervisor.FluidHypervisor()
        for _ in range(self.hosts):
            self.hypervisor.add_host(self.cores, 1, 0.25, 1.0)
        every = np.arange(count)
        zero, period = np.zeros(count), np.full(count, 100_000_000)
        self.hypervisor.add_tenants(
            every // TENANTS, np.full(count, 2), self.weight, zero, zero, period, zero
        )
        self.hypervisor.set_wants(every, self.want)
        self.hypervisor.advance(STEP_NS)
        self.tenants: Indices = np.zeros((0, self.hosts), dtype=np.uint32)
        self.wants = self.tenants

    def draw(self, instants: int) -> None:
        """New changes, each to another want."""
        first = np.arange(self.hosts) * TENANTS
        self.tenants = (first + self.rng.integers(0, TENANTS, (instants, self.hosts))).astype(
            np.uint32
        )
        self.wants = np.zeros_like(self.tenants)
        for tenants, wants in zip(self.tenants, self.wants, strict=True):
            wants[:] = (self.want[tenants] + self.rng.integers(1, 3, self.hosts)) % 3
            self.want[tenants] = wants

    def play(self) -> None:
        for tenants, wants in zip(self.tenants, self.wants, strict=True):
            self.hypervisor.set_wants(tenants, wants)
            self.hypervisor.advance(self.hypervisor.now_ns + STEP_NS)

    def play_and_tell(self) -> None:
        for tenants, wants in zip(self.tenants, self.wants, strict=True):
            self.hypervisor.set_wants(tenants, wants)
            self.hypervisor.take_changed()
            self.hypervisor.advance(self.hypervisor.now_ns + STEP_NS)


@pytest.mark.parametrize("told", [False, True], ids=["alone", "telling_who_changed"])
def test_fluid_overcommitted(
    benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels, told: bool
) -> None:
    """A host of 32 threads and 64 tenants is solved anew at every change."""
    fleet = Fleet(hosts=1_000, cores=32)
    count = size.of(60_000)
    columns = [fleet.weight, fleet.want.astype(float), np.zeros(len(fleet.want))]

    def bare() -> float:
        fleet.draw(count // fleet.hosts)
        return limit_kernels.fluid(
            columns, TENANTS, fleet.cores, fleet.tenants.ravel(), fleet.wants.ravel()
        )

    compare(benchmark, size, count, fleet.play_and_tell if told else fleet.play, bare)
    benchmark.extra_info.update(limit=LIMIT)
    shares = fleet.hypervisor.shares(np.arange(len(fleet.want)))
    assert np.array_equal(shares, columns[2])
    assert fleet.hypervisor.solves >= count
    if size.full:
        assert benchmark.extra_info["ratio"] <= LIMIT


def test_fluid_with_room(benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels) -> None:
    """10,000 hosts where everybody has what is wanted: nothing is solved."""
    fleet = Fleet(hosts=10_000, cores=2 * TENANTS)
    count = size.of(200_000)
    columns = [fleet.want.astype(float), np.zeros(len(fleet.want)), np.zeros(len(fleet.want))]

    def bare() -> float:
        fleet.draw(count // fleet.hosts)
        return limit_kernels.booking(columns, 1.0, fleet.tenants.ravel(), fleet.wants.ravel())

    compare(benchmark, size, count, fleet.play, bare)
    assert np.array_equal(fleet.hypervisor.shares(np.arange(len(fleet.want))), fleet.want)
    assert fleet.hypervisor.solves == fleet.hosts
