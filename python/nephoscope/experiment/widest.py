"""The widest interval so far, for who watches an experiment that is under way.

Of all mean latencies, in all cells of which two replications or more have ended: half the width of
the interval at 95 %, as a share of the estimate. It is kept up by Welford's recursion, so a run
that has ended costs next to nothing.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.experiment.interval import CONFIDENCE
from nephoscope.experiment.student import t_quantile
from nephoscope.results import Result

# Called with what a run belongs to, and its mean latencies by path.
Seen = Callable[[Hashable, Mapping[str, float]], None]

# From here on Student's t hardly changes: by less than 2 %.
_DEGREES_MAX = 60
_END = ".latency_s.mean"


@dataclass
class _Spread:
    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.n += 1
        before = value - self.mean
        self.mean += before / self.n
        self.squares += before * (value - self.mean)

    def share(self) -> float:
        """Half the interval's width, as a share of the mean."""
        error = math.sqrt(self.squares / (self.n - 1) / self.n)
        width = t_quantile(CONFIDENCE, min(self.n - 1, _DEGREES_MAX)) * error
        return width / self.mean if self.mean > 0.0 else 0.0


class Widest:
    """What the runs that have ended say, and which interval is the widest."""

    def __init__(self) -> None:
        self._spreads: dict[tuple[Hashable, str], _Spread] = {}

    def saw(self, of: Hashable, means: Mapping[str, float]) -> None:
        """A run has ended."""
        for path, value in means.items():
            self._spreads.setdefault((of, path), _Spread()).add(value)

    def text(self) -> str | None:
        """The widest, and of what; None while there is none."""
        shares = {key: it.share() for key, it in self._spreads.items() if it.n > 1}
        if not shares:
            return None
        (_, path), share = max(shares.items(), key=lambda item: item[1])
        return f"widest ±{100 * share:.2g} % ({path})"


def seen_by(progress: Any) -> Seen | None:
    """What a progress wants to be told of runs, if it does."""
    return getattr(progress, "saw", None)


def means_of_result(result: Result) -> dict[str, float]:
    """The mean latencies of a run."""
    means = {f"traffic.{name}{_END}": result[f"traffic.{name}{_END}"] for name in result["traffic"]}
    return {path: mean for path, mean in means.items() if mean is not None}


def means_in(numbers: Mapping[str, float]) -> dict[str, float]:
    """The same of the numbers of an outcome."""
    return {
        path: number
        for path, number in numbers.items()
        if path.startswith("traffic.") and path.endswith(_END) and path.count(".") == 3
    }
