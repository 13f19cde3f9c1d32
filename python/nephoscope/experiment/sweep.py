"""Sweep: every combination of values, by any executor, that can be killed and goes on.

Runs are independent and known by (scenario, engine, replication), so their order and their place do
not matter: what a sweep says is computed from its journal when all runs are in it, in the order of
the grid. Without a journal one is kept in memory. A worker is sent a scenario, with the contents of
its data files, and sends back an outcome of some kilobytes.
"""

import csv
import hashlib
import io
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, ClassVar

from nephoscope.datasets import Column
from nephoscope.errors import PathError
from nephoscope.experiment.alternatives import (
    Alternative,
    Values,
    crossed,
    json_of,
    listed,
    text_of,
)
from nephoscope.experiment.interval import CONFIDENCE, Interval, interval_of
from nephoscope.experiment.journal import Journal
from nephoscope.experiment.labour import Labour, Workers
from nephoscope.experiment.metrics import chosen
from nephoscope.experiment.outcome import Outcome
from nephoscope.experiment.replicate import interval_tree
from nephoscope.experiment.runs import Progress, check_confidence, check_threads
from nephoscope.nearest import listing, nearest
from nephoscope.results import FORMAT, engine_version
from nephoscope.scenario import Scenario
from nephoscope.tables import Columns, Tabular, counts, interval_columns, numbers, texts


@dataclass(frozen=True)
class Cell:
    """One combination of values, and what its replications say."""

    values: dict[str, Any]
    label: str
    intervals: dict[str, Interval | None]
    """By metric; None where it is undefined in every replication, or not there at all."""
    flags: tuple[str, ...]
    fingerprint: str
    """Over the fingerprints of its replications."""
    numbers: dict[str, tuple[float | None, ...]] = field(repr=False)
    """By metric, that of each replication: replication for replication, cells make pairs."""


def _value_column(path: str, values: Sequence[Any]) -> Column:
    """The values of a path: numbers if all of them are, otherwise as a file would have them."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return Column(path, "truth", values)
    if kinds == {int} and all(abs(value) < 2**63 for value in values):
        return counts(path, values)
    if kinds <= {int, float}:
        return numbers(path, values)
    return texts(path, [text_of(value) for value in values])


def _cell_rows(found: "Sweep") -> Columns:
    columns = [_value_column(it, [cell.values[it] for cell in found.cells]) for it in found.paths]
    for metric in found.metrics:
        value, low, high, _, n = interval_columns([cell.intervals[metric] for cell in found.cells])
        ends = {"": value, ".low": low, ".high": high, ".n": n}
        columns += [it._replace(name=f"{metric}{end}") for end, it in ends.items()]
    return columns


@dataclass(frozen=True)
class Sweep(Tabular):
    """The cells of a grid in order, the last path changing fastest.

    As a table (`to_arrow`) it has a row a cell, in the columns of its CSV.
    """

    _tables: ClassVar = {"cells": _cell_rows}

    scenario: str
    seed: int
    replications: int
    confidence: float
    metrics: tuple[str, ...]
    paths: tuple[str, ...]
    cells: tuple[Cell, ...]
    simulated: int
    """Runs made now; all others were in the journal."""
    wall_s: float

    def __getitem__(self, label: str) -> Cell:
        """A cell by its label, such as `count=3, routing=random`."""
        for cell in self.cells:
            if cell.label == label:
                return cell
        labels = [cell.label for cell in self.cells]
        word = nearest(label, labels)
        hint = f"; did you mean {word}?" if word else ""
        raise PathError(f"no cell {label!r} in this sweep{hint} (there: {listing(labels)})")

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def flags(self) -> list[str]:
        """What a reader must know, with the cell it holds of."""
        return [f"{cell.label}: {flag}" for cell in self.cells for flag in cell.flags]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the same whoever ran it, however often it was killed."""
        return {
            "format": FORMAT,
            "scenario": self.scenario,
            "seed": self.seed,
            "engine": engine_version(),
            "replications": self.replications,
            "confidence": self.confidence,
            "metrics": list(self.metrics),
            "cells": [
                {
                    "label": cell.label,
                    "values": json_of(cell.values),
                    "fingerprint": cell.fingerprint,
                    "flags": list(cell.flags),
                    "metrics": {
                        metric: None if interval is None else interval_tree(interval)
                        for metric, interval in cell.intervals.items()
                    },
                }
                for cell in self.cells
            ],
        }

    def to_html(self, scenario: Scenario | None = None) -> str:
        """A report of one file, with the scenario if it is given; it needs nephoscope[report]."""
        from nephoscope.report.html import sweep_page  # noqa: PLC0415  (reports know it)

        return sweep_page(self, scenario)

    def to_csv(self) -> str:
        """A row a cell: its values, and of each metric the estimate, both ends and how many."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        ends = ("", ".low", ".high", ".n")
        writer.writerow([*self.paths, *(f"{it}{end}" for it in self.metrics for end in ends)])
        for cell in self.cells:
            row = [text_of(cell.values[path]) for path in self.paths]
            for metric in self.metrics:
                interval = cell.intervals[metric]
                numbers = (
                    (None, None, None, 0)
                    if interval is None
                    else (interval.value, interval.low, interval.high, interval.n)
                )
                row += ["" if number is None else repr(number) for number in numbers]
            writer.writerow(row)
        return text.getvalue()

    def _dimensions(self, columns: Columns) -> list[str]:
        # Points that are no grid have none: each is a row.
        of_grid = prod(len(set(column.values)) for column in columns[: len(self.paths)])
        return list(self.paths) if of_grid == len(self.cells) else []

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)

    def _origin(self) -> dict[str, Any]:
        keys = ("scenario", "seed", "replications", "confidence")
        return {key: getattr(self, key) for key in keys} | {"engine": engine_version()}


def sweep(
    scenario: Scenario,
    grid: Values | None = None,
    replications: int = 10,
    *,
    points: Sequence[Mapping[str, Any]] | None = None,
    metrics: Sequence[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    journal: str | Path | None = None,
    confidence: float = CONFIDENCE,
    rng: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Run a scenario under every combination of values, each with the same random numbers.

    In the place of a `grid`, `points` are combinations themselves: a list of one's own, or what
    `design` has spread between ranges.

    Runs are made by `executor`, any of `concurrent.futures`, or by as many threads as there are
    processors or `workers`. With `journal`, a file, runs that it has are not made again, and those
    made are in it from the moment they have ended; a sweep that was killed goes on where it was,
    and ends with the same table. `progress` is called with the number of runs that are there.
    """
    if replications < 1:
        raise ValueError("at least one replication")
    if executor is not None and workers is not None:
        raise ValueError("workers are those of the executor, where one is given")
    check_threads(workers)
    check_confidence(confidence)
    start = time.perf_counter()
    seed = scenario.seed if rng is None else int(rng)
    if (grid is None) == (points is None):
        raise ValueError("either a grid or points")
    cells = crossed(scenario, grid) if grid is not None else listed(scenario, points or ())
    with Journal(journal) as kept:
        labour = Labour(cells, seed, replications, kept, progress)
        with Workers(executor, workers) as workforce:
            labour.pilots(workforce)
            # One replication of each first: what is wrong with a cell or a metric shows early.
            labour.make(workforce, range(1))
            first = [labour.outcomes(i, 1)[0] for i in range(len(cells))]
            found = chosen(first, metrics)
            labour.make(workforce, range(1, replications))
        return Sweep(
            scenario.name,
            seed,
            replications,
            confidence,
            tuple(found),
            tuple(cells[0].values),
            tuple(
                _cell(cell, labour.outcomes(i, replications), found, confidence)
                for i, cell in enumerate(cells)
            ),
            labour.simulated,
            time.perf_counter() - start,
        )


def _cell(
    cell: Alternative, outcomes: Sequence[Outcome], metrics: Sequence[str], confidence: float
) -> Cell:
    flags = [flag for outcome in outcomes for flag in outcome.flags]
    digest = hashlib.blake2b(digest_size=16)
    for outcome in outcomes:
        digest.update(bytes.fromhex(outcome.fingerprint))
    return Cell(
        cell.values,
        cell.label,
        {metric: interval_of(outcomes, metric, confidence) for metric in metrics},
        tuple(
            f"{flag} ({flags.count(flag)} of {len(outcomes)} replications)"
            for flag in dict.fromkeys(flags)
        ),
        digest.hexdigest(),
        {metric: tuple(outcome.number(metric) for outcome in outcomes) for metric in metrics},
    )
