"""Intervals: what many runs say of one number, and how far off that may be.

A number of a run is a mean, a count or a share, or it is a quantile. Of the first kind the estimate
is the mean over the runs, with Student's interval. The mean of the quantiles of many runs is not a
quantile: it is off by an amount that more runs do not lessen. So the estimate of a quantile is the
quantile of all requests of all runs together. Its interval is Woodruff's (JASA 47, 1952): how often
the estimate is not exceeded is a share, of which the runs give a Student interval (a ratio of sums
over runs, Cochran, Sampling Techniques, 6.3, since runs differ in their number of requests), and
the quantiles at the ends of that interval are those of this one. It is not symmetrical, and where
the requests do not reach as far up as its upper end it has none. Histograms know a quantile within
0.4 %, which no number of runs mends, so that is added at both ends.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nephoscope import _core
from nephoscope.experiment.outcome import LOST_SHARE, Run
from nephoscope.experiment.student import t_quantile

CONFIDENCE = 0.95

# Of the engine's histograms: half a bucket is at most this part of the value in it.
HALF_BUCKET = 1 / 256

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate from independent runs, and the interval in which what it estimates lies."""

    value: float
    """The estimate: the mean over the runs; of a quantile, that of all their requests together."""
    low: float | None
    """The lower end; the truth is between the ends with a probability of 95 %, unless told
    otherwise. None of one run."""
    high: float | None
    """The upper end; None too of a quantile that is too far out for the number of requests."""
    std: float | None
    """Standard deviation from run to run."""
    n: int
    """Runs that have the number: one without a request has no latency."""
    mean: float
    """The mean over the runs, which is the estimate unless that is a quantile."""

    @property
    def half_width(self) -> float | None:
        """How far the estimate may be off: the distance to the farther end."""
        if self.low is None or self.high is None:
            return None
        return max(self.high - self.value, self.value - self.low)

    @classmethod
    def of(cls, values: Sequence[float], confidence: float = CONFIDENCE) -> "Interval":
        """Student's interval of the mean of independent values."""
        n = len(values)
        mean = float(np.mean(values))
        if n < 2:
            return cls(mean, None, None, None, n, mean)
        std = float(np.std(values, ddof=1))
        half_width = t_quantile(confidence, n - 1) * std / n**0.5
        return cls(mean, mean - half_width, mean + half_width, std, n, mean)


class _Part:
    """The latencies of one part of the system: those of each run, and all together."""

    def __init__(self, histograms: Sequence[_core.Histogram]) -> None:
        self.histograms = histograms
        self.merged = _core.Histogram()
        for histogram in histograms:
            self.merged.merge(histogram)
        self.counts = np.array([histogram.count for histogram in histograms], dtype=np.float64)

    def quantile(self, p: float) -> float:
        return self.merged.quantile(p) / 1e9

    def ends(self, p: float, confidence: float) -> tuple[float | None, float | None]:
        """Woodruff's interval of the quantile."""
        n, total = len(self.histograms), float(self.counts.sum())
        if n < 2:
            return None, None
        estimate = self.merged.quantile(p)
        below = np.array([float(histogram.up_to(estimate)) for histogram in self.histograms])
        residuals = below - self.counts * (below.sum() / total)
        error = np.sqrt(n / (n - 1) * np.sum(residuals**2)) / total
        reach = t_quantile(confidence, n - 1) * float(error)
        low = self.quantile(max(p - reach, 0.0)) * (1.0 - HALF_BUCKET)
        if p + reach > 1.0 - 1.0 / total:
            return low, None
        return low, self.quantile(p + reach) * (1.0 + HALF_BUCKET)


class Pooled:
    """The latencies of several runs together, each part of the system merged once."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._parts: dict[str, _Part | None] = {}

    def interval(
        self, path: str, values: Sequence[float], confidence: float = CONFIDENCE
    ) -> Interval:
        """The interval of a number that the runs have these values of."""
        plain = Interval.of(values, confidence)
        name, _, quantile = path.rpartition(".")
        part = self._part(name) if quantile in QUANTILES and name.endswith("_s") else None
        if part is None:
            return self._unseen(path, plain, confidence) if not any(values) else plain
        p = QUANTILES[quantile]
        low, high = part.ends(p, confidence)
        return Interval(part.quantile(p), low, high, plain.std, plain.n, plain.mean)

    def _unseen(self, path: str, plain: Interval, confidence: float) -> Interval:
        """The interval of a share of requests that no run has had any of.

        That nothing was lost of n does not mean that nothing can be: with a share of 3 / n that
        happens once in twenty times (Hanley and Lippman-Hand, JAMA 249, 1983).
        """
        part, _, name = path.rpartition(".")
        if name != LOST_SHARE or plain.high is None:
            return plain
        offered = sum(run.number(f"{part}.offered") or 0.0 for run in self._runs)
        high = min(-math.log((1.0 - confidence) / 2.0) / offered, 1.0)
        return replace(plain, high=high)

    def _part(self, name: str) -> _Part | None:
        """The part; None where a run keeps no histogram of it."""
        if name not in self._parts:
            found = [run.histogram(name) for run in self._runs]
            known = [histogram for histogram in found if histogram is not None]
            having = [histogram for histogram in known if histogram.count]
            complete = len(known) == len(found) and len(having) > 0
            self._parts[name] = _Part(having) if complete else None
        return self._parts[name]


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
    much the same on both sides, and quantiles of all requests would differ in steps of the
    histogram, which may be wider than the interval of paired values.
    """
    pairs = [(a.number(path), b.number(path)) for a, b in zip(runs, base, strict=True)]
    values = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
    return Interval.of(values, confidence=confidence) if values else None
