"""Estimates and intervals, by hand: means, quantiles of all requests together, differences."""

from math import sqrt

import pytest
from scipy import stats

from nephoscope import _core
from nephoscope.experiment.interval import Interval, Pooled, difference_of, interval_of

P50 = "traffic.users.latency_s.p50"
RATE = "traffic.users.lost_share"


class FakeRun:
    """A run that recorded these latencies (s) and has these other numbers."""

    def __init__(self, latencies, **numbers):
        self.latencies = _core.Histogram()
        self.latencies.record_many([round(it * 1e9) for it in latencies])
        self.numbers = {f"traffic.users.{key}": value for key, value in numbers.items()}
        if latencies:
            self.numbers[P50] = self.latencies.quantile(0.5) / 1e9

    def number(self, path):
        return self.numbers.get(path)

    def histogram(self, part):
        return self.latencies if part == "traffic.users.latency_s" else None


def test_a_mean_has_students_interval():
    values = [1.0, 2.0, 4.0, 9.0]
    interval = Interval.of(values)
    low, high = stats.t.interval(0.95, 3, 4.0, stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert (interval.value, interval.mean, interval.n) == (4.0, 4.0, 4)
    wide = Interval.of(values, 0.99)
    low, high = stats.t.interval(0.99, 3, 4.0, stats.sem(values))
    assert (wide.low, wide.high) == pytest.approx((low, high))


def test_one_value_has_no_interval_and_equal_ones_an_empty_one():
    alone = Interval.of([5.0])
    assert alone == Interval(5.0, None, None, None, 1, 5.0)
    assert alone.half_width is None
    assert Interval.of([5.0, 5.0]).half_width == 0.0


def test_a_quantile_is_of_all_requests_together_with_woodruffs_interval():
    # 100 values of 1 to 100 ms, and 200 of 51 to 150 ms, each twice. Up to x ms between 51 and 100
    # are x + 2 (x - 50) of all 300: 149 up to 83 ms and 152 up to 84 ms, which is the median.
    first = [i / 1000 for i in range(1, 101)]
    second = [i / 1000 for i in range(51, 151) for _ in range(2)]
    runs = [FakeRun(first), FakeRun(second)]
    interval = interval_of(runs, P50)
    assert interval.value == pytest.approx(0.084, rel=0.005)
    assert interval.mean == pytest.approx((0.050 + 0.100) / 2, rel=0.01)
    # Of 84 and 68, 50.7 and 101.3 were expected: residuals of 33.3 both, so that the share has an
    # error of sqrt(2 (33.3^2 + 33.3^2)) / 300, or 0.22; times 12.7 that is all there is and more.
    assert (interval.low, interval.high) == (pytest.approx(0.001, rel=0.01), None)
    assert interval.half_width is None
    # Of 20 such pairs the error is small.
    many = interval_of(runs * 20, P50)
    residual = 84 - 100 * 152 / 300
    error = sqrt(40 / 39 * 40 * residual**2) / 6000
    reach = stats.t.ppf(0.975, 39) * error
    low, high = ((300 * (0.5 + sign * reach) + 100) / 3 / 1000 for sign in (-1, 1))
    assert many.low == pytest.approx(low, rel=0.02)
    assert many.high == pytest.approx(high, rel=0.02)
    assert many.half_width == max(many.high - many.value, many.value - many.low)


def test_a_quantile_that_never_varies_is_known_as_well_as_a_histogram_knows_it():
    interval = interval_of([FakeRun([1, 2, 3]), FakeRun([1, 2, 3])], P50)
    assert interval.std == 0.0
    assert interval.low <= 2.0 <= interval.high
    assert interval.half_width == pytest.approx(interval.value / 256)


def test_a_quantile_without_a_histogram_is_a_mean():
    runs = [FakeRun([], **{"other_s.p50": value}) for value in (1.0, 3.0)]
    assert interval_of(runs, "traffic.users.other_s.p50").value == 2.0
    assert Pooled(runs).interval("traffic.users.p50", [4.0]).value == 4.0


def test_runs_that_lack_a_number_are_left_out():
    runs = [FakeRun([1], lost_share=0.5), FakeRun([]), FakeRun([1], lost_share=0.1)]
    assert interval_of(runs, RATE).n == 2
    assert interval_of(runs, RATE).value == pytest.approx(0.3)
    assert interval_of(runs, P50).n == 2
    assert interval_of([FakeRun([])], P50) is None


def test_what_was_never_lost_may_be_lost_all_the_same():
    runs = [FakeRun([1], lost_share=0.0, offered=500) for _ in range(4)]
    interval = interval_of(runs, RATE)
    # Of 2,000 requests none with a probability of 2.5 %: 3.69 in 2,000; one-sided at 95 % three.
    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(3.688879 / 2000)
    assert interval_of(runs, RATE, 0.9).high == pytest.approx(2.995732 / 2000)
    assert interval_of(runs[:1], RATE).high is None
    seen = [*runs, FakeRun([1], lost_share=0.01, offered=500)]
    assert interval_of(seen, RATE).high == pytest.approx(Interval.of([0.0] * 4 + [0.01]).high)


def test_differences_are_paired():
    ours = [FakeRun([1], lost_share=value) for value in (0.11, 0.52, 0.93)]
    base = [FakeRun([1], lost_share=value) for value in (0.10, 0.50, 0.90)]
    found = difference_of(ours, base, RATE, 0.95)
    # Differences 0.01, 0.02, 0.03: the spread of 0.4 from run to run is in none of them.
    assert found.value == pytest.approx(0.02)
    assert found.std == pytest.approx(0.01)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 2) * 0.01 / sqrt(3))
    back = difference_of(base, ours, RATE, 0.95)
    assert (back.value, back.half_width) == pytest.approx((-found.value, found.half_width))


def test_a_pair_needs_both_sides():
    ours = [FakeRun([1], lost_share=0.2), FakeRun([1]), FakeRun([1], lost_share=0.4)]
    base = [FakeRun([1]), FakeRun([1], lost_share=0.1), FakeRun([1], lost_share=0.1)]
    found = difference_of(ours, base, RATE, 0.95)
    assert (found.n, found.half_width) == (1, None)
    assert difference_of(ours[:1], base[:1], RATE, 0.95) is None
