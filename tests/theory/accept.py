"""When an estimate agrees with an expectation.

The false-alarm rate is one in a million for every comparison, the standard error comes from
independent replications, and Student's law is used because they are few. Nothing is run again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory.formulas import t_critical, z_critical


@dataclass(frozen=True)
class Estimate:
    """Mean of independent replications, its standard error, and the replications behind it."""

    mean: float
    se: float
    replications: int

    @property
    def relative(self) -> float:
        """SE/mean: what says how small an error would have been seen."""
        return self.se / abs(self.mean) if self.mean else math.inf

    @property
    def critical(self) -> float:
        return t_critical(self.replications - 1)


@dataclass(frozen=True)
class Comparison:
    """An estimate against an expectation, which may have a standard error of its own."""

    estimate: Estimate
    expected: float
    se_expected: float = 0.0

    @property
    def margin(self) -> float:
        """Largest difference that is let pass."""
        own = self.estimate.critical * self.estimate.se
        # The clock has whole nanoseconds: what does not vary at all is exact to 1e-9.
        return math.hypot(own, z_critical() * self.se_expected) + 1e-9 * abs(self.expected)

    @property
    def z(self) -> float:
        """Difference in standard errors."""
        both = math.hypot(self.estimate.se, self.se_expected)
        difference = self.estimate.mean - self.expected
        return difference / both if both > 0 else math.copysign(math.inf, difference)

    @property
    def agrees(self) -> bool:
        return abs(self.estimate.mean - self.expected) <= self.margin

    def __str__(self) -> str:
        return (
            f"estimate {self.estimate.mean:.9g} +- {self.estimate.se:.2g} "
            f"({self.estimate.replications} replications), expected {self.expected:.9g}"
            + (f" +- {self.se_expected:.2g}" if self.se_expected else "")
            + f": {self.z:+.2f} SE, let pass {self.margin:.3g}"
        )


def estimate(values: Sequence[float]) -> Estimate:
    """The estimate that independent replications make."""
    array = np.asarray(values, dtype=float)
    assert len(array) >= 10, "a standard error from fewer replications is not worth having"
    assert np.isfinite(array).all(), array
    return Estimate(
        float(array.mean()), float(array.std(ddof=1) / math.sqrt(len(array))), len(array)
    )


def below(smaller: Estimate, larger: Estimate) -> bool:
    """The first is less than the second beyond the combined standard error."""
    return larger.mean - smaller.mean > math.hypot(
        smaller.critical * smaller.se, larger.critical * larger.se
    )
