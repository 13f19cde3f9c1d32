"""What the rows of a trace say: bodies and attributes out of its columns."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from nephoscope.errors import EventError
from nephoscope.patterns.attributes import read_attributes
from nephoscope.patterns.json_value import read_value
from nephoscope.scenario.files.tables import Integers, Table
from nephoscope.scenario.language.arrivals import Trace

# The core numbers what is said with 16 bits.
KINDS_MAX = 65_000

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_WORDS = {"true": True, "false": False, "null": None}


class Said(NamedTuple):
    """What the arrivals of a trace say."""

    kinds: tuple[tuple[Any, Any], ...]
    """All that differ, as event and attributes."""
    rows: Integers
    """Of each arrival, which of them."""


def said_by_rows(table: Table, trace: Trace, arrivals: int) -> Said:
    """What the last rows say, so many as arrivals: what comes before the start is left out."""
    leaves = [*_leaves(trace.event), *_leaves(trace.attributes)]
    first = len(table.rows) - arrivals
    columns = [table.cells(name)[first:] for name in leaves]
    seen: dict[tuple[str, ...], int] = {}
    kinds: list[tuple[Any, Any]] = []
    rows = np.empty(arrivals, dtype=np.int64)
    for row, cells in enumerate(zip(*columns, strict=True)):
        if cells not in seen:
            if len(kinds) == KINDS_MAX:
                table.fail(f"more than {KINDS_MAX:,} rows say something else", "fewer that differ")
            seen[cells] = len(kinds)
            kinds.append(_said(table, trace, first + row, iter(cells)))
        rows[row] = seen[cells]
    return Said(tuple(kinds), rows)


def _leaves(columns: Any) -> Iterator[str]:
    """The names of columns in the order in which `_filled` takes their cells."""
    if isinstance(columns, str):
        yield columns
    elif columns is not None:
        for inner in columns.values():
            yield from _leaves(inner)


def _said(table: Table, trace: Trace, row: int, cells: Iterator[str]) -> tuple[Any, Any]:
    """Event and attributes of one row; an empty cell says nothing."""
    whole = isinstance(trace.event, str)
    event = next(cells) or None if whole else _filled(trace.event, cells, _value)
    attributes = _filled(trace.attributes, cells, _number_or_text)
    try:
        if isinstance(event, dict):
            read_value(event, "the event", EventError)
        read_attributes(attributes)
    except EventError as error:
        table.fail_at(row, error.message, "what JSON can hold")
    return event, attributes


def _filled(
    columns: Mapping[str, Any] | None, cells: Iterator[str], value: Callable[[str], Any]
) -> dict[str, Any] | None:
    """The names with what the cells hold in the places of their columns."""
    if columns is None:
        return None
    filled: dict[str, Any] = {}
    for name, inner in columns.items():
        if isinstance(inner, Mapping):
            filled[name] = _filled(inner, cells, value)
        elif cell := next(cells):
            filled[name] = value(cell)
    return filled


def _value(cell: str) -> Any:
    """A number, `true`, `false` or `null` as JSON writes them; all else is a text."""
    return _WORDS[cell] if cell in _WORDS else _number_or_text(cell)


def _number_or_text(cell: str) -> Any:
    number = _NUMBER.fullmatch(cell)
    if number is None:
        return cell
    return Decimal(cell) if number[2] or number[3] else int(cell)
