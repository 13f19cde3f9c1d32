"""The rules between topics, those who publish and those who have subscribed."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping, sequence
from nephoscope.scenario.language.topic import SMALL_MAX
from nephoscope.scenario.rules.provider import quotas_of
from nephoscope.scenario.rules.references import entries, named_queue, steps_in
from nephoscope.scenario.units import Size

# Of those who wait for answers.
_PATIENCE = ("timeout", "on_timeout", "hedge")
# And of those who may be refused.
_AGAIN = ("retry", "deadline", "circuit_breaker")
# Of endpoints of HTTP.
_OF_HTTP = ("timeout", "retry", "max_receives_per_second")


def topic_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong around topics."""
    topics = {str(where[1]): topic for where, topic in entries(document.tree, "topics")}
    types = {name: topic.get("type", "standard") for name, topic in topics.items()}
    queues = {
        str(where[1]): queue.get("type", "standard")
        for where, queue in entries(document.tree, "queues")
    }
    for name, topic in topics.items():
        for i, each in enumerate(sequence(topic.get("subscriptions"))):
            inside = ("topics", name, "subscriptions", i)
            yield from _subscribed(document, inside, each, types[name], queues)
            if _is_large(topic) and not _takes_large(each, queues):
                message = "messages of more than 256KiB go to queues and firehose alone"
                key = "endpoint" if "endpoint" in mapping(each) else "to"
                at: Where = (*inside, key) if isinstance(each, dict) else inside
                yield document.problem(at, message, allowed="a queue, or message_size: 256KiB")
    for where, traffic in entries(document.tree, "traffic"):
        to = traffic.get("to")
        if not isinstance(to, str) or to not in types:
            continue
        yield from _grouped(document, where, traffic, to, types)
        limited = "publish_limit" in topics[to] or bool(quotas_of(document.tree))
        vain = _PATIENCE if limited else (*_PATIENCE, *_AGAIN)
        for key in (key for key in vain if traffic.get(key) not in (None, "finish")):
            takes = "answers" if limited else "takes every message"
            message = f"{key} has no effect: {to} {takes} at once"
            yield document.problem((*where, key), message, at_key=True)
    for where, service in entries(document.tree, "services"):
        for at, step in steps_in(service.get("steps"), (*where, "steps")):
            if "publish" in step and (to := named_queue(step["publish"], "to")) in types:
                publish = mapping(step["publish"])
                yield from _grouped(document, (*at, "publish"), publish, str(to), types)


def _takes_large(subscription: Any, queues: dict[str, Any]) -> bool:
    if mapping(subscription).get("endpoint") == "firehose":
        return True
    return named_queue(subscription, "to") in queues


def _is_large(topic: dict[str, Any]) -> bool:
    try:
        return Size.parse(topic.get("message_size", "0B")) > SMALL_MAX
    except UnitError:
        return False


def _grouped(
    document: Document, where: Where, part: dict[str, Any], to: str, types: dict[str, Any]
) -> Iterator[Problem]:
    if types[to] == "fifo" and "group" not in part:
        message = f"group is missing: {to} is a FIFO topic"
        yield document.problem((*where, "group"), message, allowed="the name of a message group")


def _subscribed(
    document: Document, where: Where, each: Any, kind: Any, queues: dict[str, Any]
) -> Iterator[Problem]:
    to = named_queue(each, "to")
    if to is None:
        return
    at = (*where, "to") if isinstance(each, dict) else where
    if kind == "fifo" and to not in queues:
        message = f"{to} is no queue, and only queues subscribe to a FIFO topic"
        yield document.problem(at, message, value=to, allowed="a queue")
    elif kind == "standard" and queues.get(to) == "fifo":
        message = f"{to} is a FIFO queue, and the topic is not a FIFO topic"
        yield document.problem(at, message, value=to, allowed="a standard queue, or type: fifo")
    if to in queues:
        for key in (key for key in _OF_HTTP if key in mapping(each)):
            message = f"{key} has no effect: to a queue the provider's own policy applies"
            yield document.problem((*where, key), message, at_key=True)
    letters = mapping(each).get("dead_letter")
    wanted = queues.get(to, "standard")
    if isinstance(letters, str) and letters in queues and queues[letters] != wanted:
        message = f"{letters} is not of the right type"
        allowed = f"a {wanted} queue"
        yield document.problem((*where, "dead_letter"), message, value=letters, allowed=allowed)
    if letters is not None and letters == to:
        message = "a queue cannot be its own for dead letters"
        yield document.problem((*where, "dead_letter"), message, allowed="another queue")
