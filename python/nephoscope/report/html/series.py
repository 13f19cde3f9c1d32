"""The series of a run as the panels of one time axis, thinned to what a page can show."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nephoscope.report.html import svg
from nephoscope.report.html.tables import Table
from nephoscope.report.html.words import time_text
from nephoscope.report.terminal import count
from nephoscope.results import Result

# A picture has no more columns than this, and nobody reads a longer table.
POINTS_MAX = 600
TABLE_ROWS_MAX = 60

Values = npt.NDArray[np.float64]

_LOST = ("rejected", "failed", "timed_out")

# Panels of counts: several intervals are as high as their mean.
_COUNTS = {"rate", "lost", "busy", "steal"}

# Of gauges: whether the least of several intervals is what is looked for, and not the most.
_GAUGES = (
    ("in-flight", "Requests in flight", "traffic", "in_flight", False),
    ("instances", "Instances that serve", "fleets", "instances", True),
    ("desired", "Instances that are wanted", "fleets", "desired", False),
    ("healthy", "Healthy targets", "load_balancers", "healthy", True),
    ("depth", "Depth of queues", "queues", "depth", False),
)


@dataclass(frozen=True)
class Line:
    """One line of a panel."""

    name: str
    values: Values


@dataclass(frozen=True)
class Panel:
    """Lines of one unit over the time axis that all panels share."""

    key: str
    title: str
    ends_s: Values
    lines: list[Line]
    left_out: int
    least: bool

    @property
    def high(self) -> float:
        """The top of its scale."""
        most = max(float(line.values.max(initial=0.0)) for line in self.lines)
        return most * 1.05 if most > 0.0 else 1.0

    @property
    def table(self) -> Table:
        """The same in numbers, of fewer and longer intervals."""
        size = -(-len(self.ends_s) // TABLE_ROWS_MAX)
        ends = _last(self.ends_s, size)
        mean = self.key in _COUNTS
        columns = [_mean(it.values, size) if mean else self._most(it, size) for it in self.lines]
        rows = [
            (time_text(float(end)), *(number(float(column[i])) for column in columns))
            for i, end in enumerate(ends)
        ]
        return Table(self.title, ("until", *(line.name for line in self.lines)), rows)

    @property
    def peaks(self) -> list[str]:
        """Of each line, what a reader would look for in the picture."""
        word = "least" if self.least else "most"
        return [
            f"{it.name}: {word} {number(float(it.values.min() if self.least else it.values.max()))}"
            for it in self.lines
        ]

    def _most(self, line: Line, size: int) -> Values:
        return _extreme(line.values, size, least=self.least)


def panels(result: Result) -> list[Panel]:
    """All that a run has series for; none where none were kept."""
    names = result.series_names
    if not names:
        return []
    ends, first = result.series(names[0])
    if not len(first):
        return []
    size = -(-len(ends) // POINTS_MAX)
    return [panel for panel in (*_rates(result, size), *_gauges(result, size)) if panel.lines]


def number(value: float) -> str:
    """A value of a panel, to as many digits as are read."""
    return count(value) if value >= 100 or value.is_integer() else f"{value:.3g}"


def _rates(result: Result, size: int) -> Iterator[Panel]:
    ends, _ = result.series(result.series_names[0])
    width_s = float(ends[0])
    offered = [
        Line(name, _mean(values / width_s, size))
        for name, values in _of(result, "traffic", "offered")
    ]
    yield _panel("rate", "Requests offered a second", _last(ends, size), offered)
    lost = []
    for key in _LOST:
        columns = [values for _, values in _of(result, "traffic", key)]
        total = np.sum(columns, axis=0) if columns else np.zeros(len(ends))
        if total.any():
            lost.append(Line(key.replace("_", " "), _mean(total / width_s, size)))
    yield _panel("lost", "Requests lost a second", _last(ends, size), lost)
    busy = [
        Line(name, _mean(values / (1e9 * width_s), size))
        for name, values in _of(result, "fleets", "busy_ns")
    ]
    yield _panel(
        "busy", "vCPUs with work, those that wait for their host too", _last(ends, size), busy
    )
    stolen = [
        Line(name, _mean(values / (1e9 * width_s), size))
        for name, values in _of(result, "fleets", "steal_ns")
        if values.any()
    ]
    yield _panel("steal", "vCPUs that waited for their host: steal", _last(ends, size), stolen)


def _gauges(result: Result, size: int) -> Iterator[Panel]:
    ends, _ = result.series(result.series_names[0])
    oldest = [
        Line(name, _extreme(values / 1e9, size, least=False))
        for name, values in _of(result, "queues", "oldest_ns")
    ]
    yield _panel("oldest", "Age of the oldest message, s", _last(ends, size), oldest)
    for key, words, section, quantity, least in _GAUGES:
        lines = [
            Line(name, _extreme(values, size, least=least))
            for name, values in _of(result, section, quantity)
        ]
        yield _panel(key, words, _last(ends, size), lines, least=least)


def _of(result: Result, section: str, quantity: str) -> Iterator[tuple[str, Values]]:
    for name in result.series_names:
        if name.startswith(f"{section}.") and name.endswith(f".{quantity}"):
            _, values = result.series(name)
            inside = name.removeprefix(f"{section}.").removesuffix(f".{quantity}")
            if "." not in inside:
                yield inside, values.astype(np.float64)


def _panel(
    key: str, words: str, ends_s: Values, lines: list[Line], *, least: bool = False
) -> Panel:
    """The lines that can be told apart: those that rise the highest."""
    ranked = sorted(lines, key=lambda it: -float(it.values.max(initial=0.0)))[: svg.LINES_MAX]
    shown = [it for it in lines if any(it is kept for kept in ranked)]
    return Panel(key, words, ends_s, shown, len(lines) - len(shown), least)


def _mean(values: Values, size: int) -> Values:
    starts = np.arange(0, len(values), size)
    sums: Values = np.add.reduceat(values, starts)
    means: Values = sums / np.diff(np.append(starts, len(values)))
    return means


def _extreme(values: Values, size: int, *, least: bool) -> Values:
    fold = np.minimum if least else np.maximum
    folded: Values = fold.reduceat(values, np.arange(0, len(values), size))
    return folded


def _last(ends_s: Values, size: int) -> Values:
    stops = np.minimum(np.arange(size, len(ends_s) + size, size), len(ends_s)) - 1
    last: Values = ends_s[stops]
    return last
