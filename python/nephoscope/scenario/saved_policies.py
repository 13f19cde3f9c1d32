"""Compiled policies of a saved simulation: their names in it, and themselves when it is loaded."""

from collections.abc import Iterable
from typing import Any

from nephoscope.errors import StateError
from nephoscope.nearest import listing
from nephoscope.scenario.language.compiled_policy import RoutingPolicy

_KEY = "compiled"


def named(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree of a scenario with names in the place of compiled policies."""
    for balancer in tree.get("load_balancers", {}).values():
        policy = _policy_of(balancer)
        if policy is not None:
            balancer["routing"] = {_KEY: policy.name}
    return tree


def brought(
    tree: dict[str, Any], later: dict[str, str], policies: Iterable[RoutingPolicy]
) -> tuple[dict[str, Any], dict[str, RoutingPolicy]]:
    """The tree with the policies themselves, and those that were set later, by balancer.

    Raises StateError where one is not there.
    """
    there = {policy.name: policy for policy in policies}

    def found(balancer: str, name: str) -> RoutingPolicy:
        if name not in there:
            known = f" (given: {listing(list(there))})" if there else ""
            raise StateError(
                f"load_balancers.{balancer} goes on with the compiled policy {name!r}, "
                f"which `policies` has to bring{known}"
            )
        return there[name]

    for name, balancer in tree.get("load_balancers", {}).items():
        routing = balancer.get("routing")
        if isinstance(routing, dict) and _KEY in routing:
            balancer["routing"] = found(name, routing[_KEY])
    return tree, {balancer: found(balancer, name) for balancer, name in later.items()}


def _policy_of(balancer: dict[str, Any]) -> RoutingPolicy | None:
    routing = balancer.get("routing")
    value = routing.get(_KEY) if isinstance(routing, dict) else routing
    return value if isinstance(value, RoutingPolicy) else None
