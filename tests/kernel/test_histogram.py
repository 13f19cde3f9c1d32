"""The histogram: bucket error, exact sums, exact merging, ranks, pickling."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoscope._core import Histogram
from nephoscope.errors import StateError

GREATEST = 2**63 - 1


def filled(values):
    histogram = Histogram()
    histogram.record_many(np.asarray(values, dtype=np.int64))
    return histogram


def wide_values(n, seed=6):
    """Durations spread evenly over the octaves, from 0 ns to three hours."""
    generator = np.random.default_rng(seed)
    return (2 ** generator.uniform(0, 43, n)).astype(np.int64) - 1


def nearest_rank(values, p):
    return sorted(values)[max(math.ceil(round(p * len(values), 6)), 1) - 1]


def bucket(value):
    """Bounds of the bucket of a value: the middle one of three, so that nothing is clamped."""
    lower, upper, counts = filled([value]).buckets()
    assert counts.tolist() == [1]
    return int(lower[0]), int(upper[0])


POWERS = sorted(
    {value + d for value in (2**k for k in range(63)) for d in (-1, 0, 1) if value + d >= 0}
)


@pytest.mark.parametrize("value", [*POWERS, GREATEST])
def test_the_mid_point_is_within_half_a_percent(value):
    lower, upper = bucket(value)
    assert lower <= value <= upper
    middle = (lower + upper + 1) // 2
    assert abs(middle - value) <= 0.004 * value
    if value < 256:
        assert lower == upper


def test_buckets_leave_no_gap():
    lower, upper, _ = filled(np.unique(np.array([*range(3000), *POWERS]))).buckets()
    assert (lower[1:] > upper[:-1]).all()
    near = lower < 3000
    assert (lower[near][1:] == upper[near][:-1] + 1).all()


@given(st.lists(st.integers(0, GREATEST), min_size=1, max_size=60), st.floats(0, 1))
def test_quantiles_are_nearest_ranks(values, p):
    histogram = filled(values)
    # A rank within rounding of an integer may go either way.
    rank = p * len(values)
    ranks = {max(math.ceil(rank * (1 + d)), 1) for d in (-1e-14, 0)}
    exact = [sorted(values)[r - 1] for r in ranks]
    assert any(abs(histogram.quantile(p) - value) <= 0.004 * value for value in exact)


def test_quantiles_of_many_values():
    values = wide_values(100_001)
    histogram = filled(values)
    for p in (0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1):
        assert histogram.quantile(p) == pytest.approx(nearest_rank(values, p), rel=0.005)


def test_small_values_have_exact_quantiles():
    values = np.random.default_rng(7).integers(0, 256, 1000)
    histogram = filled(values)
    for p in np.linspace(0, 1, 41):
        assert histogram.quantile(p) == nearest_rank(values, p)


def test_ranks_are_not_pushed_up_by_rounding():
    histogram = filled(range(1, 101))
    assert [histogram.quantile(k / 100) for k in range(1, 101)] == list(range(1, 101))


def test_the_ends_are_exact():
    histogram = filled([1_000_003, 5_000_001, 9_999_999])
    assert (histogram.min, histogram.max) == (1_000_003, 9_999_999)
    assert (histogram.quantile(0), histogram.quantile(1)) == (1_000_003, 9_999_999)


@given(st.lists(st.integers(0, GREATEST), min_size=1, max_size=100))
def test_moments_are_exact(values):
    histogram = filled(values)
    n, total, squares = len(values), sum(values), sum(value * value for value in values)
    assert (histogram.count, len(histogram)) == (n, n)
    assert histogram.sum == total
    assert histogram.sum_of_squares == squares
    assert histogram.mean == pytest.approx(total / n, rel=1e-15)
    assert histogram.std == pytest.approx(math.sqrt(n * squares - total * total) / n, rel=1e-14)


def test_a_small_spread_far_from_zero_is_not_lost():
    values = [10**15 + d for d in (0, 1, 2, 3, 4)]
    assert filled(values).std == pytest.approx(math.sqrt(2), rel=1e-15)


@given(
    st.lists(st.integers(0, GREATEST), max_size=50), st.lists(st.integers(0, GREATEST), max_size=50)
)
def test_merging_is_recording_together(left, right):
    merged = filled(left)
    merged.merge(filled(right))
    swapped = filled(right)
    swapped.merge(filled(left))
    both = filled(left + right)
    assert merged == both
    assert swapped == both
    for mine, theirs in zip(merged.buckets(), both.buckets(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_merging_with_itself_doubles():
    values = wide_values(1000).tolist()
    histogram = filled(values)
    histogram.merge(histogram)
    assert histogram == filled(values * 2)


def test_order_does_not_matter():
    values = wide_values(2000)
    assert filled(values) == filled(np.sort(values)) == filled(np.sort(values)[::-1])


def test_one_at_a_time_is_the_same():
    values = wide_values(300)
    histogram = Histogram()
    for value in values:
        histogram.record(int(value))
    assert histogram == filled(values)


def test_different_contents_differ():
    assert filled([1, 5]) != filled([2, 4])
    assert filled([1]) != Histogram()
    assert filled([1]) != 1


def test_an_empty_histogram():
    histogram = Histogram()
    assert histogram == filled([])
    assert (histogram.count, histogram.sum, histogram.sum_of_squares) == (0, 0, 0)
    assert histogram.summary() == {"count": 0}
    assert [len(column) for column in histogram.buckets()] == [0, 0, 0]
    for name in ("min", "max", "mean", "std"):
        with pytest.raises(ValueError, match="empty"):
            getattr(histogram, name)
    with pytest.raises(ValueError, match="empty"):
        histogram.quantile(0.5)
    histogram.merge(Histogram())
    assert histogram.count == 0


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_probabilities_outside_the_unit_interval_are_refused(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        filled([1]).quantile(p)


def test_negative_durations_are_refused_and_nothing_is_recorded():
    histogram = filled([5])
    with pytest.raises(ValueError, match="never negative"):
        histogram.record_many(np.array([7, -1]))
    with pytest.raises(ValueError, match="never negative"):
        histogram.record(-(2**63))
    assert histogram == filled([5])


def test_fractions_are_not_taken():
    with pytest.raises(TypeError):
        Histogram().record_many(np.array([1.5]))


def test_the_summary_is_in_seconds():
    values = np.arange(1, 1001) * 10**6
    summary = filled(values).summary()
    names = ["count", "mean", "std", "min", "p50", "p90", "p95", "p99", "p999", "max"]
    assert list(summary) == names
    assert summary["count"] == 1000
    assert summary["mean"] == pytest.approx(0.5005, rel=1e-15)
    assert summary["std"] == pytest.approx(values.std() / 1e9, rel=1e-12)
    assert (summary["min"], summary["max"]) == (0.001, 1.0)
    for name, rank in {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p999": 999}.items():
        assert summary[name] == pytest.approx(rank / 1000, rel=0.004)


def test_bucket_counts_add_up():
    values = wide_values(5000)
    lower, upper, counts = filled(values).buckets()
    assert counts.sum() == 5000
    inside = [
        (values[(values >= a) & (values <= b)]).size for a, b in zip(lower, upper, strict=True)
    ]
    np.testing.assert_array_equal(counts, inside)


def test_counts_up_to_a_value_are_those_of_whole_buckets():
    values = wide_values(2000)
    histogram = filled(values[values >= 1000])
    lower, _, counts = histogram.buckets()
    for value in (0, 999, int(lower[3]) - 1, int(lower[3]), int(values.max()), GREATEST):
        assert histogram.up_to(value) == counts[lower <= value].sum()
    assert Histogram().up_to(7) == 0
    with pytest.raises(ValueError, match="never negative"):
        histogram.up_to(-1)


@given(st.lists(st.integers(0, GREATEST), max_size=50))
def test_packing(values):
    histogram = filled(values)
    again = Histogram.unpack(histogram.pack())
    assert again == histogram
    assert (again.count, again.sum, again.sum_of_squares) == (
        histogram.count,
        histogram.sum,
        histogram.sum_of_squares,
    )


def test_equal_histograms_are_packed_alike_whatever_they_have_reserved():
    upwards, downwards = filled([5, 10**6, 10**12]), filled([10**12, 10**6, 5])
    upwards.merge(Histogram())
    assert upwards.pack() == downwards.pack()
    assert upwards.pack() != filled([5, 10**6, 10**12 + 1]).pack()
    assert Histogram().pack() == b"\0"


def test_a_bucket_takes_two_bytes_or_three():
    assert len(filled(wide_values(5000)).pack()) < 3 * 3100


def test_damaged_packs_are_refused():
    data = filled([3, 70, 70, 5000]).pack()
    damaged = [data[:end] for end in range(len(data))] + [data + b"\0", b"\xff" * 11]
    # The count, and one of a bucket that is out of reach.
    damaged += [b"\5" + data[1:], data[:-2] + b"\x7f" + data[-1:]]
    for it in damaged:
        with pytest.raises(StateError, match="damaged"):
            Histogram.unpack(it)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, Histogram.copy])
def test_copies_are_independent(duplicate):
    histogram = filled([1, 2])
    other = duplicate(histogram)
    assert other == histogram
    other.record(3)
    assert histogram.count == 2


@pytest.mark.parametrize("values", [[], [0], [3, GREATEST], wide_values(500).tolist()])
def test_pickling(values):
    histogram = filled(values)
    other = pickle.loads(pickle.dumps(histogram))
    assert other == histogram
    assert other.sum_of_squares == histogram.sum_of_squares
    other.record(12)
    assert other == filled([*values, 12])


@pytest.mark.parametrize(
    ("field", "value"),
    [(0, 3), (0, 2**40), (1, np.zeros(128, dtype=np.uint64)), (2, 5), (8, 10**9), (9, -1)],
)
def test_damaged_pickles_are_refused(field, value):
    state = filled([1, 2, 3]).__getstate__()
    state[field] = value
    with pytest.raises(StateError, match="damaged"):
        Histogram.__new__(Histogram).__setstate__(state)


def test_histograms_have_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Histogram())
