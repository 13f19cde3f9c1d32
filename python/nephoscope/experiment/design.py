"""Designs: points within ranges of values, at random or spread out, for a sweep.

A grid of many paths has more corners than anybody can run. Points of Sobol's sequence fill the
space between the ends of all ranges evenly however few they are (scrambled, by Owen's method, so
that their mean has no bias); a Latin hypercube does so for each path alone; points at random are
independent.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope.errors import Problem, ScenarioError, WordError
from nephoscope.experiment.scale import read_range
from nephoscope.extras import need
from nephoscope.nearest import listing, nearest

KINDS = ("sobol", "latin", "random")
POINTS_MAX = 1_000_000


def design(
    between: Mapping[str, tuple[Any, Any]], points: int, *, kind: str = "sobol", rng: int = 0
) -> list[dict[str, Any]]:
    """As many points between the ends of the ranges, each a value for every path.

    Ends are whole numbers, numbers, durations, rates or sizes; values are uniform between them,
    ends of whole numbers included. `kind` is `sobol`, `latin` or `random`; the first two are
    SciPy's (`pip install 'nephoscope[design]'`). Points that come to the same values are one.
    """
    if kind not in KINDS:
        raise WordError(f"{kind!r} is no design", listing(KINDS), nearest(kind, KINDS))
    if not 1 <= points <= POINTS_MAX:
        raise WordError(f"{points} points", f"1 to {POINTS_MAX}")
    if not between:
        raise ScenarioError("nothing is varied: a path with its range is needed")
    axes = {path: _axis(path, ends) for path, ends in between.items()}
    rows = _unit_points(kind, len(axes), points, rng)
    made = [
        {path: axis(float(u)) for (path, axis), u in zip(axes.items(), row, strict=True)}
        for row in rows
    ]
    return list({tuple(map(str, point.values())): point for point in made}.values())


def _axis(path: str, ends: Any) -> Any:
    """From a number on [0, 1) to a value."""
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise ScenarioError([Problem(path, "no range", allowed="two values, the lesser first")])
    low, high = ends
    if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        if not low < high:
            raise ScenarioError([Problem(path, f"{low} to {high} is no range")])
        return lambda u: low + math.floor(u * (high - low + 1))
    try:
        kind, first, last = read_range(low, high)
    except WordError as error:
        raise ScenarioError([Problem(path, error.message, allowed=error.allowed)]) from None
    if not first < last:
        raise ScenarioError([Problem(path, f"{low} to {high} is no range")])

    def value(u: float) -> Any:
        # Six digits, as a person would write it.
        number = float(f"{first + u * (last - first):.6g}")
        if kind is None:
            return number
        return str(kind(round(number)) if issubclass(kind, int) else kind(number))

    return value


def _unit_points(kind: str, paths: int, points: int, rng: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(rng)
    if kind == "random":
        return generator.random((points, paths))
    qmc = need("scipy.stats.qmc", "design")
    engine = {"sobol": qmc.Sobol, "latin": qmc.LatinHypercube}[kind]
    try:
        sampler = engine(paths, rng=generator)
    except TypeError:  # before SciPy 1.15
        sampler = engine(paths, seed=generator)
    with warnings.catch_warnings():
        # A power of 2 is balanced best; the first of one are what was asked for.
        warnings.simplefilter("ignore")
        found: npt.NDArray[np.float64] = sampler.random(points)
    return found
