"""What failed and who found out, from the engine's numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

Tree = dict[str, Any]

_CHECKS = ("checks", "failed_checks", "turned_unhealthy", "recovered")
_STATES = ("healthy", "unhealthy", "initial")
_FAULT = ("strikes", "instances", "missed")


def health_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a balancer: checks and what they changed in the whole run, targets by state now.

    `errors` are the requests of the measured window that the balancer itself had to answer: 502
    where the target was down or went down, 503 where there was no target, 504 where the target took
    longer than the idle timeout, or took no connection, others as it was told. Targets that have
    left are `draining` for the whole deregistration delay, whether or not they still hold anything.
    """
    tree: Tree = {}
    if "health" in numbers:
        health = numbers["health"]
        tree["health"] = {key: int(health[key]) for key in (*_CHECKS, *_STATES)}
        tree["health"]["draining"] = int(numbers["draining"])
        tree["health"]["fail_open_s"] = int(health["fail_open_ns"]) / 1e9
    if "bad_gateway" in numbers:
        tree["errors"] = {"502": int(numbers["bad_gateway"]), "503": int(numbers["unavailable"])}
    if "gateway_timeout" in numbers:
        tree["errors"]["504"] = int(numbers["gateway_timeout"])
    for code, count in numbers.get("own_answers", {}).items():
        tree["errors"][code] = int(count)
    return tree


def failure_tree(numbers: Mapping[str, Any]) -> Tree:
    """Of a fleet: how often instances failed in the whole run, for how long together, and now."""
    if "failures" not in numbers:
        return {}
    failures = {"count": int(numbers["failures"]), "now": int(numbers["down"])}
    return {"failures": failures | {"down_s": int(numbers["down_ns"]) / 1e9}}


def fault_list(numbers: Mapping[str, Any]) -> Tree:
    """Of each fault: how often it struck, how many instances, and how many had moved away."""
    faults = numbers.get("faults", [])
    if not faults:
        return {}
    told = [*_FAULT, "moved", "migrated", "unplaced"]
    return {"faults": [{key: int(fault[key]) for key in told if key in fault} for fault in faults]}


def failure_flags(numbers: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know of faults and health checks."""
    for i, fault in enumerate(numbers.get("faults", [])):
        if fault["missed"]:
            yield f"faults.{i} found nothing to strike {fault['missed']} times"
        if fault.get("unplaced"):
            yield f"faults.{i} found no room for {fault['unplaced']} instances that should migrate"
    for balancer in numbers["load_balancers"]:
        open_ns = int(balancer.get("health", {}).get("fail_open_ns", 0))
        if open_ns:
            yield (
                f"load balancer {balancer['name']} had too few healthy targets for "
                f"{open_ns / 1e9:,.3g} s and sent to all of them (fail-open)"
            )
