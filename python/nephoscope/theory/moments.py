"""The first three moments of the laws of the scenario language, in seconds.

What theory needs of a service time is its mean and, for the wait in a line of one server, its
second and third moments; a law may have no such moment, which is then infinite.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.language.distribution import Distribution

NS = 1e9


@dataclass(frozen=True)
class Law:
    """A law of durations by its moments about 0."""

    m1: float
    m2: float
    m3: float
    exponential: bool = False
    independent: bool = True
    """Whether draws tell nothing of each other; a replayed column is a sequence."""

    @property
    def scv(self) -> float:
        """Squared coefficient of variation."""
        return self.m2 / self.m1**2 - 1.0 if self.m1 > 0.0 else 0.0

    def scaled(self, factor: float) -> Self:
        """The law of a multiple."""
        return type(self)(
            self.m1 * factor,
            self.m2 * factor**2,
            self.m3 * factor**3,
            self.exponential,
            self.independent,
        )

    def plus(self, other: "Law") -> "Law":
        """The law of a sum of two independent durations."""
        if self.m1 == 0.0 or other.m1 == 0.0:
            kept = other if self.m1 == 0.0 else self
            both = self.independent and other.independent
            return Law(kept.m1, kept.m2, kept.m3, kept.exponential, both)
        return Law(
            self.m1 + other.m1,
            self.m2 + 2.0 * self.m1 * other.m1 + other.m2,
            self.m3 + 3.0 * self.m2 * other.m1 + 3.0 * self.m1 * other.m2 + other.m3,
            independent=self.independent and other.independent,
        )


NOTHING = Law(0.0, 0.0, 0.0)


def mixed(parts: list[tuple[float, Law]]) -> Law:
    """One of several laws, each with its probability."""
    kept = [(weight, law) for weight, law in parts if weight > 0.0]
    first = kept[0][1]
    if all(law == first for _, law in kept):
        return first
    m1, m2, m3 = (sum(w * getattr(law, m) for w, law in kept) for m in ("m1", "m2", "m3"))
    return Law(m1, m2, m3, independent=all(law.independent for _, law in kept))


def law_of(distribution: Distribution, files: DataFiles) -> Law:
    """The law that a scenario means."""
    options = distribution.options
    match distribution.form:
        case "constant":
            m1 = float(options) / NS
            return Law(m1, m1**2, m1**3)
        case "exponential":
            m1 = float(options) / NS
            return Law(m1, 2.0 * m1**2, 6.0 * m1**3, exponential=True)
        case "uniform":
            return _uniform(float(options.min) / NS, float(options.max) / NS)
        case "hyperexponential":
            return _hyperexponential(distribution)
        case "empirical":
            weights = None if options.values is None else options.weights
            values = options.values
            if values is None:
                values = files.durations_ns(options)
            return _sample(values, weights)
        case "replay":
            law = _sample(files.durations_ns(options), None)
            return Law(law.m1, law.m2, law.m3, independent=False)
        case form:
            return _named(form, float(options.mean) / NS, options)


def _named(form: str, mean: float, options: object) -> Law:
    """Laws of a mean and a shape; their moments in units of the mean."""
    if form == "normal":
        return _normal(mean, getattr(options, "cv"))  # noqa: B009  (options differ by form)
    shape = float(
        getattr(options, {"erlang": "k", "lognormal": "cv", "gamma": "cv"}.get(form, "shape"))
    )
    if form == "erlang":
        ratios = _gamma_ratios(shape)
        return Law(mean, mean**2 * ratios[0], mean**3 * ratios[1], exponential=shape == 1.0)
    if form == "gamma":
        ratios = _gamma_ratios(1.0 / shape**2)
        return Law(mean, mean**2 * ratios[0], mean**3 * ratios[1], exponential=shape == 1.0)
    if form == "lognormal":
        growth = 1.0 + shape**2
        return Law(mean, mean**2 * growth, mean**3 * growth**3)
    if form == "weibull":
        scale = mean / math.gamma(1.0 + 1.0 / shape)
        m2, m3 = (scale**r * math.gamma(1.0 + r / shape) for r in (2, 3))
        return Law(mean, m2, m3, exponential=shape == 1.0)
    least = mean * (shape - 1.0) / shape  # of a Pareto law
    m2, m3 = (shape * least**r / (shape - r) if shape > r else math.inf for r in (2, 3))
    return Law(mean, m2, m3)


def _gamma_ratios(k: float) -> tuple[float, float]:
    return (k + 1.0) / k, (k + 1.0) * (k + 2.0) / k**2


def _normal(mean: float, cv: float) -> Law:
    """Cut at 0, by the recursion of the moments of a truncated normal law."""
    deviation = mean * cv
    alpha = -1.0 / cv
    above = 0.5 * math.erfc(alpha / math.sqrt(2.0))
    hazard = math.exp(-(alpha**2) / 2.0) / math.sqrt(2.0 * math.pi) / above
    # E[Z^r] above alpha = (r - 1) E[Z^(r-2)] + alpha^(r-1) hazard.
    z1 = hazard
    z2 = 1.0 + alpha * hazard
    z3 = 2.0 * z1 + alpha**2 * hazard
    m1 = mean + deviation * z1
    m2 = mean**2 + 2.0 * mean * deviation * z1 + deviation**2 * z2
    m3 = mean**3 + 3.0 * mean**2 * deviation * z1 + 3.0 * mean * deviation**2 * z2
    return Law(m1, m2, m3 + deviation**3 * z3)


def _uniform(low: float, high: float) -> Law:
    m1, m2 = (low + high) / 2.0, (low**2 + low * high + high**2) / 3.0
    return Law(m1, m2, (low + high) * (low**2 + high**2) / 4.0)


def _hyperexponential(distribution: Distribution) -> Law:
    options = distribution.hyperexponential
    assert options is not None
    if options.means is not None and options.probabilities is not None:
        phases = zip(options.probabilities, options.means, strict=True)
        return mixed([(p, _exponential(float(mean) / NS)) for p, mean in phases])
    assert options.mean is not None
    assert options.cv is not None
    mean, square = float(options.mean) / NS, options.cv**2
    first = (1.0 + math.sqrt((square - 1.0) / (square + 1.0))) / 2.0
    second = 1.0 / ((square + 1.0) * 2.0 * first)
    phases_ = [(p, _exponential(mean / (2.0 * p))) for p in (first, second)]
    return mixed(phases_)


def _exponential(mean: float) -> Law:
    return Law(mean, 2.0 * mean**2, 6.0 * mean**3, exponential=True)


def _sample(values_ns: npt.ArrayLike, weights: npt.ArrayLike | None) -> Law:
    values = np.asarray(values_ns, dtype=np.float64) / NS
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    shares = shares / shares.sum()
    m1, m2, m3 = (float(shares @ values**r) for r in (1, 2, 3))
    return Law(m1, m2, m3)
