"""What operators do to queues: redrives and purges."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.rules.references import named_queue
from nephoscope.scenario.units import Duration

# Between two purges of a queue.
PURGE_GAP = Duration.parse("60s")


def queue_action_problems(
    document: Document, queues: dict[str, dict[str, Any]], types: dict[str, Any]
) -> Iterator[Problem]:
    """Redrives of what has no dead letters, or to where they cannot go; purges in a row."""
    sources = sources_of(queues)
    purges: dict[str, list[tuple[Duration, Where]]] = {}
    for i, action in enumerate(map(mapping, sequence(document.tree.get("actions")))):
        redrive, where = action.get("redrive"), ("actions", i, "redrive")
        name = named_queue(redrive, "queue")
        if name is not None and name in queues:
            yield from _redrive(document, where, redrive, sources[name], types)
        purged = named_queue(action.get("purge"), "queue")
        if purged is not None and purged in queues:
            at = _duration(action.get("at"))
            purges.setdefault(purged, []).extend([(at, where[:2])] if at is not None else [])
    for name, times in purges.items():
        times.sort(key=lambda it: it[0])
        for (before, _), (at, place) in itertools.pairwise(times):
            if at - before < PURGE_GAP:
                message = f"{name} is purged at {before}, too"
                allowed = f"{PURGE_GAP} or more between two purges"
                yield document.problem((*place, "at"), message, allowed=allowed)


def _redrive(
    document: Document, where: Where, redrive: Any, sources: list[str], types: dict[str, Any]
) -> Iterator[Problem]:
    name, options = named_queue(redrive, "queue") or "", mapping(redrive)
    at: Where = (*where, "queue") if isinstance(redrive, dict) else where
    if not sources:
        message = f"{name} is no queue for dead letters"
        yield document.problem(at, message, allowed="one that another queue names so")
    to = options.get("to")
    if to == name:
        message = "messages move to another queue"
        yield document.problem((*where, "to"), message, value=to, allowed="another queue")
    elif to in types and types[to] != types[name]:
        message = f"{to} is not of the same type"
        yield document.problem((*where, "to"), message, value=to, allowed=f"a {types[name]} queue")


def sources_of(queues: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of each queue, written in plain values, whose dead letters it gets."""
    sources: dict[str, list[str]] = {name: [] for name in queues}
    for name, queue in queues.items():
        to = named_queue(queue.get("dead_letter"), "queue")
        if to in sources:
            sources[to].append(name)
    return sources


def _duration(value: Any) -> Duration | None:
    try:
        return Duration.parse(value)
    except UnitError:
        return None
