"""How a fleet followed its load, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]


def scaling_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a fleet with bounds: its size as desired now, and who changed it in the whole run.

    `policies` are those of the scenario file that look at a metric, in its order: how many
    decisions to scale out and in each has made, alone or with others. `scheduled` are changes by
    the clock, `predicted` decisions to scale out by forecast or, where it is not acted on, those
    that there would have been. `alarms` that change nothing by themselves are `on` now, or not, and
    `went_on` so often.
    """
    if "scaling" not in numbers:
        return membership_tree(numbers)
    scaling = numbers["scaling"]
    tree: Tree = {key: int(scaling[key]) for key in ("desired", "min", "max", "scheduled")}
    both = zip(scaling["outward"], scaling["inward"], strict=True)
    tree["policies"] = {
        str(i): {"out": int(outward), "in": int(inward)} for i, (outward, inward) in enumerate(both)
    }
    if "predicted" in scaling:
        tree["predicted"] = int(scaling["predicted"])
    if "alarms" in scaling:
        tree["alarms"] = {
            name: {"on": bool(alarm["on"]), "went_on": int(alarm["went_on"])}
            for name, alarm in scaling["alarms"].items()
        }
    return {"scaling": tree} | membership_tree(numbers)


def membership_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a fleet with rules which instances it keeps: what they did in the whole run.

    Instances that were replaced because they were `unhealthy`, `stopped` or `expired`; those
    launched to level zones; who is `protected` now. `warm_starts` came from the warm pool and
    `returned` went there, where `warm` are now; `overdue` are hooks that ended with their timeout.
    """
    if "membership" not in numbers:
        return {}
    return {"membership": {key: int(count) for key, count in numbers["membership"].items()}}
