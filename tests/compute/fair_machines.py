"""Hosts under the fair scheduler, and guests that compute and sleep on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nephoscope import _core

MS = 1_000_000
SECOND = 1000 * MS
SLICE = 2_800_000
NEVER = 2**63 - 1

OPTIONS = {
    "slice_ns": SLICE,
    "switch_cost_ns": 0,
    "seed": 0,
    "wake_preemption": True,
    "weight_per_vcpu": False,
    "core_scheduling": False,
}

Fair = _core.hypervisor.FairHypervisor
# ("run", ns of work to do) and ("sleep", ns)
Program = Iterator[tuple[str, int]]


def fair(hosts: int = 1, *, cores=1, threads_per_core=1, smt_gain=0.25, speed=1.0, **options):
    made = Fair(**(OPTIONS | options))
    for _ in range(hosts):
        made.add_host(cores, threads_per_core, smt_gain, speed)
    return made


def add(made, hosts, *, vcpus=1, weight=256.0, reservation=0.0, cap=0.0, period=100 * MS, phase=0):
    at, vcpu, weights, reserved, caps, periods, phases = np.broadcast_arrays(
        np.atleast_1d(hosts), vcpus, weight, reservation, cap, period, phase
    )
    quotas = np.rint(caps * periods).astype(np.int64)
    return made.add_tenants(at, vcpu, weights, reserved, quotas, periods, phases)


def want(made, tenants, wants) -> None:
    each, wanted = np.broadcast_arrays(np.atleast_1d(tenants), wants)
    made.set_wants(each, wanted)


def account(made, field: str = "run_ns") -> np.ndarray:
    return made.accounts(np.arange(made.tenants))[field]


def hogs(weights, *, cores=1, vcpus=1, **options):
    """One host, and tenants of these weights that always want to run."""
    made = fair(cores=cores, **options)
    tenants = add(made, [0] * len(weights), weight=weights, vcpus=vcpus)
    want(made, tenants, vcpus)
    return made


def hog() -> Program:
    while True:
        yield "run", 1000 * SECOND


def blinker(on: int, off: int, first: int = 0) -> Program:
    if first:
        yield "sleep", first
    while True:
        yield "run", on
        yield "sleep", off


def drive(made, programs: dict[int, Program], until: int) -> None:
    """Tenants of one vCPU do what their programs say."""
    tenants = np.array(list(programs), dtype=np.uint32)
    each = list(programs.values())
    left = np.zeros(len(each), dtype=np.int64)  # to run, where awake
    wakes = np.full(len(each), NEVER)
    awake = np.zeros(len(each), dtype=bool)

    def go_on(at: int) -> None:
        what, how_long = next(each[at])
        awake[at] = what == "run"
        left[at] = how_long
        wakes[at] = NEVER if awake[at] else made.now_ns + how_long
        made.set_wants(tenants[at : at + 1], awake[at : at + 1])

    for at in range(len(each)):
        go_on(at)
    while made.now_ns < until:
        runs = made.shares(tenants) == 1.0
        now = made.now_ns
        done = now + int(left[runs].min()) if runs.any() else NEVER
        stop = min(until, made.next_event_ns(), int(wakes.min()), done)
        made.advance(stop)
        left[runs] -= stop - now
        for at in np.flatnonzero((awake & (left == 0)) | (wakes == stop)):
            go_on(int(at))
