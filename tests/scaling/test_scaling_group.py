"""A scaling group alone: decisions on numbers, without a fleet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nephoscope as nph
from nephoscope import parts
from properties.liveliness import derandomised


def tracking(target: float = 0.5, **keys: object) -> dict:
    rule = {"metric": "cpu", "target": target, "out_periods": 1, "in_periods": 1}
    return {"target_tracking": rule | {"scale_in_below": "100%"} | keys}


def group(*policies: dict, least: int = 1, most: int = 100) -> parts.ScalingGroup:
    return parts.ScalingGroup(least, most, policies)


def decision(policies: list[dict], values: list[float | None], **view: object) -> int:
    made = group(*policies)
    for policy, value in enumerate(values):
        made.observe(policy, value)
    return made.decide(**{"desired": 10, "warm": 10} | view)


@derandomised(300)
@given(
    st.integers(1, 10_000),
    st.floats(0.001, 1.0),
    st.floats(0.05, 1.0),
)
def test_the_tracked_size_is_the_least_that_brings_the_metric_to_its_target(warm, value, target):
    made = group(tracking(target), least=0, most=2**22)
    made.observe(0, value)
    size = made.decide(desired=warm, warm=warm)
    load = warm * value
    assert load <= target * size * (1 + 1e-9)
    assert size == 0 or load > target * (size - 1) * (1 - 1e-9)


def test_it_never_crosses_its_bounds():
    assert decision([tracking()], [1.0], desired=90, warm=90) == 100
    assert decision([tracking()], [0.001]) == 1


def test_without_a_datapoint_it_stays():
    assert decision([tracking()], [None]) == 10
    made = group(tracking(out_periods=2))
    for value in (0.9, None, 0.9):
        made.observe(0, value)
    # A period without data is neither for nor against: two of two have breached.
    assert made.decide(desired=10, warm=10) == 18


def test_who_wants_to_grow_keeps_it_from_shrinking():
    shrink = {
        "step": {"metric": "cpu", "threshold": 0.9, "when": "below", "steps": [[None, 0, -5]]}
    }
    assert decision([tracking(), shrink], [0.5, 0.5]) == 5
    assert decision([tracking(), shrink], [0.6, 0.5]) == 12
    # What it wants is on its way already.
    assert decision([tracking(), shrink], [0.6, 0.5], desired=12, warming=2) == 12


def test_policies_that_are_wrong_are_refused():
    with pytest.raises(nph.ScenarioError, match="not a metric"):
        group({"simple": {"metric": "load", "threshold": 1, "change": 1}})
    with pytest.raises(nph.ScenarioError, match="look at a metric"):
        group({"scheduled": {"at": "1m", "desired": 3}})
    with pytest.raises(nph.ScenarioError, match="look at a metric"):
        group()
    with pytest.raises(nph.errors.NephoscopeError, match="policy"):
        group(tracking()).observe(1, 0.5)
