"""The rules between queues, those who send to them and those who live on them."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.rules.queue_actions import queue_action_problems
from nephoscope.scenario.rules.references import (
    bus_targets,
    call_target,
    entries,
    named_queue,
    steps_in,
    target_fleet,
    written_targets,
)
from nephoscope.scenario.units import Duration

# Of those who wait for answers.
_PATIENCE = ("timeout", "on_timeout", "hedge")

# Of a queue that says nothing.
_VISIBILITY = "30s"
# Of a queue that is consumed.
_TIMEOUT_MIN = Duration.parse("1ms")


def queue_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong around queues."""
    queues = {str(where[1]): queue for where, queue in entries(document.tree, "queues")}
    types = {name: queue.get("type", "standard") for name, queue in queues.items()}
    others = {str(w[1]) for part in ("topics", "buses") for w, _ in entries(document.tree, part)}
    yield from _dead_letters(document, queues, types)
    yield from queue_action_problems(document, queues, types)
    for where, traffic in entries(document.tree, "traffic"):
        if not (isinstance(to := traffic.get("to"), str) and to in others):
            yield from _grouped(document, where, traffic, to, types)
        for key in _PATIENCE:
            written = traffic.get(key) not in (None, "finish")  # which is what is not written
            if written and isinstance(to := traffic.get("to"), str) and to in types:
                message = f"{key} has no effect: {to} takes a message at once"
                allowed = "retry, for a FIFO queue that has had too many calls"
                yield document.problem((*where, key), message, allowed=allowed, at_key=True)
    for where, service in entries(document.tree, "services"):
        for at, step in steps_in(service.get("steps"), (*where, "steps")):
            if "send" in step:
                yield from _sent(document, at, step["send"], types)
        yield from _timed(document, where, service, queues)
    yield from _served(document)


def _dead_letters(
    document: Document, queues: dict[str, dict[str, Any]], types: dict[str, Any]
) -> Iterator[Problem]:
    for name, queue in queues.items():
        letters = queue.get("dead_letter")
        to = named_queue(letters, "queue")
        where = ("queues", name, "dead_letter", *(("queue",) if isinstance(letters, dict) else ()))
        if to == name:
            message = "a queue cannot be its own for dead letters"
            yield document.problem(where, message, value=to, allowed="another queue")
        elif to in types and types[to] != types[name]:
            message = f"{to} is not of the same type"
            yield document.problem(where, message, value=to, allowed=f"a {types[name]} queue")


def _grouped(
    document: Document, where: Where, part: dict[str, Any], to: Any, types: dict[str, Any]
) -> Iterator[Problem]:
    """A message of a FIFO queue has a group, and only messages have one."""
    if isinstance(to, str) and types.get(to) == "fifo" and "group" not in part:
        message = f"group is missing: {to} is a FIFO queue"
        yield document.problem((*where, "group"), message, allowed="the name of a message group")
    elif "group" in part and isinstance(to, str) and to not in types:
        message = "only messages have a group"
        allowed = "to: a queue or a topic"
        yield document.problem((*where, "group"), message, allowed=allowed, at_key=True)


def _sent(document: Document, at: Where, send: Any, types: dict[str, Any]) -> Iterator[Problem]:
    to = named_queue(send, "to")
    inside = (*at, "send")
    yield from _grouped(document, inside, mapping(send), to, types)
    if to is not None and types.get(to) == "fifo" and "delay" in mapping(send):
        message = f"a message of a FIFO queue has no delay of its own, and {to} is one"
        allowed = "delay of the queue"
        yield document.problem((*inside, "delay"), message, allowed=allowed, at_key=True)


def _timed(
    document: Document, where: Where, service: dict[str, Any], queues: dict[str, dict[str, Any]]
) -> Iterator[Problem]:
    consumes = service.get("consumes")
    name = named_queue(consumes, "queue")
    if name not in queues:
        return
    timeout = _duration(queues[name].get("visibility_timeout", _VISIBILITY))
    beat = _duration(mapping(consumes).get("heartbeat"))
    if timeout is not None and beat is not None and beat >= timeout:
        message = f"a heartbeat every {beat} comes too late for a visibility timeout of {timeout}"
        at = (*where, "consumes", "heartbeat")
        yield document.problem(at, message, allowed=f"less than {timeout}")
    if timeout is not None and timeout < _TIMEOUT_MIN:
        message = f"{where[1]} consumes it, and has no time to work"
        at = ("queues", str(name), "visibility_timeout")
        yield document.problem(at, message, allowed=f"{_TIMEOUT_MIN} or more")


def _served(document: Document) -> Iterator[Problem]:
    """Who takes messages takes no requests."""
    consuming = {
        str(where[1])
        for where, service in entries(document.tree, "services")
        if service.get("consumes") is not None
    }
    fleets = {
        str(where[1])
        for where, fleet in entries(document.tree, "fleets")
        if isinstance(service := fleet.get("service"), str) and service in consuming
    }
    message = "{} takes its work from a queue, and no requests"
    for where, balancer in entries(document.tree, "load_balancers"):
        for at, target in written_targets(balancer):
            if (name := target_fleet(target)) in fleets:
                yield document.problem((*where, *at), message.format(name), value=name)
    for where, traffic in entries(document.tree, "traffic"):
        if isinstance(name := traffic.get("to"), str) and name in fleets:
            yield document.problem((*where, "to"), message.format(name), value=name)
    for where, service in entries(document.tree, "services"):
        for at, step in steps_in(service.get("steps"), (*where, "steps")):
            if (name := call_target(step)) in fleets:
                yield document.problem((*at, "call"), message.format(name), value=name)
    for where, topic in entries(document.tree, "topics"):
        for i, each in enumerate(sequence(topic.get("subscriptions"))):
            if (name := named_queue(each, "to")) in fleets:
                at = (*where, "subscriptions", i)
                yield document.problem(at, message.format(name), value=name)
    for at, target in bus_targets(document.tree):
        if (name := named_queue(target, "to")) in fleets:
            yield document.problem(at, message.format(name), value=name)
    for where, pipe in entries(document.tree, "pipes"):
        if isinstance(name := pipe.get("to"), str) and name in fleets:
            yield document.problem((*where, "to"), message.format(name), value=name)


def _duration(value: Any) -> Duration | None:
    try:
        return Duration.parse(value)
    except UnitError:
        return None
