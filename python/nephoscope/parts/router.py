"""A balancer's choice of targets, alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.language.balancer import UNWEIGHTED, Routing
from nephoscope.scenario.specs.routing import routing_spec
from nephoscope.scenario.steering import read_part

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
        if law.mitigates:
            message = "a router alone has no clock, and no windows to find anomalies in"
            raise ScenarioError([Problem("routing", message, allowed="weighted_random")])
        classes = list(dict.fromkeys(each)) or [1.0]
        self._classes = {weight: index for index, weight in enumerate(classes)}
        self._law = law  # a compiled policy must stay where it is
        self._router = _core.balancers.Router(
            routing_spec(law), weights=classes, seed=seed, name=name
        )
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
