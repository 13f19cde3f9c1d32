"""How a fleet followed its load, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]


def scaling_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a fleet with bounds: its size as desired now, and who changed it in the whole run.

    `policies` are those of the scenario file that look at a metric, in its order: how many
    decisions to scale out and in each has made, alone or with others. `scheduled` are changes by
    the clock, `predicted` decisions to scale out by forecast.
    """
    if "scaling" not in numbers:
        return {}
    scaling = numbers["scaling"]
    tree: Tree = {key: int(scaling[key]) for key in ("desired", "min", "max", "scheduled")}
    both = zip(scaling["outward"], scaling["inward"], strict=True)
    tree["policies"] = {
        str(i): {"out": int(outward), "in": int(inward)} for i, (outward, inward) in enumerate(both)
    }
    if "predicted" in scaling:
        tree["predicted"] = int(scaling["predicted"])
    return {"scaling": tree}
