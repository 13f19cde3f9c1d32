"""The rule of sizes: a message holds what it says, its body with its attributes, and no more."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import EventError, Problem
from nephoscope.patterns import write_value
from nephoscope.patterns.attributes import attributes_size
from nephoscope.patterns.json_value import read_value
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.event import SIZE_MAX, alternatives, is_choice
from nephoscope.scenario.rules.references import entries, named_queue, steps_in
from nephoscope.scenario.units import Size

# Steps that tell messages of queues and topics; the sizes of what is put are those of entries.
_TOLD = ("send", "publish")
_SECTIONS = ("queues", "topics")


def message_size_problems(document: Document) -> Iterator[Problem]:
    """What is said that is larger than the messages of the queue or the topic."""
    for where, traffic in entries(document.tree, "traffic"):
        yield from _too_large(document, where, traffic)
    for where, service in entries(document.tree, "services"):
        for at, step in steps_in(service.get("steps"), (*where, "steps")):
            for form in _TOLD:
                yield from _too_large(document, (*at, form), mapping(step.get(form)))


def said_size(event: Any, attributes: Any) -> int:
    """Bytes of a body and its attributes, or of the largest of those that it may be."""
    if is_choice(event):
        each = ((it.event, it.attributes or attributes) for it in alternatives(event))
        return max((said_size(*it) for it in each), default=0)
    text = event if isinstance(event, str | None) else write_value(_read(event))
    return len((text or "").encode()) + attributes_size(mapping(attributes))


def _read(event: Any) -> Any:
    return read_value(event, "the event", EventError)


def _too_large(document: Document, where: Where, part: dict[str, Any]) -> Iterator[Problem]:
    to = named_queue(part, "to")
    found = (mapping(document.tree.get(section)).get(to or "") for section in _SECTIONS)
    there = next((mapping(it) for it in found if it is not None), None)
    if there is None:
        return
    try:
        told = int(Size.parse(there.get("message_size", "0B")))
        size = said_size(part.get("event"), part.get("attributes"))
    except ValueError:  # what is no event, or no size, is told elsewhere
        return
    if size > (most := told or SIZE_MAX):
        message = f"{size:,} bytes with attributes are more than a message of {to} has"
        key = "event" if part.get("event") is not None else "attributes"
        allowed = f"at most {Size(most)}" + (": its message_size" if told else "")
        yield document.problem((*where, key), message, allowed=allowed)
