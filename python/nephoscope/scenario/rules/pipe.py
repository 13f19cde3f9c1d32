"""The rules between pipes, their queues and their targets."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.rules.calls import piped
from nephoscope.scenario.rules.references import bus_targets, entries, named_queue
from nephoscope.scenario.units import Duration

# Of a queue that says nothing, and of one that somebody receives from.
_VISIBILITY, _VISIBILITY_MIN = "30s", Duration.parse("1ms")


def pipe_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong around pipes."""
    types = {
        str(where[1]): part.get("type", "standard")
        for section in ("queues", "topics")
        for where, part in entries(document.tree, section)
    }
    buses = mapping(mapping(document.tree).get("buses"))
    leads = _leads(document.tree) if "pipes" in mapping(document.tree) else {}
    for where, pipe in entries(document.tree, "pipes"):
        source, to = pipe.get("from"), pipe.get("to")
        if not isinstance(source, str) or not isinstance(to, str):
            continue
        yield from _grouped(document, where, pipe, types)
        if "timeout" in pipe and (to in types or to in buses):
            message = f"timeout has no effect: {to} answers at once"
            yield document.problem((*where, "timeout"), message, at_key=True)
        if source in _behind(leads, to):
            message = f"what goes to {to} comes back to {source}, again and again"
            yield document.problem((*where, "to"), message, value=to, allowed="another target")
    for name, queue in mapping(mapping(document.tree).get("queues")).items():
        yield from _hidden(document, name, mapping(queue))


def _grouped(
    document: Document, where: Where, pipe: dict[str, Any], types: dict[str, Any]
) -> Iterator[Problem]:
    """A message for what is in order has a group, and no other message has one."""
    ordered = types.get(pipe["to"]) == "fifo"
    if ordered and "group" not in pipe and types.get(pipe["from"]) != "fifo":
        message = f"group is missing: {pipe['to']} is of type fifo, {pipe['from']} is not"
        allowed = "the name of a message group"
        yield document.problem((*where, "group"), message, allowed=allowed)
    if not ordered and "group" in pipe:
        message = f"group has no effect: {pipe['to']} is not of type fifo"
        yield document.problem((*where, "group"), message, at_key=True)


def _hidden(document: Document, name: str, queue: dict[str, Any]) -> Iterator[Problem]:
    """What a target does not take must not come again at the same instant."""
    try:
        timeout = Duration.parse(queue.get("visibility_timeout", _VISIBILITY))
    except UnitError:
        return
    if timeout < _VISIBILITY_MIN and name in piped(document.tree):
        message = "a pipe receives from it, and has no time to hand on"
        at = ("queues", name, "visibility_timeout")
        yield document.problem(at, message, allowed=f"{_VISIBILITY_MIN} or more")


def _leads(tree: Any) -> dict[str, list[str]]:
    """Where messages of each queue, topic and bus go without any service."""
    leads: dict[str, list[str]] = defaultdict(list, piped(tree))
    for where, queue in entries(tree, "queues"):
        leads[str(where[1])].append(named_queue(queue.get("dead_letter"), "queue") or "")
    for where, topic in entries(tree, "topics"):
        for each in sequence(topic.get("subscriptions")):
            leads[str(where[1])] += _ends(each)
    for where, target in bus_targets(tree):
        leads[str(where[1])] += _ends(target)
    return leads


def _ends(target: Any) -> list[str]:
    letters = mapping(target).get("dead_letter")
    return [named_queue(target, "to") or "", letters if isinstance(letters, str) else ""]


def _behind(leads: dict[str, list[str]], first: str) -> set[str]:
    """All that what is sent to one may get to."""
    found: set[str] = set()
    ahead = [first]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += leads.get(name, [])
    return found
