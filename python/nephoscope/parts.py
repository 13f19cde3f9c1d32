"""The parts by themselves, in batches, on arrays: for research, teaching and benchmarks.

Their options are in the words of the scenario language, their times in integer nanoseconds.

>>> from nephoscope import parts
>>> router = parts.Router("least_connections", targets=3)
>>> sorted(router.route([10, 11, 12]).tolist())
[0, 1, 2]
>>> parts.arrivals("constant", n=3, rate="4/s").tolist()
[250000000, 500000000, 750000000]
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope._core import EventQueue, Histogram, Series
from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.balancer import UNWEIGHTED, Routing
from nephoscope.scenario.compile import arrival_spec, distribution_spec, routing_spec
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.distribution import Distribution
from nephoscope.scenario.steering import read_part
from nephoscope.scenario.tables import Tables
from nephoscope.scenario.traffic import Traffic

__all__ = [
    "EventQueue",
    "Histogram",
    "Router",
    "Series",
    "arrivals",
    "random_words",
    "sample",
]

NO_TARGET = 2**32 - 1


class Router:
    """A balancer's choice of targets, which are numbered from 0 in the order they were added."""

    def __init__(
        self,
        routing: Any,
        targets: int = 0,
        *,
        weights: Sequence[float] | None = None,
        seed: int = 0,
        name: str = "router",
    ) -> None:
        """`weights` are of the targets, one each, in the place of their number."""
        law: Routing = read_part("routing", Routing, routing)
        each = [1.0] * targets if weights is None else [float(weight) for weight in weights]
        if law.form in UNWEIGHTED and any(weight != 1.0 for weight in each):
            message = f"{law.form} has no use for weights: it treats all targets alike"
            raise ScenarioError([Problem("weights", message, allowed="weights of 1")])
        classes = list(dict.fromkeys(each)) or [1.0]
        self._classes = {weight: index for index, weight in enumerate(classes)}
        self._router = _core.Router(routing_spec(law), weights=classes, seed=seed, name=name)
        for weight in each:
            self._router.add(1, self._classes[weight])

    def add(self, count: int = 1) -> None:
        """Add targets of the first weight."""
        self._router.add(count, 0)

    def remove(self, target: int) -> None:
        """Take a target away; its number is not given again before all others were."""
        self._router.remove(target)

    def route(self, clients: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """A target for one request of each client; `NO_TARGET` where there is none."""
        return self._router.route(np.asarray(clients, dtype=np.uint64))

    def answered(self, targets: npt.ArrayLike, response_ns: npt.ArrayLike) -> None:
        """Answers have come from these targets, after these times."""
        times = np.asarray(response_ns, dtype=np.int64)
        self._router.answered(np.asarray(targets, dtype=np.uint32), times)

    @property
    def outstanding(self) -> npt.NDArray[np.uint32]:
        """Requests that each target has not answered yet."""
        return self._router.outstanding

    def __len__(self) -> int:
        return int(self._router.size)


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
