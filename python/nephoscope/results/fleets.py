"""What became of requests, and of the instances of a fleet, from the engine's numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from nephoscope import _core
from nephoscope.results.failures import failure_tree
from nephoscope.results.hosts import credit_tree, device_tree, interference_s, steal_ns, steal_s
from nephoscope.results.lives import life_tree
from nephoscope.results.scaling import scaling_tree
from nephoscope.scenario.language.fleet import Fleet

OUTCOMES = ("completed", "rejected", "failed", "timed_out", "in_flight")
_LATENCY = ("mean", "std", "min", "p50", "p90", "p95", "p99", "p999", "max")

Tree = dict[str, Any]


def latency_summary(latency: _core.Histogram) -> dict[str, float | int | None]:
    """A histogram in seconds; of none recorded only the count is known."""
    summary = latency.summary()
    return {"count": latency.count, **{key: summary.get(key) for key in _LATENCY}}


def account_tree(numbers: Mapping[str, Any], sent: str) -> Tree:
    """What became of requests; `sent` is the word for how many there were."""
    return {
        sent: int(numbers[sent]),
        **{key: int(numbers[key]) for key in OUTCOMES},
        "latency_s": latency_summary(numbers["latency"]),
    }


def make_list(numbers: Mapping[str, Any], makes: Sequence[Fleet]) -> Tree:
    """Of a fleet whose instances a refresh may change: what they have been, and how many."""
    if "makes" not in numbers:
        return {}
    columns = numbers["makes"]
    return {
        "types": [
            {
                "instance_type": make.instance_type.type or "custom",
                "os": make.os,
                "launches": int(columns["launches"][i]),
                "instances": int(columns["instances"][i]),
            }
            for i, make in enumerate(makes)
        ]
    }


def fleet_tree(numbers: Mapping[str, Any], makes: Sequence[Fleet]) -> Tree:
    """Everything that a fleet has to tell; `makes` are all that its instances have been."""
    vcpu_ns = int(numbers["vcpu_ns"])
    return {
        "instances": {
            "mean": float(numbers["instances_mean"]),
            **{key: int(numbers[f"instances_{key}"]) for key in ("min", "max", "final")},
        },
        "utilization": int(numbers["run_ns"]) / vcpu_ns if vcpu_ns else None,
        "steal": steal_ns(numbers) / vcpu_ns if vcpu_ns else None,
        "steal_s": steal_s(numbers),
        **interference_s(numbers.get("slowed_ns")),
        **account_tree(numbers, "requests"),
        "wasted": int(numbers["wasted"]),
        "launches": int(numbers["launches"]),
        "terminations": int(numbers["terminations"]),
        **make_list(numbers, makes),
        **life_tree(numbers),
        **scaling_tree(numbers),
        **failure_tree(numbers),
        **credit_tree(numbers),
        **device_tree(numbers),
    }
