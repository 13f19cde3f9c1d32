"""Results as tables: an Arrow stream, from which data frames of any library are made.

A part says which tables it has as columns of plain values, and `Tabular` makes Arrow of them. An
array of numbers becomes a column without a copy. Whatever is undefined is null, never NaN.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from nephoscope.datasets import Column, dataset
from nephoscope.errors import PathError
from nephoscope.extras import need
from nephoscope.nearest import listing, nearest

Columns = list[Column]

_KEYS = frozenset({"path", "replication", "time_s", "metric", "alternative", "base", "label"})


class Tabular(ABC):
    """What can be read as a table, by everything that reads the Arrow C stream.

    `pandas.DataFrame.from_arrow`, `polars.DataFrame`, `pyarrow.table` and DuckDB take it as it is.
    """

    _tables: ClassVar[Mapping[str, Callable[[Any], Columns]]]
    """What makes each table, by its name; the first is the one that is streamed."""

    def to_arrow(self, table: str | None = None) -> Any:
        """A table as a `pyarrow.Table`, by default the first of those there are.

        Where it comes from (scenario, seed, engine, ..) is in the metadata of its schema. Raises
        ExtraError without pyarrow, PathError for a table that there is not.
        """
        arrow = need("pyarrow", "parquet")
        columns = self._columns(table)
        types = {
            "text": arrow.string(),
            "number": arrow.float64(),
            "count": arrow.int64(),
            "truth": arrow.bool_(),
        }
        return arrow.Table.from_arrays(
            [arrow.array(column.values, types[column.kind]) for column in columns],
            schema=arrow.schema(
                [(column.name, types[column.kind]) for column in columns],
                metadata={key: str(value) for key, value in self._origin().items()},
            ),
        )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_parquet(self, path: str | Path, table: str | None = None) -> None:
        """Write a table as a Parquet file; where it comes from is in the file's metadata."""
        found = self.to_arrow(table)
        need("pyarrow.parquet", "parquet").write_table(found, path)

    def to_xarray(self, table: str | None = None) -> Any:
        """A table as an `xarray.Dataset`: what tells rows apart are its dimensions.

        Those are the time of a series, the path of a number, the paths of a grid, ..; where it
        comes from is in the attributes. Needs `pip install 'nephoscope[xarray]'`.
        """
        columns = self._columns(table)
        return dataset(columns, self._dimensions(columns), self._origin())

    def _columns(self, table: str | None) -> Columns:
        name = next(iter(self._tables)) if table is None else table
        if name not in self._tables:
            word = nearest(name, self._tables)
            hint = f"; did you mean {word}?" if word else ""
            raise PathError(f"no table {name!r}{hint} (there: {listing(self._tables)})")
        return self._tables[name](self)

    def _dimensions(self, columns: Columns) -> list[str]:
        """The columns at the front that tell rows apart."""
        return list(takewhile(_KEYS.__contains__, (column.name for column in columns)))

    @abstractmethod
    def _origin(self) -> dict[str, Any]:
        """Where the numbers come from, for the metadata of a table."""


def texts(name: str, values: Sequence[str | None]) -> Column:
    """A column of texts."""
    return Column(name, "text", values)


def numbers(name: str, values: Sequence[float | None] | npt.NDArray[np.float64]) -> Column:
    """A column of numbers, some of which may be undefined."""
    if isinstance(values, np.ndarray):
        return Column(name, "number", values)
    return Column(name, "number", [None if it is None else float(it) for it in values])


def counts(name: str, values: Sequence[int | None] | npt.NDArray[np.int64]) -> Column:
    """A column of whole numbers."""
    return Column(name, "count", values)


def by_path(pairs: Sequence[tuple[str, float]]) -> Columns:
    """A row a number: its path, and what it is."""
    return [texts("path", [path for path, _ in pairs]), numbers("value", [it for _, it in pairs])]


def series_of(result: Any) -> Columns:
    """A row an interval: when it ended, and every series."""
    named = {name: result.series(name) for name in result.series_names}
    if not named:
        return [numbers("time_s", [])]
    (times, _), *_ = named.values()
    return [numbers("time_s", times), *(counts(name, it) for name, (_, it) in named.items())]


def interval_columns(intervals: Sequence[Any]) -> Columns:
    """The estimates of intervals, their ends, and what they are of; nulls where there is none."""
    return [
        *(
            numbers(name, [None if it is None else getattr(it, name) for it in intervals])
            for name in ("value", "low", "high", "std")
        ),
        counts("n", [0 if it is None else it.n for it in intervals]),
    ]
