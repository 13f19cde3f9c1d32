"""On which host each instance of a fleet is, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nephoscope.results.hosts import causes, steal_at

Tree = dict[str, Any]

# A list of more instances helps nobody; by its path every one can be read all the same.
INSTANCES_LISTED_MAX = 1000


def places_tree(numbers: Mapping[str, Any] | None) -> Tree:
    """Of a fleet on hosts its instances in the order of launch; nothing of any other."""
    if numbers is None:
        return {}
    launched = len(numbers["host"])
    if launched <= INSTANCES_LISTED_MAX:
        return {"by_instance": {str(i): place_tree(numbers, i) for i in range(launched)}}
    note = f"more than {INSTANCES_LISTED_MAX} instances: ask for one by its index"
    return {"by_instance": {"count": launched, "note": note}}


def place_tree(numbers: Mapping[str, Any], i: int) -> Tree:
    """The host that an instance is on, or was on at last, and its vCPU time since the warm-up.

    A machine that stops and starts, or boots again, is one instance. What it ran before a move it
    ran on other hosts.
    """
    return {
        "host": f"{numbers['pool']}/{int(numbers['host'][i])}",
        "present": bool(numbers["present"][i]),
        "run_s": int(numbers["run_ns"][i]) / 1e9,
        "steal_s": steal_at(numbers, i),
    }


def place_columns(numbers: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The same of all, as arrays."""
    stolen = [numbers[f"steal_{cause}_ns"] for cause in causes(numbers)]
    return {
        **{key: np.array(numbers[key]) for key in ("host", "present", "run_ns")},
        "steal_ns": np.asarray(np.sum(stolen, axis=0, dtype=np.int64)),
    }
