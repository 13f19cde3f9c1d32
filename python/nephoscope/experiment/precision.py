"""Sequential stopping: as many replications as a precision needs.

After some replications, at least ten, the interval of each number asked for is looked at; while one
is too wide more are made. The rule is that of Law (Simulation Modeling and Analysis, 9.4.1, after
Chow and Robbins, 1965): to be within a share g of the truth, half the width of the interval must be
at most g / (1 + g) of the estimate, because the estimate is not the truth. Intervals of such a
procedure cover a little less often than they say, since it stops when they happen to be narrow; a
minimum of ten replications and looking seldom keep that small. How many are made from one look to
the next follows from the width, with a tenth more and at most as many again as there are: the looks
depend on the numbers alone, so the outcome does not depend on the number of threads.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nephoscope.errors import WordError, shorten
from nephoscope.experiment.interval import HALF_BUCKET, QUANTILES, interval_of
from nephoscope.experiment.metrics import whole_paths
from nephoscope.experiment.outcome import ResultRun
from nephoscope.results import Result

REPLICATIONS_MIN = 10
REPLICATIONS_MAX = 1000


@dataclass(frozen=True)
class Goal:
    """A number, how well it is to be known, and how well it is."""

    path: str
    wanted: float
    """The greatest relative error, as a share of the truth."""
    reached: float | None = None
    """The relative error that the interval stands for; None where there is no interval."""

    @property
    def met(self) -> bool:
        """Whether it is known as well as it should be."""
        return self.reached is not None and self.reached <= self.wanted

    def seen(self, runs: Sequence[ResultRun]) -> "Goal":
        """The same goal after these replications."""
        interval = interval_of(runs, self.path)
        if interval is None or interval.half_width is None:
            return Goal(self.path, self.wanted, None)
        # Of what never happens, and of what never varies, more replications tell nothing new.
        if interval.half_width == 0.0 or interval.value == interval.std == 0.0:
            return Goal(self.path, self.wanted, 0.0)
        share = interval.half_width / abs(interval.value) if interval.value else math.inf
        # The other way round: h = g / (1 + g) is the interval of an error g.
        return Goal(self.path, self.wanted, share / (1.0 - share) if share < 1.0 else None)


def goals_of(result: Result, wanted: Mapping[str, float]) -> list[Goal]:
    """The goals: a path of the result, or the end of one that all traffic has."""
    goals: dict[str, Goal] = {}
    run = ResultRun(result)
    for path, share in wanted.items():
        for it in whole_paths(run, path):
            _check_share(it, share)
            goals[it] = Goal(it, share)
    return list(goals.values())


def until_met(
    wanted: Mapping[str, float],
    least: int,
    most: int,
    more: Callable[[int, int], list[Result]],
) -> tuple[list[Result], list[Goal]]:
    """The results of as many replications as the goals need, and the goals.

    `more` makes the replications from one number up to another.
    """
    # One first, so that a wrong path costs one run.
    results = more(0, 1)
    goals = goals_of(results[0], wanted)
    target = min(max(least, REPLICATIONS_MIN), most)
    runs: list[ResultRun] = []
    while True:
        results += more(len(results), target)
        runs += [ResultRun(result) for result in results[len(runs) :]]
        goals = [goal.seen(runs) for goal in goals]
        if all(goal.met for goal in goals) or target >= most:
            return results, goals
        target = min(most, max(_needed(goal, target) for goal in goals if not goal.met))


def _needed(goal: Goal, made: int) -> int:
    """How many replications the next look comes after."""
    if goal.reached is None:
        return 2 * made
    # Widths shrink with the root of the number.
    wanted = goal.wanted / (1.0 + goal.wanted)
    width = goal.reached / (1.0 + goal.reached)
    return min(2 * made, max(made + 1, math.ceil(1.1 * made * (width / wanted) ** 2)))


def _check_share(path: str, share: float) -> None:
    quantile = path.rpartition(".")[2] in QUANTILES
    floor = HALF_BUCKET / (1.0 - HALF_BUCKET) if quantile else 0.0
    allowed = f"a share above {'0.4 %' if quantile else '0'} and below 1, such as 2%"
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise WordError(f"precision of {path}: {shorten(share)} is not a number", allowed)
    if not floor < share < 1.0:
        why = ": no better is a quantile of a histogram known" if quantile else ""
        raise WordError(f"precision of {path}: {share:g} is out of range{why}", allowed)
