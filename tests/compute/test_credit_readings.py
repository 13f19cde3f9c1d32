"""Where an independent prototype of the credit scheduler's rules has other figures than the core.

The published rules leave something open. The slow twin is given other readings of them until it
has the prototype's figures, and beside it is shown what the core has. Phases are the prototype's:
accounting at 7 ms, ticks of the second pCPU 1.3 ms after those of the first.
"""

from __future__ import annotations

import numpy as np
import pytest

from compute.credit_readings import (
    Choosy,
    Dithered,
    DitheredAndLazy,
    Forgetful,
    ForgetfulAndDithered,
    Hasty,
    HastyAndChoosy,
    Lazy,
    Lone,
    drive,
    guest_of,
)
from compute.credit_twin import Twin
from nephoscope import parts

MS = 1_000_000
SECOND = 1000 * MS
SEEDS = range(3)
AS_PUBLISHED = {"activate_at_decision": False}
ALIGNED = ([0] * 4, 30 * MS)
APART = ([0, 1_300_000, 2_600_000, 3_900_000], 7 * MS)


def credit(cores: int, seed: int, **options) -> parts.Hypervisor:
    return parts.Hypervisor(1, scheduler="credit", cores=cores, seed=seed, **options)


# --- shares -----------------------------------------------------------------------------------


def twin_shares(twin: Twin, vcpus, weights, seconds=60):
    for number, weight in enumerate(weights):
        twin.add(vcpus[number], weight)
    for number, want in enumerate(vcpus):
        twin.want(number, want)
    twin.advance(seconds * SECOND)
    return [sum(it.run_ns for it in its.vcpus) / (seconds * SECOND) for its in twin.tenants]


@pytest.mark.parametrize(
    ("twin", "phases", "single"),
    [
        (Twin, ALIGNED, 4 / 9),
        (Hasty, ALIGNED, 4 / 9),
        (HastyAndChoosy, ALIGNED, 4 / 9),
        (Choosy, APART, 4 / 9),
        (Lazy, ALIGNED, 1 / 3),
        (DitheredAndLazy, APART, 1 / 3),
    ],
)
def test_one_among_eight_is_left_with_a_third_if_only_idle_pcpus_steal(twin, phases, single):
    """On the pCPU of three nobody is ever stolen then, for no pCPU is ever idle."""
    found = twin_shares(twin(*phases, **AS_PUBLISHED), [4, 4, 1], [256] * 3)
    assert found[2] == pytest.approx(single, rel=0.01)


@pytest.mark.parametrize(
    ("twin", "phases", "single"),
    [
        (Forgetful, ALIGNED, 1 / 3),
        (Forgetful, APART, 4 / 9),
        (ForgetfulAndDithered, ALIGNED, 4 / 9),
        (ForgetfulAndDithered, APART, 4 / 9),
    ],
)
def test_one_among_eight_is_left_with_a_third_on_one_grid_alone_if_who_leaves_is_forgotten(
    twin, phases, single
):
    """The prototype has 0.333 with all timers aligned and 0.437 with them apart.

    The credits of the pairs on the other pCPUs settle just where it is decided whether they are
    UNDER. Counted as left over, those who leave push them below, and the pCPUs of pairs steal;
    forgotten they do not, until a timer is off the grid.
    """
    found = twin_shares(twin(*phases, **AS_PUBLISHED), [4, 4, 1], [256] * 3)
    assert found[2] == pytest.approx(single, rel=0.02)


@pytest.mark.parametrize("aligned", [False, True])
def test_here_one_among_eight_has_its_due(aligned):
    made = credit(4, 0, aligned=aligned, **AS_PUBLISHED)
    made.add([0] * 3, vcpus=[4, 4, 1])
    made.want(range(3), [4, 4, 1])
    made.advance(600 * SECOND)
    assert made.accounts()["run_ns"] / (600 * SECOND) == pytest.approx(
        [16 / 9, 16 / 9, 4 / 9], 0.01
    )


def test_the_heavy_one_too_has_the_prototypes_share_if_only_idle_pcpus_steal():
    twin = DitheredAndLazy([0, 1_300_000], 7 * MS, **AS_PUBLISHED)
    found = twin_shares(twin, [1] * 4, [2048, 256, 256, 256])
    assert found == pytest.approx([0.566, 0.5, 0.434, 0.5], rel=0.02)


# --- latency among neighbours who are on and off ----------------------------------------------


def tails(
    twin: type[Twin], neighbours: int, on: int, off: int, seconds: int, spread: float = 0.5
) -> np.ndarray:
    """Quantiles, in ms, of who wakes every 10 ms; `spread` is that of the neighbours' times off."""
    made = twin([0, 1_300_000], 7 * MS, **AS_PUBLISHED)
    guests = [guest_of(made, MS // 20, 10 * MS, poisson=True)]
    guests += [guest_of(made, on * MS, off * MS, spread=spread) for _ in range(neighbours)]
    return np.quantile(drive(made, guests, seconds * SECOND), [0.99, 0.999])


@pytest.mark.parametrize(
    ("on", "off", "wanted"),
    [(5, 45, [4.5, 5.0]), (10, 20, [9.7, 10.0]), (15, 15, [14.8, 15.0]), (30, 30, [29.6, 30.0])],
)
def test_two_neighbours_have_the_prototypes_tail_if_a_single_waiter_is_not_stolen(on, off, wanted):
    """An idle pCPU is kicked in vain then; here it takes who waits, and only two at once delay."""
    assert tails(Choosy, 2, on, off, 60) == pytest.approx(wanted, rel=0.02)
    assert tails(Dithered, 2, on, off, 60)[0] < 0.85 * on


@pytest.mark.parametrize(("on", "off"), [(5, 45), (10, 20)])
def test_here_two_neighbours_who_are_never_on_together_delay_nobody(on, off):
    made = credit(2, 0, **AS_PUBLISHED)
    tenants = made.add([0] * 3)
    guests = parts.Guests()
    for number, tenant in enumerate(tenants[1:]):
        start = number * (on + off) * MS // 2
        guests.on_off([tenant], on_ns=on * MS, off_ns=off * MS, start_ns=start)
    guests.poisson(tenants[0], gap_ns=10 * MS, work_ns=MS // 20)
    made.drive(guests, 600 * SECOND)
    assert guests.latency(0).max == 0


@pytest.mark.parametrize(
    ("on", "off", "spread", "p99", "p999", "relative"),
    [
        (5, 45, 0.5, 4.8, 7.8, [0.03, 0.15]),
        pytest.param(10, 20, 0.15, 10.4, 18.2, [0.05, 0.05], marks=pytest.mark.slow),
        pytest.param(15, 15, 0.5, 14.9, 25.9, [0.03, 0.1], marks=pytest.mark.slow),
        (30, 30, 0.5, 29.4, 38.0, [0.03, 0.25]),
    ],
)
def test_four_neighbours_have_about_the_prototypes_tail_if_nobody_is_kicked(
    on, off, spread, p99, p999, relative
):
    """Accounting sorts the queues as well: without that 30/30 has 55 ms, as here.

    How far the times off of its neighbours are spread is not said. By it 10/20 has 10 to 14 ms at
    p99. No single spread gives all four: with 15 % 15/15, where both pCPUs are just full, has 20.
    """
    found = tails(Lone, 4, on, off, 200, spread)
    assert np.all(np.abs(found / [p99, p999] - 1) < relative)


@pytest.mark.parametrize(("neighbours", "greatest"), [(2, 30), (4, 60)])
def test_neighbours_who_are_always_on_leave_the_rate_limit_and_a_few_long_waits(
    neighbours, greatest
):
    """The prototype has 0.90 and 0.99 ms for two, 0.91 and 0.99 for four, and up to 113."""
    for seed in SEEDS:
        made = credit(2, seed, **AS_PUBLISHED)
        tenants = made.add([0] * (neighbours + 1))
        guests = parts.Guests()
        guests.always(tenants[1:])
        guests.poisson(tenants[0], gap_ns=10 * MS, work_ns=MS // 20, seed=seed)
        made.drive(guests, 600 * SECOND)
        found = guests.latency(0)
        assert found.quantile(0.99) / MS == pytest.approx(0.905, rel=0.03)
        assert found.quantile(0.999) / MS == pytest.approx(0.99, rel=0.02)
        assert greatest < found.max / MS < 150


# --- isolation --------------------------------------------------------------------------------


def left(twin: Twin, ms: float, seconds: int = 30) -> float:
    """Of the entitlement of a hog among seven who wake all the time."""
    twin.add(1, 256)
    twin.want(0, 1)
    time = round(ms * MS)
    guests = [guest_of(twin, time, time, spread=0.3) for _ in range(7)]
    drive(twin, guests, seconds * SECOND)
    return 8 * twin.tenants[0].vcpus[0].run_ns / (seconds * SECOND)


@pytest.mark.parametrize(
    ("ms", "at_ticks", "at_decisions"), [(0.5, 0.84, 0.905), (5.0, 0.875, 0.913)]
)
def test_a_victim_has_what_the_prototype_leaves_it_if_ticks_alone_activate(
    ms, at_ticks, at_decisions
):
    """Activated at decisions, as here, the others pay and the victim has more."""
    assert left(Dithered([0], 7 * MS, **AS_PUBLISHED), ms) == pytest.approx(at_ticks, rel=0.03)
    assert left(Dithered([0], 7 * MS), ms) == pytest.approx(at_decisions, abs=0.015)
    for seed in SEEDS:
        made = credit(1, seed)
        tenants = made.add([0] * 8)
        guests = parts.Guests()
        guests.always(tenants[0])
        guests.on_off(tenants[1:], on_ns=round(ms * MS), off_ns=round(ms * MS))
        made.drive(guests, 300 * SECOND)
        share = made.accounts()["run_ns"][0] / (300 * SECOND)
        assert 8 * share == pytest.approx(0.9, abs=0.015)


@pytest.mark.parametrize(("after_ms", "least", "most"), [(2, 0.8, 1.0), (5, 0.0, 0.1)])
def test_if_ticks_alone_activate_it_hangs_on_how_soon_they_come_after_accounting(
    after_ms, least, most
):
    """In the prototype 3 ms later. Were it 5 ms, boosters of 0.5 ms would leave nothing.

    Activated at decisions they leave the same at any phase.
    """
    phase = (7 + after_ms) % 10 * MS
    assert least <= left(Dithered([phase], 7 * MS, **AS_PUBLISHED), 0.5, 8) <= most
    assert left(Dithered([phase], 7 * MS), 0.5, 8) == pytest.approx(0.905, abs=0.04)


@pytest.mark.parametrize("seed", SEEDS)
def test_three_who_dodge_ticks_in_turn_leave_the_rate_limit(seed):
    """A tenth of the pCPU, 0.4 of what is due; activated at decisions they leave all of it."""

    def share(**rules) -> float:
        made = credit(1, seed, **rules)
        tenants = made.add([0] * 4)
        guests = parts.Guests()
        guests.always(tenants[0])
        for turn, tenant in enumerate(tenants[1:]):
            start = int(made.tick_phases(0)[0]) + MS // 4 + 10 * turn * MS
            guests.on_off(
                [tenant], on_ns=9_500_000, off_ns=20_500_000, start_ns=start, by_the_clock=True
            )
        made.drive(guests, 60 * SECOND)
        return 4 * made.accounts()["run_ns"][0] / (60 * SECOND)

    assert share(**AS_PUBLISHED) == pytest.approx(0.4, abs=0.003)
    assert share() > 0.99
