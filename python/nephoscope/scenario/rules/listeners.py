"""Listeners: balancers that are one more listener of another, on plain values."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.balancer_defaults import with_defaults
from nephoscope.scenario.rules.references import entries
from nephoscope.scenario.units import Duration

LISTENING = ("application", "network")


def listener_problems(
    document: Document, where: Where, listener: dict[str, Any]
) -> Iterator[Problem]:
    """What does not go with the balancer that this is a listener of."""
    name = listener.get("listener_of")
    wholes = {str(path[1]): it for path, it in entries(document.tree, "load_balancers")}
    if not isinstance(name, str) or name not in wholes:
        return
    at = (*where, "listener_of")
    whole = with_defaults(wholes[name])
    if name == where[1]:
        message = "a load balancer is no listener of itself"
        yield document.problem(at, message, value=name, allowed="another, or no listener_of")
        return
    if whole.get("listener_of") is not None:
        message = f"{name} is a listener itself"
        yield document.problem(at, message, value=name, allowed="a load balancer that is none")
    if listener.get("capacity") is not None:
        message = f"the capacity is that of the balancer, {name}, for all its listeners"
        capacity = (*where, "capacity")
        allowed = f"it at load_balancers.{name}"
        yield document.problem(capacity, message, allowed=allowed, at_key=True)
    waits = mapping(whole.get("capacity")).get("wait") is not None
    if waits and listener.get("surge_queue") is not None:
        message = f"a surge queue does not go with capacity.wait, which {name} has"
        queue = (*where, "surge_queue")
        yield document.problem(queue, message, allowed="no surge_queue", at_key=True)
    yield from _unlike(document, where, listener, name, whole)


def _unlike(
    document: Document, where: Where, listener: dict[str, Any], name: str, whole: dict[str, Any]
) -> Iterator[Problem]:
    """Keys that are told of the balancer as a whole are the same at its listeners."""
    kind = listener.get("type", "application")
    if kind not in LISTENING:
        message = f"a load balancer of type {kind} has one listener"
        at = (*where, "listener_of")
        yield document.problem(at, message, allowed=f"it with type: {' or '.join(LISTENING)}")
    # Idle flows are closed as each listener of a Network Load Balancer says.
    common = {"type": "application", "nodes": 1} | (
        {} if kind == "network" else {"idle_timeout": None}
    )
    for key, usual in common.items():
        mine, its = listener.get(key, usual), whole.get(key, usual)
        if _plain(mine) != _plain(its):
            has = f"no {key}" if its is None else f"{key}: {its}"
            message = f"{key} is of the balancer as a whole, and {name} has {has}"
            yield document.problem((*where, key), message, value=mine, allowed=has)


def _plain(value: Any) -> Any:
    """A duration by its length, however it is written."""
    try:
        return int(Duration.parse(value))
    except (UnitError, TypeError):
        return value
