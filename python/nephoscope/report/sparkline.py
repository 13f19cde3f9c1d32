"""What went on over time, each series in a line of a terminal."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nephoscope.report.html.series import Panel, number, panels
from nephoscope.results import Result

BLOCKS = "▁▂▃▄▅▆▇█"
# For terminals whose encoding has no blocks.
LETTERS = "_.:-=+*#"

_WIDTH_MAX = 40
# The name, the least and the most beside a line.
_BESIDE = 40

_NAMES = {
    "rate": "offered a second",
    "lost": "lost a second",
    "in-flight": "in flight",
    "instances": "instances",
    "healthy": "healthy",
    "depth": "depth",
}
# Of these all parts together are of interest; of the others the part that moves most.
_TOGETHER = ("rate", "lost", "in-flight")

Values = npt.NDArray[np.float64]


class Course(NamedTuple):
    """A series with a name: how a number of the system went."""

    name: str
    values: Values


def sparkline(values: Values, width: int, levels: str = BLOCKS) -> str:
    """The values as a line of at most so many letters, the more the higher; 0 is the lowest.

    Each letter is the mean of its part of the values, so a peak that is narrower than a letter is
    lower than it was.
    """
    if not len(values):
        return ""
    parts = np.array_split(values, min(width, len(values)))
    means = np.array([part.mean() for part in parts])
    top = float(means.max())
    if top <= 0.0:
        return levels[0] * len(means)
    steps = np.minimum((means / top * len(levels)).astype(np.int64), len(levels) - 1)
    return "".join(levels[max(int(step), 0)] for step in steps)


def courses(result: Result) -> Iterator[Course]:
    """The main series of a run: what never changes is left out."""
    for panel in panels(result):
        if panel.key in _NAMES:
            yield from _course(panel)


def over_time(result: Result, console: Console) -> Table | None:
    """A table of lines; None where no series were kept or nothing moved."""
    found = list(courses(result))
    if not found:
        return None
    levels = LETTERS if console.options.ascii_only else BLOCKS
    width = max(min(_WIDTH_MAX, console.width - _BESIDE), 8)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("over time", style="bold")
    table.add_column("", no_wrap=True)
    for title in ("least", "most"):
        table.add_column(title, justify="right", no_wrap=True)
    for course in found:
        line = Text(sparkline(course.values, width, levels), style="cyan")
        ends = (number(float(end)) for end in (course.values.min(), course.values.max()))
        table.add_row(course.name, line, *ends)
    return table


def _course(panel: Panel) -> Iterator[Course]:
    columns = [line.values for line in panel.lines]
    if panel.key in _TOGETHER:
        values = np.sum(columns, axis=0)
        name = _NAMES[panel.key]
    else:
        moves = [float(np.ptp(values)) for values in columns]
        most = int(np.argmax(moves))
        values = columns[most]
        name = f"{panel.lines[most].name}: {_NAMES[panel.key]}"
    if np.ptp(values) > 0.0:
        yield Course(name, values)
