"""What scaling by ratio does in a noise-free world: sequences and fluid figures, in closed form.

A law in steps, one decision a period, on a metric that is d periods old:

    n[k+1] = n[k] u[k-d] / u*,    u[k] = load[k] / n[k]

so with load in units of what one instance carries at the target, n[k+1] = n[k] load[k-d] / n[k-d].
For a constant load the logarithm y of n over the right size obeys y[k+1] = y[k] - y[k-d], the
integral controller with a gain of 1: settled after a step at d = 0, an undamped cycle of 6 periods
at d = 1, divergent from d = 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

Number = Fraction | int


def ratio_law(
    start: Number, load: Sequence[Number], lag: int, *, whole: bool = False
) -> list[Fraction]:
    """n[0], .., n[len(load)], exactly; `load[k]` in instances that are needed at the target.

    Before period 0 there were `start` instances, and the load was load[0]. With `whole` a decision
    is rounded up, as instances are.
    """
    n = [Fraction(start)]
    for k in range(len(load)):
        seen = max(k - lag, 0)
        decided = n[k] * Fraction(load[seen]) / n[seen]
        n.append(Fraction(math.ceil(decided)) if whole else decided)
    return n


def ratio_law_logarithms(lag: int, periods: int) -> list[int]:
    """Exponents of start / right size in n[k] / right size, by y[k+1] = y[k] - y[k-d] alone."""
    y = [1]
    for k in range(periods):
        y.append(y[k] - y[max(k - lag, 0)])
    return y


def critical_gain(delay: int) -> float:
    """x[k+1] = x[k] - g x[k-d] is stable iff 0 < g < this (Levin and May, 1976)."""
    return 2 * math.sin(math.pi / (2 * (2 * delay + 1)))


def spectral_radius(gain: float, delay: int) -> float:
    """Of the same law: what its slowest mode is multiplied by in a period."""
    coefficients = np.zeros(delay + 2)
    coefficients[0], coefficients[1] = 1, -1
    coefficients[-1] += gain
    return float(np.abs(np.roots(coefficients)).max())


def integral_law(gain: float, delay: int, periods: int) -> list[float]:
    """x[0], .., x[periods] from x = 1 for all k <= 0."""
    x = [1.0]
    for k in range(periods):
        x.append(x[k] - gain * x[max(k - delay, 0)])
    return x


class FluidStep(NamedTuple):
    """After a step of the load, served in order of arrival; times from the step, in its unit."""

    backlog: float
    """The largest, when the new capacity comes."""
    drain: float
    """From then until nothing is left."""
    max_wait: float
    arrival_of_max_wait: float


def fluid_step(load: float, before: float, after: float, lag: float) -> FluidStep:
    """A load above the capacity `before`, until capacity is `after` the load a `lag` later.

    What arrives at t waits until all that is before it has been served. Until the backlog ahead of
    it meets the old capacity only, the wait is (load / before - 1) t; it is the longest for who is
    served at the very instant `lag`, t = lag before / load, if there is more capacity than load
    after it.
    """
    backlog = (load - before) * lag
    arrival = lag * before / load
    return FluidStep(backlog, backlog / (after - load), lag - arrival, arrival)


class FluidRamp(NamedTuple):
    """While the load rises; see `fluid_ramp`."""

    shortfall: float
    backlog: float


def fluid_ramp(slope: float, lag: float, until: float) -> FluidRamp:
    """A load that rises from what capacity is at 0, with capacity what the load was a lag before.

    The shortfall rises to slope x lag and stays; the backlog is its integral.
    """
    short_for = min(until, lag)
    steady = max(until - lag, 0.0)
    shortfall = slope * short_for
    return FluidRamp(shortfall, slope * short_for**2 / 2 + slope * lag * steady)
