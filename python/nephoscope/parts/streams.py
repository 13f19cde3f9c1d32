"""Distributions, arrival processes and random streams, alone."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.scenario.compile import arrival_spec
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.files.tables import Tables
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.specs.distribution import distribution_spec
from nephoscope.scenario.steering import read_part


def sample(
    law: Any, n: int, *, seed: int = 0, name: str = "sample", directory: str | Path = "."
) -> npt.NDArray[np.float64]:
    """Draws (ns) from a distribution such as `{"exponential": "40ms"}`."""
    read: Distribution = read_part("distribution", Distribution, law)
    spec = distribution_spec(read, DataFiles(Path(directory), Tables()))
    return _core.sample(spec, seed, 0, name, n)


def arrivals(
    process: Any,
    n: int,
    *,
    rate: str | None = None,
    seed: int = 0,
    name: str = "arrivals",
    directory: str | Path = ".",
) -> npt.NDArray[np.int64]:
    """The first instants (ns) of an open process such as `"poisson"` or `{"mmpp": {...}}`."""
    written = {"to": "anywhere", "arrivals": process} | ({"rate": rate} if rate else {})
    traffic: Traffic = read_part("arrivals", Traffic, written)
    spec = arrival_spec(traffic, DataFiles(Path(directory), Tables()))
    return _core.arrivals(spec, seed, 0, name, n)


def random_words(n: int, *, seed: int = 0, name: str = "words") -> npt.NDArray[np.uint64]:
    """The first words of a named stream: those of `numpy.random.Philox` with its key."""
    return _core.random_words(seed, 0, name, n)
