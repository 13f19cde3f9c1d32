"""The forecaster of predictive scaling."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoscope import ScenarioError
from nephoscope.parts import Forecast
from scaling import forecast_twin

HOURS = np.arange(24)
DAY = 100 + 80 * np.sin(2 * np.pi * (HOURS - 9) / 24)  # numbers that no sum leaves exact
WEEK = np.concatenate([DAY * factor for factor in (1.0, 1.1, 1.1, 1.0, 0.9, 0.4, 0.3)])


# --- what the provider says -------------------------------------------------------------------


def test_a_day_of_history_is_needed():
    forecast = Forecast([5.0] * 23)
    assert not forecast.ready
    with pytest.raises(ScenarioError, match="at least 24 hours"):
        forecast.next(1)
    forecast.add([5.0])
    assert forecast.ready
    assert forecast.next(1).tolist() == [5.0]


def test_two_days_are_forecast():
    forecast = Forecast(DAY)
    assert len(forecast.next()) == 48
    with pytest.raises(ScenarioError, match="at most 48"):
        forecast.next(49)


def test_what_is_older_than_14_days_is_forgotten():
    rng = np.random.default_rng(1)
    old, new = rng.uniform(0, 1000, 100), rng.uniform(0, 1000, 14 * 24)
    forecast = Forecast(np.concatenate([old, new]))
    assert forecast.hours == 14 * 24
    assert forecast.next().tolist() == Forecast(new).next().tolist()
    assert (
        forecast.next().tolist() != Forecast(np.concatenate([old, new])[: 14 * 24]).next().tolist()
    )


@pytest.mark.parametrize("load", [-1.0, -1e-300, float("nan"), float("inf"), 2e300])
def test_loads_that_are_none(load):
    forecast = Forecast([1.0])
    with pytest.raises(ScenarioError, match="load"):
        forecast.add([load])
    assert forecast.hours == 1


# --- loads that repeat themselves are forecast to the bit -------------------------------------


@pytest.mark.parametrize("hours", [24, 25, 47, 100, 335, 336, 700])
@pytest.mark.parametrize("load", [0.0, 0.1, 1 / 3, 12345.678, 1e300, 5e-324])
def test_a_constant_load(hours, load):
    assert Forecast([load] * hours).next().tolist() == [load] * 48


@pytest.mark.parametrize("hours", [24, 25, 47, 48, 100, 335, 336, 700])
def test_a_daily_cycle(hours):
    loads = np.tile(DAY, 40)
    forecast = Forecast(loads[:hours])
    assert forecast.season == 24
    assert forecast.next().tolist() == loads[hours : hours + 48].tolist()


@pytest.mark.parametrize("hours", [336, 337, 400, 900])
def test_a_weekly_cycle_once_there_are_two_weeks(hours):
    loads = np.tile(WEEK, 6)
    forecast = Forecast(loads[:hours])
    assert forecast.season == 168
    assert forecast.next().tolist() == loads[hours : hours + 48].tolist()


def test_a_weekly_cycle_is_not_seen_before():
    loads = np.tile(WEEK, 3)
    forecast = Forecast(loads[:335])
    assert forecast.season == 24
    assert abs(forecast.next() - loads[335:383]).max() > 10


# --- a new level ------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 2, 5, 13])
@pytest.mark.parametrize("factor", [0.25, 1.5, 3.0])
def test_a_new_level_has_been_followed_a_day_later(days, factor):
    """Hours later than that, too: the shape is a mean of whole days, whatever their levels."""
    loads = np.concatenate([np.tile(DAY, 7), np.tile(DAY * factor, days)])
    assert Forecast(loads).next() == pytest.approx(np.tile(DAY * factor, 2), rel=1e-12)


def test_a_new_level_is_followed_in_proportion_to_the_hours_seen():
    # Level 100 for 10 days, then 200 for 6 hours: the last day had 125 on average. At the hours
    # of the new level the mean of the (whole) days is 110, at the others 100.
    forecast = Forecast([100.0] * 240 + [200.0] * 6)
    level = (18 * 100 + 6 * 200) / (18 * 100 + 6 * 110)
    expected = [100 * level] * 18 + [110 * level] * 6
    assert forecast.next(24) == pytest.approx(expected, rel=1e-12)


def test_a_week_is_followed_a_week_later():
    loads = np.concatenate([WEEK, WEEK * 2])
    forecast = Forecast(loads)
    assert forecast.season == 168
    assert forecast.next() == pytest.approx(2 * WEEK[:48], rel=1e-12)


def test_a_load_that_ceases_is_forecast_to_have_ceased():
    forecast = Forecast(np.concatenate([np.tile(DAY, 5), np.zeros(24)]))
    assert forecast.next().tolist() == [0.0] * 48


# --- noise ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cycle", "season", "due"), [(DAY, 24, 0.557), (WEEK, 168, 0.753)])
def test_noise_is_averaged(cycle, season, due):
    """Naive is to repeat the last season, whose squared error is 2 v.

    By the day 1 + 1/14 + 1/24 = 1.11 v are due, by the week 1 + 1/2 + 1/168 = 1.51 v, as if levels
    were all the same: where they are not it is a little more. The mean of 200 x 48 squares has a
    relative deviation of 1.5 %, and errors of one forecast share the noise of its level.
    """
    rng = np.random.default_rng(7)
    ours = naive = 0.0
    for _ in range(200):
        truth = np.tile(cycle, 400 * 24 // len(cycle))[: 16 * 24]
        seen = truth + rng.normal(0, 3, len(truth)).clip(-6, 6)
        past, future = seen[: 14 * 24], seen[14 * 24 :]
        forecast = Forecast(past)
        assert forecast.season == season
        ours += ((forecast.next() - future) ** 2).mean()
        repeated = np.resize(past[-season:], 48)
        naive += ((repeated - future) ** 2).mean()
    assert ours / naive == pytest.approx(due, rel=0.1)


# --- the same bits ----------------------------------------------------------------------------

LOADS = st.one_of(
    st.floats(0, 1e300),
    st.floats(0, 1000),
    st.sampled_from([0.0, 5e-324, 1e-300, 0.1, 1.0, 1e300]),
)


@settings(max_examples=60, deadline=None)
@given(cycle=st.lists(LOADS, min_size=1, max_size=200), hours=st.integers(24, 400))
def test_the_twin_has_the_same_bits(cycle, hours):
    loads = np.resize(cycle, hours).tolist()
    forecast = Forecast(loads)
    assert forecast.season == forecast_twin.season_of(loads[-336:])
    assert forecast.next().tolist() == forecast_twin.forecast(loads, 48)
    assert (forecast.next() >= 0).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_goes_its_own_way(copied):
    forecast = Forecast(np.tile(DAY, 3))
    before = forecast.next().tolist()
    twin = copied(forecast)
    twin.add([500.0] * 5)
    assert forecast.next().tolist() == before
    forecast.add([500.0] * 5)
    assert twin.next().tolist() == forecast.next().tolist() != before
