"""What a run found in its topics, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

# Of the whole run: published x subscriptions = delivered + filtered + dead_lettered + dropped +
# pending.
DELIVERIES = ("delivered", "filtered", "retried", "dead_lettered", "dropped", "pending")


def topic_tree(numbers: Mapping[str, Any]) -> Tree:
    """The figures of one topic, and of each of its subscriptions."""
    tree: Tree = {"published": int(numbers["published"])}
    tree |= {key: sum(map(int, numbers[key])) for key in DELIVERIES}
    if numbers["deduplicated"]:
        tree["deduplicated"] = int(numbers["deduplicated"])
    if numbers["throttled"]:
        tree["throttled"] = int(numbers["throttled"])
    keys: tuple[str, ...] = DELIVERIES
    if "delayed" in numbers:
        tree["delayed"] = sum(map(int, numbers["delayed"]))
        keys = (*DELIVERIES, "delayed")
    tree["subscriptions"] = {
        str(i): {key: int(numbers[key][i]) for key in keys}
        for i in range(len(numbers["delivered"]))
    }
    return tree
