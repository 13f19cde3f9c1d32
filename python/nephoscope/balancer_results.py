"""What balancers did besides choosing, from the engine's numbers."""

from collections.abc import Callable, Mapping
from typing import Any

from nephoscope.failure_results import health_tree

Tree = dict[str, Any]


def balancer_tree(numbers: Mapping[str, Any], account: Callable[..., Tree]) -> Tree:
    """The account of a balancer, what its health checks found, and what it has besides.

    Cookies and slow starts are counted in the whole run. `followed` are requests that went where
    their cookie says, `moved` those whose target took none any more. Requests that found no target
    are in no group.
    """
    tree = account(numbers, "requests") | health_tree(numbers)
    if "cookies_followed" in numbers:
        followed, moved = numbers["cookies_followed"], numbers["cookies_moved"]
        tree["stickiness"] = {"followed": int(followed), "moved": int(moved)}
    if "spilled" in numbers:
        waiting, most = numbers["queued"], numbers["queued_most"]
        tree["spilled"] = int(numbers["spilled"])
        tree["surge_queue"] = {"now": int(waiting), "most": int(most)}
    if "slow_starts" in numbers:
        begun, now = numbers["slow_starts"], numbers["in_slow_start"]
        tree["slow_start"] = {"begun": int(begun), "now": int(now)}
    if "groups" in numbers:
        groups = numbers["groups"].items()
        tree["groups"] = {name: account(group, "requests") for name, group in groups}
    return tree
