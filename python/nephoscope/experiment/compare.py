"""Comparison: which of several alternatives is better, and whether that can be told at all.

All alternatives are run with the same seed and the same numbers of replications, so with common
random numbers: a stream of random numbers belongs to what it is for, and the customers of one
alternative are those of all others. Replication for replication, the difference of two alternatives
is then theirs alone, and the interval of the mean difference a Student interval of paired values
(Law, Simulation Modeling and Analysis, 10.2.1).

A table of many intervals at 95 % each is wrong somewhere with a much higher probability. By
Bonferroni's inequality (Law, 10.3) each of m differences has an interval at 1 - 0.05/m, so that all
of them hold together with a probability of at least 95 %; m counts pairs times metrics.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

from nephoscope.errors import PathError
from nephoscope.experiment.alternatives import Alternative, Values, in_step, json_of
from nephoscope.experiment.interval import (
    CONFIDENCE,
    Interval,
    difference_of,
    interval_of,
)
from nephoscope.experiment.metrics import chosen
from nephoscope.experiment.outcome import ResultRun
from nephoscope.experiment.replicate import Replications, interval_tree
from nephoscope.experiment.runs import (
    Job,
    Progress,
    after,
    check_confidence,
    check_threads,
    run_all,
    warmups_of,
)
from nephoscope.nearest import listing, nearest
from nephoscope.results import FORMAT
from nephoscope.scenario import Scenario
from nephoscope.tables import Columns, Tabular, interval_columns, numbers, texts


@dataclass(frozen=True)
class Difference:
    """What one alternative has more of than another, by one metric."""

    metric: str
    alternative: str
    base: str
    interval: Interval | None
    """Of the mean difference, at a confidence that makes all of a comparison hold together."""
    relative: float | None
    """The difference as a share of what the base has; None where that is 0."""
    note: str = ""
    """Why there is no interval, or what it leaves out."""

    @property
    def verdict(self) -> str:
        """`higher` or `lower` than the base, `not distinguishable`, or `undefined`."""
        if self.interval is None or self.interval.low is None or self.interval.high is None:
            return "undefined"
        if self.interval.low <= 0.0 <= self.interval.high:
            return "not distinguishable"
        return "higher" if self.interval.value > 0.0 else "lower"

    def __repr__(self) -> str:
        note = f", note={self.note!r}" if self.note else ""
        return (
            f"Difference({self.metric!r}, {self.alternative!r} against {self.base!r}: "
            f"{self.verdict}, interval={self.interval}, relative={self.relative}{note})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "metric": self.metric,
            "alternative": self.alternative,
            "base": self.base,
            "difference": None if self.interval is None else interval_tree(self.interval),
            "relative": self.relative,
            "verdict": self.verdict,
            "note": self.note,
        }


def _difference_rows(found: "Comparison") -> Columns:
    rows = found.differences
    return [
        texts("metric", [it.metric for it in rows]),
        texts("alternative", [it.alternative for it in rows]),
        texts("base", [it.base for it in rows]),
        *interval_columns([it.interval for it in rows]),
        numbers("relative", [it.relative for it in rows]),
        texts("verdict", [it.verdict for it in rows]),
        texts("note", [it.note for it in rows]),
    ]


def _estimate_rows(found: "Comparison") -> Columns:
    rows = [(metric, label) for metric in found.metrics for label in found.labels]
    return [
        texts("metric", [metric for metric, _ in rows]),
        texts("alternative", [label for _, label in rows]),
        *interval_columns([found.estimate(*row) for row in rows]),
    ]


class Comparison(Tabular):
    """The replications of every alternative, and their differences.

    As a table (`to_arrow`) it is its `differences`, or the `estimates` of each alternative.
    """

    _tables: ClassVar = {"differences": _difference_rows, "estimates": _estimate_rows}

    def __init__(
        self,
        alternatives: Sequence[Alternative],
        runs: Sequence[Replications],
        metrics: Sequence[str],
        pairs: Sequence[tuple[str, str]],
        confidence: float,
        wall_s: float,
    ) -> None:
        self.alternatives = tuple(alternatives)
        self.runs = dict(zip([it.label for it in alternatives], runs, strict=True))
        self.metrics = tuple(metrics)
        self.confidence = confidence
        self.each_confidence = 1.0 - (1.0 - confidence) / (len(pairs) * len(metrics))
        """Of each interval of a difference."""
        self.wall_s = wall_s
        self.differences = tuple(
            self._difference(metric, alternative, base)
            for metric in metrics
            for alternative, base in pairs
        )

    @property
    def labels(self) -> list[str]:
        """The names of the alternatives; the first is what the others are compared with."""
        return list(self.runs)

    def __getitem__(self, key: tuple[str, str]) -> Difference:
        """The difference of an alternative to the first by a metric."""
        metric, alternative = key
        for difference in self.differences:
            if (difference.metric, difference.alternative) == (metric, alternative):
                return difference
        word = nearest(metric, self.metrics) if metric not in self.metrics else None
        hint = f"; did you mean {word}?" if word else ""
        there = f"{listing(self.metrics)}; {listing(self.labels[1:])}"
        raise PathError(f"no difference of {metric!r} for {alternative!r}{hint} (there: {there})")

    def estimate(self, metric: str, label: str) -> Interval | None:
        """What an alternative has of a metric, with an interval by itself; None if undefined."""
        return interval_of(self.runs[label].runs, metric, self.confidence)

    @property
    def flags(self) -> list[str]:
        """What a reader must know, with the alternative it holds of."""
        return [f"{label}: {flag}" for label, runs in self.runs.items() for flag in runs.flags]

    @property
    def replications(self) -> int:
        """How often each alternative was run."""
        return len(next(iter(self.runs.values())))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `nephoscope compare --json` prints it."""
        first = next(iter(self.runs.values())).results[0]
        return {
            "format": FORMAT,
            "scenario": first.scenario,
            "seed": first.seed,
            "engine": first.engine,
            "replications": self.replications,
            "confidence": self.confidence,
            "each_confidence": self.each_confidence,
            "correction": "bonferroni",
            "wall_s": self.wall_s,
            "metrics": list(self.metrics),
            "alternatives": [
                {
                    "label": it.label,
                    "values": json_of(it.values),
                    "fingerprint": self.runs[it.label].fingerprint,
                    "flags": self.runs[it.label].flags,
                    "warmup_s": self.runs[it.label].results[0].warmup_s,
                    "metrics": {
                        metric: None if found is None else interval_tree(found)
                        for metric in self.metrics
                        for found in [self.estimate(metric, it.label)]
                    },
                }
                for it in self.alternatives
            ],
            "differences": [difference.to_dict() for difference in self.differences],
            "flags": self.flags,
        }

    def _origin(self) -> dict[str, Any]:
        first = next(iter(self.runs.values())).results[0]
        return {
            "scenario": first.scenario,
            "seed": first.seed,
            "replications": self.replications,
            "engine": first.engine,
            "confidence": self.confidence,
            "each_confidence": self.each_confidence,
        }

    def to_html(self) -> str:
        """A report of one file that needs nothing else; `pip install nephoscope[report]` first."""
        from nephoscope.report.html import comparison_page  # noqa: PLC0415  (reports know it)

        return comparison_page(self)

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)

    def _difference(self, metric: str, alternative: str, base: str) -> Difference:
        ours, theirs = self.runs[alternative].runs, self.runs[base].runs
        interval = difference_of(ours, theirs, metric, self.each_confidence)
        if interval is None or interval.half_width is None:
            return Difference(metric, alternative, base, None, None, self._why(metric, interval))
        of = interval_of(theirs, metric)
        relative = interval.value / abs(of.value) if of is not None and of.value else None
        note = ""
        if interval.n < self.replications:
            note = f"defined in {interval.n} of {self.replications} pairs of replications only"
        return Difference(metric, alternative, base, interval, relative, note)

    def _why(self, metric: str, interval: Interval | None) -> str:
        """Why two alternatives have no difference by a metric."""
        missing = [
            label
            for label, runs in self.runs.items()
            if not any(run.knows(metric) for run in runs.runs)
        ]
        if missing:
            return f"not in the results of {listing(missing)}"
        never = [label for label, it in self.runs.items() if interval_of(it.runs, metric) is None]
        if never:
            return f"undefined in every replication of {listing(never)}"
        pairs = 0 if interval is None else interval.n
        return f"defined in {pairs} of {self.replications} pairs of replications, two are needed"

    def __str__(self) -> str:
        from nephoscope.report.comparison import comparison_text  # noqa: PLC0415  (it knows this)

        return comparison_text(self)

    def __repr__(self) -> str:
        return f"Comparison({self.labels}, replications={self.replications})"


def compare(
    scenario: Scenario,
    vary: Values,
    replications: int = 30,
    *,
    metrics: Sequence[str] | None = None,
    all_pairs: bool = False,
    confidence: float = CONFIDENCE,
    rng: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare a scenario with itself under other values, by differences with intervals.

    `vary` has a list of values for each path; several lists go in step. The first values are the
    base; with `all_pairs` each alternative is compared with all before it. `metrics` are paths of a
    Result, by default latency and losses of all traffic and the bill. The results do not depend on
    the number of threads.
    """
    if replications < 2:
        raise ValueError("at least two replications: one has no interval")
    check_threads(threads)
    check_confidence(confidence)
    start = time.perf_counter()
    alternatives = in_step(scenario, vary)
    seed = scenario.seed if rng is None else int(rng)
    scenarios = [alternative.scenario for alternative in alternatives]
    warmups = warmups_of(scenarios, seed, threads)
    each = list(zip(scenarios, warmups, strict=True))
    # The first of each before all others: a metric that does not exist should not cost a night.
    first = run_all([Job(it, 0, warmup_ns) for it, warmup_ns in each], seed, threads, progress)
    metrics = chosen([ResultRun(result) for result in first], metrics)
    jobs = [Job(it, i, warmup_ns) for it, warmup_ns in each for i in range(1, replications)]
    rest = run_all(jobs, seed, threads, progress and after(len(first), progress))
    wall_s = time.perf_counter() - start
    further = replications - 1
    runs = [
        Replications([first[i], *rest[i * further : (i + 1) * further]], wall_s)
        for i in range(len(first))
    ]
    labels = [alternative.label for alternative in alternatives]
    pairs = [(later, earlier) for earlier, later in combinations(labels, 2)]
    pairs = pairs if all_pairs else pairs[: len(labels) - 1]
    return Comparison(alternatives, runs, metrics, pairs, confidence, wall_s)
