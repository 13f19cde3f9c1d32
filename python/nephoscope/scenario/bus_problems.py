"""The rules between buses, those who put and their targets."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem
from nephoscope.scenario.document import Document, Where
from nephoscope.scenario.references import bus_targets, entries, mapping, named_queue

# Of those who wait for answers.
_PATIENCE = ("timeout", "on_timeout", "hedge", "group")


def bus_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong around buses."""
    types = {
        str(where[1]): part.get("type", "standard")
        for section in ("queues", "topics")
        for where, part in entries(document.tree, section)
    }
    queues = mapping(mapping(document.tree).get("queues"))
    buses = mapping(mapping(document.tree).get("buses"))
    for where, target in bus_targets(document.tree):
        yield from _target(document, where, target, types, queues)
    for where, traffic in entries(document.tree, "traffic"):
        if isinstance(to := traffic.get("to"), str) and to in buses:
            for key in (key for key in _PATIENCE if traffic.get(key) not in (None, "finish")):
                message = f"{key} has no effect: {to} answers at once"
                yield document.problem((*where, key), message, at_key=True)


def _target(
    document: Document, where: Where, target: Any, types: dict[str, Any], queues: dict[str, Any]
) -> Iterator[Problem]:
    to = named_queue(target, "to")
    options = mapping(target)
    if to is None:
        return
    if types.get(to) == "fifo" and "group" not in options:
        message = f"group is missing: {to} is of type fifo"
        allowed = "the name of a message group"
        yield document.problem((*where, "group"), message, allowed=allowed)
    if to not in types and "group" in options:
        message = "only messages have a group"
        yield document.problem((*where, "group"), message, at_key=True)
    if to in types and "timeout" in options:
        message = f"timeout has no effect: {to} answers at once"
        yield document.problem((*where, "timeout"), message, at_key=True)
    letters = options.get("dead_letter")
    if isinstance(letters, str) and letters in queues and types.get(letters) == "fifo":
        message = f"{letters} is not of the right type"
        at = (*where, "dead_letter")
        yield document.problem(at, message, value=letters, allowed="a standard queue")
