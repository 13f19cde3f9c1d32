"""Hosts under the credit scheduler against bare loops that debit, sort and pick.

32 pCPUs and 64 vCPUs a host, all always runnable; ns a vCPU and tick.
"""

import time

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from kernels import Kernels
from nephoscope import parts
from pairs import Pairs
from sizes import Size

CPUS = 32
VCPUS = 64
TICKS = 100

pytestmark = pytest.mark.benchmark(group="hypervisor", timer=time.thread_time, warmup=False)


def weights_of(vcpus: int) -> np.ndarray:
    """Of each vCPU of a host whose tenants have so many vCPUs: three kinds in turn."""
    return np.asarray([128, 256, 512], dtype=np.uint32)[np.arange(VCPUS) // vcpus % 3]


def saturated(hosts: int, vcpus: int) -> parts.Hypervisor:
    made = parts.Hypervisor(hosts, scheduler="credit", cores=CPUS)
    at = np.repeat(np.arange(hosts), VCPUS // vcpus)
    tenants = made.add(at, vcpus=vcpus, weight=np.tile(weights_of(vcpus)[::vcpus], hosts))
    made.want(tenants, vcpus)
    made.tick(30)
    return made


@pytest.mark.parametrize("vcpus", [4, 1])
@pytest.mark.parametrize("block", [1, TICKS])
@pytest.mark.parametrize("kernel", ["without branches", "by scans"])
def test_credit_ticks(
    benchmark: BenchmarkFixture,
    size: Size,
    limit_kernels: Kernels,
    kernel: str,
    vcpus: int,
    block: int,
) -> None:
    """`block` ticks a call: one at a time every host is looked at anew each tick."""
    hosts = 1_000 if size.full else 20
    made = saturated(hosts, vcpus)
    weights = weights_of(vcpus)
    pairs = Pairs("credit")
    reference: list[float] = []
    each = 1e9 / (hosts * VCPUS * TICKS)

    def bare() -> None:
        seconds, ran = limit_kernels.credit(hosts, TICKS, block, weights, scan=kernel == "by scans")
        reference.append(seconds)
        assert ran.sum() == CPUS * (TICKS + 30)
        assert ran[weights == 512].min() > ran[weights == 128].max()

    def subject() -> None:
        start = time.thread_time()
        for _ in range(TICKS // block):
            made.tick(block)
        pairs.add((time.thread_time() - start) * each, reference[-1] * each)

    benchmark.pedantic(subject, setup=bare, rounds=size.rounds, iterations=1)
    benchmark.extra_info.update(pairs.summary())
    run = made.accounts()["run_ns"]
    assert run.sum() == hosts * CPUS * made.now_ns
    shares = run.reshape(hosts, -1).sum(axis=0) / weights[::vcpus]
    assert shares.max() < 2.2 * shares.min()
