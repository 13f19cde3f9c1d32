"""Intervals: what many runs say of one number, and how far off that may be.

A number of a run is a mean, a count or a share, or it is a quantile. Of the first kind the estimate
is the mean over the runs, with Student's interval. The mean of the quantiles of many runs is not a
quantile: it is off by an amount that more runs do not lessen. So the estimate of a quantile is the
quantile of all requests of all runs together, and its interval is that of sectioning (Asmussen and
Glynn, Stochastic Simulation, 2007, III.5a; Nakayama, ACM TOMACS 24(4), 2014), with the runs as
sections: their quantiles deviate from that estimate, not from their own mean, so that what a single
run is off by makes the interval wider. Histograms know a quantile within 0.4 %, which no number of
runs mends, so that is added at both ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nephoscope import _core
from nephoscope.errors import PathError
from nephoscope.experiment.metrics import number_at, numbers_of
from nephoscope.experiment.student import t_quantile
from nephoscope.results import Result

CONFIDENCE = 0.95

# Of the engine's histograms: half a bucket is at most this part of the value in it.
HALF_BUCKET = 1 / 256

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate from independent runs, and the interval in which what it estimates lies."""

    value: float
    """The estimate: the mean over the runs; of a quantile, that of all their requests together."""
    half_width: float | None
    """Of the interval, which has a probability of 95 % unless told otherwise; None of one run."""
    std: float | None
    """Standard deviation from run to run, around the estimate."""
    n: int
    """Runs that have the number: one without a request has no latency."""
    mean: float
    """The mean over the runs, which is the estimate unless that is a quantile."""

    @property
    def low(self) -> float | None:
        """The lower end."""
        return None if self.half_width is None else self.value - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end."""
        return None if self.half_width is None else self.value + self.half_width

    @classmethod
    def of(
        cls,
        values: Sequence[float],
        estimate: float | None = None,
        confidence: float = CONFIDENCE,
        resolution: float = 0.0,
    ) -> "Interval":
        """Student's interval of independent values, around their mean or another estimate.

        `resolution` is what the estimate may be off by however many values there are.
        """
        n = len(values)
        mean = float(np.mean(values))
        value = mean if estimate is None else estimate
        if n < 2:
            return cls(value, None, None, n, mean)
        std = float(np.sqrt(np.sum((np.asarray(values) - value) ** 2) / (n - 1)))
        half_width = t_quantile(confidence, n - 1) * std / n**0.5 + resolution
        return cls(value, half_width, std, n, mean)


class Run(Protocol):
    """What an experiment needs to know of a run."""

    def number(self, path: str) -> float | None:
        """A number by its path; None where it is missing or undefined."""

    def histogram(self, part: str) -> _core.Histogram | None:
        """The latencies of a part of the system, where they are kept."""


class ResultRun:
    """A result as a run of an experiment."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.numbers: Mapping[str, float] = numbers_of(result)

    def number(self, path: str) -> float | None:
        """A number by its path; also of a target that is one of too many to be listed."""
        if path in self.numbers:
            return self.numbers[path]
        try:
            value = number_at(self.result, path)
        except PathError:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number else None

    def histogram(self, part: str) -> _core.Histogram | None:
        """The latencies of a part of the system."""
        try:
            return self.result.histogram(part)
        except PathError:
            return None


class Pooled:
    """The latencies of several runs together, each part merged once."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._merged: dict[str, _core.Histogram | None] = {}

    def interval(
        self, path: str, values: Sequence[float], confidence: float = CONFIDENCE
    ) -> Interval:
        """The interval of a number that the runs have these values of."""
        quantile = self.quantile_s(path)
        if quantile is None:
            return Interval.of(values, None, confidence)
        return Interval.of(values, quantile, confidence, quantile * HALF_BUCKET)

    def quantile_s(self, path: str) -> float | None:
        """The quantile at a path such as `traffic.customers.latency_s.p99`; None if it is none."""
        part, _, name = path.rpartition(".")
        if name not in QUANTILES or not part.endswith("_s"):
            return None
        if part not in self._merged:
            self._merged[part] = self._merge(part)
        merged = self._merged[part]
        return None if merged is None else merged.quantile(QUANTILES[name]) / 1e9

    def _merge(self, part: str) -> _core.Histogram | None:
        merged = _core.Histogram()
        for run in self._runs:
            histogram = run.histogram(part)
            if histogram is None:
                return None
            merged.merge(histogram)
        return merged if merged.count else None


def interval_of(runs: Sequence[Run], path: str, confidence: float = CONFIDENCE) -> Interval | None:
    """What these runs say of one number; None where none of them has it."""
    having = [(run, value) for run in runs if (value := run.number(path)) is not None]
    if not having:
        return None
    pooled = Pooled([run for run, _ in having])
    return pooled.interval(path, [value for _, value in having], confidence)


def difference_of(
    runs: Sequence[Run], base: Sequence[Run], path: str, confidence: float
) -> Interval | None:
    """What one series of runs has more of than another, run for run; None without a pair.

    Always the mean of the differences, of quantiles too: what runs of one length are off by is
    much the same on both sides, and pooled quantiles would differ in steps of the histogram, which
    may be wider than the interval of paired values.
    """
    pairs = [(a.number(path), b.number(path)) for a, b in zip(runs, base, strict=True)]
    values = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
    return Interval.of(values, confidence=confidence) if values else None
