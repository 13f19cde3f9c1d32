"""What a run found in its topics, from the engine's numbers."""

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

# Of the whole run: published x subscriptions + duplicated = unconfirmed + delivered + filtered +
# dead_lettered + dropped + pending.
DELIVERIES = ("delivered", "filtered", "retried", "dead_lettered", "dropped", "pending")

# Beside those, of topics and buses that may have any.
AT_TIMES = ("delayed", "duplicated", "client_errors", "unconfirmed")


def topic_tree(numbers: Mapping[str, Any]) -> Tree:
    """The figures of one topic, and of each of its subscriptions."""
    tree: Tree = {"published": int(numbers["published"])}
    tree |= {key: sum(map(int, numbers[key])) for key in DELIVERIES}
    if numbers["deduplicated"]:
        tree["deduplicated"] = int(numbers["deduplicated"])
    if numbers["throttled"]:
        tree["throttled"] = int(numbers["throttled"])
    more = tuple(key for key in AT_TIMES if key in numbers)
    tree |= {key: sum(map(int, numbers[key])) for key in more}
    keys = DELIVERIES + more
    tree["subscriptions"] = {
        str(i): {key: int(numbers[key][i]) for key in keys}
        for i in range(len(numbers["delivered"]))
    }
    return tree
