"""Conditions on the numbers of a system: `traffic.customers.latency_s.p99 < 200ms`.

A condition holds with a confidence when the end of a one-sided interval that is nearer to the bound
is still on the right side of it; it fails with that confidence when the other end is on the wrong
side; in between nobody can tell. Of several conditions joined by `and`, each is looked at with the
full confidence: that all seem to hold while one does not is no likelier than that this one seems to
(an intersection-union test: Berger, Technometrics 24, 1982).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from nephoscope.errors import UnitError, WordError, shorten
from nephoscope.experiment.interval import Interval, interval_of
from nephoscope.experiment.metrics import whole_paths
from nephoscope.experiment.outcome import ResultRun, Run
from nephoscope.nearest import listing
from nephoscope.scenario.units import DURATION_NS, Duration, parse_share

_FORM = re.compile(
    r"\s*(?P<path>[^\s<>=]+)\s*(?P<sign><=|>=|<|>)"
    r"\s*(?P<bound>[^\s<>=]+(?:\s+(?!and\b)[^\s<>=]+)*)\s*"  # with room before its unit: 50 ms
)
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_BOUNDS = f"a number, a share such as 1%, or a duration such as 200ms, in {listing(DURATION_NS)}"
_ALLOWED = "a path of the results, <, <=, > or >=, and a number: traffic.users.latency_s.p99 < 0.2"


class Verdict(Enum):
    """What can be said of a condition."""

    holds = "holds"
    fails = "fails"
    undecided = "undecided"
    undefined = "undefined"


@dataclass(frozen=True)
class Comparand:
    """One path, a sign, and the bound in the unit of the results."""

    path: str
    sign: str
    bound: float
    text: str

    def verdict(self, interval: Interval | None) -> Verdict:
        """What an interval says of it, its ends being those of one-sided intervals."""
        if interval is None:
            return Verdict.undefined
        above = self.sign in (">", ">=")
        better, worse = (interval.high, interval.low) if above else (interval.low, interval.high)
        if worse is not None and self._right(worse):
            return Verdict.holds
        if better is not None and not self._right(better):
            return Verdict.fails
        return Verdict.undecided

    def figure(self, value: float) -> str:
        """A value as the bound is written: in percent, in a unit of time, or as it is."""
        if _NUMBER.fullmatch(self.text):
            return f"{value:.4g}"
        if self.text.endswith("%"):
            return f"{100.0 * value:.4g} %"
        for unit in ("s", "ms", "us"):
            if abs(value) * 1e9 >= DURATION_NS[unit]:
                return f"{value * 1e9 / DURATION_NS[unit]:.4g} {unit}"
        return f"{value * 1e9:.4g} ns"

    def _right(self, value: float) -> bool:
        match self.sign:
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
        return value >= self.bound


@dataclass(frozen=True)
class Condition:
    """Comparands that are all to hold."""

    parts: tuple[Comparand, ...]

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read `PATH < BOUND and PATH >= BOUND`; raises WordError for anything else."""
        if not isinstance(text, str):
            raise WordError(f"{shorten(text)} is not a condition", _ALLOWED)
        return cls(tuple(_part(part) for part in re.split(r"\s+and\s+", text)))

    @property
    def paths(self) -> list[str]:
        """The numbers that it is about."""
        return [part.path for part in self.parts]

    def of(self, run: ResultRun) -> "Condition":
        """The same with whole paths: the end of one that all traffic has is of each of them."""
        parts = [
            replace(part, path=path) for part in self.parts for path in whole_paths(run, part.path)
        ]
        return Condition(tuple(parts))

    def intervals(self, runs: Sequence[Run], confidence: float) -> dict[str, Interval | None]:
        """Each number, with ends that are passed on either side with this confidence at most."""
        return {path: interval_of(runs, path, 2.0 * confidence - 1.0) for path in self.paths}

    def verdict(self, intervals: dict[str, Interval | None]) -> Verdict:
        """What can be said of all parts together."""
        found = {part.verdict(intervals[part.path]) for part in self.parts}
        for verdict in (Verdict.fails, Verdict.undefined, Verdict.undecided):
            if verdict in found:
                return verdict
        return Verdict.holds

    def __str__(self) -> str:
        return " and ".join(f"{part.path} {part.sign} {part.text}" for part in self.parts)


def _part(text: str) -> Comparand:
    match = _FORM.fullmatch(text)
    if match is None:
        raise WordError(f"{shorten(text)} is not a condition", _ALLOWED)
    bound = match["bound"]
    return Comparand(match["path"], match["sign"], _bound(match["path"], bound), bound)


def _bound(path: str, text: str) -> float:
    """A bound in the unit of the results; a duration only of what is in seconds."""
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        if text.endswith("%"):
            return parse_share(text)
        duration = Duration.parse(text)
    except UnitError:
        raise WordError(f"{shorten(text)} is no bound of {path}", _BOUNDS) from None
    if not any(part.endswith("_s") for part in path.split(".")):
        message = f"{path} is not in seconds, so {text} is no bound of it"
        raise WordError(message, "a number, or a whole path such as traffic.NAME.latency_s.p99")
    return duration.seconds
