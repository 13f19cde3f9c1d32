"""Size: the least value for which a condition holds, with a confidence.

A value is tried by replications with the same random numbers as all others, and taken when the
condition holds with confidence. Many values are tried, and each might be taken by chance; so that
the one found is wrong with a probability of no more than 1 - confidence, each trial has its share
of that by Bonferroni's inequality, for as many trials as the search makes at most.

The search takes for granted that what holds for a value holds for all greater ones (for all
smaller ones, where the greatest is asked for). It never looks beyond what it has found, so it would
not notice otherwise.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nephoscope.errors import ExperimentError
from nephoscope.experiment.alternatives import refuse_seed, text_of
from nephoscope.experiment.condition import Condition, Verdict
from nephoscope.experiment.interval import CONFIDENCE, Interval
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
from nephoscope.experiment.scale import scale_of
from nephoscope.experiment.search import least, trials_max
from nephoscope.results import FORMAT, engine_version
from nephoscope.scenario import Scenario


@dataclass(frozen=True)
class Trial:
    """A value that was tried, and what could be said of it."""

    place: int
    """On the scale of all values that may be tried."""
    value: Any
    verdict: Verdict
    intervals: dict[str, Interval | None]
    """The numbers of the condition; either end is passed with 1 - each_confidence at most."""
    flags: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "value": self.value,
            "verdict": self.verdict.value,
            "metrics": {
                path: None if interval is None else interval_tree(interval)
                for path, interval in self.intervals.items()
            },
            "flags": list(self.flags),
        }


@dataclass(frozen=True)
class Sizing:
    """The value that was found, and all that were tried for it, in order of trial."""

    scenario: str
    seed: int
    path: str
    value: Any
    """The least that holds, or the greatest."""
    greatest: bool
    condition: Condition
    confidence: float
    each_confidence: float
    """Of each trial, so that the value found is right at the confidence asked for."""
    replications: int
    trials: tuple[Trial, ...]
    flags: tuple[str, ...]
    wall_s: float

    @property
    def found(self) -> Trial:
        """The trial of the value that was found."""
        return next(trial for trial in self.trials if trial.value == self.value)

    @property
    def in_order(self) -> list[Trial]:
        """The trials from the least value to the greatest."""
        return sorted(self.trials, key=lambda trial: trial.place, reverse=self.greatest)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `nephoscope size --json` prints it."""
        return {
            "format": FORMAT,
            "scenario": self.scenario,
            "seed": self.seed,
            "engine": engine_version(),
            "path": self.path,
            "value": self.value,
            "greatest": self.greatest,
            "condition": str(self.condition),
            "confidence": self.confidence,
            "each_confidence": self.each_confidence,
            "correction": "bonferroni",
            "replications": self.replications,
            "wall_s": self.wall_s,
            "trials": [trial.to_dict() for trial in self.trials],
            "flags": list(self.flags),
        }

    def to_html(self, scenario: Scenario | None = None) -> str:
        """A report of one file, with the scenario if it is given; it needs nephoscope[report]."""
        from nephoscope.report.html import size_page  # noqa: PLC0415  (reports know it)

        return size_page(self, scenario)

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)


class _Bench:
    """Where values are tried."""

    def __init__(
        self,
        scenario: Scenario,
        path: str,
        condition: Condition,
        each_confidence: float,
        replications: int,
        seed: int,
        threads: int | None,
        progress: Progress | None,
    ) -> None:
        self._scenario = scenario
        self._path = path
        self.condition = condition
        """With whole paths, once something has been run."""
        self._each_confidence = each_confidence
        self._replications = replications
        self._seed = seed
        self._threads = threads
        self._progress = progress
        self.trials: dict[int, Trial] = {}
        """By their place on the scale, in order of trial."""

    def holds(self, place: int, value: Any) -> bool:
        """Try a value."""
        varied = self._scenario.replace({self._path: value})
        (warmup_ns,) = warmups_of([varied], self._seed, self._threads)
        done = len(self.trials) * self._replications
        jobs = [Job(varied, i, warmup_ns) for i in range(self._replications)]
        if not self.trials:
            # One first: a condition on nothing should not cost many.
            (first,) = run_all(jobs[:1], self._seed, self._threads)
            self.condition = self.condition.of(ResultRun(first))
        progress = self._progress and after(done, self._progress)
        runs = Replications(run_all(jobs, self._seed, self._threads, progress), 0.0)
        intervals = self.condition.intervals(runs.runs, self._each_confidence)
        verdict = self.condition.verdict(intervals)
        self.trials[place] = Trial(place, value, verdict, intervals, tuple(runs.flags))
        return verdict is Verdict.holds


def size(
    scenario: Scenario,
    vary: str,
    until: str,
    *,
    between: tuple[Any, Any] | None = None,
    tolerance: float = 0.05,
    greatest: bool = False,
    confidence: float = CONFIDENCE,
    replications: int = 20,
    rng: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Sizing:
    """The least value of a path for which a condition on the results holds with confidence.

    `until` is such as `traffic.customers.latency_s.p99 < 0.2`, several joined by `and`; of a path
    such as `latency_s.p99` it is to hold for all traffic. Whole
    numbers are looked for from 1 to 1024 unless `between` says otherwise; it also names the range
    of durations, rates, sizes and numbers, of which the least is found up to `tolerance`. With
    `greatest` it is the greatest value for which the condition holds. Raises ExperimentError if it
    is shown for none.
    """
    if replications < 2:
        raise ValueError("at least two replications: one has no interval")
    check_threads(threads)
    check_confidence(confidence)
    start = time.perf_counter()
    seed = scenario.seed if rng is None else int(rng)
    condition = Condition.parse(until)
    refuse_seed([vary])
    present = _present(scenario, vary)
    scale = scale_of(between, present, tolerance)
    scale = scale.reversed() if greatest else scale
    each = 1.0 - (1.0 - confidence) / trials_max(scale.count)
    bench = _Bench(scenario, vary, condition, each, replications, seed, threads, progress)
    place = least(
        lambda place: bench.holds(place, scale.at(place)), scale.count, scale.place_of(present) or 0
    )
    trials = tuple(bench.trials.values())
    if place is None:
        ends = sorted((0, scale.count - 1), reverse=greatest)
        raise ExperimentError(
            f"no value of {vary} from {text_of(scale.at(ends[0]))} to {text_of(scale.at(ends[1]))} "
            f"is known to do: {_told(trials[-1], bench.condition, replications)}"
        )
    return Sizing(
        scenario.name,
        seed,
        vary,
        scale.at(place),
        greatest,
        bench.condition,
        confidence,
        each,
        replications,
        trials,
        tuple(_flags(bench.trials, place)),
        time.perf_counter() - start,
    )


def _flags(trials: dict[int, Trial], place: int) -> list[str]:
    flags = list(trials[place].flags)
    if place > 0 and trials[place - 1].verdict is Verdict.undecided:
        flags.append(
            f"at {text_of(trials[place - 1].value)} nobody can tell: more replications might"
        )
    return flags


def _told(trial: Trial, condition: Condition, replications: int) -> str:
    """What a trial has instead of what it should have."""
    parts = []
    for part in condition.parts:
        interval = trial.intervals[part.path]
        if interval is None:
            parts.append(f"{part.path} is undefined")
        else:
            low, high = (
                "unknown" if end is None else part.figure(end)
                for end in (interval.low, interval.high)
            )
            parts.append(f"{part.path} is {part.figure(interval.value)} ({low} to {high})")
    more = ""
    if trial.verdict is Verdict.undecided:
        more = f"; more than {replications} replications might show it"
    return f"at {text_of(trial.value)} {', '.join(parts)}, not {condition}{more}"


def _present(scenario: Scenario, path: str) -> Any:
    """The value that the scenario has at a path, as it is written; None where it has none."""
    node: Any = scenario.to_dict()
    for part in path.split("."):
        if isinstance(node, Sequence) and not isinstance(node, str):
            node = node[int(part)] if part.isdecimal() and int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, dict) else None
    return node if isinstance(node, int | float | str) else None
