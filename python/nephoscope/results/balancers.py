"""What balancers did besides choosing, from the engine's numbers."""

from collections.abc import Callable, Mapping
from typing import Any

from nephoscope.results.failures import health_tree

Tree = dict[str, Any]


def balancer_tree(numbers: Mapping[str, Any], account: Callable[..., Tree]) -> Tree:
    """The account of a balancer, what its health checks found, and what it has besides.

    Cookies, connections, answers of the DNS and slow starts are counted in the whole run.
    `followed` are requests that went where their cookie says, `moved` those whose target took none
    any more;
    `reset` those that failed because their target turned unhealthy;
    `stale` came to a node that had left the DNS. Requests that found no target are in no group.
    `capacity` is in requests a second, and `rejected` those that it turned away. `anomalous` are
    the targets that fail more often than their peers, `mitigated` those that get less than their
    share, both now; `detected` is how often one was found in the whole run.
    """
    tree = account(numbers, "requests") | health_tree(numbers)
    if "cookies_followed" in numbers:
        followed, moved = numbers["cookies_followed"], numbers["cookies_moved"]
        tree["stickiness"] = {"followed": int(followed), "moved": int(moved)}
    if "group_cookies_followed" in numbers:
        tree["group_stickiness"] = {"followed": int(numbers["group_cookies_followed"])}
    if "reset" in numbers:
        tree["reset"] = int(numbers["reset"])
    if "dns_answers" in numbers:
        answers, stale = numbers["dns_answers"], numbers["dns_stale"]
        tree["dns"] = {"answers": int(answers), "stale": int(stale)}
    if "spilled" in numbers:
        waiting, most = numbers["queued"], numbers["queued_most"]
        tree["spilled"] = int(numbers["spilled"])
        tree["surge_queue"] = {"now": int(waiting), "most": int(most)}
    if "slow_starts" in numbers:
        begun, now = numbers["slow_starts"], numbers["in_slow_start"]
        tree["slow_start"] = {"begun": int(begun), "now": int(now)}
    if "nodes" in numbers:
        tree["health"]["nodes"] = nodes_list(numbers["nodes"])
    if "capacity" in numbers:
        tree["capacity"] = {
            "now": float(numbers["capacity"]),
            "most": float(numbers["capacity_most"]),
            "rejected": int(numbers["over_capacity"]),
        }
    if "connections_opened" in numbers:
        opened, now = numbers["connections_opened"], numbers["connections_open"]
        tree["connections"] = {"opened": int(opened), "now": int(now)}
    if "anomalous" in numbers:
        tree["anomalies"] = {
            "anomalous": int(numbers["anomalous"]),
            "mitigated": int(numbers["mitigated"]),
            "detected": int(numbers["anomalies_detected"]),
        }
    if "groups" in numbers:
        groups = numbers["groups"].items()
        tree["groups"] = {name: account(group, "requests") for name, group in groups}
    return tree


def nodes_list(nodes: Mapping[str, Any]) -> list[Tree]:
    """What each node knows of the targets now, and whether clients are sent to it."""
    return [
        {
            "healthy": int(nodes["healthy"][i]),
            "registered": int(nodes["registered"][i]),
            "fail_open": bool(nodes["fail_open"][i]),
            "in_dns": bool(nodes["in_dns"][i]),
        }
        for i in range(len(nodes["healthy"]))
    ]


def target_state(targets: Mapping[str, Any], i: int) -> Tree:
    """Of a target where anomalies are looked for: whether it is one, and its share, both now."""
    if "anomalous" not in targets:
        return {}
    return {"anomalous": bool(targets["anomalous"][i]), "share": float(targets["share"][i])}
