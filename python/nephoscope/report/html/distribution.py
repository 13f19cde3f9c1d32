"""The distribution of latencies: how many requests were slower, both on logarithmic scales."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nephoscope import _core
from nephoscope.report.html import svg
from nephoscope.report.terminal import count, seconds

_WIDTH, _HEIGHT = 760.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 92.0, 16.0, 12.0, 40.0
_POINTS_MAX = 240
# The few requests that were faster than all others would take half of the picture.
_BEGIN = 0.99
# A scale spans at least this factor on either side.
_WIDE = 1.2

# Shares of slower requests with the names that their latencies go by.
_QUANTILES = {0.5: "p50", 0.1: "p90", 0.01: "p99", 1e-3: "p99.9", 1e-4: "p99.99", 1e-5: "p99.999"}


@dataclass(frozen=True)
class Tail:
    """Of one traffic: latencies (s), and the share of its requests that took longer."""

    name: str
    points: list[svg.Point]
    requests: int


class Histograms(Protocol):
    """A run, or several, whose latencies can be had."""

    def histogram(self, path: str) -> _core.Histogram:
        """Those of a part by its path, ns."""


def tails(runs: Histograms, traffic: Sequence[str]) -> list[Tail]:
    """Those of all traffic that had answers, as many as there are lines, the largest first."""
    found = [tail for name in traffic for tail in tail_of(name, runs.histogram(f"traffic.{name}"))]
    return sorted(found, key=lambda tail: -tail.requests)[: svg.LINES_MAX]


def tail_picture(lines: list[Tail]) -> str:
    """The curves of all of them in one picture."""
    low = max(min(x for tail in lines for x, y in tail.points if y <= _BEGIN), 1e-9)
    high = max(x for tail in lines for x, _ in tail.points)
    if high < _WIDE * low:  # as constant work has it
        low, high = low / _WIDE, high * _WIDE
    least = min(y for tail in lines for _, y in tail.points)
    floor = next((share for share in _QUANTILES if share <= least), 1e-5)

    def x_of(latency: float) -> float:
        part = math.log(max(latency, low) / low) / math.log(high / low)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def y_of(share: float) -> float:
        part = math.log(max(share, floor)) / math.log(floor)
        return _TOP + part * (_HEIGHT - _TOP - _BOTTOM)

    drawn = [*_grid(x_of, y_of, low, high, floor)]
    for i, tail in enumerate(lines):
        points = [(x_of(x), y_of(y)) for x, y in tail.points if y >= floor]
        drawn.append(svg.polyline(points, i))
    words = "; ".join(f"{tail.name}: {count(tail.requests)} requests" for tail in lines)
    label = f"Share of requests slower than a latency, logarithmic scales. {words}"
    return svg.picture(_WIDTH, _HEIGHT, label, *drawn, class_="chart")


def tail_of(name: str, histogram: _core.Histogram) -> Iterator[Tail]:
    """That of a histogram of latencies (ns), if there are any in it."""
    if not histogram.count:
        return
    _, upper, counts = histogram.buckets()
    slower = histogram.count - np.cumsum(np.asarray(counts, dtype=np.int64))
    # By the share and not by the bucket, so that the tail keeps its points: it has the fewest.
    steps = np.unique(np.searchsorted(-slower, -np.geomspace(histogram.count, 0.5, _POINTS_MAX)))
    picked = [int(i) for i in steps if i < len(slower) and slower[i] > 0]
    points = [(float(upper[i]) / 1e9, float(slower[i]) / histogram.count) for i in picked]
    last = (histogram.max / 1e9, 1.0 / histogram.count)
    first = (max(histogram.min, 1) / 1e9, 1.0)
    yield Tail(name, [first, *points, last], histogram.count)


def _grid(x_of: svg.Scale, y_of: svg.Scale, low: float, high: float, floor: float) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for share, name in _QUANTILES.items():
        if share >= floor:
            y = y_of(share)
            yield svg.line((_LEFT, y), (right, y), class_="grid")
            yield svg.text(name, _LEFT - 8, y + 5, class_="tick", text_anchor="end")
    steps = [x for decade in svg.decades(low / 10, high) for x in (decade, 2 * decade, 5 * decade)]
    inside = [x for x in steps if low <= x <= high]
    few = inside if len(inside) <= 8 else svg.decades(low, high)
    for i, x in enumerate(few):
        yield svg.line((x_of(x), _TOP), (x_of(x), bottom), class_="grid")
        odd = " odd" if i % 2 else ""
        yield svg.text(seconds(x), x_of(x), bottom + 22, class_=f"tick{odd}", text_anchor="middle")
