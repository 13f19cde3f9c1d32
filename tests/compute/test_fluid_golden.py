"""Layouts of hosts, virtual machines and tasks with known durations, run to the last completion.

The notation: `( [oo]1 o )2` is a host of two cores with a machine of one vCPU, in which two tasks
run, and a task of its own beside it. The durations are the reference values of two suites of
SimGrid's, on cores of 1 Gflop/s (layouts) and 76.296 Mflop/s (bounds); their rule is max-min at two
levels: a machine weighs as much as the vCPUs that its tasks keep busy, and may use no more; its
tasks share what it gets, each at most one core.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from nephoscope import parts

RELATIVE = 1e-9
SECOND = 1_000_000_000


@dataclass
class Task:
    """Work in core seconds, and the most that it may use, in cores."""

    work: float
    bound: float = 1.0
    duration: float | None = None


@dataclass
class Machine:
    """Tasks that share some vCPUs; a task on the host itself is a machine of its own."""

    host: int
    vcpus: int
    tasks: list[Task]
    native: bool
    bound: float = float("inf")

    @property
    def running(self) -> list[Task]:
        return [task for task in self.tasks if task.duration is None]

    @property
    def busy(self) -> int:
        return min(len(self.running), self.vcpus)

    @property
    def ceiling(self) -> float:
        """The host does not know what bounds the tasks inside a virtual machine."""
        return min(self.busy, self.tasks[0].bound if self.native else self.bound)


@dataclass
class Layout:
    cores: list[int] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)


def parsed(text: str) -> Layout:
    layout = Layout()
    for host, (inside, cores) in enumerate(re.findall(r"\(([^)]*)\)(\d+)", text)):
        layout.cores.append(int(cores))
        for tasks, vcpus, alone in re.findall(r"\[\s*(o*)\s*\](\d+)|(o)", inside):
            many = [Task(0.0) for _ in tasks or alone]
            layout.machines.append(Machine(host, int(vcpus or 1), many, native=bool(alone)))
    return layout


def machine_shares(layout: Layout) -> list[float]:
    """By the solver alone, which takes ceilings that are not whole."""
    shares = [0.0] * len(layout.machines)
    for host, cores in enumerate(layout.cores):
        places = [at for at, it in enumerate(layout.machines) if it.host == host and it.running]
        if places:
            found = parts.share_out(
                cores,
                [layout.machines[at].busy for at in places],
                [layout.machines[at].ceiling for at in places],
            )
            for at, share in zip(places, found, strict=True):
                shares[at] = float(share)
    return shares


def run(layout: Layout, shares_of=machine_shares) -> list[Task]:
    """Lets time pass from completion to completion; every task with its duration."""
    now = 0.0
    left = {id(task): task.work for machine in layout.machines for task in machine.tasks}
    while any(machine.running for machine in layout.machines):
        rates = {}
        for machine, share in zip(layout.machines, shares_of(layout), strict=True):
            if machine.running:
                tasks = machine.running
                inside = parts.share_out(share, np.ones(len(tasks)), [it.bound for it in tasks])
                rates |= {id(task): float(rate) for task, rate in zip(tasks, inside, strict=True)}
        step = min(left[task] / rate for task, rate in rates.items() if rate > 0.0)
        now += step
        for task, rate in rates.items():
            left[task] -= rate * step
        for machine in layout.machines:
            for task in machine.running:
                if left[id(task)] <= 1e-9 * task.work:
                    task.duration = now
    return [task for machine in layout.machines for task in machine.tasks]


class Hypervisor:
    """Shares from the hypervisor: every vCPU that a task keeps busy is a tenant of one vCPU.

    So a machine weighs as much as it has busy vCPUs, whatever their number is just now.
    """

    def __init__(self, layout: Layout) -> None:
        self.made = parts.Hypervisor()
        for cores in layout.cores:
            self.made._core.add_host(cores, 1, 0.0, 1.0)
        self.vcpus = [self.made.add([it.host] * it.vcpus) for it in layout.machines]

    def __call__(self, layout: Layout) -> list[float]:
        for vcpus, machine in zip(self.vcpus, layout.machines, strict=True):
            self.made.want(vcpus, np.arange(len(vcpus)) < machine.busy)
        return [float(self.made.shares(vcpus).sum()) for vcpus in self.vcpus]


# Work of each task, in the order of the notation, so that all take 0.1 s together.
WHOLE, HALF, THIRD, QUARTER = (Fraction(1, part) for part in (1, 2, 3, 4))
LAYOUTS: dict[str, list[Fraction]] = {
    "(o)1": [WHOLE],
    "(oo)1": [HALF] * 2,
    "(o)1 (o)1": [WHOLE] * 2,
    "( [o]1 )1": [WHOLE],
    "( [oo]1 )1": [HALF] * 2,
    "( [ ]1 o )1": [WHOLE],
    "( [o]1 o )1": [HALF] * 2,
    "( [oo]1 o )1": [QUARTER, QUARTER, HALF],
    "( o )2": [WHOLE],
    "( oo )2": [WHOLE] * 2,
    "( ooo )2": [2 * THIRD] * 3,
    "( [o]1 )2": [WHOLE],
    "( [oo]1 )2": [HALF] * 2,
    "( [ ]1 o )2": [WHOLE],
    "( [o]1 o )2": [WHOLE] * 2,
    "( [o]1 [ ]1 )2": [WHOLE],
    "( [o]1 [o]1 )2": [WHOLE] * 2,
    "( [o]1 [o]1 [ ]1 )2": [WHOLE] * 2,
    "( [o]1 [o]1 [o]1 )2": [2 * THIRD] * 3,
    "( [o]2 )2": [WHOLE],
    "( [oo]2 )2": [WHOLE] * 2,
    "( [ooo]2 )2": [2 * THIRD] * 3,
    "( [ ]2 o )2": [WHOLE],
    "( [o]2 o )2": [WHOLE] * 2,
    "( [oo]2 o )2": [2 * THIRD] * 3,
    "( [ooo]2 o )2": [4 * THIRD * THIRD] * 3 + [2 * THIRD],
    "( [ ]2 oo )2": [WHOLE] * 2,
    "( [o]2 oo )2": [2 * THIRD] * 3,
    "( [oo]2 oo )2": [HALF] * 4,
    "( [ooo]2 oo )2": [THIRD] * 3 + [HALF] * 2,
    "( [o]2 )4": [WHOLE],
    "( [oo]2 )4": [WHOLE] * 2,
    "( [ooo]2 )4": [2 * THIRD] * 3,
    "( [ ]2 o )4": [WHOLE],
    "( [ ]2 oo )4": [WHOLE] * 2,
    "( [ ]2 ooo )4": [WHOLE] * 3,
    "( [ ]2 oooo )4": [WHOLE] * 4,
    "( [o]2 o )4": [WHOLE] * 2,
    "( [o]2 oo )4": [WHOLE] * 3,
    "( [oo]2 oo )4": [WHOLE] * 4,
    "( [o]2 ooo )4": [WHOLE] * 4,
    "( [oo]2 ooo )4": [Fraction(4, 5)] * 5,
    "( [ooo]2 ooo )4": [Fraction(8, 15)] * 3 + [Fraction(4, 5)] * 3,
}


def loaded(text: str, works) -> Layout:
    layout = parsed(text)
    tasks = [task for machine in layout.machines for task in machine.tasks]
    for task, work in zip(tasks, works, strict=True):
        task.work = 0.1 * float(work)
    return layout


def test_the_notation_is_read_as_it_is_written():
    layout = parsed("( [oo]1 o )2 ( [ ]4 [o]2 )8")
    assert layout.cores == [2, 8]
    found = [(it.host, it.vcpus, len(it.tasks)) for it in layout.machines]
    assert found == [(0, 1, 2), (0, 1, 1), (1, 4, 0), (1, 2, 1)]


def test_every_layout_of_the_suite_is_there():
    assert len(LAYOUTS) == 43
    assert sum(map(len, LAYOUTS.values())) == 104


@pytest.mark.parametrize("by", ["solver", "hypervisor"])
@pytest.mark.parametrize("text", LAYOUTS)
def test_tasks_of_a_layout_end_together(text, by):
    layout = loaded(text, LAYOUTS[text])
    shares_of = machine_shares if by == "solver" else Hypervisor(layout)
    assert [task.duration for task in run(layout, shares_of)] == pytest.approx(
        [0.1] * len(LAYOUTS[text]), rel=RELATIVE
    )


@pytest.mark.parametrize("text", LAYOUTS)
def test_the_hypervisor_books_what_the_tasks_did(text):
    layout = loaded(text, LAYOUTS[text])
    hypervisor = Hypervisor(layout)
    hypervisor(layout)
    hypervisor.made.advance(SECOND // 10)
    run_ns = hypervisor.made.accounts()["run_ns"]
    assert run_ns.sum() == pytest.approx(
        float(sum(LAYOUTS[text])) * SECOND / 10, rel=RELATIVE, abs=len(run_ns)
    )


# Ten core seconds to do. Bounds in cores, 1 for none; durations in seconds, by the place of the
# tasks: alone on the host, in a machine, in a machine that is bound to a tenth of a core.
SINGLES = [
    # bound, host, machine, bound machine
    (1.0, 10.0, 10.0, 100.0),
    (1 / 2, 20.0, 20.0, 100.0),
    (1 / 3, 30.0, 30.0, 100.0),
    (2.0, 10.0, 10.0, 100.0),
]
# Both on the host or both in one machine; one on the host and one in a machine, bound or not.
PAIRS = [
    # bounds, together, apart, apart from a bound machine
    ((1.0, 1.0), (20.0, 20.0), (20.0, 20.0), (100 / 9, 100.0)),
    ((1 / 2, 1 / 2), (20.0, 20.0), (20.0, 20.0), (20.0, 100.0)),
    ((1 / 4, 1 / 4), (40.0, 40.0), (40.0, 40.0), (40.0, 100.0)),
    ((3 / 4, 1.0), (20.0, 20.0), (20.0, 20.0), (40 / 3, 100.0)),
    ((1.0, 1 / 4), (40 / 3, 40.0), (20.0, 40.0), (100 / 9, 100.0)),
    ((3 / 4, 1 / 4), (40 / 3, 40.0), (20.0, 40.0), (40 / 3, 100.0)),
]
TENTH = 0.1


def durations(text: str, bounds, machine_bound: float = float("inf")) -> list[float | None]:
    layout = loaded(text, [100] * len(bounds))
    tasks = [task for machine in layout.machines for task in machine.tasks]
    for task, bound in zip(tasks, bounds, strict=True):
        task.bound = bound
    for machine in layout.machines:
        machine.bound = float("inf") if machine.native else machine_bound
    return [task.duration for task in run(layout)]


@pytest.mark.parametrize(("bound", "host", "inside", "capped"), SINGLES)
def test_a_task_that_is_bound(bound, host, inside, capped):
    assert durations("(o)1", [bound]) == pytest.approx([host], rel=RELATIVE)
    assert durations("( [o]1 )1", [bound]) == pytest.approx([inside], rel=RELATIVE)
    assert durations("( [o]1 )1", [bound], TENTH) == pytest.approx([capped], rel=RELATIVE)


@pytest.mark.parametrize(("bounds", "together", "apart", "capped"), PAIRS)
def test_two_tasks_that_are_bound(bounds, together, apart, capped):
    assert durations("(oo)1", bounds) == pytest.approx(together, rel=RELATIVE)
    assert durations("( [oo]1 )1", bounds) == pytest.approx(together, rel=RELATIVE)
    # The machine comes last, as the second task does.
    assert durations("( o [o]1 )1", bounds) == pytest.approx(apart, rel=RELATIVE)
    assert durations("( o [o]1 )1", bounds, TENTH) == pytest.approx(capped, rel=RELATIVE)
    assert durations("( [oo]1 )1", bounds, TENTH) == pytest.approx([200.0] * 2, rel=RELATIVE)


def test_a_bound_that_rises_step_by_step():
    """Two busy machines on a core of 76.296 Mflop/s; one is bound to k tenths for 101 s each, and
    looked at after 100 s: what was done since the last look, over 100 s, in flop/s.
    """
    speed = 76_296_000.0
    bound = [38148000, 8011080, 15335496, 23041392, 30747288, 38453184] + [38529480] * 4
    free = [38148000, 69047880, 61723464, 54017568, 46311672, 38605776] + [38529480] * 4
    before = np.zeros(2)
    found = []
    for step in range(10):
        layout = parsed("( [o]1 [o]1 )1")
        layout.machines[1].bound = step / 10 if step else float("inf")
        rates = np.array(machine_shares(layout)) * speed
        found.append((100 * rates + before) / 100)
        before = rates
    assert np.allclose(found, np.column_stack([free, bound]), rtol=RELATIVE, atol=0.0)


@pytest.mark.parametrize("tenths", [1, 2, 3, 4])
def test_a_cap_gives_what_a_bound_does_over_whole_periods(tenths):
    made = parts.Hypervisor(1)
    made.add([0, 0], cap=[0.0, tenths / 10])
    made.want([0, 1], 1)
    made.advance(100 * SECOND)
    expected = [(10 - tenths) * 10 * SECOND, tenths * 10 * SECOND]
    assert made.accounts()["run_ns"] == pytest.approx(expected, rel=RELATIVE)


@pytest.mark.parametrize("demand", [3000.0, 4000.0])
def test_more_than_there_is_gets_what_there_is(demand):
    assert parts.share_out(2000.0, [1.0], [demand]).tolist() == [2000.0]
