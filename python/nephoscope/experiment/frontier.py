"""Frontier: the cells of a sweep that no other beats by two metrics, and what can be told of that.

A cell beats another that is worse by one metric and no better by the other. Estimates are off, so a
line through the best of them says too much. Here a cell counts as better than another if the
interval of their paired difference (all cells have the same random numbers) is on one side of 0,
and as equal if the two had the same number in every replication; otherwise it is not known which
is better. By Bonferroni each of the m differences, those of all pairs by both metrics, has an
interval at 1 - (1 - confidence)/m, so that all that is said holds together. So a cell is

    beaten        by another, which is named
    on            the frontier: every other is worse by some metric, or its equal by both
    undecided     neither: more replications, or longer runs, would tell
    undefined     one of the metrics is in less than two replications

What no other is shown to beat (`on` and `undecided`) holds the true frontier with the confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nephoscope.datasets import Column
from nephoscope.errors import PathError
from nephoscope.experiment.interval import Interval
from nephoscope.experiment.replicate import interval_tree
from nephoscope.experiment.student import t_quantile
from nephoscope.experiment.sweep import Cell, Sweep
from nephoscope.nearest import listing, nearest
from nephoscope.results import engine_version
from nephoscope.tables import Columns, Tabular, interval_columns, texts

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """A cell of the sweep as a point of the plane."""

    cell: Cell
    x: Interval | None
    y: Interval | None
    verdict: str
    """`on`, `undecided`, `beaten` or `undefined`."""
    beaten_by: str | None
    """The label of a cell that beats it for certain."""
    estimated: bool
    """Whether no other beats it by the estimates alone."""

    @property
    def label(self) -> str:
        """The name of the cell."""
        return self.cell.label

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "label": self.label,
            "x": None if self.x is None else interval_tree(self.x),
            "y": None if self.y is None else interval_tree(self.y),
            "verdict": self.verdict,
            "beaten_by": self.beaten_by,
            "estimated": self.estimated,
        }


def _point_rows(found: "Frontier") -> Columns:
    points = found.points
    columns = [texts("label", [it.label for it in points])]
    for metric, intervals in ((found.x, [p.x for p in points]), (found.y, [p.y for p in points])):
        value, low, high, _, n = interval_columns(intervals)
        ends = {"": value, ".low": low, ".high": high, ".n": n}
        columns += [it._replace(name=f"{metric}{end}") for end, it in ends.items()]
    return [
        *columns,
        texts("verdict", [it.verdict for it in points]),
        texts("beaten_by", [it.beaten_by for it in points]),
        Column("estimated", "truth", [it.estimated for it in points]),
    ]


@dataclass(frozen=True)
class Frontier(Tabular):
    """All cells of a sweep by two metrics, in the order of the first."""

    _tables: ClassVar = {"points": _point_rows}

    sweep: Sweep
    x: str
    y: str
    greater: tuple[str, ...]
    """Of the two, those of which more is better."""
    confidence: float
    each_confidence: float
    """Of each interval of a difference."""
    points: tuple[Point, ...]

    @property
    def kept(self) -> tuple[Point, ...]:
        """The points that no other is shown to beat, by x."""
        return tuple(it for it in self.points if it.verdict in ("on", "undecided"))

    def __getitem__(self, label: str) -> Point:
        """A point by the label of its cell."""
        cell = self.sweep[label]
        return next(it for it in self.points if it.cell is cell)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `nephoscope sweep --frontier X,Y --json` has it."""
        return {
            "x": self.x,
            "y": self.y,
            "greater_is_better": list(self.greater),
            "confidence": self.confidence,
            "each_confidence": self.each_confidence,
            "correction": "bonferroni",
            "points": [point.to_dict() for point in self.points],
        }

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)

    def _origin(self) -> dict[str, Any]:
        keys = ("scenario", "seed", "replications")
        origin = {key: getattr(self.sweep, key) for key in keys} | {"engine": engine_version()}
        return origin | {key: getattr(self, key) for key in ("confidence", "each_confidence")}


def frontier(
    found: Sweep,
    x: str,
    y: str,
    *,
    greater: Sequence[str] = (),
    confidence: float | None = None,
) -> Frontier:
    """The cells of a sweep that no other beats by two of its metrics.

    Less is better, but of those in `greater`. The confidence, by default that of the sweep, is that
    of all that is said of all cells together.
    """
    check_metrics(found.metrics, x, y, greater)
    if found.replications < 2:
        raise PathError(
            "a frontier needs a sweep of at least two replications: one has no interval"
        )
    confidence = found.confidence if confidence is None else confidence
    if not 0.0 < confidence < 1.0:
        raise ValueError("a confidence is above 0 and below 1, such as 0.95")
    cells = len(found.cells)
    each = 1.0 - (1.0 - confidence) / max(cells * (cells - 1), 1)
    signs = [-1.0 if metric in greater else 1.0 for metric in (x, y)]
    runs = [sign * _runs_of(found, metric) for sign, metric in zip(signs, (x, y), strict=True)]
    estimates = [
        sign * _estimates_of(found, metric) for sign, metric in zip(signs, (x, y), strict=True)
    ]
    # Of a difference known from so many pairs: half its interval, in standard deviations.
    several = range(2, found.replications + 1)
    reaches = np.array([0.0, 0.0, *(t_quantile(each, n - 1) / n**0.5 for n in several)])
    points = []
    for i, cell in enumerate(found.cells):
        worse = [_orders(it, i, reaches) for it in runs]
        verdict, by = _verdict(worse, [it[i] for it in runs], i)
        ours = [it[i] for it in estimates]
        beats = _beats([np.sign(it - own) for it, own in zip(estimates, ours, strict=True)])
        points.append(
            Point(
                cell,
                cell.intervals[x],
                cell.intervals[y],
                verdict,
                None if by is None else found.cells[by].label,
                verdict != "undefined" and not bool(beats.any()),
            )
        )
    order = sorted(
        range(cells), key=lambda i: (np.isnan(estimates[0][i]), *(it[i] for it in estimates))
    )
    better = tuple(dict.fromkeys(greater))
    return Frontier(found, x, y, better, confidence, each, tuple(points[i] for i in order))


def check_metrics(known: Sequence[str], x: str, y: str, greater: Sequence[str] = ()) -> None:
    """Refuse metrics that a sweep does not have, or one that is given twice."""
    for metric in (x, y):
        if metric not in known:
            word = nearest(metric, known)
            hint = f"; did you mean {word}?" if word else ""
            raise PathError(
                f"{metric!r} is no metric of this sweep{hint} (there: {listing(known)})"
            )
    if x == y:
        raise PathError(f"{x!r} is given twice: a frontier is of two metrics")
    for metric in greater:
        if metric not in (x, y):
            raise PathError(f"{metric!r} is neither {x!r} nor {y!r}, of which more may be better")


def _runs_of(found: Sweep, metric: str) -> Numbers:
    """The number of each cell and replication; not a number where it is undefined."""
    return np.array([cell.numbers[metric] for cell in found.cells], dtype=np.float64)


def _estimates_of(found: Sweep, metric: str) -> Numbers:
    intervals = [cell.intervals[metric] for cell in found.cells]
    return np.array([np.nan if it is None else it.value for it in intervals])


def _orders(runs: Numbers, i: int, reaches: Numbers) -> Numbers:
    """Of each cell: 1 if it is shown to have more than cell i, -1 if less, 0 if they are equal.

    Not a number where that cannot be told.
    """
    differences = runs - runs[i]
    there = ~np.isnan(differences)
    n = there.sum(axis=1)
    filled = np.where(there, differences, 0.0)
    mean = filled.sum(axis=1) / np.maximum(n, 1)
    spread = np.where(there, differences - mean[:, None], 0.0)
    std = np.sqrt((spread**2).sum(axis=1) / np.maximum(n - 1, 1))
    equal = ~filled.any(axis=1)
    told = (n > 1) & (equal | (np.abs(mean) > reaches[n] * std))
    return np.where(told, np.where(equal, 0.0, np.sign(mean)), np.nan)


def _beats(orders: Sequence[Numbers]) -> npt.NDArray[np.bool_]:
    """Which cells beat the one that these orders are of: no worse by both, better by one."""
    x, y = orders
    return (x <= 0.0) & (y <= 0.0) & ((x < 0.0) | (y < 0.0))


def _verdict(orders: Sequence[Numbers], own: Sequence[Numbers], i: int) -> tuple[str, int | None]:
    if any(np.count_nonzero(~np.isnan(it)) < 2 for it in own):
        return "undefined", None
    beats = _beats(orders)
    if beats.any():
        return "beaten", int(np.argmax(beats))
    x, y = orders
    harmless = (x > 0.0) | (y > 0.0) | ((x == 0.0) & (y == 0.0))
    harmless[i] = True
    return ("on" if harmless.all() else "undecided"), None
