"""Columns of CSV files: arrival instants, counts, durations.

A column is read once and kept as an array, so that a scenario can be varied without reading its
traces again. Every refusal names the file, the row (from 1, the header is row 1) and the cell.
"""

import csv
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from nephoscope.errors import Problem, TraceError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.units import DURATION_MAX_NS

T = TypeVar("T")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_TIME = re.compile(r"([^.,]*)(?:[.,]([0-9]{1,18}))?(Z|[+-][0-9]{2}:?[0-9]{2})?")
_CELL_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a CSV file by column."""

    path: Path
    columns: dict[str, list[str]]
    rows: list[int]  # the line of the file each row of cells ends in

    def cells(self, column: str) -> list[str]:
        """The cells of a column; refuses a column that is not there."""
        if column not in self.columns:
            names = list(self.columns)
            self.fail(f"no column {shorten(column)}", listing(names), nearest(column, names))
        return self.columns[column]

    def fail(
        self, message: str, allowed: str | None = None, suggestion: str | None = None
    ) -> NoReturn:
        """Raise TraceError with the file's name."""
        problem = Problem("", message, None, None, None, allowed, suggestion)
        raise TraceError([problem], str(self.path))

    def fail_at(self, row: int, message: str, allowed: str) -> NoReturn:
        """Raise TraceError with the line of row `row`."""
        self.fail(f"line {self.rows[row]}: {message}", allowed)


@dataclass
class Tables:
    """The tables that are being read, and the arrays that were made of them.

    The arrays stay as long as the scenario and those that were varied from it: what they were
    checked for stays true, whatever becomes of the files. The text of the tables is forgotten.
    """

    _read: dict[Path, Table] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave when it was called for the first time with this key."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made

    def forget(self) -> None:
        """Let go of the text of all tables."""
        self._read.clear()

    def table(self, path: Path) -> Table:
        """The table in a file; raises TraceError where it cannot be read."""
        try:
            if not path.is_file():
                raise TraceError([Problem("", "there is no such file")], str(path))
            if path not in self._read:
                self._read[path] = _read(path)
            return self._read[path]
        except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
            if isinstance(error, TraceError):
                raise
            raise TraceError([Problem("", f"cannot be read: {error}")], str(path)) from None


def _read(path: Path) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if not header or len(set(header)) != len(header):
            raise TraceError([Problem("", "the first line does not name the columns")], str(path))
        rows: list[list[str]] = []
        lines: list[int] = []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                message = f"line {reader.line_num}: {len(row)} cells under {len(header)} columns"
                raise TraceError([Problem("", message)], str(path))
            rows.append(row)
            lines.append(reader.line_num)
    if not rows:
        raise TraceError([Problem("", "no rows after the header")], str(path))
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    return Table(path, columns, lines)


def durations_ns(table: Table, column: str, scale: float) -> Floats:
    """Durations in nanoseconds: the column's numbers times `scale` seconds."""
    values = _numbers(table, column, "a number, not negative") * (scale * 1e9)
    _refuse_first(table, column, values < 0, "negative", "a number, not negative")
    _refuse_first(table, column, values > DURATION_MAX_NS, "too long", "at most 70 years")
    return values


def instants_ns(table: Table, column: str, scale: float, shift_ns: int) -> Integers:
    """Arrival instants, ascending; what comes before 0 is left out."""
    times = _scaled(table, column, times_ns(table, column), scale, shift_ns)
    _refuse_first(
        table, column, np.diff(times, prepend=times[:1]) < 0, "earlier than the row before",
        "instants in ascending order",
    )  # fmt: skip
    times = times[times >= 0]
    if not len(times):
        table.fail(f"column {shorten(column)}: no instant at or after the start of the run")
    return times


def counts_of(
    table: Table, time_column: str, count_column: str, scale: float, shift_ns: int
) -> tuple[Integers, Integers]:
    """Edges of the intervals (one more than there are) and the requests in each.

    The counts are scaled so that every running total is within one half of the exact one: rounding
    never adds up.
    """
    times = _scaled(table, time_column, times_ns(table, time_column), 1.0, shift_ns)
    steps = np.diff(times, prepend=times[:1] - 1)
    _refuse_first(
        table, time_column, steps <= 0, "not later than the row before", "times that ascend"
    )
    if len(times) < 2:
        table.fail("one row, so that the length of the interval is not known", "at least two rows")
    counts = _numbers(table, count_column, "a whole number, not negative")
    whole = (counts >= 0) & (counts == np.floor(counts)) & (counts <= 1e12)
    _refuse_first(table, count_column, ~whole, "not a count", "a whole number, not negative")
    totals = np.rint(np.cumsum(counts) * scale)
    if totals[-1] > 2**53:
        table.fail(f"column {shorten(count_column)}: {totals[-1]:g} requests are too many")
    scaled = np.diff(totals, prepend=0.0).astype(np.int64)
    edges = np.append(times, 2 * times[-1] - times[-2])
    kept = int(np.searchsorted(edges, 0))  # the first edge that is not before the start
    if kept >= len(scaled):
        table.fail(f"column {shorten(time_column)}: no interval after the start of the run")
    return edges[kept:], scaled[kept:]


def times_ns(table: Table, column: str) -> list[int]:
    """Exact nanoseconds: numbers are seconds, date-times are relative to the first."""
    cells = table.cells(column)
    if _as_decimal(cells[0]) is not None:
        return [_seconds_ns(table, column, row) for row in range(len(cells))]
    zoned = _date_time_ns(cells[0])
    times = []
    for row, cell in enumerate(cells):
        time = _date_time_ns(cell)
        if time is None or zoned is None or time[1] != zoned[1]:
            what = f"column {shorten(column)}: {shorten(cell)} is not a time like those before"
            table.fail_at(row, what, "seconds, or a date and time such as 2026-11-23 12:00:00.5")
        times.append(time[0])
    return [time - times[0] for time in times]


def _scaled(
    table: Table, column: str, times: Sequence[int], scale: float, shift_ns: int
) -> Integers:
    exact = times if scale == 1.0 else [round(time * scale) for time in times]
    far = next((row for row, time in enumerate(exact) if abs(time) > DURATION_MAX_NS), None)
    if far is not None:
        table.fail_at(far, f"column {shorten(column)}: too far from the start", "at most 70 years")
    return np.array(exact, dtype=np.int64) + shift_ns


def _numbers(table: Table, column: str, allowed: str) -> Floats:
    values = np.empty(len(table.rows))
    for row, cell in enumerate(table.cells(column)):
        number = _as_decimal(cell)
        if number is None:
            table.fail_at(
                row, f"column {shorten(column)}: {shorten(cell)} is not a number", allowed
            )
        values[row] = float(number)
    return values


def _refuse_first(
    table: Table, column: str, wrong: npt.NDArray[np.bool_], what: str, allowed: str
) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        cell = shorten(table.cells(column)[row])
        table.fail_at(row, f"column {shorten(column)}: {cell} is {what}", allowed)


def _seconds_ns(table: Table, column: str, row: int) -> int:
    cell = table.cells(column)[row]
    seconds = _as_decimal(cell)
    if seconds is None or abs(seconds) > 10**12:
        what = f"column {shorten(column)}: {shorten(cell)} is not a number of seconds"
        table.fail_at(row, what, "a number such as 12.5")
    return int((seconds * 10**9).to_integral_value())


def _as_decimal(cell: str) -> Decimal | None:
    if len(cell) > _CELL_LENGTH_MAX or "_" in cell:
        return None
    try:
        number = Decimal(cell.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and -50 < number.adjusted() < 50 else None


def _date_time_ns(cell: str) -> tuple[int, bool] | None:
    """Nanoseconds since 1970 and whether a time zone is given; None where it is no date-time."""
    match = _DATE_TIME.fullmatch(cell.strip()) if len(cell) <= _CELL_LENGTH_MAX else None
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match[1] + (match[3] or ""))
    except ValueError:
        return None
    zoned = moment.tzinfo is not None
    since = (moment if zoned else moment.replace(tzinfo=UTC)) - _EPOCH
    fraction_ns = int(((match[2] or "") + "0" * 9)[:9])
    return since // timedelta(seconds=1) * 10**9 + fraction_ns, zoned
