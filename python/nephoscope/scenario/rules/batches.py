"""The rule of calls that send several messages: together they are no larger than one may be."""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.entries import AUTO, largest
from nephoscope.scenario.language.event import SIZE_MAX
from nephoscope.scenario.rules.references import entries, named_queue, steps_in
from nephoscope.scenario.units import Size

# By the kind of the step: where it leads, and which key there has the size of each message.
_SIZES = {
    "send": ("queues", "message_size"),
    "publish": ("topics", "message_size"),
    "put": ("buses", "event_size"),
}


def batch_problems(document: Document) -> Iterator[Problem]:
    """Batches that are too large, and events of a bus that works out their sizes."""
    said = [traffic.get("event") for _, traffic in entries(document.tree, "traffic")]
    yield from _put_by_traffic(document)
    for where, service in entries(document.tree, "services"):
        for at, step in steps_in(service.get("steps"), (*where, "steps")):
            for form, (section, key) in _SIZES.items():
                message = mapping(step.get(form))
                batch = message.get("batch")
                if not isinstance(batch, int) or not 1 <= batch <= 10:
                    continue
                there = mapping(document.tree.get(section)).get(named_queue(message, "to") or "")
                told = mapping(there).get(key)
                own = message.get("event")
                events = said if own is None else [own]
                by_itself = form == "put" and told == AUTO
                size = max(map(largest, events), default=0) if by_itself else _size(told)
                if batch * size > SIZE_MAX:
                    words = f"{batch} messages of {Size(size)} are more than a call may hold"
                    allowed = f"at most {max(SIZE_MAX // size, 1)}: 1MiB together"
                    yield document.problem((*at, form, "batch"), words, allowed=allowed)


def _put_by_traffic(document: Document) -> Iterator[Problem]:
    buses = mapping(document.tree.get("buses"))
    for where, traffic in entries(document.tree, "traffic"):
        to = traffic.get("to")
        if not isinstance(to, str) or mapping(buses.get(to)).get("event_size") != AUTO:
            continue
        if (size := largest(traffic.get("event"))) > SIZE_MAX:
            words = f"an event of {Size(size)} is more than a put may hold"
            yield document.problem((*where, "event"), words, allowed="at most 1MiB")


def _size(value: Any) -> int:
    try:
        return int(Size.parse(value))
    except UnitError:
        return 0
