"""What latencies are made of: waiting, work, the neighbours' share, and where.

The engine follows some requests of each traffic from their arrival to their answer and puts every
nanosecond down to one part (docs/models.md, "What latencies are made of"). A quantile is estimated
from those of them that are nearest to it in rank, `WINDOW` of the distance to the nearer end to
either side: the mean of their latencies, which is the sum of the means of their parts exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nephoscope import _core

# What time is put down to, by number: at the instances of a fleet, then elsewhere.
SPANS = tuple(_core.span_names())

# Of the distance in rank from a quantile to the nearer end.
WINDOW = 0.1

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}

Tree = dict[str, Any]


class Part(NamedTuple):
    """Where and what: a fleet and what happens at its instances, or "" and what elsewhere."""

    fleet: str
    what: str


def breakdown_tree(traces: Mapping[str, Any], fleets: Sequence[str]) -> Tree:
    """Of one traffic: of the mean and of each quantile that can be told, the latency by its parts.

    Times are in seconds. A quantile is told when a request at least was slower.
    """
    latency = np.asarray(traces["latency_ns"], dtype=np.int64)
    tree: Tree = {"requests": len(latency), "share": float(traces["share"])}
    if not len(latency):
        return tree
    order = np.lexsort((np.asarray(traces["arrival_ns"]), latency))
    parts, columns = _columns(traces, fleets)
    latency, columns = latency[order], columns[:, order]
    tree["mean"] = _told(parts, latency, columns)
    for name, quantile in QUANTILES.items():
        if len(latency) * (1.0 - quantile) >= 1.0:
            near = slice(*_window(len(latency), quantile))
            tree[name] = _told(parts, latency[near], columns[:, near])
    return tree


def parts_of(tree: Mapping[str, Any]) -> Iterator[tuple[Part, float]]:
    """Each part of one that `breakdown_tree` tells, with its seconds, the largest first."""
    told = [(Part("", what.removesuffix("_s")), tree[what]) for what in ("balancer_s", "retry_s")]
    for fleet, spans in tree["fleets_s"].items():
        told += [(Part(fleet, what), value) for what, value in spans.items()]
    yield from sorted((it for it in told if it[1] > 0.0), key=lambda it: -it[1])


def _window(count: int, quantile: float) -> tuple[int, int]:
    """The ranks around a quantile of so many values, the second one exclusive."""
    middle = min(int(quantile * count), count - 1)
    half = int(WINDOW * min(quantile, 1.0 - quantile) * count)
    return max(middle - half, 0), min(middle + half + 1, count)


def _columns(
    traces: Mapping[str, Any], fleets: Sequence[str]
) -> tuple[list[Part], npt.NDArray[np.int64]]:
    """The parts that some request has, and ns by part and request."""
    spans = len(SPANS)
    part = np.asarray(traces["part"], dtype=np.int64)
    end = np.asarray(traces["end"], dtype=np.int64)
    request = np.repeat(np.arange(len(end)), np.diff(end, prepend=0))
    numbers, row = np.unique(part, return_inverse=True)
    columns = np.zeros((len(numbers), len(end)), dtype=np.int64)
    columns[row, request] = traces["ns"]
    where = [*fleets, ""]
    return [Part(where[n // spans], SPANS[n % spans]) for n in numbers], columns


def _told(
    parts: list[Part], latency: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
) -> Tree:
    count = len(latency)
    tree: Tree = {"latency_s": int(latency.sum()) / count / 1e9, "balancer_s": 0.0, "retry_s": 0.0}
    by_fleet: Tree = {}
    for part, spent in zip(parts, columns, strict=True):
        seconds = int(spent.sum()) / count / 1e9
        if part.fleet:
            by_fleet.setdefault(part.fleet, {})[part.what] = seconds
        else:
            tree[f"{part.what}_s"] = seconds
    tree["fleets_s"] = by_fleet
    return tree
