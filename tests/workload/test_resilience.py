"""Backoff, budgets and circuit breakers by themselves."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nephoscope as nph
from nephoscope import _core

SECOND = 10**9
EXPONENTIAL = {"exponential": {"base": "100ms", "cap": "20s"}}


def waits(jitter: str, requests: int = 20_000, retries: int = 10) -> np.ndarray:
    """In seconds."""
    return nph.parts.Backoff(EXPONENTIAL, jitter, seed=5).waits(requests, retries) / SECOND


# --- backoff ----------------------------------------------------------------------------------


def test_waits_double_up_to_the_cap():
    expected = [min(20.0, 0.1 * 2**k) for k in range(10)]
    assert waits("none", 3).tolist() == [expected] * 3


def test_waits_without_a_cap_double_until_the_clock_ends():
    backoff = nph.parts.Backoff({"exponential": {"base": "1ns"}})
    (row,) = backoff.waits(1, 70)
    assert row.tolist() == [2 ** min(k, 61) for k in range(70)]


def test_full_jitter_is_uniform_from_nothing_to_the_wait():
    whole, jittered = waits("none"), waits("full")
    shares = np.sort((jittered / whole).ravel())
    assert 0 <= shares[0] < 1e-4
    assert 1 - 1e-4 < shares[-1] <= 1
    # Kolmogorov and Smirnov at one in a million.
    steps = np.arange(1, len(shares) + 1) / len(shares)
    assert np.abs(shares - steps).max() < 2.6934 / np.sqrt(len(shares)) + 1e-5


def test_equal_jitter_keeps_a_half():
    whole, jittered = waits("none"), waits("equal")
    assert (jittered >= whole / 2 - 1e-9).all()
    assert (jittered <= whole).all()
    assert (jittered / whole).mean() == pytest.approx(0.75, abs=0.005)


def test_decorrelated_jitter_goes_by_the_wait_before():
    rows = waits("decorrelated", retries=30)
    before = np.column_stack([np.full(len(rows), 0.1), rows[:, :-1]])
    assert (rows >= 0.1).all()
    assert (rows <= np.minimum(20.0, 3 * before) + 1e-9).all()
    free = 3 * before < 20.0
    share = (rows[free] - 0.1) / (3 * before[free] - 0.1)
    assert share.mean() == pytest.approx(0.5, abs=0.005)
    assert (rows == 20.0).any()


def test_waits_are_drawn_by_request_and_retry():
    some, more = waits("full", 5, 3), waits("full", 9, 7)
    assert (more[:5, :3] == some).all()
    assert len(np.unique(more)) == more.size


def test_waits_of_a_law():
    backoff = nph.parts.Backoff({"fixed": {"exponential": "2s"}}, seed=3)
    assert backoff.waits(10_000, 2).mean() / SECOND == pytest.approx(2, rel=0.03)


# --- budget -----------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 10).map(lambda tenths: tenths / 10),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60),
)
def test_a_budget_is_a_bucket(share, reserve, steps):
    budget = nph.parts.RetryBudget({"share": share, "reserve": reserve})
    tokens, now = reserve * 10, 0  # in tenths
    for gap, earns in steps:
        now += gap
        if earns:
            budget.earn(now)
            tokens = min(reserve * 10, tokens + round(share * 10))
        else:
            assert budget.spend(now) == (tokens >= 10)
            tokens -= 10 if tokens >= 10 else 0
        assert budget.tokens(now) == pytest.approx(tokens / 10, abs=1e-9)


def test_time_brings_tokens_at_its_rate_and_no_more_than_the_reserve():
    budget = nph.parts.RetryBudget({"share": 0, "reserve": 3, "rate": "2/s"})
    assert [budget.spend(0) for _ in range(4)] == [True, True, True, False]
    assert not budget.spend(SECOND // 2 - 1)
    assert budget.spend(SECOND // 2)
    assert budget.tokens(100 * SECOND) == 3


def test_over_time_retries_are_the_share_of_requests():
    budget = nph.parts.RetryBudget("10%")
    spent = 0
    for now in range(100_000):
        budget.earn(now)
        spent += budget.spend(now)
    assert spent == 10_000 + 9


# --- circuit breaker --------------------------------------------------------------------------


def test_failures_in_a_row_open_it_and_a_success_between_does_not():
    breaker = nph.parts.CircuitBreaker({"failures": 3, "open": "1s"})
    for success in (False, False, True, False, False):
        breaker.record(success, 0, 0)
    assert breaker.state == "closed"
    breaker.record(False, 0, 0)
    assert breaker.state == "open"
    assert breaker.opened == 1


def test_it_lets_through_as_many_as_there_are_probes():
    breaker = nph.parts.CircuitBreaker({"failures": 1, "open": "1s", "probes": 2})
    breaker.record(False, 0, 5)
    through = [breaker.lets_through(5 + SECOND + i) for i in range(-1, 4)]
    assert through == [False, True, True, False, False]
    breaker.record(True, 5 + SECOND, 5 + SECOND + 9)
    assert breaker.state == "half_open"
    breaker.record(True, 5 + SECOND, 5 + SECOND + 9)
    assert breaker.state == "closed"


def test_what_was_sent_before_tells_nothing():
    breaker = nph.parts.CircuitBreaker({"failures": 1, "open": "1s"})
    breaker.record(False, 0, 10)
    assert breaker.lets_through(10 + SECOND)
    breaker.record(False, 9, 11 + SECOND)
    assert breaker.state == "half_open"
    breaker.record(True, 10 + SECOND, 12 + SECOND)
    assert breaker.state == "closed"
    breaker.record(False, 9, 13 + SECOND)
    assert breaker.state == "closed"


def test_a_probe_that_is_forgotten_is_made_again():
    breaker = nph.parts.CircuitBreaker({"failures": 1, "open": "1s"})
    breaker.record(False, 0, 0)
    assert [breaker.lets_through(SECOND), breaker.lets_through(SECOND)] == [True, False]
    breaker.forget(SECOND)
    assert breaker.lets_through(SECOND + 1)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 10),
    st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    st.lists(st.booleans(), max_size=60),
)
def test_a_window_holds_the_last_outcomes(window, rate, outcomes):
    breaker = nph.parts.CircuitBreaker({"failure_rate": rate, "window": window, "open": "1s"})
    last: deque[bool] = deque(maxlen=window)
    for success in outcomes:
        breaker.record(success, 0, 0)
        last.append(success)
        failed = last.count(False)
        opens = len(last) == window and failed >= 1 and failed * 10 >= round(rate * 10) * window
        assert (breaker.state == "open") == opens
        if opens:
            return


# --- what the core refuses ------------------------------------------------------------------------


def test_the_core_refuses_what_cannot_be():
    core = _core.resilience
    for field, value, make in (
        ("jitter", core.Jitter.decorrelated, "backoff"),
        ("share", 1.5, "budget"),
        ("share", float("nan"), "budget"),
        ("reserve", 0.5, "budget"),
        ("per_second", -1.0, "budget"),
        ("open_ns", 0, "breaker"),
        ("probes", 0, "breaker"),
        ("failure_rate", 0.0, "breaker"),
        ("window", 2**20 + 1, "breaker"),
    ):
        if make == "backoff":
            spec, build = core.BackoffSpec(), lambda s: core.Backoff(s, 0, 0, "x")
        elif make == "budget":
            spec, build = core.BudgetSpec(), core.RetryBudget
            spec.limited, spec.share = True, 0.1
        else:
            spec, build = core.BreakerSpec(), core.CircuitBreaker
            spec.window, spec.failure_rate, spec.open_ns = 10, 0.5, 1
        build(spec)
        setattr(spec, field, value)
        with pytest.raises(nph.NephoscopeError):
            build(spec)


@pytest.mark.parametrize("backoff", [{"fixed": "1s"}, EXPONENTIAL])
@pytest.mark.parametrize("jitter", ["none", "full", "equal"])
def test_every_jitter_goes_with_every_backoff(backoff, jitter):
    assert (nph.parts.Backoff(backoff, jitter).waits(10, 3) >= 0).all()
