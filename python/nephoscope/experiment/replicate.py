"""Replications: the same scenario with other random numbers, and intervals on everything."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nephoscope import _core
from nephoscope.errors import PathError
from nephoscope.experiment.interval import Interval, Pooled, interval_of
from nephoscope.experiment.outcome import LOST_SHARE, ResultRun
from nephoscope.experiment.precision import REPLICATIONS_MAX, Goal, until_met
from nephoscope.experiment.runs import Job, Progress, after, check_threads, run_all, warmups_of
from nephoscope.nearest import nearest
from nephoscope.results import FORMAT, SECTIONS, Result
from nephoscope.results.fleets import latency_summary
from nephoscope.scenario import Scenario
from nephoscope.tables import Columns, Tabular, counts, interval_columns, numbers, series_of, texts

# Parts of a result of which not all that can be asked for is listed.
_HIDDEN = frozenset({"breakdown", "targets"})


def _interval_rows(runs: "Replications") -> Columns:
    intervals = list(runs.intervals.values())
    return [
        texts("path", list(runs.intervals)),
        *interval_columns(intervals),
        numbers("mean", [it.mean for it in intervals]),
    ]


def _run_rows(runs: "Replications") -> Columns:
    found = [
        (result.replication, *pair)
        for result, run in zip(runs.results, runs.runs, strict=True)
        for pair in run.numbers.items()
    ]
    return [
        counts("replication", [replication for replication, _, _ in found]),
        texts("path", [path for _, path, _ in found]),
        numbers("value", [value for _, _, value in found]),
    ]


def _series_rows(runs: "Replications") -> Columns:
    tables = [series_of(result) for result in runs.results]
    lengths = [len(table[0].values) for table in tables]
    which = np.repeat([result.replication for result in runs.results], lengths)
    return [
        counts("replication", which),
        *(
            same[0]._replace(values=np.concatenate([column.values for column in same]))
            for same in zip(*tables, strict=True)
        ),
    ]


class Replications(Tabular):
    """The results of all replications, in order, and an interval on every number.

    As a table (`to_arrow`) they are their `intervals`, the numbers of all `runs`, or `series`.
    """

    _tables: ClassVar = {"intervals": _interval_rows, "runs": _run_rows, "series": _series_rows}

    def __init__(
        self, results: Sequence[Result], wall_s: float, precision: Sequence[Goal] = ()
    ) -> None:
        self.results = tuple(results)
        self.wall_s = wall_s
        self.precision = tuple(precision)
        """What was to be known how well, where that decided on the number of replications."""

    @cached_property
    def runs(self) -> tuple[ResultRun, ...]:
        """The results as the runs of an experiment."""
        return tuple(ResultRun(result) for result in self.results)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """Every number by its path, as in a Result; quantiles are of all requests together."""
        having: dict[str, list[ResultRun]] = {}
        for run in self.runs:
            for path in run.numbers:
                having.setdefault(path, []).append(run)
        # Runs that lack a quantile have recorded nothing, so one pool serves all paths.
        pooled = Pooled(self.runs)
        return {
            path: pooled.interval(path, [run.numbers[path] for run in runs])
            for path, runs in having.items()
        }

    def __getitem__(self, path: str) -> Interval:
        # Who asks for one number need not wait for the intervals of hundreds.
        if "intervals" not in self.__dict__ and _in_the_open(path):
            interval = interval_of(self.runs, path)
            if interval is not None:
                return interval
        if path not in self.intervals:
            word = nearest(path, self.intervals)
            hint = f"; did you mean {word}?" if word else ""
            raise PathError(f"no {path!r} in these results{hint}")
        return self.intervals[path]

    def __len__(self) -> int:
        return len(self.results)

    def histogram(self, path: str) -> _core.Histogram:
        """The latencies (ns) of all replications together: `histogram("traffic.customers")`."""
        merged = _core.Histogram()
        for result in self.results:
            merged.merge(result.histogram(path))
        return merged

    @cached_property
    def fingerprint(self) -> str:
        """128 bits over the fingerprints of all replications in order."""
        digest = hashlib.blake2b(digest_size=16)
        for result in self.results:
            digest.update(bytes.fromhex(result.fingerprint))
        return digest.hexdigest()

    @property
    def flags(self) -> list[str]:
        """What a reader must know, with how many of the replications it holds of."""
        alike: dict[str, list[str]] = {}
        for flag in (flag for result in self.results for flag in result.flags):
            alike.setdefault(re.sub(r"\d[\d.,]*", "#", flag), []).append(flag)
        told = []
        for flags in alike.values():
            rest = "" if len(set(flags)) == 1 else ", with other numbers"
            told.append(f"{flags[0]} ({len(flags)} of {len(self)} replications{rest})")
        for goal in self.precision:
            if not goal.met:
                reached = "no interval" if goal.reached is None else f"{100 * goal.reached:.2g} %"
                told.append(
                    f"{goal.path}: precision {reached} after {len(self)} replications, "
                    f"{100 * goal.wanted:g} % was wanted"
                )
        if self.precision and any(result.steady is False for result in self.results):
            told.append("the precision is of runs of this duration: there is no steady state")
        return told

    def to_dict(self) -> dict[str, Any]:
        """The keys of a Result with estimates as their values, and `intervals` by path.

        Estimates are means over the replications, those of quantiles the quantiles of all requests
        together. `latencies` are of all requests together in all they say.
        """
        first = self.results[0]
        tree: dict[str, Any] = {
            "format": FORMAT,
            "scenario": first.scenario,
            "seed": first.seed,
            "replications": len(self),
            "engine": first.engine,
            "fingerprint": self.fingerprint,
            "simulated_s": first.simulated_s,
            "warmup_s": first.warmup_s,
            "measured_s": first.measured_s,
            "events": sum(result.events for result in self.results),
            "wall_s": self.wall_s,
            "in_flight": float(np.mean([result.in_flight for result in self.results])),
            "flags": self.flags,
        }
        for path, interval in self.intervals.items():
            if not path.endswith(f".{LOST_SHARE}"):
                _put(tree, path.split("."), interval.value)
        names = [
            f"{section}.{name}"
            for section in ("traffic", "load_balancers", "fleets")
            for name in tree.get(section, {})
        ]
        tree["latencies"] = {name: latency_summary(self.histogram(name)) for name in names}
        if self.precision:
            tree["precision"] = {
                goal.path: {"wanted": goal.wanted, "reached": goal.reached, "met": goal.met}
                for goal in self.precision
            }
        tree["intervals"] = {
            path: interval_tree(interval) for path, interval in self.intervals.items()
        }
        return tree

    def to_html(self) -> str:
        """A report of one file: estimates of all, the course of the first.

        It needs nephoscope[report].
        """
        from nephoscope.report.html import replications_page  # noqa: PLC0415  (reports know it)

        return replications_page(self)

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)

    def _origin(self) -> dict[str, Any]:
        first = self.results[0]
        return {
            "scenario": first.scenario,
            "seed": first.seed,
            "replications": len(self),
            "engine": first.engine,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        first = self.results[0]
        return f"Replications({first.scenario!r}, {len(self)}, seed={first.seed})"


def replicate(
    scenario: Scenario,
    replications: int | None = None,
    *,
    until_precision: Mapping[str, float] | None = None,
    replications_max: int = REPLICATIONS_MAX,
    rng: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Replications:
    """Run a scenario several times, a thread each, every time with other random numbers.

    30 times unless told otherwise. With `until_precision`, such as `{"latency_s.p99": 0.02}`, as
    often as it takes to know these numbers within a share of the truth, but no less than
    `replications` (at least 10) and no more than `replications_max`. A path that begins below
    a source of traffic is that number of all of them. The results do not depend on the number of
    threads, which is that of the processors unless told otherwise. `progress` is called with the
    number of replications that have ended.
    """
    least = replications if replications is not None else 1 if until_precision else 30
    if least < 1:
        raise ValueError("at least one replication")
    if replications_max < max(least, 2):
        raise ValueError(f"replications_max is at least {max(least, 2)}")
    check_threads(threads)
    start = time.perf_counter()
    seed = scenario.seed if rng is None else int(rng)
    (warmup_ns,) = warmups_of([scenario], seed, threads)

    def more(begin: int, end: int) -> list[Result]:
        jobs = [Job(scenario, i, warmup_ns) for i in range(begin, end)]
        return run_all(jobs, seed, threads, progress and after(begin, progress))

    if until_precision:
        results, goals = until_met(until_precision, least, replications_max, more)
    else:
        results, goals = more(0, least), []
    return Replications(results, time.perf_counter() - start, goals)


def interval_tree(interval: Interval) -> dict[str, float | int | None]:
    """An interval as plain data."""
    return {
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "std": interval.std,
        "n": interval.n,
        "mean": interval.mean,
    }


def _in_the_open(path: str) -> bool:
    """Whether what is at this path, if it is a number, has an interval."""
    section, *keys = path.split(".")
    return section in (*SECTIONS, "cost_usd") and not _HIDDEN.intersection(keys)


def _put(tree: dict[str, Any], path: list[str], value: float) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value
