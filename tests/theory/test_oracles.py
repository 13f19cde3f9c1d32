"""Every entry of the reference data that the scenario language can express, at its tolerance.

A figure passes when it is within Student's t at a false alarm of one in a million of what is
expected. Seeds are fixed and nothing is run again.
"""

from __future__ import annotations

import pytest

from theory import bindings, coverage, models, oracles
from theory.accept import Comparison
from theory.models import LONGER

BOUND = [
    (name, i) for name, entry in oracles.entries().items() for i in range(len(bindings.bind(entry)))
]
FAST = [case for case in BOUND if not bindings.is_slow(case[0])]
HEAVY = [case for case in BOUND if bindings.is_slow(case[0])]


ABSENT = [pytest.param(("", 0), marks=pytest.mark.skip(reason=oracles.ABSENT))]


def label(case: tuple[str, int]) -> str:
    return f"{case[0]}-{case[1]}" if case[1] else case[0]


def agree(case: tuple[str, int], scale: float) -> None:
    name, i = case
    model, expected = bindings.bind(oracles.entries()[name])[i]
    estimates = models.run(model, scale)
    wrong = {
        figure: str(Comparison(estimates[figure], value, se))
        for figure, (value, se) in expected.items()
        if not Comparison(estimates[figure], value, se).agrees
    }
    assert expected
    assert not wrong


@pytest.mark.skipif(not BOUND, reason=oracles.ABSENT)
def test_every_entry_is_answered_or_has_a_reason():
    bound = {name for name, _ in BOUND}
    for name in oracles.entries():
        places = [
            name in bound,
            coverage.listed(coverage.ELSEWHERE, name) is not None,
            coverage.listed(coverage.NOT_YET, name) is not None,
        ]
        assert sum(places) == 1, name


@pytest.mark.parametrize("case", FAST or ABSENT, ids=label)
def test_oracle(case):
    agree(case, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("case", FAST or ABSENT, ids=label)
def test_oracle_longer(case):
    agree(case, LONGER)


@pytest.mark.slow
@pytest.mark.parametrize("case", HEAVY or ABSENT, ids=label)
def test_oracle_at_high_utilisation(case):
    agree(case, 1.0)
