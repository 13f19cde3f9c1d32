"""The data files that a scenario names, read with it so that their mistakes show at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nephoscope.errors import Problem, TraceError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.tables import (
    Floats,
    Integers,
    Table,
    Tables,
    counts_of,
    durations_ns,
    instants_ns,
)
from nephoscope.scenario.language.arrivals import Trace
from nephoscope.scenario.language.distribution import Column, Sample
from nephoscope.scenario.trace_events import Said, said_by_rows

Bytes = npt.NDArray[np.uint8]

_FORMS: dict[str, type[Trace | Column | Sample]] = {
    "trace": Trace,
    "replay": Column,
    "empirical": Sample,
}


class DataFiles(NamedTuple):
    """Where the files of a scenario are looked for, and those read so far."""

    directory: Path
    tables: Tables

    def durations_ns(self, column: Column | Sample) -> Floats:
        """The durations in a column."""
        key = ("durations", self.directory, column.file, column.column, column.scale)
        return self.tables.once(key, lambda: self._durations_ns(column))

    def instants_ns(self, trace: Trace) -> Integers:
        """The arrival instants of a trace."""
        key = ("instants", self.directory, trace.file, trace.column, trace.scale, trace.shift)
        return self.tables.once(key, lambda: self._instants_ns(trace))

    def counts_of(self, trace: Trace) -> tuple[Integers, Integers]:
        """The interval edges and counts of a trace."""
        columns = (trace.time_column, trace.count_column)
        key = ("counts", self.directory, trace.file, *columns, trace.scale, trace.shift)
        return self.tables.once(key, lambda: self._counts_of(trace))

    def said(self, trace: Trace) -> Said:
        """What each arrival of a trace of instants says."""
        columns = (repr(trace.event), repr(trace.attributes))
        key = ("said", self.directory, trace.file, trace.column, trace.scale, trace.shift, *columns)
        return self.tables.once(key, lambda: self._said(trace))

    def _said(self, trace: Trace) -> Said:
        return said_by_rows(self._table(trace.file), trace, len(self.instants_ns(trace)))

    def _durations_ns(self, column: Column | Sample) -> Floats:
        assert column.file is not None
        assert column.column is not None
        return durations_ns(self._table(column.file), column.column, column.scale)

    def _instants_ns(self, trace: Trace) -> Integers:
        assert trace.column is not None
        return instants_ns(self._table(trace.file), trace.column, trace.scale, trace.shift)

    def _counts_of(self, trace: Trace) -> tuple[Integers, Integers]:
        assert trace.time_column is not None
        assert trace.count_column is not None
        columns = (trace.time_column, trace.count_column)
        return counts_of(self._table(trace.file), *columns, trace.scale, trace.shift)

    def _table(self, file: str) -> Table:
        return self.tables.table(self.directory / file)


def data_problems(document: Document, files: DataFiles) -> Iterator[Problem]:
    """What is wrong with the data files, at the path of the key that names them."""
    for where, value in _named_files(document.tree, ()):
        form = _FORMS[str(where[-1])]
        try:
            options = form.model_validate(value)
        except ValueError:
            continue  # the models say what is wrong with the options themselves
        try:
            _read(options, files)
        except TraceError as error:
            problem = error.problems[0]
            yield document.problem(
                (*where, "file"),
                f"{error.source}: {problem.message}",
                value=value.get("file"),
                allowed=problem.allowed,
                suggestion=problem.suggestion,
            )
    files.tables.forget()


def data_arrays(tree: Any, files: DataFiles) -> Iterator[Floats | Integers | Bytes]:
    """What the data files of a scenario without a mistake hold, in the order of their keys."""
    for where, value in _named_files(tree, ()):
        yield from _read(_FORMS[str(where[-1])].model_validate(value), files)


def _read(options: Any, files: DataFiles) -> tuple[Floats | Integers | Bytes, ...]:
    match options:
        case Trace() if options.says:
            said = files.said(options)
            kinds = np.frombuffer(repr(said.kinds).encode("utf-8", "surrogatepass"), np.uint8)
            return files.instants_ns(options), said.rows, kinds
        case Trace() if options.column is not None:
            return (files.instants_ns(options),)
        case Trace():
            return files.counts_of(options)
        case _:
            return (files.durations_ns(options),)


def _named_files(value: Any, where: Where) -> Iterator[tuple[Where, dict[str, Any]]]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _named_files(item, (*where, i))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _FORMS and isinstance(inner, dict) and isinstance(inner.get("file"), str):
                yield (*where, key), inner
            else:
                yield from _named_files(inner, (*where, key))
