"""Two ways of doing the same thing, timed turn by turn, and compared by the median of the ratios.

The machine's neighbours slow both sides of a pair alike, so the ratio of a pair moves far less than
its times do. Times are of the thread's own CPU time.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scipy import stats

# Two-sided chance of a false alarm: as good as never in the life of the project.
FALSE_ALARM = 1e-6


@dataclass
class Pairs:
    """Times of a subject and of what it is compared with, in ns a request."""

    name: str
    subject: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)

    def add(self, subject: float, reference: float) -> None:
        self.subject.append(subject)
        self.reference.append(reference)

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.subject, self.reference, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def summary(self) -> dict[str, float]:
        return {
            "subject_ns": statistics.median(self.subject),
            "reference_ns": statistics.median(self.reference),
            "ratio": self.ratio,
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
        }


def same_mean(differences: Sequence[float], resolution: float) -> bool:
    """Whether differences between paired runs scatter around 0, by Student's t.

    `resolution` is added for what both sides round.
    """
    spread = statistics.stdev(differences) / len(differences) ** 0.5
    quantile = float(stats.t.isf(FALSE_ALARM / 2, len(differences) - 1))
    return abs(statistics.fmean(differences)) <= quantile * spread + resolution


def same_mean_apart(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two sets of independent runs have one mean, by Welch's t."""
    return float(stats.ttest_ind(a, b, equal_var=False).pvalue) > FALSE_ALARM


HEADER = f"{'':52}{'first':>10}{'second':>10}{'ratio':>9}{'min':>9}{'max':>9}  wanted"


def line(name: str, summary: Mapping[str, float | None]) -> str:
    """A row of the table under HEADER."""
    limit, target = summary.get("limit"), summary.get("target")
    wanted = f"<= {limit:g}" if limit else f">= {target:g}" if target else ""
    name = name.removeprefix("test_")
    return (
        f"{name:52}{summary['subject_ns']:10.1f}{summary['reference_ns']:10.1f}"
        f"{summary['ratio']:9.2f}{summary['ratio_min']:9.2f}{summary['ratio_max']:9.2f}  {wanted}"
    )
