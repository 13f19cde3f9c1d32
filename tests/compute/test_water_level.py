"""Weighted max-min shares: against an exact solver, and the laws that make them fair."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephoscope import parts
from nephoscope.errors import ScenarioError
from theory import oracles

GRAIN = 2.0**-36
EXAMPLES = settings(
    max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
MANY = settings(EXAMPLES, max_examples=2_000)

amounts = st.integers(0, 64).map(lambda sixteenths: sixteenths / 16)
weights = st.sampled_from([1.0, 2.0, 3.0, 64.0, 256.0, 1000.0, 65_536.0, 0.5])


@st.composite
def hosts(draw) -> tuple[float, list[tuple[float, float, float]]]:
    """A capacity and claims (weight, floor, ceiling) whose floors fit."""
    claims = []
    for _ in range(draw(st.integers(1, 12))):
        ceiling = draw(amounts)
        floor = draw(st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0])) * ceiling
        claims.append((draw(weights), floor, ceiling))
    least = sum(floor for _, floor, _ in claims)
    return least + draw(amounts), claims


def shares(capacity: float, claims) -> np.ndarray:
    weight, floor, ceiling = np.array(claims, dtype=float).T
    return parts.share_out(capacity, weight, ceiling, floor)


def exact(capacity: float, claims) -> list[Fraction]:
    """The same by walking along the breakpoints of the sum, in fractions."""
    known = [tuple(map(Fraction, claim)) for claim in claims]
    room = Fraction(capacity)

    def at(level: Fraction) -> list[Fraction]:
        return [min(max(w * level, f), c) for w, f, c in known]

    if sum(c for _, _, c in known) <= room:
        return [c for _, _, c in known]
    levels = sorted({Fraction(0), *(f / w for w, f, _ in known), *(c / w for w, _, c in known)})
    below = max(level for level in levels if sum(at(level)) <= room)
    rising = sum(w for w, f, c in known if f <= w * below < c)
    return at(below + (room - sum(at(below))) / rising if rising else below)


def check_against_exact(host) -> None:
    capacity, claims = host
    for found, expected in zip(shares(capacity, claims), exact(capacity, claims), strict=True):
        assert found == pytest.approx(float(expected), rel=1e-9, abs=len(claims) * GRAIN)


def check_laws(host) -> None:
    capacity, claims = host
    found = shares(capacity, claims)
    weight, floor, ceiling = np.array(claims, dtype=float).T
    assert np.all((floor <= found) & (found <= ceiling))
    # Nothing is left that somebody wants, and nothing is given that is not there.
    assert found.sum() == pytest.approx(min(capacity, ceiling.sum()), rel=1e-9, abs=1e-12)
    between = (found > floor) & (found < ceiling)
    if between.any():
        level = (found / weight)[between]
        assert np.allclose(level, level[0], rtol=1e-9)
        # Nobody at the floor deserves more, nobody at the ceiling less.
        held = (found == floor) & (found < ceiling)
        assert np.all((found / weight)[held] >= level[0] * (1 - 1e-9))
        full = (found == ceiling) & (found > floor)
        assert np.all((found / weight)[full] <= level[0] * (1 + 1e-9))


def check_more_is_never_less(host) -> None:
    capacity, claims = host
    before = shares(capacity, claims)
    assert np.all(shares(capacity + 1.0, claims) >= before - 1e-9)
    (weight, floor, ceiling), *others = claims
    heavier = shares(
        capacity, [(2 * weight if weight < 60_000 else weight, floor, ceiling), *others]
    )
    assert heavier[0] >= before[0] - 1e-9
    assert np.all(heavier[1:] <= before[1:] + 1e-9)
    crowded = shares(capacity, [*claims, (256.0, 0.0, 1.0)])
    assert np.all(crowded[:-1] <= before + 1e-9)


def check_order_does_not_matter(host) -> None:
    capacity, claims = host
    found = shares(capacity, claims)
    assert np.array_equal(shares(capacity, claims[::-1]), found[::-1])
    assert np.array_equal(shares(capacity, [*claims[1:], claims[0]]), np.roll(found, -1))


def check_scale_does_not_matter(host) -> None:
    capacity, claims = host
    doubled = [(weight, 2 * floor, 2 * ceiling) for weight, floor, ceiling in claims]
    assert np.allclose(shares(2 * capacity, doubled), 2 * shares(capacity, claims), rtol=1e-12)


def check_isolation(host) -> None:
    """Whatever the others want, a claim without a floor has its part of what has no owner."""
    capacity, claims = host
    free = capacity - sum(floor for _, floor, _ in claims)
    whole = sum(weight for weight, _, _ in claims)
    for share, (weight, _, ceiling) in zip(shares(capacity, claims), claims, strict=True):
        assert share >= min(ceiling, free * weight / whole) - 1e-9


CHECKS = [
    check_against_exact,
    check_laws,
    check_more_is_never_less,
    check_order_does_not_matter,
    check_scale_does_not_matter,
    check_isolation,
]


@pytest.mark.parametrize("check", CHECKS)
def test_shares_are_fair(check):
    EXAMPLES(given(hosts())(check))()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_shares_are_fair_on_many_more_hosts(check):
    MANY(given(hosts())(check))()


def test_equal_claims_that_are_split_get_the_same_together():
    whole = shares(4.0, [(512.0, 0.0, 8.0), (256.0, 0.0, 1.0), (256.0, 0.0, 4.0)])
    split = shares(4.0, [(256.0, 0.0, 4.0)] * 2 + [(256.0, 0.0, 1.0), (256.0, 0.0, 4.0)])
    assert split[:2].sum() == pytest.approx(whole[0], rel=1e-12)
    assert np.allclose(split[2:], whole[1:], rtol=1e-12)


# A host of so many cores; machines of (vCPUs, tasks), vCPUs None for a task of its own. A virtual
# machine weighs as much as the vCPUs that its tasks keep busy, and shares what it gets among them.
LAYOUTS = {
    "CPUSHARE_pm2_3tasks": (2, [(None, 1)] * 3, {"pm_task": 2 / 3}),
    "CPUSHARE_vm1of1_2tasks_plus_task": (
        1,
        [(1, 2), (None, 1)],
        {"vm_task": 1 / 4, "pm_task": 1 / 2},
    ),
    "CPUSHARE_vm2_2tasks_plus_task": (2, [(2, 2), (None, 1)], {"vm_task": 2 / 3, "pm_task": 2 / 3}),
    "CPUSHARE_3vm1_on_2": (2, [(1, 1)] * 3, {"vm_task": 2 / 3}),
}


def task_shares(cores: int, machines) -> dict[str, float]:
    busy = [min(vcpus, tasks) if vcpus else 1 for vcpus, tasks in machines]
    given = parts.share_out(cores, busy, busy)
    return {
        "vm_task" if vcpus else "pm_task": share / tasks
        for share, (vcpus, tasks) in zip(given, machines, strict=True)
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_machines_and_tasks(name):
    cores, machines, expected = LAYOUTS[name]
    assert task_shares(cores, machines) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", oracles.cases("CPUSHARE_"))
def test_the_reference_figures_of_layouts(name):
    cores, machines, _ = LAYOUTS[name]
    expected = oracles.entries()[name]["expected"]
    found = task_shares(cores, machines)
    if isinstance(expected, list):
        expected = {"pm_task": expected[0]}
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("capacity", "claims"),
    [
        (-1.0, [(1.0, 0.0, 1.0)]),
        (0.5, [(1.0, 1.0, 1.0)]),
        (float("nan"), [(1.0, 0.0, 1.0)]),
        (1.0, [(0.0, 0.0, 1.0)]),
        (1.0, [(1.0, 0.5, 0.25)]),
        (1.0, [(1.0, 0.0, float("inf"))]),
        (1.0, [(float("nan"), 0.0, 1.0)]),
    ],
)
def test_what_cannot_be_shared_is_refused(capacity, claims):
    with pytest.raises(ScenarioError):
        shares(capacity, claims)


def test_nothing_to_share_and_nobody_to_share_it():
    assert shares(0.0, [(1.0, 0.0, 3.0)]).tolist() == [0.0]
    assert parts.share_out(3.0, [], []).tolist() == []
