"""Series of a fixed interval: where an amount goes, merging, pickling."""

import copy
import pickle

import numpy as np
import pytest

from nephoscope._core import Series
from nephoscope.errors import InvariantError, NephoscopeError, SpecError


def filled(interval, times, amounts):
    series = Series(interval)
    series.add_many(times, amounts)
    return series


def test_amounts_go_to_the_interval_of_their_instant():
    series = Series(10)
    for time in (0, 9, 10, 10, 35, 3):
        series.add(time)
    series.add(19, amount=-5)
    np.testing.assert_array_equal(series.values(), [3, -3, 0, 1])
    assert len(series) == 4
    assert series.interval_ns == 10


@pytest.mark.parametrize("interval", [1, 7, 1000])
def test_any_order_gives_the_sums(interval):
    generator = np.random.default_rng(4)
    times = generator.integers(0, 20 * interval, 3000)
    amounts = generator.integers(-100, 100, 3000)
    sums = np.zeros(times.max() // interval + 1, dtype=np.int64)
    np.add.at(sums, times // interval, amounts)
    for order in (slice(None), np.argsort(times), np.argsort(-times)):
        series = filled(interval, times[order], amounts[order])
        np.testing.assert_array_equal(series.values(), sums)


def test_samples_are_appended():
    series = Series(5)
    for value in (3, -1, 2**62):
        series.push(value)
    np.testing.assert_array_equal(series.values(), [3, -1, 2**62])


@pytest.mark.parametrize(("until", "length"), [(0, 0), (1, 1), (10, 1), (11, 2), (100, 10)])
def test_extension_covers_the_instants_before(until, length):
    series = Series(10)
    series.extend_to(until)
    np.testing.assert_array_equal(series.values(), np.zeros(length))


def test_extension_never_shortens():
    series = filled(10, [95], [1])
    series.extend_to(20)
    assert len(series) == 10


def test_merging_adds_columns():
    short = filled(10, [5, 15], [1, 2])
    long = filled(10, [15, 45], [10, 20])
    both = short.copy()
    both.merge(long)
    long.merge(short)
    np.testing.assert_array_equal(both.values(), [1, 12, 0, 0, 20])
    assert both == long
    both.add(7)
    assert both != long


def test_merging_with_itself_doubles():
    series = filled(10, [5, 15], [1, 2])
    series.merge(series)
    np.testing.assert_array_equal(series.values(), [2, 4])


def test_other_intervals_are_not_merged():
    with pytest.raises(NephoscopeError, match="different intervals"):
        Series(10).merge(Series(20))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, Series.copy])
def test_copies_are_independent(duplicate):
    series = filled(10, [5, 15], [1, 2])
    other = duplicate(series)
    assert other == series
    other.add(5)
    np.testing.assert_array_equal(series.values(), [1, 2])


def test_pickling():
    series = filled(10, [5, 35], [1, 2])
    other = pickle.loads(pickle.dumps(series))
    assert other == series
    other.add(12, 7)
    np.testing.assert_array_equal(other.values(), [1, 7, 0, 2])


@pytest.mark.parametrize("interval", [0, -1])
def test_an_interval_below_one_is_refused(interval):
    with pytest.raises(SpecError, match="at least 1 ns"):
        Series(interval)


@pytest.mark.parametrize("time", [-1, -(2**63), 2**62])
def test_impossible_instants_are_refused(time):
    with pytest.raises(InvariantError, match="instant"):
        Series(1).add(time)


def test_fractions_are_not_taken():
    with pytest.raises(TypeError):
        Series(1).add_many(np.array([1.5]), np.array([1]))


def test_series_have_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Series(1))
