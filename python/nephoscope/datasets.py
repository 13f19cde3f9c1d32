"""Tables as xarray datasets: what tells rows apart becomes dimensions, the rest variables."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nephoscope.extras import need

ROW = "row"


class Column(NamedTuple):
    """A column: its name, what is in it (`text`, `number`, `count` or `truth`), its values."""

    name: str
    kind: str
    values: Sequence[Any] | npt.NDArray[Any]


def dataset(columns: Sequence[Column], dimensions: Sequence[str], origin: Mapping[str, Any]) -> Any:
    """An `xarray.Dataset`; without dimensions there is one, the number of the row.

    Rows that are not there are NaN.
    """
    xarray = need("xarray", "xarray")
    by_name = {column.name: column for column in columns}
    rows = len(columns[0].values) if columns else 0
    if not dimensions:
        dimensions, axes = [ROW], {ROW: list(range(rows))}
        at: tuple[Any, ...] = (np.arange(rows),)
    else:
        axes = {name: list(dict.fromkeys(by_name[name].values)) for name in dimensions}
        places = {name: {value: i for i, value in enumerate(axes[name])} for name in dimensions}
        at = tuple(
            np.array([places[name][value] for value in by_name[name].values], dtype=np.int64)
            for name in dimensions
        )
    shape = tuple(len(axes[name]) for name in dimensions)
    variables = {
        column.name: (list(dimensions), _filled(column, shape, at))
        for column in columns
        if column.name not in dimensions
    }
    attributes = {key: str(value) for key, value in origin.items()}
    return xarray.Dataset(variables, coords=axes, attrs=attributes)


def _filled(column: Column, shape: tuple[int, ...], at: tuple[Any, ...]) -> npt.NDArray[Any]:
    values = list(column.values)
    whole = len(values) == int(np.prod(shape)) and None not in values
    if column.kind == "text" or (column.kind == "truth" and not whole):
        array: npt.NDArray[Any] = np.full(shape, None, dtype=object)
    elif column.kind == "truth":
        array = np.zeros(shape, dtype=bool)
    elif column.kind == "count" and whole:
        array = np.zeros(shape, dtype=np.int64)
    else:
        array = np.full(shape, np.nan)
        values = [np.nan if value is None else value for value in values]
    found = np.empty(len(values), dtype=array.dtype)
    found[:] = values
    array[at] = found
    return array
