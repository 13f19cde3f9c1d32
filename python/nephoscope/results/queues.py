"""What a run found in its queues and pipes, from the engine's numbers."""

from collections.abc import Callable, Mapping
from typing import Any

Tree = dict[str, Any]

# Of the whole run: sent + duplicated = deleted + visible + delayed + in_flight + dead_lettered +
# expired.
COUNTS = (
    "sent",
    "received",
    "deleted",
    "visible",
    "delayed",
    "in_flight",
    "dead_lettered",
    "expired",
    "duplicated",
)
# The same, of calls and what came of them; those that cannot be are left out.
CALLS = ("timed_out", "in_vain", "requests", "empty_receives")
RARE = (
    "arrived",
    "purged",
    "redriven",
    "refused_redrives",
    "stopped_redrives",
    "deduplicated",
    "throttled",
    "over_limit",
)

# Of pipes, in the whole run: received = filtered + delivered + failed + under_way.
CARRIED = ("received", "filtered", "delivered", "failed", "under_way")


def pipe_tree(numbers: Mapping[str, Any]) -> Tree:
    """The figures of one pipe."""
    return {key: int(numbers[key]) for key in CARRIED}


def queue_tree(numbers: Mapping[str, Any], summary: Callable[[Any], Tree]) -> Tree:
    """The figures of one queue; `summary` is what is told of times."""
    tree: Tree = {key: int(numbers[key]) for key in (*COUNTS, *CALLS)}
    tree |= {key: int(numbers[key]) for key in RARE if numbers.get(key)}
    depth = sum(int(numbers[key]) for key in ("visible", "delayed", "in_flight"))
    tree["depth"] = {
        "mean": float(numbers["depth_mean"]),
        "min": int(numbers["depth_min"]),
        "max": int(numbers["depth_max"]),
        "final": depth,
    }
    oldest = int(numbers["oldest_ns"])
    tree["oldest_s"] = None if oldest < 0 else oldest / 1e9
    tree["age_s"] = summary(numbers["age"])
    return tree
